//! A network in training, with the rows that validate it and the best weights so far.

use super::options::{Options, PerLayer};
use super::plan::Recipe;
use super::prepare::Prepared;
use crate::error::{Code, Error};
use crate::rng::Rng;
use alloc::string::String;
use alloc::vec::Vec;
use ruv_swarm_neural as engine;
use ruv_swarm_neural::{Algorithm, Init, Layer, Level, Loss, Network, Rows, Settings, Shape};

/// Epochs between two states that are kept to go back to.
const ANCHOR_EPOCHS: u32 = 100;

/// A network in training.
pub(crate) struct Learner {
    trainer: engine::Trainer,
    validation: Rows,
    /// Weights of the best epoch; without validation rows the trainer's own are.
    best: Vec<f32>,
    /// Without validation rows: the state some epochs ago, for the case that numbers run away.
    anchor: engine::TrainerState,
    since_anchor: u32,
}

/// What one epoch gave.
pub(crate) struct EpochLoss {
    /// Mean squared error of the training pass.
    pub training: f64,
    /// Mean squared error on the validation rows after it; none without such rows, or if they were not measured.
    pub validation: Option<f64>,
    /// Outputs of the training pass that were further off than the limit.
    pub bit_fail: u64,
    /// The layer, from 0, where numbers ran away; the best weights are those of an epoch before.
    pub broken: Option<usize>,
}

impl Learner {
    /// A learner of `network`, whose weights are where it starts.
    ///
    /// # Errors
    /// `internal` if the rows do not fit the network.
    pub fn new(
        level: Level,
        network: Network,
        settings: Settings,
        train: Rows,
        validation: Rows,
        rng: Rng,
    ) -> Result<Learner, Error> {
        let best = network.weights.clone();
        let trainer = engine::Trainer::new(level, network, settings, train, rng)
            .ok_or_else(|| Error::new(Code::Internal, "", "training: network and rows do not fit"))?;
        let anchor = trainer.state();
        Ok(Learner { trainer, validation, best, anchor, since_anchor: 0 })
    }

    fn validates(&self) -> bool {
        self.validation.rows() > 0
    }

    /// One pass over the training rows, then the validation rows if they are to be measured.
    pub fn epoch(&mut self, measured: bool) -> EpochLoss {
        if self.validates() {
            let found = self.trainer.epoch();
            let validation = measured.then(|| self.trainer.measure(&self.validation));
            return EpochLoss {
                training: found.squared,
                validation: validation.map(|of| of.squared),
                bit_fail: found.bit_fail,
                broken: found.broken.or(validation.and_then(|of| of.broken)),
            };
        }
        if self.since_anchor == ANCHOR_EPOCHS {
            self.set_anchor();
        }
        let found = self.trainer.epoch();
        if found.broken.is_some() {
            // the same steps again up to the epoch before
            self.trainer.restore(&self.anchor);
            (0..self.since_anchor).for_each(|_| {
                self.trainer.epoch();
            });
        } else {
            self.since_anchor += 1;
        }
        EpochLoss {
            training: found.squared,
            validation: None,
            bit_fail: found.bit_fail,
            broken: found.broken,
        }
    }

    fn set_anchor(&mut self) {
        self.anchor = self.trainer.state();
        self.since_anchor = 0;
    }

    /// Keeps the present weights as the best; without validation rows they are anyway.
    pub fn keep_best(&mut self) {
        if self.validates() {
            self.trainer.copy_weights(&mut self.best);
        }
    }

    /// The best weights.
    pub fn best(&self) -> Vec<f32> {
        if self.validates() {
            self.best.clone()
        } else {
            self.trainer.weights()
        }
    }

    /// The network with its best weights.
    pub fn into_best(self) -> Network {
        let weights = self.best();
        Network { weights, ..self.trainer.network() }
    }

    /// Everything but the rows and the best weights.
    pub fn state(&self) -> engine::TrainerState {
        self.trainer.state()
    }

    /// Takes over a state and best weights; false if they do not fit.
    pub fn restore(&mut self, state: &engine::TrainerState, best: &[f32]) -> bool {
        if best.len() != self.best.len() || !self.trainer.restore(state) {
            return false;
        }
        self.best.copy_from_slice(best);
        self.set_anchor();
        true
    }
}

/// Rows of a dataset that a view, if any, turns into what the network sees.
pub(crate) fn rows_of(
    data: &Prepared,
    rows: &[u32],
    width: usize,
    weighted: bool,
    view: impl Fn(&[f32], &mut [f32]),
) -> Rows {
    Rows::build(rows.len(), width, data.schema.outputs(), |index, inputs, targets| {
        let Some(row) = rows.get(index) else { return 1.0 };
        view(data.row(*row), inputs);
        targets.copy_from_slice(data.target(*row));
        if weighted {
            data.weight(*row)
        } else {
            1.0
        }
    })
}

