//! The loop of a crew: look for tasks, start jobs, count what ends, and end in good order.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ruv_swarm_core::error::{Code, Error};

use super::context::Hold;
use super::keeper::Keeper;
use super::report::{claim_request, claims, give_back, passes_by};
use super::{job, Happening, Tally, Task, Work};
use crate::host::Host;

/// How often an idle worker looks whether the log has news: a read of one number.
const NAP: Duration = Duration::from_millis(30);

/// How long to wait before the next look when the store is busy or full.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long running tasks have to end once they are told to stop.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// Ends a crew. Clones are the same.
#[derive(Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    also: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Stop {
    /// A stop that nobody has asked for yet.
    pub fn new() -> Stop {
        Stop::default()
    }

    /// A stop that is also asked for once `when` says so. It is called many times a second, always
    /// on the thread that runs the crew.
    pub fn when(when: impl Fn() -> bool + Send + Sync + 'static) -> Stop {
        Stop::new().or_when(when)
    }

    /// The same stop, which is also asked for once `when` says so, in place of a former `when`.
    pub fn or_when(mut self, when: impl Fn() -> bool + Send + Sync + 'static) -> Stop {
        self.also = Some(Arc::new(when));
        self
    }

    /// Asks for the end: running tasks are told, and what does not end in time is given back.
    pub fn stop(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    fn asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst) || self.also.as_ref().is_some_and(|when| when())
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.asked).finish()
    }
}

/// One agent of a crew.
pub(super) struct Seat {
    pub(super) agent: String,
    pub(super) lease_ms: u64,
    pub(super) at_once: usize,
    pub(super) work: Arc<dyn Work>,
}

/// What the threads of a crew share.
pub(super) struct Shared {
    pub(super) host: Arc<Host>,
    pub(super) keeper: Keeper,
    pub(super) stopping: AtomicBool,
    budget: AtomicU64,
}

impl Shared {
    /// Takes up to `count` of the tasks that may still be begun.
    pub(super) fn take(&self, count: u64) -> u64 {
        let less = |left: u64| Some(left.saturating_sub(count));
        let update = self.budget.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        update.map_or(0, |before| before.min(count))
    }

    /// Gives back what was taken and not begun.
    pub(super) fn put_back(&self, count: u64) {
        self.budget.fetch_add(count, Ordering::SeqCst);
    }
}

/// What a job tells the loop.
pub(super) enum Note {
    Happened(Happening),
    /// A job of this seat has ended and brought no next task.
    Idle(usize),
    Trouble(Error),
}

/// Several agents that work in one loop: they share heartbeats, commits and limits, and are idle
/// together. For one agent see [`super::Worker`].
pub struct Crew {
    host: Arc<Host>,
    seats: Vec<Arc<Seat>>,
    max_tasks: u64,
    until_idle: bool,
    stop: Stop,
    grace: Duration,
}

impl Crew {
    /// A crew of nobody yet.
    pub fn new(host: Arc<Host>) -> Crew {
        Crew {
            host,
            seats: vec![],
            max_tasks: u64::MAX,
            until_idle: false,
            stop: Stop::default(),
            grace: GRACE,
        }
    }

    /// Adds an agent with its code: leases of `lease_ms` without a heartbeat, and `at_once` tasks at
    /// the same time, 0 for as many as its capacity.
    ///
    /// # Errors
    /// `not_found` if there is no such agent.
    pub fn hire(
        mut self,
        agent_id: &str,
        lease_ms: u64,
        at_once: usize,
        work: Arc<dyn Work>,
    ) -> Result<Crew, Error> {
        let at_once = if at_once == 0 { capacity(&self.host, agent_id)? } else { at_once };
        self.seats.push(Arc::new(Seat { agent: agent_id.to_string(), lease_ms, at_once, work }));
        Ok(self)
    }

    /// Ends after so many attempts, of all agents together.
    pub fn max_tasks(mut self, most: u64) -> Crew {
        self.max_tasks = most;
        self
    }

    /// Ends when no task is left that could be done now or later.
    pub fn until_idle(mut self) -> Crew {
        self.until_idle = true;
        self
    }

    /// Ends when `stop` is asked for.
    pub fn stop(mut self, stop: &Stop) -> Crew {
        self.stop = stop.clone();
        self
    }

    /// How long running tasks have to end once they are told to stop; 5 s if nothing is said.
    pub fn grace(mut self, grace: Duration) -> Crew {
        self.grace = grace;
        self
    }

