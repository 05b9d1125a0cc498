//! Growing a cascade: output weights are trained, then a unit that correlates with what is left is frozen in.
//!
//! Fahlman and Lebiere 1990, with iRPROP- in place of quickprop in both phases. One step is one pass over the
//! training rows in either phase, so that slices may end anywhere. The grown network is a general one with
//! shortcuts, each unit a layer of its own; both phases train a network of one layer on the features so far.
#![allow(clippy::indexing_slicing)] // offsets follow from the row count and the number of features

use super::activation;
use super::learner::EpochLoss;
use super::plan::Recipe;
use super::prepare::Prepared;
use crate::error::{Code, Error};
use crate::rng::Rng;
use alloc::vec;
use alloc::vec::Vec;
use ruv_swarm_neural::{
    Activation, Algorithm, Init, Layer, Level, Loss, Network, Rows, Runner, Settings, Shape, Trainer,
};

/// Most passes of one phase.
const PHASE_EPOCHS: u32 = 200;
/// A phase goes on while it gains this share within the recipe's patience.
const GAIN: f64 = 0.01;
/// Units that may be added in a row without a lower validation loss.
const GROWTH_PATIENCE: usize = 4;

/// Rows of features, which grow by one number a unit, and their targets.
struct Grown {
    rows: usize,
    /// `[row][feature]`.
    features: Vec<f32>,
    /// `[row][output]`.
    targets: Vec<f32>,
    outputs: usize,
}

impl Grown {
    fn new(data: &Prepared, rows: &[u32], width: usize, view: impl Fn(&[f32], &mut [f32])) -> Grown {
        let mut features = vec![0.0; rows.len() * width];
        let mut targets = Vec::new();
        for (row, slots) in rows.iter().zip(features.chunks_exact_mut(width)) {
            view(data.row(*row), slots);
            targets.extend_from_slice(data.target(*row));
        }
        Grown { rows: rows.len(), features, targets, outputs: data.schema.outputs() }
    }

    fn width(&self) -> usize {
        self.features.len() / self.rows.max(1)
    }

    /// The rows with `targets`, `[row][output]`, in place of their own if there are any.
    fn build(&self, targets: Option<&[f32]>) -> Rows {
        let (width, targets) = (self.width(), targets.unwrap_or(&self.targets));
        let outputs = targets.len() / self.rows.max(1);
        Rows::build(self.rows, width, outputs, |row, inputs, slots| {
            inputs.copy_from_slice(&self.features[row * width..(row + 1) * width]);
            slots.copy_from_slice(&targets[row * outputs..(row + 1) * outputs]);
            1.0
        })
    }

    /// What a network of one layer answers, `[row][output]`.
    fn run(&self, level: Level, network: &Network) -> Vec<f32> {
        let mut values = vec![0.0; self.rows * network.shape.outputs()];
        if let Some(mut runner) = Runner::new(level, network) {
            runner.rows(&self.features, &mut values);
        }
        values
    }

    /// Adds the values of a new unit as the last feature.
    fn grow(&mut self, level: Level, unit: &Network) {
        let values = self.run(level, unit);
        let mut features = Vec::with_capacity(self.features.len() + self.rows);
        for (row, value) in self.features.chunks_exact(self.width().max(1)).zip(&values) {
            features.extend_from_slice(row);
            features.push(*value);
        }
        self.features = features;
    }
}

/// How long a phase has gone on.
struct Phase {
    epochs: u32,
    since_gain: u32,
    best: f64,
}

const START: Phase = Phase { epochs: 0, since_gain: 0, best: f64::MAX };

/// What candidates climb: their covariances with the errors that are left.
struct Climb {
    /// Output errors less their means, `[row][output]`.
    residues: Vec<f32>,
    squares: f64,
    /// `[candidate][output]`.
    covariances: Vec<f64>,
}

/// A cascade in training.
pub(crate) struct CascadeTrainer {
    level: Level,
    recipe: Recipe,
    hidden: Activation,
    output: Activation,
    inputs: usize,
    train: Grown,
    validation: Grown,
    /// Weights of each unit: one per feature, then the bias.
    units: Vec<Vec<f32>>,
    /// Trains the outputs, or the candidates while `climb` is there.
    trainer: Trainer,
    validation_rows: Rows,
    /// The output weights while candidates are trained.
    outputs: Vec<f32>,
    climb: Option<Climb>,
    phase: Phase,
    finished: bool,
    losses: (f64, f64),
    best_units: usize,
    best_weights: Vec<f32>,
    rng: Rng,
}