/// The network that resolved options ask for, its weights drawn from `rng`.
pub(crate) fn network(options: &Options, data: &Prepared, rng: &mut Rng) -> Result<Network, Error> {
    let (PerLayer::Each(words), PerLayer::Each(steepness)) = (&options.activation, &options.steepness) else {
        return Err(Error::new(Code::Internal, "options", "options: not resolved"));
    };
    let units = options.hidden.iter().map(|units| *units as usize).chain([data.schema.outputs()]);
    let words =
        words.iter().map(String::as_str).chain([options.output_activation.as_deref().unwrap_or_default()]);
    let mut layers = Vec::new();
    for ((units, word), steepness) in units.zip(words).zip(steepness) {
        let activation = super::activation::parse("activation", word)?;
        layers.push(Layer { units, activation, steepness: *steepness as f32 });
    }
    let mut network =
        Network::new(Shape { inputs: data.schema.inputs(), layers, shortcut: options.shortcut });
    if options.connection_rate < 1.0 {
        network.sparsify(options.connection_rate as f32, rng);
    }
    network.initialise(init(options), rng);
    Ok(network)
}

/// The network of a swarm's member, its weights drawn from `rng`.
pub(crate) fn member_network(
    recipe: &Recipe,
    inputs: usize,
    outputs: usize,
    rng: &mut Rng,
) -> Result<Network, Error> {
    let activation = super::activation::parse("activation", &recipe.activation)?;
    let unit = |units: &u32| Layer { units: *units as usize, activation, steepness: 1.0 };
    let mut layers: Vec<Layer> = recipe.hidden.iter().map(unit).collect();
    let activation = super::activation::parse("outputActivation", &recipe.output_activation)?;
    layers.push(Layer { units: outputs, activation, steepness: 1.0 });
    let mut network = Network::new(Shape { inputs, layers, shortcut: false });
    network.initialise(Init::Scaled, rng);
    Ok(network)
}

/// The settings of a swarm's member; what a recipe does not say is as in [`Settings::default`].
pub(crate) fn member_settings(recipe: &Recipe) -> Settings {
    let rate = recipe.learning_rate as f32;
    Settings {
        algorithm: algorithm(&recipe.algorithm),
        loss: if recipe.loss == "cross-entropy" { Loss::CrossEntropy } else { Loss::Squared },
        learning_rate: rate,
        step_start: rate,
        momentum: if recipe.algorithm == "batch" { recipe.momentum as f32 } else { 0.0 },
        batch_rows: if recipe.algorithm == "adam" { recipe.batch_rows } else { 0 },
        l2: recipe.l2 as f32,
        dropout: recipe.dropout as f32,
        noise: recipe.noise as f32,
        ..Settings::default()
    }
}

fn algorithm(word: &str) -> Algorithm {
    ALGORITHMS.iter().find(|(known, _)| *known == word).map_or(Algorithm::IrpropMinus, |(_, found)| *found)
}

fn init(options: &Options) -> Init {
    match options.init.as_str() {
        "uniform" => Init::Uniform { half: options.init_range as f32 },
        "nguyen-widrow" => Init::NguyenWidrow,
        "glorot" => Init::Glorot,
        "he" => Init::He,
        _ => Init::Scaled,
    }
}

/// The words of the training rules; `rprop` is iRPROP-, the one without weight backtracking.
pub(crate) const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("rprop", Algorithm::IrpropMinus),
    ("rprop+", Algorithm::RpropPlus),
    ("rprop-", Algorithm::RpropMinus),
    ("irprop+", Algorithm::IrpropPlus),
    ("irprop-", Algorithm::IrpropMinus),
    ("sarprop", Algorithm::Sarprop),
    ("quickprop", Algorithm::Quickprop),
    ("batch", Algorithm::Batch),
    ("incremental", Algorithm::Incremental),
    ("adam", Algorithm::Adam),
];

/// The settings that resolved options ask for.
pub(crate) fn settings(options: &Options) -> Settings {
    Settings {
        algorithm: algorithm(&options.algorithm),
        loss: match options.loss.as_deref() {
            Some("absolute") => Loss::Absolute,
            Some("huber") => Loss::Huber { delta: options.huber_delta as f32 },
            Some("cross-entropy") => Loss::CrossEntropy,
            Some("fann-tanh") => Loss::FannTanh,
            _ => Loss::Squared,
        },
        learning_rate: options.learning_rate.unwrap_or(0.1) as f32,
        momentum: options.momentum.unwrap_or(0.0) as f32,
        batch_rows: options.batch_rows.unwrap_or(0),
        l1: options.l1 as f32,
        // Fahlman's decay is the same term with the other sign
        l2: (options.l2 - if options.algorithm == "quickprop" { options.decay } else { 0.0 }) as f32,
        dropout: options.dropout as f32,
        noise: options.noise as f32,
        shuffle: true,
        increase: options.increase as f32,
        decrease: options.decrease as f32,
        step_start: options.step_start as f32,
        step_min: options.step_min as f32,
        step_max: options.step_max as f32,
        growth: options.growth as f32,
        cooling: options.cooling as f32,
        beta1: options.beta1,
        beta2: options.beta2,
        epsilon: options.epsilon as f32,
        bit_fail_limit: options.bit_fail_limit as f32,
    }
}
