//! A world: hosts, workers, clients and a network, moved by one seed from one planned action to the next.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use ruv_swarm_core::rng::Rng;
use ruv_swarm_core::Code;

use crate::check::{Call, Checker};
use crate::client::{roll, Client};
use crate::faults::Fault;
use crate::host::{Host, Message};
use crate::line;
use crate::profile::Profile;
use crate::store::Store;
use crate::violation::{Checked, Violation};
use crate::whole::Whole;
use crate::worker::{Phase, Step, Work, Worker};

/// When worlds begin, in ms since 1970.
pub const DAWN: u64 = 1_700_000_000_000;

/// What an answer brings: the response, or the code of the refusal.
pub type Reply = Result<String, Code>;

/// Something that happens at a planned time.
pub(crate) enum Action {
    Deliver { host: usize, message: Message },
    Commit(usize),
    Restart(usize),
    Answer { id: u64, reply: Reply },
    Timeout { id: u64, tries: u64 },
    Worker { place: usize, generation: u64 },
    Client,
}

struct Planned {
    time: u64,
    order: u64,
    action: Action,
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Planned {}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Planned {
    /// The earliest is the greatest, as the heap wants it.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.time, other.order).cmp(&(self.time, self.order))
    }
}

/// Who waits for an answer.
struct Asked {
    message: Message,
    tries: u64,
    /// The worker and its generation; a client if there is none.
    worker: Option<(usize, u64)>,
}

/// A promise that did not hold in the world of a seed.
#[derive(Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The call after which it was seen.
    pub step: usize,
    /// What was seen.
    pub violation: Violation,
    /// All calls up to there.
    pub calls: Vec<Call>,
}

/// The world of a seed.
pub struct World {
    pub(crate) rng: Rng,
    pub(crate) profile: Profile,
    pub(crate) time: u64,
    pub(crate) hosts: Vec<Host>,
    /// What is stored.
    pub store: Store,
    /// What is known and was seen.
    pub checker: Checker,
    pub(crate) whole: Whole,
    /// The calls that were committed or refused, in order.
    pub calls: Vec<Call>,
    pub(crate) next_whole: u64,
    queue: BinaryHeap<Planned>,
    order: u64,
    asked: HashMap<u64, Asked>,
    last_id: u64,
    last_key: u64,
    workers: Vec<Worker>,
    hired: u64,
}