impl CascadeTrainer {
    /// A cascade without units on the rows of `data` as a view of `width` numbers shows them.
    pub fn new(
        level: Level,
        recipe: &Recipe,
        data: &Prepared,
        train: &[u32],
        width: usize,
        view: impl Fn(&[f32], &mut [f32]),
        rng: Rng,
    ) -> Result<Self, Error> {
        let hidden = activation::parse("activation", &recipe.activation)?;
        let output = activation::parse("outputActivation", &recipe.output_activation)?;
        let train = Grown::new(data, train, width, &view);
        let validation = Grown::new(data, &data.validation, width, &view);
        let network = layer(width, train.outputs, output);
        let weights = network.weights.clone();
        let trainer = trainer(level, network, output_settings(recipe), train.build(None))?;
        Ok(CascadeTrainer {
            level,
            hidden,
            output,
            inputs: width,
            validation_rows: validation.build(None),
            train,
            validation,
            units: Vec::new(),
            trainer,
            outputs: weights.clone(),
            best_weights: weights,
            climb: None,
            phase: START,
            finished: false,
            losses: (0.0, 0.0),
            best_units: 0,
            recipe: recipe.clone(),
            rng,
        })
    }

    /// Whether growing has ended.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Keeps the present network as the best.
    pub fn keep_best(&mut self) {
        if self.climb.is_none() {
            self.best_units = self.units.len();
            self.best_weights = self.trainer.weights();
        }
    }

    /// The network at its best.
    pub fn into_best(mut self) -> Network {
        self.units.truncate(self.best_units);
        let unit = Layer { units: 1, activation: self.hidden, steepness: 1.0 };
        let mut layers = vec![unit; self.best_units];
        layers.push(Layer { units: self.train.outputs, activation: self.output, steepness: 1.0 });
        let mut weights: Vec<f32> = self.units.concat();
        weights.extend(self.best_weights);
        Network { shape: Shape { inputs: self.inputs, layers, shortcut: true }, weights, connected: None }
    }

    /// One pass of the present phase.
    pub fn epoch(&mut self) -> Result<EpochLoss, Error> {
        let mut broken = None;
        if self.climb.is_some() {
            // the phase counts falling figures, so a rising score is negated
            let score = self.candidate_pass()?;
            if self.phase_over(-score) {
                self.install()?;
            }
        } else {
            let found = self.trainer.epoch();
            let measured = self.trainer.measure(&self.validation_rows);
            broken = found.broken.or(measured.broken);
            self.losses = (found.squared, measured.squared);
            if self.phase_over(found.squared) {
                let stuck = self.units.len() >= self.best_units + GROWTH_PATIENCE;
                if stuck || self.units.len() >= self.recipe.max_units as usize || found.squared < 1e-6 {
                    self.finished = true;
                } else {
                    self.draw_candidates()?;
                }
            }
        }
        let (training, validation) = self.losses;
        Ok(EpochLoss { training, validation: Some(validation), bit_fail: 0, broken })
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

    /// Begins a phase of candidates: what they climb, their first weights and their trainer.
    fn draw_candidates(&mut self) -> Result<(), Error> {
        let network = self.trainer.network();
        let mut residues = self.train.run(self.level, &network);
        for (value, target) in residues.iter_mut().zip(&self.train.targets) {
            *value -= target;
        }
        let squares = centre(&mut residues, self.train.outputs);
        self.outputs = network.weights;
        let mut candidates = layer(self.train.width(), self.recipe.candidates as usize, self.hidden);
        candidates.initialise(Init::Scaled, &mut self.rng);
        let mut climb = Climb { residues, squares, covariances: Vec::new() };
        climb.measure(&self.train.run(self.level, &candidates), self.train.rows);
        self.trainer =
            trainer(self.level, candidates, candidate_settings(&self.recipe), self.climb_rows(&climb))?;
        self.climb = Some(climb);
        self.phase = START;
        Ok(())
    }

    /// The rows with what each candidate has to follow.
    fn climb_rows(&self, climb: &Climb) -> Rows {
        self.train.build(Some(&climb.targets(self.train.outputs)))
    }

    /// One update of the candidates, uphill in the sum of absolute covariances; the best score after it.
    fn candidate_pass(&mut self) -> Result<f64, Error> {
        let Some(mut climb) = self.climb.take() else { return Ok(0.0) };
        self.trainer.epoch();
        let network = self.trainer.network();
        let before: Vec<bool> = climb.covariances.iter().map(|value| *value < 0.0).collect();
        climb.measure(&self.train.run(self.level, &network), self.train.rows);
        if climb.covariances.iter().zip(&before).any(|(value, negative)| (*value < 0.0) != *negative) {
            // a covariance that changed its sign turns the slope of its candidate
            let state = self.trainer.state();
            let rows = self.climb_rows(&climb);
            self.trainer = trainer(self.level, network, candidate_settings(&self.recipe), rows)?;
            self.trainer.restore(&state);
        }
        let score = climb.score(climb.best(self.train.outputs), self.train.outputs);
        self.climb = Some(climb);
        Ok(score)
    }

    /// Freezes the best candidate in as a new unit and goes on with the outputs.
    fn install(&mut self) -> Result<(), Error> {
        let Some(climb) = self.climb.take() else { return Ok(()) };
        let (best, width) = (climb.best(self.train.outputs), self.train.width());
        let weights = self.trainer.weights()[best * (width + 1)..(best + 1) * (width + 1)].to_vec();
        let mut unit = layer(width, 1, self.hidden);
        unit.weights.copy_from_slice(&weights);
        self.train.grow(self.level, &unit);
        self.validation.grow(self.level, &unit);
        self.units.push(weights);
        let mut network = layer(width + 1, self.train.outputs, self.output);
        for (new, old) in
            network.weights.chunks_exact_mut(width + 2).zip(self.outputs.chunks_exact(width + 1))
        {
            // the new unit stands before the bias and starts at 0
            new[..width].copy_from_slice(&old[..width]);
            new[width + 1] = old[width];
        }
        self.trainer = trainer(self.level, network, output_settings(&self.recipe), self.train.build(None))?;
        self.validation_rows = self.validation.build(None);
        self.phase = START;
        Ok(())
    }
}

impl Climb {
    /// Takes in the candidates' values, `[row][candidate]`.
    fn measure(&mut self, values: &[f32], rows: usize) {
        let (count, outputs) = (values.len() / rows.max(1), self.residues.len() / rows.max(1));
        self.covariances = vec![0.0; count * outputs];
        for (values, residues) in values.chunks_exact(count).zip(self.residues.chunks_exact(outputs)) {
            for (value, sums) in values.iter().zip(self.covariances.chunks_exact_mut(outputs)) {
                for (sum, residue) in sums.iter_mut().zip(residues) {
                    *sum += f64::from(*value) * f64::from(*residue);
                }
            }
        }
    }

