//! Epochs of a multi-layer perceptron: full batch, small batches or row by row.

use super::activation::Activation;
use super::blocks::Blocks;
use super::incremental::Stepper;
use super::kernel::Level;
use super::network::{errors, Mlp, Passes};
use super::optimiser::{finish_gradient, Optimiser, Rule};
use super::plan::Recipe;
use super::trainer::EpochLoss;
use crate::error::Error;
use crate::rng::Rng;
use alloc::vec;
use alloc::vec::Vec;

/// Which rows an update sees.
enum Mode {
    Full,
    Small(usize),
    Rows(Stepper),
}

/// A perceptron in training.
pub(crate) struct MlpTrainer {
    level: Level,
    recipe: Recipe,
    net: Mlp,
    best: Vec<f32>,
    passes: Passes,
    train: Blocks,
    validation: Blocks,
    mode: Mode,
    /// Room for small batches and noisy copies.
    scratch: Blocks,
    order: Vec<u32>,
    gradient: Vec<f32>,
    decay: Vec<f32>,
    optimiser: Optimiser,
    /// Squared-error scratch of the validation rows.
    delta: Vec<f32>,
    rng: Rng,
    last_loss: f64,
}

impl MlpTrainer {
    pub fn new(
        level: Level,
        recipe: &Recipe,
        train: Blocks,
        validation: Blocks,
        mut rng: Rng,
    ) -> Result<Self, Error> {
        let hidden = Activation::parse("activation", &recipe.activation)?;
        let output = Activation::parse("outputActivation", &recipe.output_activation)?;
        let mut sizes = vec![train.inputs];
        sizes.extend(recipe.hidden.iter().map(|units| *units as usize));
        sizes.push(train.outputs);
        let mut net = Mlp::new(&sizes, hidden, output);
        net.randomise(&mut rng);
        let (rule, mode) = match recipe.algorithm.as_str() {
            "incremental" => (Rule::Batch, Mode::Rows(Stepper::new(level, &net))),
            "adam" if recipe.batch_rows > 0 => {
                (Rule::Adam, Mode::Small((recipe.batch_rows as usize).min(train.rows)))
            }
            "adam" => (Rule::Adam, Mode::Full),
            "quickprop" => (Rule::Quickprop, Mode::Full),
            "sarprop" => (Rule::Sarprop, Mode::Full),
            "batch" => (Rule::Batch, Mode::Full),
            _ => (Rule::Rprop, Mode::Full),
        };
        let room = match &mode {
            Mode::Small(rows) => *rows,
            Mode::Full if recipe.noise > 0.0 => train.rows,
            _ => 0,
        };
        let weights = net.weights.len();
        Ok(MlpTrainer {
            level,
            passes: Passes::new(level, &net),
            scratch: Blocks::new(room, train.inputs, train.outputs),
            order: (0..train.rows as u32).collect(),
            gradient: vec![0.0; weights],
            decay: net.decay(recipe.l2 as f32),
            optimiser: Optimiser::new(level, rule, recipe, weights),
            delta: vec![0.0; train.outputs * super::kernel::BLOCK],
            recipe: recipe.clone(),
            best: net.weights.clone(),
            net,
            train,
            validation,
            mode,
            rng,
            last_loss: 1.0,
        })
    }

    /// One pass over the training rows, then the validation rows.
    pub fn epoch(&mut self) -> EpochLoss {
        let squares = match self.mode {
            Mode::Full => self.full_batch(),
            Mode::Small(rows) => self.small_batches(rows),
            Mode::Rows(_) => self.row_by_row(),
        };
        let numbers = (self.train.rows * self.train.outputs) as f64;
        self.last_loss = squares / numbers;
        EpochLoss { training: self.last_loss, validation: self.validate() }
    }

