//! A list of calls on one core with one checker: what a failure is shrunk on, and what drains a world.

use ruv_swarm_core::{Decision, Error};

use crate::check::{Call, Checker};
use crate::host::Host;
use crate::store::Store;
use crate::violation::Checked;
use crate::whole::Whole;

/// How many commands lie between two checks of the whole log.
pub const WHOLE_EVERY: u64 = 1_000;

/// A core, what it has stored, and what is checked about it.
#[derive(Default)]
pub struct Machine {
    /// The core.
    pub host: Host,
    /// The log.
    pub store: Store,
    /// The rules.
    pub checker: Checker,
    /// Checks of the whole log.
    pub whole: Whole,
}

impl Machine {
    /// Makes a call, commits its events and checks everything.
    pub fn step(&mut self, call: Call) -> Checked<Result<Decision, Error>> {
        let decided = self.host.decide(0, call)?;
        self.checker.check(&decided)?;
        let lines = decided.answer.iter().flat_map(|decision| decision.events.iter().cloned()).collect();
        self.store.append(self.store.head(), lines, decided.rows);
        if self.checker.tally.commands.is_multiple_of(WHOLE_EVERY) {
            self.check_whole(false)?;
        }
        Ok(decided.answer)
    }

    /// Checks the whole log.
    pub fn check_whole(&mut self, all: bool) -> Checked {
        self.checker.tally.whole += 1;
        self.whole.check(&self.host.swarm, &mut self.store, &self.checker.shadow, all)
    }
}
