//! The shadow: what the log means, folded a second time from the rules in docs/ledger.md.
//!
//! It shares no code with the core. Where the core asks an index, the shadow counts; worlds are small.
//! Each fold of a line checks that the line was allowed at its place.

mod agents;
mod choice;
mod fold;
mod settle;
mod tasks;
mod timers;

use std::collections::{BTreeMap, BTreeSet};

pub use choice::Rule;
pub use timers::Timer;

/// A day, the longest back-off, in ms.
pub const DAY_MS: u64 = 86_400_000;

/// The hold of an agent on a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lease {
    /// The holder.
    pub agent: u64,
    /// The fence.
    pub epoch: u64,
    /// When it ends, in ms.
    pub expires: u64,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its work was done.
    Completed,
    /// Its attempts were used up, its time was over or a dependency failed.
    Failed,
    /// It was called off, or not needed.
    Cancelled,
}

/// A task of the shadow; times are in ms, 0 for none.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // named as in the catalogue
pub struct Task {
    pub goal: Option<u64>,
    pub priority: u64,
    pub depends_on: Vec<u64>,
    pub after_failure: Vec<u64>,
    /// Tasks that wait for this one, of either kind.
    pub dependents: Vec<u64>,
    /// Capabilities as bits of [`Shadow::word`].
    pub needs: u64,
    pub assigned_to: Option<u64>,
    /// Key, and whether it is held alone.
    pub resources: Vec<(String, bool)>,
    pub max_retries: u64,
    pub backoff: u64,
    pub max_backoff: u64,
    pub jitter: u64,
    pub non_retryable: Vec<String>,
    pub queue: u64,
    pub run: u64,
    pub total: u64,
    pub created: u64,
    pub ready_at: u64,
    pub not_before: u64,
    pub started: u64,
    pub attempts: u64,
    pub released: u64,
    pub lease: Option<Lease>,
    pub end: Option<End>,
    pub not_needed: bool,
    pub cancel_requested: bool,
    pub held: bool,
    /// How many of the tasks that it waits for have not ended as wanted.
    pub waits: usize,
    /// The last wait before a retry under the present policy.
    pub last_wait: u64,
    /// How many attempts were allowed when the policy was changed last.
    pub granted: u64,
    /// The command that ended an attempt last, so that a tick handles it once.
    pub touched_in: u64,
}

/// An agent of the shadow with its figures.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // named as in the catalogue
pub struct Agent {
    /// Capabilities and the type, as bits of [`Shadow::word`].
    pub can: u64,
    pub capacity: u64,
    pub silence: u64,
    pub retired: bool,
    pub lost: bool,
    pub paused: bool,
    pub running: u64,
    pub last_seen: u64,
    pub claimed: u64,
    pub completed: u64,
    pub failed: u64,
    pub expired: u64,
    pub released: u64,
    pub cancelled: u64,
    pub busy_ms: u64,
    pub longest_ms: u64,
}

/// A goal of the shadow.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // named as in the catalogue
pub struct Goal {
    pub tasks: Vec<u64>,
    pub open: usize,
    pub end: Option<End>,
    pub paused: bool,
    /// The event by which it was served last.
    pub served: u64,
}

/// How a claim in the log came about: whether the rules chose the task or the caller named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The rules: it must be the one that goes first, but for the one that was just reported.
    Chosen(Option<u64>),
    /// The caller.
    Named,
}

/// What a log means.
#[derive(Clone, Debug, Default)]
pub struct Shadow {
    /// The swarm's id.
    pub swarm: String,
    /// The number of the last event.
    pub seq: u64,
    /// The time of the last event.
    pub at: u64,
    /// Most agents.
    pub max_agents: u64,
    /// True while nothing new starts.
    pub paused: bool,
    /// Agents, at their number minus one.
    pub agents: Vec<Agent>,
    /// Tasks, by number.
    pub tasks: BTreeMap<u64, Task>,
    /// Goals, at their number minus one.
    pub goals: Vec<Goal>,
    /// Tasks that have not ended.
    pub open: BTreeSet<u64>,
    /// Tasks that run.
    pub running: BTreeSet<u64>,
    /// The event by which a task without a goal was claimed last.
    pub served_alone: u64,
    /// Counts the commands; see [`Task::touched_in`].
    pub command: u64,
    words: Vec<String>,
    ended: Vec<u64>,
    gone: Vec<u64>,
    heirs: Vec<u64>,
}

impl Shadow {
    /// The bit of a capability; the worlds use few words.
    pub fn word(&mut self, word: &str) -> u64 {
        let place = self.words.iter().position(|known| known == word).unwrap_or_else(|| {
            self.words.push(word.into());
            self.words.len() - 1
        });
        1 << (place % 64)
    }

    /// The bits of a list of capabilities.
    pub fn bits(&mut self, words: &[String]) -> u64 {
        words.iter().fold(0, |bits, word| bits | self.word(word))
    }

    /// The agent of a number.
    pub fn agent(&self, number: u64) -> Option<&Agent> {
        self.agents.get((number as usize).checked_sub(1)?)
    }

    /// The agent of a number, to change.
    pub fn agent_mut(&mut self, number: u64) -> Option<&mut Agent> {
        self.agents.get_mut((number as usize).checked_sub(1)?)
    }

    /// The goal of a number.
    pub fn goal(&self, number: u64) -> Option<&Goal> {
        self.goals.get((number as usize).checked_sub(1)?)
    }

    /// The goal of a number, to change.
    pub fn goal_mut(&mut self, number: u64) -> Option<&mut Goal> {
        self.goals.get_mut((number as usize).checked_sub(1)?)
    }

    /// The lease of a task, if the three name the live one.
    pub fn holds(&self, task: u64, agent: u64, epoch: u64) -> Option<Lease> {
        let lease = self.tasks.get(&task)?.lease?;
        (lease.agent == agent && lease.epoch == epoch).then_some(lease)
    }
}

impl Task {
    /// The state word of the contract.
    pub fn state(&self) -> &'static str {
        match self.end {
            Some(End::Completed) => "completed",
            Some(End::Failed) => "failed",
            Some(End::Cancelled) => "cancelled",
            None if self.lease.is_some() => "running",
            None if self.held => "paused",
            None if self.waits > 0 => "blocked",
            None => "ready",
        }
    }
}

impl Agent {
    /// The state word of the contract.
    pub fn state(&self) -> &'static str {
        if self.retired {
            "retired"
        } else if self.lost {
            "lost"
        } else if self.paused {
            "paused"
        } else if self.running > 0 {
            "busy"
        } else {
            "idle"
        }
    }
}

impl End {
    /// The state word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            End::Completed => "completed",
            End::Failed => "failed",
            End::Cancelled => "cancelled",
        }
    }
}
