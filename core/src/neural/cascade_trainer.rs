//! Growing a cascade: output weights are trained, then a unit that correlates with what is left is frozen in.
//!
//! Fahlman and Lebiere 1990, with iRPROP- in place of quickprop in both phases. One step is one pass over the
//! training rows in either phase, so that slices may end anywhere.
#![allow(clippy::indexing_slicing)] // offsets follow from the row count and the capacity

use super::activation::{self, Activation};
use super::blocks::Blocks;
use super::cascade::Cascade;
use super::kernel::{self, padded, Level, BLOCK};
use super::network::{errors, softmax_delta};
use super::optimiser::{finish_gradient, Optimiser, Rule};
use super::plan::Recipe;
use super::trainer::EpochLoss;
use crate::error::Error;
use crate::rng::Rng;
use alloc::vec;
use alloc::vec::Vec;

/// Most passes of one phase.
const PHASE_EPOCHS: u32 = 200;
/// A phase goes on while it gains this share within the recipe's patience.
const GAIN: f64 = 0.01;
/// Units that may be added in a row without a lower validation loss.
const GROWTH_PATIENCE: usize = 4;

/// Rows with room for the features that are still to grow.
struct Grown {
    rows: Blocks,
    /// `[block][feature][row]`.
    panels: Vec<f32>,
    /// `[block][row][feature]`.
    sheets: Vec<f32>,
    capacity: usize,
    width: usize,
}

impl Grown {
    fn new(rows: Blocks, units: usize) -> Grown {
        let capacity = rows.inputs + 1 + units;
        let width = padded(capacity);
        let count = rows.count();
        let mut panels = vec![0.0; count * capacity * BLOCK];
        let mut sheets = vec![0.0; count * BLOCK * width];
        for index in 0..count {
            let block = rows.block(index);
            let start = index * capacity * BLOCK;
            panels[start..start + block.panel.len()].copy_from_slice(block.panel);
            let sheet = &mut sheets[index * BLOCK * width..(index + 1) * BLOCK * width];
            for (to, from) in sheet.chunks_exact_mut(width).zip(block.sheet.chunks_exact(rows.width)) {
                to[..=rows.inputs].copy_from_slice(&from[..=rows.inputs]);
            }
        }
        Grown { rows, panels, sheets, capacity, width }
    }

    fn panel(&self, block: usize) -> &[f32] {
        &self.panels[block * self.capacity * BLOCK..(block + 1) * self.capacity * BLOCK]
    }

    fn sheet(&self, block: usize) -> &[f32] {
        &self.sheets[block * BLOCK * self.width..(block + 1) * BLOCK * self.width]
    }

    /// Adds the value of a new unit as feature `feature`.
    fn grow(&mut self, level: Level, weights: &[f32], feature: usize, kind: Activation) {
        let mut packed = Vec::new();
        kernel::pack(level, weights, weights.len(), feature, 1, &mut packed);
        let mut z = [0.0; BLOCK];
        let mut y = [0.0; BLOCK];
        for block in 0..self.rows.count() {
            let rows = self.rows.block(block).rows;
            kernel::multiply(level, &packed, feature, 1, self.panel(block), &mut z, kernel::lanes(rows));
            activation::forward(level, kind, &z, &mut y);
            let start = (block * self.capacity + feature) * BLOCK;
            self.panels[start..start + BLOCK].copy_from_slice(&y);
            for (row, value) in y.iter().take(rows).enumerate() {
                self.sheets[(block * BLOCK + row) * self.width + feature] = *value;
            }
        }
    }
}

/// One set of weights with its gradient and rule.
struct Weights {
    values: Vec<f32>,
    gradient: Vec<f32>,
    decay: Vec<f32>,
    packed: Vec<f32>,
    optimiser: Optimiser,
}

impl Weights {
    fn new(level: Level, recipe: &Recipe, size: usize) -> Weights {
        Weights {
            values: vec![0.0; size],
            gradient: vec![0.0; size],
            decay: vec![0.0; size],
            packed: Vec::new(),
            optimiser: Optimiser::new(level, Rule::Rprop, recipe, size),
        }
    }
}

/// How long a phase has gone on.
#[derive(Default)]
struct Phase {
    epochs: u32,
    since_gain: u32,
    best: f64,
}

