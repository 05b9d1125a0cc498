//! Closed lists of words and the swarm's own settings.

use alloc::string::String;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json::{is_default, readable};

/// How agents are connected.
pub const TOPOLOGIES: &[&str] = &["mesh", "hierarchical", "ring", "star"];
/// How a goal is planned into tasks.
pub const STRATEGIES: &[&str] = &[
    "balanced",
    "specialized",
    "adaptive",
    "parallel",
    "sequential",
    "cognitive-diversity",
    "neuro-divergent",
    "cascade",
    "fusion",
];
/// The engines of neural agents.
pub const MODELS: &[&str] = &[DEFAULT_MODEL];
/// The engine of a neural agent that names none.
pub const DEFAULT_MODEL: &str = "ruv-fann";
/// The kind of a goal that the neural engine reaches.
pub const TRAIN: &str = "train";
/// The kind of a goal that workers reach.
pub const WORK: &str = "work";

/// What the swarm was created with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Config {
    /// The swarm's own id.
    pub swarm_id: String,
    /// One of [`TOPOLOGIES`].
    pub topology: String,
    /// How many agents it may have.
    pub max_agents: u32,
    /// One of [`STRATEGIES`].
    pub strategy: String,
    /// The seed of all randomness.
    #[serde(skip_serializing_if = "is_default")]
    pub seed: u64,
}

readable!(Config { swarm_id, topology, max_agents, strategy, seed });

/// `value` if it is one of `allowed`, `default` if it is empty.
pub fn choose(field: &str, value: &str, default: &str, allowed: &[&str]) -> Result<String, Error> {
    if value.is_empty() {
        return Ok(default.into());
    }
    if allowed.contains(&value) {
        return Ok(value.into());
    }
    Err(Error::not_one_of(field, value, allowed))
}

/// True for the words of a neural agent's type.
pub fn is_neural(agent_type: &str) -> bool {
    agent_type == "neural" || agent_type == "neural-processor"
}
