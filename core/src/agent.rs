//! An agent of the swarm.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::ids::AgentId;
use crate::json::readable;
use crate::table::Numbered;

/// An agent; its figures are folded from the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
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
    /// idle, busy or retired.
    pub state: String,
    /// How many tasks it runs now.
    pub running: u32,
    /// How many tasks it has completed.
    pub completed: u64,
    /// How many of its attempts failed or lost their lease.
    pub failed: u64,
    /// When it was spawned.
    pub created_at_ms: u64,
    /// When it was last heard of.
    pub last_seen_ms: u64,
}

readable!(Agent { id, agent_type as "type", name, pattern, capabilities, model, capacity, state, running, completed, failed, created_at_ms, last_seen_ms });

impl Numbered for Agent {
    fn number(&self) -> u64 {
        self.id.0
    }
}

impl Agent {
    /// Sets the state word after `running` changed.
    pub fn settle(&mut self) {
        if self.state != "retired" {
            self.state = if self.running > 0 { "busy".into() } else { "idle".into() };
        }
    }

    /// True if it has each of `capabilities`; its type counts as one.
    pub fn can(&self, capabilities: &[String]) -> bool {
        capabilities.iter().all(|word| self.capabilities.contains(word) || *word == self.agent_type)
    }
}
