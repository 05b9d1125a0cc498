//! A world of failing workers, hosts, clocks and stores around the core, moved by one seed.
//!
//! Floors (a module uses those below): `run` · `world` with `commit` and `drain` · `client`, `worker`,
//! `host`, `machine`, `shrink` · `check`, `whole` · `shadow` · `line`, `store`, `faults`, `tally`,
//! `violation`. The world uses the core as every host does: call, apply, replay, snapshot, restore.
#![allow(clippy::indexing_slicing)] // places of hosts and workers are the world's own

pub mod check;
pub mod client;
mod commit;
mod drain;
pub mod faults;
pub mod host;
pub mod line;
pub mod machine;
pub mod profile;
pub mod request;
pub mod run;
pub mod shadow;
pub mod shrink;
pub mod store;
pub mod tally;
pub mod violation;
pub mod whole;
pub mod worker;
pub mod world;
