//! An agent of the swarm.

use alloc::string::String;
use alloc::vec::Vec;
use serde::Serialize;

use crate::ids::AgentId;
use crate::json::{is_default, readable, Read, Trouble};
use crate::mutants::{self, Mutant};
use crate::table::Numbered;

/// The state of an agent; the later word wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentState {
    /// It runs nothing.
    #[default]
    Idle,
    /// It runs something.
    Busy,
    /// It gets no new tasks.
    Paused,
    /// It was silent for too long.
    Lost,
    /// It has left for good.
    Retired,
}

impl AgentState {
    /// Every state.
    pub const ALL: &'static [AgentState] =
        &[AgentState::Idle, AgentState::Busy, AgentState::Paused, AgentState::Lost, AgentState::Retired];

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            AgentState::Idle => "idle",
            AgentState::Busy => "busy",
            AgentState::Paused => "paused",
            AgentState::Lost => "lost",
            AgentState::Retired => "retired",
        }
    }
}

impl Read for AgentState {
    fn read(raw: &str) -> Result<Self, Trouble> {
        let word = String::read(raw)?;
        let found = AgentState::ALL.iter().copied().find(|state| state.as_str() == word);
        found.ok_or_else(|| "expected an agent's state".into())
    }
}

/// An agent; its figures are folded from the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    /// The agent's id.
    pub id: AgentId,
    /// A free word; neural ones train networks.
    #[serde(rename = "type")]
    pub agent_type: String,
    /// A name for people.
    pub name: String,
    /// The cognitive pattern.
    pub pattern: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// The engine of a neural agent.
    pub model: String,
    /// How many tasks it may run at once.
    pub capacity: u32,
    /// Where it stands.
    pub state: AgentState,
    /// How many tasks it runs now.
    pub running: u32,
    /// How many tasks it has completed.
    pub completed: u64,
    /// How many of its attempts failed, ran out of time or lost their lease.
    pub failed: u64,
    /// When it was spawned.
    pub created_at_ms: u64,
    /// When it was last heard of.
    pub last_seen_ms: u64,
    /// How long it may be silent before it counts as lost; 0 for ever.
    #[serde(skip_serializing_if = "is_default")]
    pub silence_ms: u64,
    /// True while it gets no new tasks.
    #[serde(skip_serializing_if = "is_default")]
    pub paused: bool,
    /// How many tasks it has claimed.
    #[serde(skip_serializing_if = "is_default")]
    pub claimed: u64,
    /// How many of the failed attempts lost their lease.
    #[serde(skip_serializing_if = "is_default")]
    pub expired: u64,
    /// How many attempts were given back without fault.
    #[serde(skip_serializing_if = "is_default")]
    pub released: u64,
    /// How many attempts ended because their task was cancelled.
    #[serde(skip_serializing_if = "is_default")]
    pub cancelled: u64,
    /// How long its ended attempts took together.
    #[serde(skip_serializing_if = "is_default")]
    pub busy_ms: u64,
    /// How long the longest of its ended attempts took.
    #[serde(skip_serializing_if = "is_default")]
    pub longest_ms: u64,
}

readable!(Agent {
    id,
    agent_type as "type",
    name,
    pattern,
    capabilities,
    model,
    capacity,
    state,
    running,
    completed,
    failed,
    created_at_ms,
    last_seen_ms,
    silence_ms,
    paused,
    claimed,
    expired,
    released,
    cancelled,
    busy_ms,
    longest_ms
});

impl Numbered for Agent {
    fn number(&self) -> u64 {
        self.id.0
    }
}

impl Agent {
    /// Sets the state after `running`, `paused` or the like has changed; an agent that was heard of
    /// is lost no longer.
    pub fn settle(&mut self, heard: bool) {
        self.state = match self.state {
            AgentState::Retired => AgentState::Retired,
            AgentState::Lost if !heard => AgentState::Lost,
            _ if self.paused => AgentState::Paused,
            _ if self.running > 0 => AgentState::Busy,
            _ => AgentState::Idle,
        };
    }

    /// True until it has left for good.
    pub fn is_active(&self) -> bool {
        self.state != AgentState::Retired
    }

    /// True if it has each of `capabilities`; its type counts as one.
    pub fn can(&self, capabilities: &[String]) -> bool {
        let has = |word: &String| self.capabilities.contains(word) || *word == self.agent_type;
        mutants::on(Mutant::CapabilityIgnored) || capabilities.iter().all(has)
    }

    /// When it counts as lost unless it is heard of before; `None` if it never does.
    pub fn silent_at(&self) -> Option<u64> {
        let watched = self.silence_ms > 0 && !matches!(self.state, AgentState::Lost | AgentState::Retired);
        watched.then(|| self.last_seen_ms.saturating_add(self.silence_ms))
    }
}
