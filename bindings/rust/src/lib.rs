//! # ruv-swarm
//!
//! The Rust host of ruv-swarm: it stores what the pure core decides, runs training on threads and
//! carries the `ruv-swarm` command.
//!
//! ```
//! use ruv_swarm::{Swarm, SwarmConfig};
//!
//! // in memory; a file is PersistenceConfig::Sqlite("./swarm.db")
//! let swarm = Swarm::new(SwarmConfig { seed: Some(7), ..Default::default() })?;
//! // every operation of the catalogue is one call, JSON in and out
//! swarm.host().call("agent_spawn", r#"{"type":"coder","count":2}"#, "an idempotency key")?;
//! let agents = swarm.host().query("agent_list", "{}")?;
//! assert!(agents.contains(r#""id":"a2""#));
//! // the log alone gives the state again, byte for byte
//! assert!(swarm.host().replay(true)?.problem.is_none());
//! # Ok::<(), ruv_swarm::Error>(())
//! ```
//!
//! One call, from top to bottom:
//!
//! 1. [`Host::call`] puts it into a queue. One of the waiting callers leads: it takes all that wait.
//! 2. `BEGIN IMMEDIATE`; events that other processes appended are read and applied; a `tick` if it is due.
//! 3. For each call the core decides, and its events are applied and stored with their projections.
//! 4. `COMMIT`, which syncs; only then all of the group are answered.
//!
//! If the store fails in between, the state is dropped and loaded from the store again: nothing that
//! was not committed is ever seen, by a caller or by a query.

#[cfg(feature = "cli")]
pub mod cli;
mod clock;
pub mod files;
pub mod host;
pub mod init;
pub mod neural;
mod processing;
pub mod random;
mod slices;
pub mod store;
mod swarm;
pub mod training;
pub mod work;

pub use host::{Call, Content, Host, Options};
pub use processing::Processing;
pub use ruv_swarm_core as core;
pub use ruv_swarm_core::{Code, Error};
pub use swarm::{
    Agent, AgentBuilder, AgentConfig, AgentType, Data, Ensemble, Member, PersistenceConfig, Swarm,
    SwarmConfig, Task, Topology, TrainingResult,
};

/// The version of this crate, equal in every package of the project.
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
