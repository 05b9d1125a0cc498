//! # ruv-swarm-core
//!
//! **The invariant: no state changes outside `apply`.** `decide` reads the state and
//! answers with events or an error; `apply` folds an event into the state and cannot fail; replay is
//! `apply` alone. Time, ids and randomness are inputs, so the same log gives the same bits on every
//! target.
//!
//! Floors (a module imports only from its own floor or one below):
//!
//! | floor | modules |
//! |---|---|
//! | 4 | swarm, query, snapshot, codec, operations, render |
//! | 3 | decide (uses policy), apply (does not) |
//! | 2 | policy, neural |
//! | 1 | command, event, state with index and queue, and the nouns |
//! | 0 | ids, time, rng, hash, limits, error, json, canonical, table, words, mutants |
#![no_std]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]
extern crate alloc;

pub mod agent;
pub mod apply;
pub mod artifact;
pub mod canonical;
pub mod codec;
pub mod cognition;
pub mod command;
pub mod config;
pub mod decide;
pub mod error;
pub mod event;
pub mod goal;
pub mod hash;
pub mod ids;
pub mod index;
pub mod json;
pub mod limits;
pub mod mutants;
pub mod neural;
pub mod operations;
pub mod policy;
pub mod query;
pub mod queue;
pub mod render;
pub mod resource;
pub mod rng;
pub mod snapshot;
pub mod state;
pub mod swarm;
pub mod table;
pub mod task;
pub mod time;
pub mod words;

pub use error::{host_error, Code, Error, HostTrouble};
pub use operations::{operation_kind, OPERATIONS};
pub use query::{attach_artifact, attach_events, Attach};
pub use render::{render, render_event};
pub use swarm::{Applied, Decision, Row, Swarm, APPLICATION_ID, SAMPLE_MESSAGE, SCHEMA_SQL, SCHEMA_VERSION};
pub use words::split_words;

/// The version of this release.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
