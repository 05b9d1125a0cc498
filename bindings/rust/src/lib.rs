//! # ruv-swarm
//!
//! The Rust host of ruv-swarm: it stores what the pure core decides, runs training on threads and
//! carries the `ruv-swarm` command.

/// The version of this crate, equal in every package of the project.
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
