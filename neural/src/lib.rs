//! # ruv-swarm-neural
//!
//! Small networks: layers, losses, gradients, training rules and running, with the same bits on every target.
//! Numbers in, numbers out: no text, no files, no clock, no threads.
//!
//! Sums over inputs run in index order, from the bias on; sums over rows run in blocks of 64 rows, the blocks added
//! left to right; vector lanes hold independent results only; multiply and add stay apart.
#![no_std]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]
extern crate alloc;

pub mod activation;
mod buffer;
mod few;
mod float_state;
mod kernel;
mod layout;
pub mod level;
mod loss;
pub mod math;
mod optimiser;
mod passes;
pub mod pipeline;
pub mod rng;
pub mod root;
mod rows;
mod runner;
mod shape;
mod stepper;
mod trainer;
pub mod vector;

pub use activation::Activation;
pub use float_state::FloatState;
pub use level::Level;
pub use loss::{Epoch, Loss};
pub use optimiser::{Algorithm, Settings};
pub use rng::Rng;
pub use rows::Rows;
pub use runner::Runner;
pub use shape::{Init, Layer, Network, Shape};
pub use trainer::{Trainer, TrainerState};
