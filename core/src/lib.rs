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
//! | 4 | swarm, query, snapshot, codec, operations |
//! | 3 | decide (uses policy), apply (does not) |
//! | 2 | policy, neural |
//! | 1 | command, event, state and the nouns |
//! | 0 | ids, time, rng, hash, limits, error |
#![no_std]
#![forbid(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate alloc;

pub mod error;
pub mod hash;
pub mod neural;
pub mod rng;

pub use error::{Code, Error};
