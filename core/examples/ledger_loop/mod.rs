//! The loop that the ledger's benches time, native and inside WebAssembly: the same commands, in
//! blocks of one kind, so that each kind has a time of its own. The clock is the caller's.

use ruv_swarm_core::codec;
use ruv_swarm_core::hash::{sha256, Hash};
use ruv_swarm_core::Swarm;

/// Commands of one kind in a row.
pub const BLOCK: u64 = 1_000;
/// Kinds of work: a task needs one, an agent can do one.
const CLASSES: u64 = 32;
/// How long a lease lasts, in ms: longer than any run.
const LEASE_MS: u64 = 86_400_000;

/// A swarm with its log.
#[derive(Default)]
pub struct Bench {
    pub swarm: Swarm,
    pub log: Vec<String>,
    now: u64,
    agents: u64,
}

/// What took how long: `n` commands or events.
pub struct Timing {
    pub what: &'static str,
    pub n: u64,
    pub ms: f64,
}

impl Bench {
    /// A swarm of so many agents, in classes, with so many tasks that wait for them: of all priorities,
    /// in `goals` goals, in the agents' classes.
    pub fn new(tasks: u64, agents: u64, goals: u64) -> Self {
        let mut bench = Bench { now: 1_000, agents, ..Bench::default() };
        let request = format!(r#"{{"swarmId":"s-bench","seed":1,"maxAgents":{}}}"#, agents.max(1));
        bench.call("swarm_init", &request);
        let classes = CLASSES.min(agents);
        for class in 0..classes {
            let mut left = agents / classes + u64::from(class < agents % classes);
            while left > 0 {
                let count = left.min(1_000);
                let request = format!(
                    r#"{{"type":"coder","pattern":"convergent","capabilities":["c{class}"],"capacity":1000,"count":{count}}}"#
                );
                bench.call("agent_spawn", &request);
                left -= count;
            }
        }
        for goal in 0..goals {
            let (from, to) = (tasks * goal / goals, tasks * (goal + 1) / goals);
            bench.submit_goal(from, to, goal, classes);
        }
        bench
    }

    fn submit_goal(&mut self, from: u64, to: u64, goal: u64, classes: u64) {
        let mut id = String::new();
        let mut at = from;
        while at < to {
            let end = to.min(at + 1_000);
            let tasks: Vec<String> = (at..end).map(|i| new_task(i, classes, &id)).collect();
            let tasks = tasks.join(",");
            let request = match id.is_empty() {
                true => format!(r#"{{"goal":"goal {goal}","tasks":[{tasks}]}}"#),
                false => format!(r#"{{"tasks":[{tasks}]}}"#),
            };
            let response = self.call("task_submit", &request);
            if let (true, Some(made)) = (id.is_empty(), after(&response, "\"goalId\":\"")) {
                id = made.into();
            }
            at = end;
        }
    }

    /// Decides and applies one command, and keeps its events.
    pub fn call(&mut self, operation: &str, request: &str) -> String {
        self.now += 1;
        let decision = self.swarm.call(operation, request, self.now, "").expect("a valid command");
        for line in decision.events {
            self.swarm.apply(&line).expect("our own event");
            self.log.push(line);
        }
        decision.response
    }

    fn agent(&self, i: u64) -> u64 {
        // neighbours are of one class: a stride walks through the classes
        1 + i.wrapping_mul(7_919) % self.agents
    }

    fn claim(&mut self, i: u64) -> Option<(u64, String)> {
        let agent = self.agent(i);
        let response = self.call("task_claim", &format!(r#"{{"agentId":"a{agent}","leaseMs":{LEASE_MS}}}"#));
        after(&response, "\"id\":\"").map(|id| (agent, id.to_string()))
    }

    fn report(&mut self, agent: u64, task: &str) {
        let request =
            format!(r#"{{"taskId":"{task}","agentId":"a{agent}","epoch":1,"outcome":"completed"}}"#);
        self.call("task_report", &request);
    }

    /// `blocks` times: a block of submissions of one task, of claims, of heartbeats, of reports. As
    /// many tasks wait afterwards as before.
    pub fn mix(&mut self, blocks: u64, clock: &dyn Fn() -> f64) -> Vec<Timing> {
        let kinds = ["submit", "claim", "heartbeat", "report"];
        let mut times = kinds.map(|what| Timing { what, n: 0, ms: 0.0 });
        let [submit, claim, heartbeat, report] = &mut times;
        for block in 0..blocks {
            let range = block * BLOCK..(block + 1) * BLOCK;
            submit.time(clock, || {
                for i in range.clone() {
                    let request = format!(r#"{{"tasks":[{}]}}"#, new_task(i, CLASSES, ""));
                    self.call("task_submit", &request);
                }
            });
            let mut held = vec![];
            claim.time(clock, || held.extend(range.clone().filter_map(|i| self.claim(i))));
            assert_eq!(held.len() as u64, BLOCK, "each claim finds a task");
            heartbeat.time(clock, || {
                for (agent, task) in &held {
                    let request = format!(
                        r#"{{"taskId":"{task}","agentId":"a{agent}","epoch":1,"leaseMs":{LEASE_MS}}}"#
                    );
                    self.call("task_heartbeat", &request);
                }
            });
            report.time(clock, || {
                for (agent, task) in &held {
                    self.report(*agent, task);
                }
            });
        }
        times.into()
    }

    /// The times of `n` claims in ms, each of another agent, each followed by its report and a new task,
    /// which are not timed.
    pub fn claims(&mut self, n: u64, clock: &dyn Fn() -> f64) -> Vec<f64> {
        let mut times = Vec::with_capacity(n as usize);
        for i in 0..n {
            let before = clock();
            let claimed = self.claim(i);
            let after = clock();
            if let Some((agent, task)) = claimed {
                times.push(after - before);
                self.report(agent, &task);
                // as many wait for the next claim
                let request = format!(r#"{{"tasks":[{}]}}"#, new_task(i, CLASSES.min(self.agents), ""));
                self.call("task_submit", &request);
            }
        }
        times
    }

    /// Replays the log into a fresh swarm.
    pub fn replay(&self, clock: &dyn Fn() -> f64) -> Timing {
        let mut timing = Timing { what: "replay", n: 0, ms: 0.0 };
        let mut swarm = Swarm::new();
        timing.time(clock, || {
            for line in &self.log {
                swarm.replay(line).expect("our own event");
            }
        });
        assert_eq!(swarm.chain_head(), self.swarm.chain_head(), "the replayed log is the same");
        Timing { n: self.log.len() as u64, ..timing }
    }

    /// Reads the lines of the log and does nothing with their events.
    pub fn decode(&self, clock: &dyn Fn() -> f64) -> Timing {
        let mut timing = Timing { what: "decode alone", n: 0, ms: 0.0 };
        let mut last = 0;
        timing.time(clock, || {
            for line in &self.log {
                last = codec::decode(line).expect("our own event").seq;
            }
        });
        assert_eq!(last, self.swarm.version(), "each line was read");
        Timing { n: self.log.len() as u64, ..timing }
    }

    /// The chain over the log alone: what a replay cannot do without.
    pub fn chain(&self, clock: &dyn Fn() -> f64) -> Timing {
        let mut timing = Timing { what: "hash chain alone", n: 0, ms: 0.0 };
        let mut chain: Hash = [0; 32];
        timing.time(clock, || {
            for line in &self.log {
                chain = sha256(&[&chain, line.as_bytes()]);
            }
        });
        assert_eq!(chain, self.swarm.chain_head(), "the chain is that of the log");
        Timing { n: self.log.len() as u64, ..timing }
    }
}

impl Timing {
    fn time(&mut self, clock: &dyn Fn() -> f64, work: impl FnOnce()) {
        let before = clock();
        work();
        self.ms += clock() - before;
        self.n += BLOCK;
    }

    /// The timing as a line of JSON.
    pub fn json(&self, tasks: u64) -> String {
        let rate = self.n as f64 / self.ms * 1e3;
        let Timing { what, n, ms } = self;
        format!(r#"{{"what":"{what}","tasks":{tasks},"n":{n},"ms":{ms:.3},"perSecond":{rate:.0}}}"#)
    }
}

fn new_task(i: u64, classes: u64, goal: &str) -> String {
    let (priority, class) = (i.wrapping_mul(31) % 101, i.wrapping_mul(13) % classes);
    let goal = if goal.is_empty() { String::new() } else { format!(r#","goalId":"{goal}""#) };
    format!(r#"{{"name":"task {i}","priority":"{priority}","capabilities":["c{class}"]{goal}}}"#)
}

fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark).and_then(|(_, rest)| rest.split_once('"')).map(|(word, _)| word)
}
