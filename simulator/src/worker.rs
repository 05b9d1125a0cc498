//! Workers: claim, beat, report; and crash, freeze, lie and repeat themselves.

use ruv_swarm_core::rng::Rng;

use crate::client::{one, roll, ARTIFACT, CODES};
use crate::faults::Fault;
use crate::request::Request;

/// A task that a worker believes to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// The task's number.
    pub task: u64,
    /// The lease's epoch.
    pub epoch: u64,
    /// How often it still wants to beat before it reports.
    pub beats: u64,
    /// True once it was told to stop.
    pub stop: bool,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It wants a task.
    Idle,
    /// It waits for the answer to message `id`; `work` goes on if that was a heartbeat.
    Waiting {
        /// The message.
        id: u64,
        /// What it works on, if it still does.
        work: Option<Work>,
    },
    /// It works.
    Working(Work),
}

/// One process that works as an agent.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The agent's number.
    pub agent: u64,
    /// Grows with each crash; what was sent before is nothing to it.
    pub generation: u64,
    /// What it does.
    pub phase: Phase,
    /// What it held last; liars come back to it.
    pub former: Option<Work>,
    /// The length of its leases, in ms.
    pub lease: u64,
}

/// What a worker does next.
#[derive(Debug)]
pub enum Step {
    /// Send a request once, or twice.
    Send {
        /// The operation.
        operation: &'static str,
        /// The request.
        request: String,
        /// What it works on afterwards.
        work: Option<Work>,
        /// True for two copies.
        twice: bool,
    },
    /// Do nothing for so many ms.
    Sleep(u64),
}

impl Worker {
    /// A worker for an agent.
    pub fn new(agent: u64, rng: &mut Rng) -> Self {
        let lease = [1_000, 2_000, 5_000, 15_000, 60_000];
        let lease = lease.get(rng.below(5) as usize).copied().unwrap_or(30_000);
        Worker { agent, generation: 0, phase: Phase::Idle, former: None, lease }
    }

    /// What it does now; `chance` is how faulty it is, `named` a task to ask for.
    pub fn step(
        &mut self,
        rng: &mut Rng,
        chance: u64,
        named: impl FnOnce(&mut Rng) -> String,
        seen: &mut dyn FnMut(Fault),
    ) -> Step {
        match self.phase {
            Phase::Waiting { .. } => Step::Sleep(0),
            Phase::Idle => {
                if let (true, Some(former)) = (roll(rng, chance / 4), self.former) {
                    seen(Fault::EpochLie);
                    return self.report(rng, former, self.agent, false);
                }
                let mut request = Request::new().text("agentId", format_args!("a{}", self.agent));
                if rng.below(20) == 0 {
                    request = request.text("taskId", named(rng));
                }
                let request = request.raw("leaseMs", self.lease).done();
                Step::Send { operation: "task_claim", request, work: None, twice: false }
            }
            Phase::Working(work) => self.work(rng, work, chance, seen),
        }
    }

    fn work(&mut self, rng: &mut Rng, work: Work, chance: u64, seen: &mut dyn FnMut(Fault)) -> Step {
        if roll(rng, chance) {
            match rng.below(6) {
                0 => {
                    seen(Fault::WorkerCrash);
                    self.crash();
                    return Step::Sleep(500 + rng.below(20_000));
                }
                1 => {
                    seen(Fault::WorkerFreeze);
                    return Step::Sleep(self.lease + rng.below(3 * self.lease));
                }
                2 => {
                    seen(Fault::EpochLie);
                    let epoch = if rng.below(2) == 0 { work.epoch + 1 } else { work.epoch.saturating_sub(1) };
                    let step = self.report(rng, Work { epoch, ..work }, self.agent, false);
                    return goes_on(step, work);
                }
                3 => {
                    seen(Fault::AgentLie);
                    let other = 1 + rng.below(self.agent + 2);
                    let step = self.report(rng, work, other, false);
                    return goes_on(step, work);
                }
                _ => {
                    seen(Fault::ReportTwice);
                    return self.report(rng, work, self.agent, true);
                }
            }
        }
        if work.beats == 0 || work.stop {
            return self.report(rng, work, self.agent, false);
        }
        let mut request = Request::new()
            .text("taskId", format_args!("t{}", work.task))
            .text("agentId", format_args!("a{}", self.agent))
            .raw("epoch", work.epoch)
            .raw("leaseMs", self.lease);
        if rng.below(2) == 0 {
            request = request.raw("progress", format_args!("{{\"done\":{},\"total\":9}}", work.beats));
        }
        let work = Work { beats: work.beats - 1, ..work };
        Step::Send { operation: "task_heartbeat", request: request.done(), work: Some(work), twice: false }
    }

    /// It forgets everything but what it held.
    pub fn crash(&mut self) {
        if let Phase::Working(work) | Phase::Waiting { work: Some(work), .. } = self.phase {
            self.former = Some(work);
        }
        self.generation += 1;
        self.phase = Phase::Idle;
    }

    fn report(&mut self, rng: &mut Rng, work: Work, agent: u64, twice: bool) -> Step {
        let mut request = Request::new()
            .text("taskId", format_args!("t{}", work.task))
            .text("agentId", format_args!("a{agent}"))
            .raw("epoch", work.epoch);
        request = match rng.below(20) {
            0..14 => match rng.below(8) {
                0 => request.text("outcome", "completed").text("artifact", ARTIFACT),
                _ => request.text("outcome", "completed").text("output", "done"),
            },
            14..18 => {
                let code = one(rng, CODES);
                let error = Request::new().text("code", code).text("message", "it did not work").done();
                request.text("outcome", "failed").raw("error", error)
            }
            _ => request.text("outcome", "released"),
        };
        if rng.below(2) == 0 {
            request = request.raw("claimNext", true).raw("leaseMs", self.lease);
        }
        self.former = Some(work);
        Step::Send { operation: "task_report", request: request.done(), work: None, twice }
    }
}

/// After a lie the worker still believes that it works.
fn goes_on(step: Step, work: Work) -> Step {
    match step {
        Step::Send { operation, request, twice, .. } => {
            Step::Send { operation, request, work: Some(work), twice }
        }
        sleep @ Step::Sleep(_) => sleep,
    }
}
