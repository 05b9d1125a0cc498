//! # ruv-swarm
//!
//! The Rust host of ruv-swarm: it stores what the pure core decides, runs training on threads and
//! carries the `ruv-swarm` command.

#[cfg(feature = "cli")]
pub mod cli;
mod clock;
pub mod files;
pub mod host;
pub mod init;
mod processing;
pub mod random;
pub mod store;
mod swarm;
pub mod training;

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
