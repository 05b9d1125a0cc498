//! Training: epochs of a network, full batch, in small batches or row by row.
#![allow(clippy::indexing_slicing)] // buffers are made for the layout

use crate::buffer::Buffer;
mod epoch;

use self::epoch::gradient_of;
use crate::few::Few;
use crate::kernel::{Kernels, BLOCK};
use crate::layout::Layout;
use crate::level::{dispatch, Level, Work};
use crate::loss::{Criterion, Epoch, Sums};
use crate::optimiser::{Algorithm, Optimiser, Settings};
use crate::passes::Passes;
use crate::rows::{all_rows, Rows};
use crate::shape::Network;
use crate::stepper::Stepper;
use crate::{FloatState, Rng};
use alloc::vec::Vec;

/// A network in training.
#[derive(Debug)]
pub struct Trainer {
    level: Level,
    settings: Settings,
    criterion: Criterion,
    network: Network,
    layout: Layout,
    weights: Buffer,
    /// Whether the stepper's weights are newer.
    stale: bool,
    gradient: Buffer,
    /// 1 where a weight may be decayed.
    free: Buffer,
    /// All bits where a weight exists; empty if all do.
    mask: Buffer,
    passes: Passes,
    /// Errors of a block, and a row with noise: scratch.
    errors: Buffer,
    noisy: Vec<f32>,
    /// In place of the passes where rows and network are small.
    few: Option<Few>,
    sums: Sums,
    stepper: Option<Stepper>,
    optimiser: Optimiser,
    train: Rows,
    /// Room for small batches and noisy copies.
    scratch: Option<Rows>,
    order: Vec<u32>,
    rng: Rng,
}

/// All that a trainer needs to go on, beside its settings and rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainerState {
    /// The weights in the network's order.
    pub weights: Vec<f32>,
    /// The rule's memory in the network's order: one, two or three numbers a weight.
    pub floats: Vec<f32>,
    /// Powers of Adam's shares, and the last mean squared error.
    pub doubles: Vec<f64>,
    /// The order of the rows.
    pub order: Vec<u32>,
    /// Updates done.
    pub counters: Vec<u64>,
    /// The generator.
    pub rng: [u64; 4],
}

impl Trainer {
    /// A trainer of `network` on `train`; none if network, rows and settings do not fit each other.
    pub fn new(level: Level, network: Network, settings: Settings, train: Rows, rng: Rng) -> Option<Trainer> {
        let _settings = FloatState::hold();
        let output = *network.shape.layers.last()?;
        let fits = network.is_sound()
            && train.inputs() == network.shape.inputs
            && train.outputs() == network.shape.outputs()
            && train.rows() > 0
            && train.total() > 0.0;
        if !fits {
            return None;
        }
        let incremental = settings.algorithm == Algorithm::Incremental;
        let level = level.narrowed(if incremental { network.shape.widest() } else { train.rows() });
        let layout = Layout::new(level, &network.shape);
        let count = layout.weights;
        let filled = |values: &[f32]| {
            let mut buffer = Buffer::new(values.len());
            buffer.copy_from_slice(values);
            buffer
        };
        let mut weights = Buffer::new(count);
        layout.spread(&network.weights, &mut weights);
        let small = settings.batch_rows as usize;
        let batches = matches!(settings.algorithm, Algorithm::Batch | Algorithm::Adam) && small > 0;
        let scratch = match (incremental, batches) {
            (true, _) => None,
            (_, true) => Some(train.like(small.min(train.rows()))),
            _ => (settings.noise > 0.0).then(|| train.like(train.rows())),
        };
        Some(Trainer {
            level,
            settings,
            criterion: Criterion {
                loss: settings.loss,
                activation: output.activation,
                steepness: output.steepness,
                limit: settings.bit_fail_limit,
            },
            gradient: Buffer::new(count),
            free: filled(&layout.free(&network)),
            mask: layout.mask(&network).map_or_else(|| Buffer::new(0), |mask| filled(&mask)),
            passes: Passes::new(&layout, !incremental, settings.dropout > 0.0),
            few: Few::new(level.lanes(), &layout, &train)
                .filter(|_| !incremental && scratch.is_none() && settings.dropout == 0.0),
            errors: Buffer::new(train.outputs() * BLOCK),
            noisy: alloc::vec![0.0; if incremental && settings.noise > 0.0 { train.inputs() } else { 0 }],
            sums: Sums::new(),
            stepper: incremental.then(|| Stepper::new(level, &network, true, settings.momentum > 0.0)),
            optimiser: Optimiser::new(&settings, if incremental { 0 } else { count }),
            order: all_rows(train.rows()),
            weights,
            stale: false,
            layout,
            network,
            train,
            scratch,
            rng,
        })
    }

    /// One pass over the training rows, with its updates.
    pub fn epoch(&mut self) -> Epoch {
        let _settings = FloatState::hold();
        dispatch(self.level, EpochWork { trainer: self })
    }

    /// The losses on `rows` with the present weights, without dropout and noise.
    pub fn measure(&mut self, rows: &Rows) -> Epoch {
        let _settings = FloatState::hold();
        self.refresh();
        dispatch(self.level, MeasureWork { trainer: self, rows })
    }

    /// The present weights, in the network's order.
    pub fn weights(&self) -> Vec<f32> {
        let mut weights = alloc::vec![0.0; self.network.weights.len()];
        self.copy_weights(&mut weights);
        weights
    }