    /// Works until one of the ends that were named, or for ever; `observe` is called on this thread.
    ///
    /// # Errors
    /// What makes further work impossible: an agent that is retired or unknown, a lease time that is
    /// not allowed, a store that fails for good. What ran is given back first.
    pub fn run(self, observe: &mut dyn FnMut(&Happening)) -> Result<Tally, Error> {
        let agents = self.seats.iter().map(|seat| seat.agent.clone()).collect();
        let shared = Arc::new(Shared {
            host: self.host.clone(),
            keeper: Keeper::new(self.host.clone(), agents),
            stopping: AtomicBool::new(false),
            budget: AtomicU64::new(self.max_tasks),
        });
        let keeping = shared.clone();
        let keeper = thread("leases", move || keeping.keeper.run())?;
        let looks = self.seats.iter().map(|_| Look::default()).collect();
        let mut run =
            Run { crew: &self, shared: shared.clone(), notes: channel(), looks, tally: Tally::default() };
        let result = run.until_done(observe);
        shared.keeper.end();
        // it cannot panic, and if it did there is nothing left that it should keep
        let _ = keeper.join();
        result.map(|()| run.tally)
    }
}

/// What is known of one seat.
#[derive(Default)]
struct Look {
    active: usize,
    /// The version of the log at which there was nothing to claim, and when time alone may change
    /// that, in ms since 1970.
    empty: Option<(u64, Option<u64>)>,
}

struct Run<'a> {
    crew: &'a Crew,
    shared: Arc<Shared>,
    notes: (Sender<Note>, Receiver<Note>),
    looks: Vec<Look>,
    tally: Tally,
}

impl Run<'_> {
    fn until_done(&mut self, observe: &mut dyn FnMut(&Happening)) -> Result<(), Error> {
        loop {
            let outcome = match self.turn() {
                Ok(false) => self.take_notes(NAP, observe).map(|()| false),
                ended => ended,
            };
            match outcome {
                Ok(false) if !self.crew.stop.asked() => {}
                Ok(_) => return self.wind_down(observe),
                // the store is busy or full: the leases are kept meanwhile, and it may pass by
                Err(error) if passes_by(&error) && !self.crew.stop.asked() => {
                    std::thread::sleep(PATIENCE);
                }
                Err(error) => {
                    let _ = self.wind_down(observe);
                    return Err(error);
                }
            }
        }
    }

    /// Claims what there is; true if it is time to end.
    fn turn(&mut self) -> Result<bool, Error> {
        if self.crew.stop.asked() {
            return Ok(true);
        }
        for seat in 0..self.crew.seats.len() {
            self.fill(seat)?;
        }
        if self.active() > 0 {
            return Ok(false);
        }
        let spent = self.shared.budget.load(Ordering::SeqCst) == 0;
        Ok(spent
            || self.crew.seats.is_empty()
            || (self.crew.until_idle && nothing_left(&self.crew.host, &self.crew.seats)?))
    }

    fn active(&self) -> usize {
        self.looks.iter().map(|look| look.active).sum()
    }

    /// Claims tasks for the free places of a seat, twice as many each time as long as there are some.
    fn fill(&mut self, place: usize) -> Result<(), Error> {
        let (Some(seat), Some(look)) = (self.crew.seats.get(place), self.looks.get_mut(place)) else {
            return Ok(());
        };
        let seat = seat.clone();
        if look.active >= seat.at_once || !worth_a_claim(&self.crew.host, &seat, look)? {
            return Ok(());
        }
        let mut count = 1;
        loop {
            let free = self.looks.get(place).map_or(0, |look| seat.at_once.saturating_sub(look.active));
            let taken = self.shared.take(count.min(free) as u64);
            if taken == 0 {
                return Ok(());
            }
            let mut begun = 0;
            let mut trouble = None;
            for claim in claims(&self.crew.host, &seat.agent, seat.lease_ms, taken as usize) {
                match claim.and_then(|task| task.map(|task| self.start(place, &seat, task)).transpose()) {
                    Ok(Some(())) => begun += 1,
                    Ok(None) => {}
                    Err(error) => trouble = Some(error),
                }
            }
            self.shared.put_back(taken - begun);
            match trouble {
                Some(error) => return Err(error),
                None if begun < taken => return Ok(()),
                None => count *= 2,
            }
        }
    }

    fn start(&mut self, place: usize, seat: &Arc<Seat>, task: Task) -> Result<(), Error> {
        let hold = Hold::new(&seat.agent, &task.id, task.epoch(), seat.lease_ms);
        let (shared, seat, notes) = (self.shared.clone(), seat.clone(), self.notes.0.clone());
        let name = format!("work-{}", task.id);
        match thread(&name, move || job::run(&shared, place, &seat, task, &notes)) {
            Ok(_) => {
                if let Some(look) = self.looks.get_mut(place) {
                    look.active += 1;
                }
                Ok(())
            }
            Err(error) => {
                give_back(&self.crew.host, &hold)?;
                Err(error)
            }
        }
    }

    /// Waits for a note, and takes all that are there.
    fn take_notes(&mut self, patience: Duration, observe: &mut dyn FnMut(&Happening)) -> Result<(), Error> {
        let mut first = self.notes.1.recv_timeout(patience).ok();
        let mut trouble = None;
        while let Some(note) = first.take().or_else(|| self.notes.1.try_recv().ok()) {
            match note {
                Note::Happened(happening) => self.happened(&happening, observe),
                Note::Idle(place) => {
                    if let Some(look) = self.looks.get_mut(place) {
                        look.active = look.active.saturating_sub(1);
                    }
                }
                Note::Trouble(error) => trouble = Some(error),
            }
        }
        trouble.map_or(Ok(()), Err)
    }

    fn happened(&mut self, happening: &Happening, observe: &mut dyn FnMut(&Happening)) {
        if let Happening::Ended { outcome, .. } = happening {
            self.tally.count(outcome);
        }
        observe(happening);
    }

    /// Tells what runs to stop, waits for the grace, and gives back the rest.
    fn wind_down(&mut self, observe: &mut dyn FnMut(&Happening)) -> Result<(), Error> {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for hold in self.shared.keeper.holds() {
            hold.stop();
        }
        let end = Instant::now() + self.crew.grace;
        let mut trouble = None;
        while self.active() > 0 && Instant::now() < end {
            if let Err(error) = self.take_notes(NAP, observe) {
                trouble = Some(error);
            }
        }
        for hold in self.shared.keeper.holds() {
            if !hold.close() {
                continue;
            }
            self.shared.keeper.remove(&hold);
            match give_back(&self.crew.host, &hold) {
                Ok(reported) => self.happened(&job::ended(&hold, reported), observe),
                Err(error) => trouble = Some(error),
            }
        }
        trouble.map_or(Ok(()), Err)
    }
}