    fn full_batch(&mut self) -> f64 {
        let noise = self.recipe.noise as f32;
        if noise > 0.0 {
            self.scratch.gather(&self.train, &self.order, noise, &mut self.rng);
        }
        let source = if noise > 0.0 { &self.scratch } else { &self.train };
        let squares =
            gradient_of(&mut self.passes, &self.net, source, &self.recipe, &mut self.gradient, &mut self.rng);
        self.last_loss = squares / (self.train.rows * self.train.outputs) as f64;
        self.update(self.train.rows);
        squares
    }

    fn small_batches(&mut self, rows: usize) -> f64 {
        let mut order = core::mem::take(&mut self.order);
        self.rng.shuffle(&mut order);
        let mut squares = 0.0;
        for chosen in order.chunks(rows) {
            self.scratch.gather(&self.train, chosen, self.recipe.noise as f32, &mut self.rng);
            let (passes, gradient) = (&mut self.passes, &mut self.gradient);
            squares += gradient_of(passes, &self.net, &self.scratch, &self.recipe, gradient, &mut self.rng);
            self.update(chosen.len());
        }
        self.order = order;
        squares
    }

    fn row_by_row(&mut self) -> f64 {
        let Mode::Rows(stepper) = &mut self.mode else { return 0.0 };
        let recipe = &self.recipe;
        let (rate, noise, dropout) =
            (recipe.learning_rate as f32, recipe.noise as f32, recipe.dropout as f32);
        let plain = recipe.loss == "cross-entropy";
        self.rng.shuffle(&mut self.order);
        stepper.load(&self.net);
        let mut squares = 0.0;
        for row in &self.order {
            let row = *row as usize;
            let target = |output| self.train.target(row, output);
            squares += stepper.row(
                &mut self.net,
                self.train.row(row),
                target,
                plain,
                rate,
                noise,
                dropout,
                &mut self.rng,
            );
        }
        // the decay of all the epoch's rows at once; at most half a weight
        let share = super::math::min(rate * self.train.rows as f32, 0.5);
        for (weight, decay) in self.net.weights.iter_mut().zip(&self.decay) {
            *weight -= share * super::math::min(*decay, 1.0) * *weight;
        }
        squares
    }

    fn update(&mut self, rows: usize) {
        finish_gradient(self.level, &mut self.gradient, &self.net.weights, &self.decay, 1.0 / rows as f32);
        self.optimiser.update(&mut self.net.weights, &self.gradient, self.last_loss, &mut self.rng);
    }

    fn validate(&mut self) -> f64 {
        self.passes.load(&self.net, false);
        let mut squares = 0.0;
        for index in 0..self.validation.count() {
            let block = self.validation.block(index);
            self.passes.forward(&self.net, block.panel, block.rows, None);
            squares += errors(self.passes.output(), block.targets, &mut self.delta, block.rows);
        }
        squares / (self.validation.rows * self.validation.outputs) as f64
    }

    /// Keeps the present weights as the best.
    pub fn keep_best(&mut self) {
        self.best.copy_from_slice(&self.net.weights);
    }

    /// The network with its best weights.
    pub fn into_best(self) -> Mlp {
        Mlp { layers: self.net.layers, weights: self.best }
    }
}

/// The gradient of the summed error over all blocks, left to right; answers the summed squared error.
fn gradient_of(
    passes: &mut Passes,
    net: &Mlp,
    rows: &Blocks,
    recipe: &Recipe,
    gradient: &mut [f32],
    rng: &mut Rng,
) -> f64 {
    let plain = recipe.loss == "cross-entropy";
    let dropout = recipe.dropout as f32;
    gradient.fill(0.0);
    passes.load(net, true);
    let mut squares = 0.0;
    for index in 0..rows.count() {
        let block = rows.block(index);
        passes.forward(net, block.panel, block.rows, (dropout > 0.0).then_some((dropout, &mut *rng)));
        squares += passes.output_delta(net, block.targets, block.rows, plain);
        passes.backward(net, block.sheet, block.rows, gradient);
    }
    squares
}