    /// Copies the present weights, in the network's order, without allocating; false if `to` has another length.
    pub fn copy_weights(&self, to: &mut [f32]) -> bool {
        if to.len() != self.network.weights.len() {
            return false;
        }
        match &self.stepper {
            Some(stepper) => stepper.copy_weights(to),
            None => self.layout.each_weight(|outside, inside| to[outside] = self.weights[inside]),
        }
        true
    }

    /// Sets the weights, in the network's order; false if they are not as many.
    pub fn set_weights(&mut self, weights: &[f32]) -> bool {
        if weights.len() != self.network.weights.len() {
            return false;
        }
        self.layout.spread(weights, &mut self.weights);
        self.stale = false;
        if let Some(stepper) = &mut self.stepper {
            stepper.load(weights);
        }
        true
    }

    /// The network with its present weights.
    pub fn network(&self) -> Network {
        Network { weights: self.weights(), ..self.network.clone() }
    }

    /// What is needed to go on later.
    pub fn state(&self) -> TrainerState {
        let mut floats = Vec::new();
        if let Some(stepper) = &self.stepper {
            floats.extend(stepper.velocities(self.network.weights.len()));
        }
        let memory = [&self.optimiser.first, &self.optimiser.second, &self.optimiser.third];
        for part in memory.into_iter().filter(|part| !part.is_empty()) {
            floats.extend(self.layout.collect(part));
        }
        TrainerState {
            weights: self.weights(),
            floats,
            doubles: alloc::vec![self.optimiser.powers.0, self.optimiser.powers.1, self.optimiser.last_error],
            order: self.order.clone(),
            counters: alloc::vec![self.optimiser.updates],
            rng: self.rng.words(),
        }
    }

    /// Goes on from `state`; false, and nothing is changed, if it is not of a trainer like this one.
    pub fn restore(&mut self, state: &TrainerState) -> bool {
        let count = self.network.weights.len();
        let same = self.state();
        let mut seen = alloc::vec![false; self.order.len()];
        for row in &state.order {
            match seen.get_mut(*row as usize) {
                Some(slot) => *slot = true,
                None => return false,
            }
        }
        let fits = state.floats.len() == same.floats.len()
            && state.doubles.len() == same.doubles.len()
            && state.order.len() == same.order.len()
            && state.counters.len() == same.counters.len()
            && seen.iter().all(|is| *is)
            && state.rng != [0; 4];
        if !fits || !self.set_weights(&state.weights) {
            return false;
        }
        let mut parts = state.floats.chunks_exact(count.max(1));
        if let Some(stepper) = &mut self.stepper {
            if let Some(velocities) = parts.next() {
                stepper.load_velocities(velocities);
            }
        }
        let Optimiser { first, second, third, .. } = &mut self.optimiser;
        for part in [first, second, third].into_iter().filter(|part| !part.is_empty()) {
            if let Some(values) = parts.next() {
                self.layout.spread(values, part);
            }
        }
        self.optimiser.powers = (state.doubles[0], state.doubles[1]);
        self.optimiser.last_error = state.doubles[2];
        self.optimiser.updates = state.counters[0];
        self.order.copy_from_slice(&state.order);
        self.rng = Rng::from_words(state.rng);
        true
    }

    /// The gradient of the mean loss at the present weights, in the network's order, without decay; for checks.
    pub fn gradient(&mut self) -> Vec<f32> {
        let _settings = FloatState::hold();
        self.refresh();
        dispatch(self.level, GradientWork { trainer: self });
        self.layout.collect(&self.gradient)
    }
}

struct EpochWork<'a> {
    trainer: &'a mut Trainer,
}

impl Work for EpochWork<'_> {
    type Output = Epoch;
    #[inline(always)]
    fn run<V: Kernels>(self) -> Epoch {
        let trainer = self.trainer;
        let places = if trainer.stepper.is_some() { 1 } else { trainer.train.rows() };
        trainer.sums.clear(places);
        if trainer.stepper.is_some() {
            trainer.row_by_row::<V>();
        } else {
            trainer.batches::<V>();
        }
        let outputs = trainer.train.outputs();
        let mut epoch = trainer.sums.finish(&trainer.criterion, trainer.train.total(), outputs, places);
        epoch.broken = trainer.broken::<V>(&epoch);
        epoch
    }
}

struct MeasureWork<'a> {
    trainer: &'a mut Trainer,
    rows: &'a Rows,
}

impl Work for MeasureWork<'_> {
    type Output = Epoch;
    #[inline(always)]
    fn run<V: Kernels>(self) -> Epoch {
        let Trainer { passes, layout, weights, criterion, errors, .. } = self.trainer;
        passes.load(layout, weights, false);
        let mut sums = Sums::new();
        for index in 0..self.rows.blocks() {
            let block = self.rows.block(index);
            passes.forward::<V>(layout, block.panel, block.rows, None);
            passes.measure(layout, criterion, &block, errors, &mut sums);
        }
        let mut epoch = sums.finish(criterion, self.rows.total(), self.rows.outputs(), self.rows.rows());
        epoch.broken = self.trainer.broken::<V>(&epoch);
        epoch
    }
}

struct GradientWork<'a> {
    trainer: &'a mut Trainer,
}

impl Work for GradientWork<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Kernels>(self) {
        let trainer = self.trainer;
        let Trainer { passes, layout, weights, train, gradient, criterion, settings, .. } = trainer;
        gradient_of::<V>(
            passes,
            layout,
            weights,
            train,
            criterion,
            gradient,
            settings.dropout,
            &mut trainer.rng,
        );
        trainer.finish_gradient::<V>(trainer.train.total(), false);
    }
}