/// Whether a claim would bring something, by the core's own word on the state that is there: a claim
/// in earnest would keep other writers waiting.
fn worth_a_claim(host: &Host, seat: &Seat, look: &mut Look) -> Result<bool, Error> {
    let now = host.now_ms();
    let (version, deadline, change) =
        host.with_swarm(|swarm| (swarm.version(), swarm.next_deadline(), swarm.next_change(now)))?;
    if deadline.is_some_and(|deadline| deadline <= now) {
        return Ok(true);
    }
    let still = |until: Option<u64>| until.is_none_or(|until| until > now);
    if look.empty.is_some_and(|(seen, until)| seen == version && still(until)) {
        return Ok(false);
    }
    let request = claim_request(&seat.agent, seat.lease_ms);
    let found = host.with_swarm(|swarm| {
        let decision = swarm.call("task_claim", &request, now, "");
        decision.map_or(true, |decision| !decision.events.is_empty())
    })?;
    look.empty = (!found).then_some((version, change));
    Ok(found)
}

/// True if no task that has not ended is for one of these agents, now or later.
fn nothing_left(host: &Host, seats: &[Arc<Seat>]) -> Result<bool, Error> {
    host.with_swarm(|swarm| {
        for seat in seats {
            if swarm.has_work_for(&seat.agent)? {
                return Ok(false);
            }
        }
        Ok(true)
    })?
}

fn capacity(host: &Host, agent_id: &str) -> Result<usize, Error> {
    host.with_swarm(|swarm| swarm.state().agent("agentId", agent_id).map(|agent| agent.capacity as usize))?
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<std::thread::JoinHandle<()>, Error> {
    std::thread::Builder::new()
        .name(name.to_string())
        .spawn(work)
        .map_err(|error| Error::new(Code::Internal, "", format!("cannot start a thread: {error}")))
}