    /// For each row and candidate the sum of the residues, each with the sign of its covariance.
    fn targets(&self, outputs: usize) -> Vec<f32> {
        let mut targets = Vec::new();
        for residues in self.residues.chunks_exact(outputs) {
            for covariances in self.covariances.chunks_exact(outputs) {
                let signed =
                    |(residue, covariance): (&f32, &f64)| if *covariance < 0.0 { -residue } else { *residue };
                targets
                    .push(residues.iter().zip(covariances).map(signed).fold(0.0, |sum, value| sum + value));
            }
        }
        targets
    }

    /// S of a candidate (Fahlman and Lebiere 1990, equation 1), as a share of the squared residues.
    fn score(&self, candidate: usize, outputs: usize) -> f64 {
        let values = &self.covariances[candidate * outputs..(candidate + 1) * outputs];
        values.iter().fold(0.0, |sum, value| sum + value.abs()) / self.squares.max(f64::MIN_POSITIVE)
    }

    /// The candidate of the largest score; the first of equals.
    fn best(&self, outputs: usize) -> usize {
        let mut best = 0;
        for candidate in 1..self.covariances.len() / outputs {
            if self.score(candidate, outputs) > self.score(best, outputs) {
                best = candidate;
            }
        }
        best
    }
}

/// Takes the mean of each output's errors off; answers the sum of the squares that are left.
fn centre(residues: &mut [f32], outputs: usize) -> f64 {
    let rows = residues.len() / outputs;
    let mut squares = 0.0;
    for output in 0..outputs {
        let values = residues.iter().skip(output).step_by(outputs);
        let mean = (values.fold(0.0, |sum, value| sum + f64::from(*value)) / rows as f64) as f32;
        for value in residues.iter_mut().skip(output).step_by(outputs) {
            *value -= mean;
            squares += f64::from(*value) * f64::from(*value);
        }
    }
    squares
}

/// A network of one layer with zero weights.
fn layer(inputs: usize, units: usize, activation: Activation) -> Network {
    let layer = Layer { units, activation, steepness: 1.0 };
    Network::new(Shape { inputs, layers: vec![layer], shortcut: false })
}

fn trainer(level: Level, network: Network, settings: Settings, rows: Rows) -> Result<Trainer, Error> {
    // neither phase draws anything: there is no noise, no dropout and no small batch
    Trainer::new(level, network, settings, rows, Rng::from_seed(0))
        .ok_or_else(|| Error::new(Code::Internal, "", "training: the cascade's network and rows do not fit"))
}

fn output_settings(recipe: &Recipe) -> Settings {
    Settings {
        algorithm: Algorithm::IrpropMinus,
        loss: if recipe.loss == "cross-entropy" { Loss::CrossEntropy } else { Loss::Squared },
        l2: recipe.l2 as f32,
        step_start: recipe.learning_rate as f32,
        ..Settings::default()
    }
}

fn candidate_settings(recipe: &Recipe) -> Settings {
    Settings { loss: Loss::Product, l2: 0.0, ..output_settings(recipe) }
}