impl World {
    /// The world of `seed`, before anything has happened.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::from_seed(seed);
        let profile = Profile::draw(&mut rng);
        let hosts = (0..profile.hosts).map(|_| Host::start(seed.is_multiple_of(3))).collect();
        World {
            rng,
            profile,
            time: DAWN,
            hosts,
            store: Store::default(),
            checker: Checker::default(),
            whole: Whole::default(),
            calls: vec![],
            next_whole: crate::machine::WHOLE_EVERY,
            queue: BinaryHeap::new(),
            order: 0,
            asked: HashMap::new(),
            last_id: 0,
            last_key: 0,
            workers: vec![],
            hired: 0,
        }
    }

    /// Lets the world live for `commands` commands with its faults, then ends them and drains it.
    pub fn run(&mut self, commands: u64) -> Checked {
        self.begin()?;
        while self.checker.tally.commands < commands {
            let Some(planned) = self.queue.pop() else { break };
            self.time = planned.time;
            self.act(planned.action)?;
        }
        self.drain()?;
        self.checker.tally.seeds = 1;
        Ok(())
    }

    fn begin(&mut self) -> Checked {
        let profile = self.profile.clone();
        let init = format!(
            r#"{{"swarmId":"world","topology":"mesh","maxAgents":{},"seed":{}}}"#,
            profile.max_agents, profile.swarm_seed
        );
        self.direct("swarm_init", init)?.map_err(|error| crate::host::refused(&error))?;
        for _ in 0..profile.agents {
            let (operation, request) = self.client().spawn();
            // One that joins by name and differs is refused; the first never is.
            let _ = self.direct(operation, request)?;
        }
        self.direct("artifact_put", r#"{"content":"aGVsbG8="}"#.into())?
            .map_err(|error| crate::host::refused(&error))?;
        self.hire();
        self.plan(0, Action::Client);
        Ok(())
    }

    pub(crate) fn client(&mut self) -> Client<'_> {
        Client { rng: &mut self.rng, profile: &self.profile, shadow: &self.checker.shadow }
    }

    pub(crate) fn seen(&mut self, fault: Fault) {
        self.checker.tally.faults.note(fault);
    }

    pub(crate) fn plan(&mut self, after: u64, action: Action) {
        self.order += 1;
        self.queue.push(Planned { time: self.time + after, order: self.order, action });
    }

    fn act(&mut self, action: Action) -> Checked {
        match action {
            Action::Deliver { host, message } => self.deliver(host, message),
            Action::Commit(host) => {
                self.commit(host, true)?;
                self.hire();
            }
            Action::Restart(host) => {
                self.hosts[host].up = true;
                self.reload(host)?;
            }
            Action::Answer { id, reply } => self.answered(id, reply),
            Action::Timeout { id, tries } => self.timeout(id, tries),
            Action::Worker { place, generation } => self.worker(place, generation),
            Action::Client => self.client_step(),
        }
        Ok(())
    }

    /// Every new agent gets one or two workers; with two it asks for more than it may run.
    fn hire(&mut self) {
        while self.hired < self.checker.shadow.agents.len() as u64 {
            self.hired += 1;
            for _ in 0..1 + self.rng.below(2) {
                let worker = Worker::new(self.hired, &mut self.rng);
                self.workers.push(worker);
                let pause = self.rng.below(2_000);
                self.plan(pause, Action::Worker { place: self.workers.len() - 1, generation: 0 });
            }
        }
    }

    fn deliver(&mut self, host: usize, message: Message) {
        if !self.hosts[host].up {
            return;
        }
        self.hosts[host].waiting.push(message);
        if !self.hosts[host].planned {
            self.hosts[host].planned = true;
            let pause = 1 + self.rng.below(12);
            self.plan(pause, Action::Commit(host));
        }
    }

    fn delay(&mut self) -> u64 {
        1 + self.rng.below(self.profile.delay)
    }

    /// Puts a message on the network, which may lose, double or delay it.
    fn transmit(&mut self, message: Message) {
        let host = self.rng.below(self.hosts.len() as u64) as usize;
        let mut delay = self.delay();
        if roll(&mut self.rng, self.profile.network) {
            match self.rng.below(3) {
                0 => {
                    self.seen(Fault::RequestLost);
                    return;
                }
                1 => {
                    self.seen(Fault::RequestTwice);
                    let again = self.delay();
                    let other = self.rng.below(self.hosts.len() as u64) as usize;
                    self.plan(again, Action::Deliver { host: other, message: message.clone() });
                }
                _ => {
                    self.seen(Fault::RequestLate);
                    delay += 1_000 + self.rng.below(40_000);
                }
            }
        }
        self.plan(delay, Action::Deliver { host, message });
    }

    fn ask(&mut self, message: Message, worker: Option<(usize, u64)>) {
        let id = message.id;
        self.asked.insert(id, Asked { message: message.clone(), tries: 0, worker });
        self.plan_timeout(id, 0);
        self.transmit(message);
    }

    fn plan_timeout(&mut self, id: u64, tries: u64) {
        let wait = 2_000 + 2 * self.profile.delay + self.rng.below(3_000);
        self.plan(wait, Action::Timeout { id, tries });
    }

    fn message(&mut self, operation: &'static str, request: String, keyed: u64) -> Message {
        self.last_id += 1;
        let key = if roll(&mut self.rng, keyed) {
            self.last_key += 1;
            format!("k{}", self.last_key)
        } else {
            String::new()
        };
        Message { id: self.last_id, operation, request, key }
    }

    pub(crate) fn reply(&mut self, id: u64, reply: Reply) {
        if !self.asked.contains_key(&id) {
            return;
        }
        if roll(&mut self.rng, self.profile.network / 2) {
            self.seen(Fault::AnswerLost);
            return;
        }
        let delay = self.delay();
        self.plan(delay, Action::Answer { id, reply });
    }

    fn timeout(&mut self, id: u64, tries: u64) {
        if self.asked.get(&id).is_some_and(|asked| asked.tries == tries) {
            self.answered(id, Err(Code::OutcomeUnknown));
        }
    }

    fn answered(&mut self, id: u64, reply: Reply) {
        let Some(mut asked) = self.asked.remove(&id) else { return };
        let unknown = matches!(reply, Err(Code::OutcomeUnknown | Code::StoreUnavailable));
        if unknown && asked.tries < 3 && self.rng.below(8) > 0 {
            asked.tries += 1;
            let (message, tries) = (asked.message.clone(), asked.tries);
            if !message.key.is_empty() {
                self.seen(Fault::Repeated);
            }
            self.asked.insert(id, asked);
            self.plan_timeout(id, tries);
            self.transmit(message);
            return;
        }
        let Some((place, generation)) = asked.worker else { return };
        if self.workers[place].generation == generation {
            self.worker_answered(place, asked.message.operation, reply);
        }
    }

    fn worker_answered(&mut self, place: usize, operation: &'static str, reply: Reply) {
        let was = self.workers[place].phase;
        let mut pause = 20 + self.rng.below(4_000);
        let mut phase = Phase::Idle;
        match (&reply, operation) {
            (Ok(response), "task_heartbeat") => {
                if let Phase::Waiting { work: Some(work), .. } = was {
                    let stop = line::answer(response).cancel_requested;
                    phase = Phase::Working(Work { stop, ..work });
                }
            }
            (Ok(response), _) => {
                let answer = line::answer(response);
                let task = if operation == "task_claim" { answer.task } else { answer.next };
                if let Some((task, lease)) = task.and_then(|task| Some((task.id.0, task.lease?))) {
                    let beats = self.rng.below(4);
                    phase = Phase::Working(Work { task, epoch: lease.epoch, beats, stop: false });
                } else if operation == "task_claim" {
                    pause = 500 + self.rng.below(6_000);
                } else {
                    pause = 1;
                }
            }
            // A lie that was refused: it still works on what it has.
            (Err(_), "task_report") => {
                if let Phase::Waiting { work: Some(work), .. } = was {
                    phase = Phase::Working(work);
                }
            }
            (Err(Code::FailedPrecondition), "task_claim") => pause = 3_000 + self.rng.below(20_000),
            _ => {}
        }
        let worker = &mut self.workers[place];
        worker.phase = phase;
        let generation = worker.generation;
        self.plan(pause, Action::Worker { place, generation });
    }

    fn worker(&mut self, place: usize, generation: u64) {
        let chance = self.profile.workers;
        let (shadow, profile) = (&self.checker.shadow, &self.profile);
        let faults = &mut self.checker.tally.faults;
        let worker = &mut self.workers[place];
        if worker.generation != generation {
            return;
        }
        let named = |rng: &mut Rng| Client { rng, profile, shadow }.any_task();
        let step = worker.step(&mut self.rng, chance, named, &mut |fault| faults.note(fault));
        let generation = worker.generation;
        match step {
            Step::Sleep(0) => {}
            Step::Sleep(pause) => self.plan(pause, Action::Worker { place, generation }),
            Step::Send { operation, request, work, twice } => {
                let message = self.message(operation, request, self.profile.keys / 4);
                if twice {
                    let key = if self.rng.below(2) == 0 { message.key.clone() } else { String::new() };
                    let copy = Message { id: 0, key, ..message.clone() };
                    self.transmit(copy);
                }
                if operation == "task_heartbeat" && roll(&mut self.rng, chance / 2) {
                    // The report that follows overtakes this heartbeat.
                    self.seen(Fault::ReportFirst);
                    if let Some(work) = work {
                        self.workers[place].phase = Phase::Working(Work { beats: 0, ..work });
                    }
                    let host = self.rng.below(self.hosts.len() as u64) as usize;
                    let late = 2_000 + self.rng.below(4_000);
                    self.plan(late, Action::Deliver { host, message: Message { id: 0, ..message } });
                    self.plan(1, Action::Worker { place, generation });
                    return;
                }
                self.workers[place].phase = Phase::Waiting { id: message.id, work };
                self.ask(message, Some((place, generation)));
            }
        }
    }

    fn client_step(&mut self) {
        let pause = 1 + self.rng.below(self.profile.pace);
        self.plan(pause, Action::Client);
        if roll(&mut self.rng, self.profile.clocks) {
            self.jump();
        }
        let (operation, request) = self.client().wish();
        let mut message = self.message(operation, request, self.profile.keys);
        if self.last_key > 0 && !message.key.is_empty() && self.rng.below(40) == 0 {
            self.seen(Fault::KeyReused);
            message.key = format!("k{}", 1 + self.rng.below(self.last_key));
        }
        if crate::check::QUERIES.contains(&operation) {
            message.key.clear();
        }
        self.ask(message, None);
    }

    fn jump(&mut self) {
        let host = self.rng.below(self.hosts.len() as u64) as usize;
        let far = match self.rng.below(12) {
            0 => self.rng.below(3 * 86_400_000),
            1..4 => self.rng.below(600_000),
            _ => self.rng.below(20_000),
        } as i64;
        let back = self.rng.below(2) == 0;
        self.seen(if back { Fault::ClockBack } else { Fault::ClockForward });
        self.hosts[host].skew = if back { -far } else { far };
    }
}

impl World {
    /// The hashes of the state and of the chain, in hexadecimal, once the world was drained.
    pub fn hashes(&self) -> (String, String) {
        let hex = |hash: ruv_swarm_core::hash::Hash| ruv_swarm_core::hash::hex(&hash);
        (hex(self.hosts[0].swarm.state_hash()), hex(self.hosts[0].swarm.chain_head()))
    }
}