/// A cascade in training.
pub(crate) struct CascadeTrainer {
    level: Level,
    recipe: Recipe,
    hidden: Activation,
    output: Activation,
    train: Grown,
    validation: Grown,
    units: Vec<Vec<f32>>,
    outputs: Weights,
    candidates: Weights,
    /// Output errors less their means, `[block][output][row]`.
    residues: Vec<f32>,
    residue_squares: f64,
    z: Vec<f32>,
    y: Vec<f32>,
    /// Candidate sums and values, `[block][candidate][row]`.
    candidate_z: Vec<f32>,
    candidate_y: Vec<f32>,
    delta: Vec<f32>,
    correlations: Vec<f64>,
    phase: Phase,
    growing: bool,
    finished: bool,
    losses: (f64, f64),
    best_units: usize,
    best_weights: Vec<f32>,
    rng: Rng,
}

impl CascadeTrainer {
    pub fn new(
        level: Level,
        recipe: &Recipe,
        train: Blocks,
        validation: Blocks,
        rng: Rng,
    ) -> Result<Self, Error> {
        let hidden = Activation::parse("activation", &recipe.activation)?;
        let output = Activation::parse("outputActivation", &recipe.output_activation)?;
        let units = recipe.max_units as usize;
        let count = recipe.candidates as usize;
        let (inputs, n_outputs, blocks) = (train.inputs, train.outputs, train.count());
        let train = Grown::new(train, units);
        let width = train.width;
        let mut outputs = Weights::new(level, recipe, n_outputs * width);
        for row in outputs.decay.chunks_exact_mut(width) {
            row.fill(recipe.l2 as f32);
            row[inputs] = 0.0;
        }
        let panel = n_outputs.max(count) * BLOCK;
        Ok(CascadeTrainer {
            level,
            hidden,
            output,
            train,
            validation: Grown::new(validation, units),
            units: Vec::with_capacity(units),
            best_weights: outputs.values.clone(),
            outputs,
            candidates: Weights::new(level, recipe, count * width),
            residues: vec![0.0; blocks * n_outputs * BLOCK],
            residue_squares: 0.0,
            z: vec![0.0; panel],
            y: vec![0.0; panel],
            candidate_z: vec![0.0; blocks * count * BLOCK],
            candidate_y: vec![0.0; blocks * count * BLOCK],
            delta: vec![0.0; panel],
            correlations: vec![0.0; count * n_outputs],
            phase: Phase { best: f64::MAX, ..Phase::default() },
            growing: false,
            finished: false,
            losses: (0.0, 0.0),
            best_units: 0,
            recipe: recipe.clone(),
            rng,
        })
    }

    fn features(&self) -> usize {
        self.train.rows.inputs + 1 + self.units.len()
    }

    /// Whether growing has ended.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Keeps the present network as the best.
    pub fn keep_best(&mut self) {
        self.best_units = self.units.len();
        self.best_weights.copy_from_slice(&self.outputs.values);
    }

    /// The network at its best.
    pub fn into_best(mut self) -> Cascade {
        self.units.truncate(self.best_units);
        let features = self.train.rows.inputs + 1 + self.best_units;
        let rows = self.best_weights.chunks_exact(self.train.width);
        Cascade {
            inputs: self.train.rows.inputs,
            outputs: self.train.rows.outputs,
            activation: self.hidden,
            output_activation: self.output,
            output_weights: rows.flat_map(|row| row[..features].iter().copied()).collect(),
            units: self.units,
        }
    }

    /// One pass of the present phase.
    pub fn epoch(&mut self) -> EpochLoss {
        if self.growing {
            let score = self.candidate_pass();
            // the phase counts falling figures, so a rising score is negated
            if self.phase_over(-score) {
                self.install();
                self.start(false);
            }
        } else {
            let training = self.output_pass();
            self.losses = (training, self.validate());
            if self.phase_over(training) {
                let stuck = self.units.len() >= self.best_units + GROWTH_PATIENCE;
                if stuck || self.units.len() >= self.recipe.max_units as usize || training < 1e-6 {
                    self.finished = true;
                } else {
                    self.centre_residues();
                    self.draw_candidates();
                    self.start(true);
                }
            }
        }
        EpochLoss { training: self.losses.0, validation: self.losses.1 }
    }

    fn start(&mut self, growing: bool) {
        self.growing = growing;
        self.phase = Phase { best: f64::MAX, ..Phase::default() };
        let weights = if growing { &mut self.candidates } else { &mut self.outputs };
        weights.optimiser.restart();
    }

