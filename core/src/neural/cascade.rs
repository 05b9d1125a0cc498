//! Cascade-correlation networks (Fahlman and Lebiere 1990): each hidden unit sees the inputs and all units before it.
#![allow(clippy::indexing_slicing)] // the shapes were checked when the network was made or read

use super::activation::{self, Activation};
use super::kernel::{self, Level, BLOCK};
use alloc::vec;
use alloc::vec::Vec;

/// A grown network; features are the inputs, then a 1, then the units in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cascade {
    pub inputs: usize,
    pub outputs: usize,
    pub activation: Activation,
    pub output_activation: Activation,
    /// Weights of each unit: one per feature before it.
    pub units: Vec<Vec<f32>>,
    /// `[output][feature]`.
    pub output_weights: Vec<f32>,
}

impl Cascade {
    /// Output values `[output][row]` for a panel of inputs with its row of ones.
    pub fn forward_panel(&self, level: Level, panel: &[f32], rows: usize) -> Vec<f32> {
        let lanes = kernel::lanes(rows);
        let mut features = vec![0.0; (self.inputs + 1 + self.units.len()) * BLOCK];
        features[..panel.len()].copy_from_slice(panel);
        let mut packed = Vec::new();
        let mut z = vec![0.0; self.outputs.max(1) * BLOCK];
        for (index, weights) in self.units.iter().enumerate() {
            let depth = self.inputs + 1 + index;
            kernel::pack(level, weights, depth, depth, 1, &mut packed);
            kernel::multiply(level, &packed, depth, 1, &features, &mut z, lanes);
            let (at, end) = (depth * BLOCK, (depth + 1) * BLOCK);
            activation::forward(level, self.activation, &z[..BLOCK], &mut features[at..end]);
        }
        let depth = self.inputs + 1 + self.units.len();
        kernel::pack(level, &self.output_weights, depth, depth, self.outputs, &mut packed);
        kernel::multiply(level, &packed, depth, self.outputs, &features, &mut z, lanes);
        let mut y = vec![0.0; self.outputs * BLOCK];
        activation::forward(level, self.output_activation, &z, &mut y);
        y
    }
}
