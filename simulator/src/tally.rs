//! What a run has seen.

use std::collections::BTreeMap;

use crate::faults::Faults;

/// Totals of one world or of many.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Worlds that ended well.
    pub seeds: u64,
    /// Commands that were decided, the refused ones among them.
    pub commands: u64,
    /// Queries that were answered.
    pub queries: u64,
    /// Events that were committed.
    pub events: u64,
    /// Answers that a key gave a second time.
    pub repeated: u64,
    /// Checks of the whole log.
    pub whole: u64,
    /// Refused commands by code.
    pub refusals: BTreeMap<&'static str, u64>,
    /// Events by kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Commands that succeeded, by operation.
    pub operations: BTreeMap<&'static str, u64>,
    /// Faults by name.
    pub faults: Faults,
}

impl Tally {
    /// Adds the totals of another world.
    pub fn add(&mut self, other: &Tally) {
        self.seeds += other.seeds;
        self.commands += other.commands;
        self.queries += other.queries;
        self.events += other.events;
        self.repeated += other.repeated;
        self.whole += other.whole;
        for (sums, more) in [
            (&mut self.refusals, &other.refusals),
            (&mut self.kinds, &other.kinds),
            (&mut self.operations, &other.operations),
        ] {
            for (name, count) in more {
                *sums.entry(name).or_default() += count;
            }
        }
        self.faults.add(&other.faults);
    }
}