    fn phase_over(&mut self, figure: f64) -> bool {
        let phase = &mut self.phase;
        phase.epochs += 1;
        phase.since_gain += 1;
        let gain = if figure < 0.0 { -figure * GAIN } else { figure * GAIN };
        if figure < phase.best - gain {
            phase.best = figure;
            phase.since_gain = 0;
        }
        phase.epochs >= PHASE_EPOCHS || phase.since_gain >= self.recipe.patience
    }

    /// Values of the outputs for one block into `y`; answers the block's rows.
    fn run_outputs(&mut self, training: bool, block: usize) -> usize {
        let grown = if training { &self.train } else { &self.validation };
        let (features, outputs) = (self.train.rows.inputs + 1 + self.units.len(), grown.rows.outputs);
        let rows = grown.rows.block(block).rows;
        let (packed, panel) = (&self.outputs.packed, grown.panel(block));
        kernel::multiply(self.level, packed, features, outputs, panel, &mut self.z, kernel::lanes(rows));
        let size = outputs * BLOCK;
        activation::forward(self.level, self.output, &self.z[..size], &mut self.y[..size]);
        rows
    }

    fn pack_outputs(&mut self) {
        let (features, width, outputs) = (self.features(), self.train.width, self.train.rows.outputs);
        let weights = &mut self.outputs;
        kernel::pack(self.level, &weights.values, width, features, outputs, &mut weights.packed);
    }

    /// One update of the output weights; the mean squared error before it.
    fn output_pass(&mut self) -> f64 {
        let (outputs, width) = (self.train.rows.outputs, self.train.width);
        let size = outputs * BLOCK;
        self.pack_outputs();
        self.outputs.gradient.fill(0.0);
        let mut squares = 0.0;
        for block in 0..self.train.rows.count() {
            let rows = self.run_outputs(true, block);
            let targets = self.train.rows.block(block).targets;
            let (y, delta) = (&self.y[..size], &mut self.delta[..size]);
            squares += errors(y, targets, delta, rows);
            self.residues[block * size..(block + 1) * size].copy_from_slice(delta);
            if self.recipe.loss != "cross-entropy" {
                if self.output == Activation::Softmax {
                    softmax_delta(y, delta);
                } else {
                    activation::backward(self.level, self.output, &self.z[..size], y, delta);
                }
            }
            let gradient = &mut self.outputs.gradient;
            kernel::accumulate(self.level, gradient, width, delta, outputs, self.train.sheet(block), rows);
        }
        let rows = self.train.rows.rows;
        let weights = &mut self.outputs;
        finish_gradient(
            self.level,
            &mut weights.gradient,
            &weights.values,
            &weights.decay,
            1.0 / rows as f32,
        );
        let loss = squares / (rows * outputs) as f64;
        weights.optimiser.update(&mut weights.values, &weights.gradient, loss, &mut self.rng);
        loss
    }

    fn validate(&mut self) -> f64 {
        let outputs = self.train.rows.outputs;
        let size = outputs * BLOCK;
        self.pack_outputs();
        let mut squares = 0.0;
        for block in 0..self.validation.rows.count() {
            let rows = self.run_outputs(false, block);
            let targets = self.validation.rows.block(block).targets;
            squares += errors(&self.y[..size], targets, &mut self.delta[..size], rows);
        }
        squares / (self.validation.rows.rows * outputs) as f64
    }

    /// Takes the mean of each output's errors off; what is left is what candidates correlate with.
    fn centre_residues(&mut self) {
        let outputs = self.train.rows.outputs;
        let blocks = self.train.rows.count();
        self.residue_squares = 0.0;
        for output in 0..outputs {
            let mut sum = 0.0f64;
            for block in 0..blocks {
                let rows = self.train.rows.block(block).rows;
                let start = (block * outputs + output) * BLOCK;
                sum +=
                    self.residues[start..start + rows].iter().fold(0.0, |sum, value| sum + f64::from(*value));
            }
            let mean = (sum / self.train.rows.rows as f64) as f32;
            for block in 0..blocks {
                let rows = self.train.rows.block(block).rows;
                let start = (block * outputs + output) * BLOCK;
                for value in &mut self.residues[start..start + rows] {
                    *value -= mean;
                    self.residue_squares += f64::from(*value) * f64::from(*value);
                }
            }
        }
    }

    fn draw_candidates(&mut self) {
        let features = self.features();
        let half = super::math::sqrt(3.0 / features as f32) * self.hidden.gain();
        for row in self.candidates.values.chunks_exact_mut(self.train.width) {
            row.fill(0.0);
            for weight in &mut row[..features] {
                *weight = self.rng.uniform_f32(-half, half);
            }
        }
    }

    /// Values of all candidates on all rows, and their covariances with the residues.
    fn run_candidates(&mut self) {
        let (features, width, count) = (self.features(), self.train.width, self.recipe.candidates as usize);
        let (size, outputs) = (count * BLOCK, self.train.rows.outputs);
        let weights = &mut self.candidates;
        kernel::pack(self.level, &weights.values, width, features, count, &mut weights.packed);
        self.correlations.fill(0.0);
        for block in 0..self.train.rows.count() {
            let rows = self.train.rows.block(block).rows;
            let (z, y) = (
                &mut self.candidate_z[block * size..(block + 1) * size],
                &mut self.candidate_y[block * size..(block + 1) * size],
            );
            kernel::multiply(
                self.level,
                &weights.packed,
                features,
                count,
                self.train.panel(block),
                z,
                kernel::lanes(rows),
            );
            activation::forward(self.level, self.hidden, z, y);
            for (candidate, values) in y.chunks_exact(BLOCK).enumerate() {
                for output in 0..outputs {
                    let start = (block * outputs + output) * BLOCK;
                    let pairs = values.iter().zip(&self.residues[start..start + rows]);
                    let sum = pairs.fold(0.0, |sum, (a, b)| sum + f64::from(*a) * f64::from(*b));
                    self.correlations[candidate * outputs + output] += sum;
                }
            }
        }
    }

    fn score(&self, candidate: usize) -> f64 {
        let outputs = self.train.rows.outputs;
        let values = &self.correlations[candidate * outputs..(candidate + 1) * outputs];
        values.iter().fold(0.0, |sum, value| sum + value.abs()) / self.residue_squares.max(f64::MIN_POSITIVE)
    }

    /// The candidate of the largest score; the first of equals.
    fn best_candidate(&self) -> usize {
        let mut best = 0;
        for candidate in 1..self.recipe.candidates as usize {
            if self.score(candidate) > self.score(best) {
                best = candidate;
            }
        }
        best
    }

    /// One update of the candidates, uphill in the sum of absolute covariances; the best score before it.
    fn candidate_pass(&mut self) -> f64 {
        self.run_candidates();
        let (count, outputs, width) =
            (self.recipe.candidates as usize, self.train.rows.outputs, self.train.width);
        let size = count * BLOCK;
        let best = self.score(self.best_candidate());
        self.candidates.gradient.fill(0.0);
        for block in 0..self.train.rows.count() {
            let rows = self.train.rows.block(block).rows;
            let delta = &mut self.delta[..size];
            delta.fill(0.0);
            for (candidate, slots) in delta.chunks_exact_mut(BLOCK).enumerate() {
                for output in 0..outputs {
                    let sign =
                        if self.correlations[candidate * outputs + output] < 0.0 { 1.0f32 } else { -1.0 };
                    let start = (block * outputs + output) * BLOCK;
                    let residues = &self.residues[start..start + BLOCK];
                    slots.iter_mut().zip(residues).for_each(|(slot, residue)| *slot += sign * residue);
                }
            }
            let span = block * size..(block + 1) * size;
            let (z, y) = (&self.candidate_z[span.clone()], &self.candidate_y[span]);
            activation::backward(self.level, self.hidden, z, y, delta);
            let gradient = &mut self.candidates.gradient;
            kernel::accumulate(self.level, gradient, width, delta, count, self.train.sheet(block), rows);
        }
        let features = self.features();
        let scale = 1.0 / self.train.rows.rows as f32;
        let weights = &mut self.candidates;
        for row in weights.gradient.chunks_exact_mut(width) {
            // features that have not grown yet are zero in every row
            row[features..].fill(0.0);
        }
        finish_gradient(self.level, &mut weights.gradient, &weights.values, &weights.decay, scale);
        weights.optimiser.update(&mut weights.values, &weights.gradient, best, &mut self.rng);
        best
    }

    /// Freezes the best candidate in as a new unit.
    fn install(&mut self) {
        self.run_candidates();
        let (best, features, width) = (self.best_candidate(), self.features(), self.train.width);
        let weights = self.candidates.values[best * width..best * width + features].to_vec();
        self.train.grow(self.level, &weights, features, self.hidden);
        self.validation.grow(self.level, &weights, features, self.hidden);
        self.units.push(weights);
    }
}
