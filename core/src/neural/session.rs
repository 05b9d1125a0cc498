//! Training of one network without a swarm, in slices of epochs: a slice's length never changes a bit.

use super::blocks::Blocks;
use super::checkpoint::{self, Checkpoint};
use super::codec;
use super::float_state::FloatState;
use super::formats::encode_arrays;
use super::kernel::Level;
use super::mlp_trainer::MlpTrainer;
use super::model::{fused, score, Member, Network, Score};
use super::options::{Options, PerLayer};
use super::plan::{to_json, Recipe, ENGINE_VERSION};
use super::prepare::{prepare_with, Prepared};
use super::schema::Task;
use super::stopping::{Measured, Reason, Rules, Stopping};
use super::trainer::gather;
use super::view::View;
use crate::error::{Code, Error};
use crate::hash::{hex, sha256};
use crate::rng::Rng;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::Serialize;

/// Training of one network.
pub struct Session {
    options: Options,
    data: Prepared,
    learner: Box<MlpTrainer>,
    stopping: Stopping,
    last: Option<Measured>,
    stopped: Option<Reason>,
}

/// A trained network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trained {
    /// The model file (`.rsn`).
    pub model: Vec<u8>,
    /// The report: `{"epochs","bestEpoch","stopped","message","trainLoss","validationLoss","testLoss",
    /// "testAccuracy","modelHash"}`.
    pub report_json: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    epoch: u32,
    max_epochs: u32,
    train_loss: Option<f64>,
    validation_loss: Option<f64>,
    best_validation_loss: Option<f64>,
    best_epoch: u32,
    done: bool,
    stopped: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    epochs: u32,
    best_epoch: u32,
    stopped: &'static str,
    message: Option<String>,
    train_loss: Option<f64>,
    validation_loss: Option<f64>,
    test_loss: Option<f64>,
    test_accuracy: Option<f64>,
    model_hash: String,
}

impl Session {
    /// A session on the bytes of a dataset (CSV, FANN text, Proben1 or array bytes).
    ///
    /// # Errors
    /// `invalid_argument` for options, `invalid_data` for the data; both name the field.
    pub fn new(bytes: &[u8], options_json: &str) -> Result<Session, Error> {
        let _settings = FloatState::hold();
        let options = Options::parse(options_json)?;
        let data = prepare_with(bytes, &options.preparation()?)?;
        let options = options.resolve(&data)?;
        Session::build(options, data)
    }

    /// As [`Session::new`] on `rows` rows of inputs and of targets, row by row: the same bits as for the bytes
    /// that [`encode_arrays`] makes of them.
    pub fn from_arrays(
        inputs: &[f32],
        targets: &[f32],
        rows: usize,
        options_json: &str,
    ) -> Result<Session, Error> {
        Session::new(&array_bytes(inputs, targets, rows)?, options_json)
    }

    /// Goes on where a checkpoint was taken, bit for bit.
    ///
    /// # Errors
    /// `invalid_data` if the checkpoint is damaged or was taken with other data, `unsupported_version` if it is newer.
    pub fn resume(checkpoint: &[u8], bytes: &[u8]) -> Result<Session, Error> {
        let found = checkpoint::read(checkpoint)?;
        let hash = sha256(&[bytes]);
        if hash != found.dataset {
            return Err(Error::data(
                "data",
                format!(
                    "data: the data has hash {}, the checkpoint was taken with {}; give the same data",
                    hex(&hash),
                    hex(&found.dataset)
                ),
            ));
        }
        let mut session = Session::new(bytes, &found.options)?;
        session.run(found.epoch)?;
        session.stopped = session.stopped.or(found.stopped);
        Ok(session)
    }

    /// As [`Session::resume`] with arrays.
    pub fn resume_arrays(
        checkpoint: &[u8],
        inputs: &[f32],
        targets: &[f32],
        rows: usize,
    ) -> Result<Session, Error> {
        Session::resume(checkpoint, &array_bytes(inputs, targets, rows)?)
    }

    fn build(options: Options, data: Prepared) -> Result<Session, Error> {
        let recipe = recipe(&options);
        let rows = |rows: &[u32]| {
            Blocks::build(
                rows.len(),
                data.schema.inputs(),
                data.schema.outputs(),
                |index, inputs, targets| {
                    let Some(row) = rows.get(index) else { return };
                    inputs.copy_from_slice(data.row(*row));
                    targets.copy_from_slice(data.target(*row));
                },
            )
        };
        let rng = Rng::derived(&[b"session\n", options.seed.to_string().as_bytes()]);
        let (train, validation) = (rows(&data.train), rows(&data.validation));
        let learner = Box::new(MlpTrainer::new(Level::detect(), &recipe, train, validation, rng)?);
        let stopping = Stopping::new(rules(&options));
        Ok(Session { options, data, learner, stopping, last: None, stopped: None })
    }

    /// Trains for at most `epochs` more epochs and answers the progress.
    ///
    /// # Errors
    /// `work_failed` if the numbers ran away before there were weights to keep.
    pub fn run(&mut self, epochs: u32) -> Result<String, Error> {
        let _settings = FloatState::hold();
        for _ in 0..epochs {
            if self.stopped.is_some() {
                break;
            }
            let losses = self.learner.epoch();
            let validated = !self.data.validation.is_empty();
            let measured = Measured {
                training: losses.training,
                validation: validated.then_some(losses.validation),
                bit_fail: u64::MAX,
            };
            let (improved, stopped) = self.stopping.epoch(measured);
            if improved || !validated {
                self.learner.keep_best();
            }
            self.last = Some(measured);
            self.stopped = stopped;
        }
        Ok(self.progress())
    }

    /// `{"epoch","maxEpochs","trainLoss","validationLoss","bestValidationLoss","bestEpoch","done","stopped"}`.
    ///
    /// Losses are mean squared errors, `null` where there is none; `stopped` is empty while training goes on.
    pub fn progress(&self) -> String {
        let progress = Progress {
            epoch: self.stopping.epoch,
            max_epochs: self.options.epochs,
            train_loss: self.last.map(|last| last.training),
            validation_loss: self.last.and_then(|last| last.validation),
            best_validation_loss: self.stopping.best.map(|(loss, _)| loss),
            best_epoch: self.best_epoch(),
            done: self.done(),
            stopped: self.stopped.map_or("", Reason::word),
        };
        to_json(&progress).unwrap_or_default()
    }

    fn best_epoch(&self) -> u32 {
        self.stopping.best.map_or(self.stopping.epoch, |(_, epoch)| epoch)
    }

    /// Whether training is over.
    pub fn done(&self) -> bool {
        self.stopped.is_some()
    }

    /// Ends training between two slices: `time` (a host's limit) or `cancelled`; another word counts as `cancelled`.
    pub fn stop(&mut self, reason: &str) {
        let reason = if reason == Reason::Time.word() { Reason::Time } else { Reason::Cancelled };
        self.stopped.get_or_insert(reason);
    }

    /// The resolved options as JSON: every key with its value.
    pub fn options(&self) -> String {
        self.options.to_json().unwrap_or_default()
    }

    /// The bytes of a checkpoint (`.rsc`), from which [`Session::resume`] goes on.
    pub fn checkpoint(&self) -> Vec<u8> {
        checkpoint::write(&Checkpoint {
            dataset: crate::hash::parse_hex(&self.data.hash).unwrap_or_default(),
            options: self.options(),
            epoch: self.stopping.epoch,
            stopped: self.stopped,
        })
    }

    /// The model with the best weights, and its report; training may be ended early.
    ///
    /// # Errors
    /// `failed_precondition` if no epoch has run yet.
    pub fn finish(self) -> Result<Trained, Error> {
        let _settings = FloatState::hold();
        if self.stopping.epoch == 0 {
            return Err(Error::new(Code::FailedPrecondition, "", "training: no epoch has run yet"));
        }
        let (epochs, best_epoch) = (self.stopping.epoch, self.best_epoch());
        let member = Member {
            pattern: String::new(),
            algorithm: self.options.algorithm.clone(),
            epochs,
            weight: 1.0,
            view: View::All,
            network: Network::Mlp(self.learner.into_best()),
        };
        let measure = |rows: &[u32]| measure(&self.data, &member, rows);
        let test = measure(&self.data.test);
        let classes = self.data.schema.task == Task::Classification;
        let model = codec::write(&self.data.schema, core::slice::from_ref(&member));
        let report = Report {
            epochs,
            best_epoch,
            stopped: self.stopped.map_or("", Reason::word),
            message: None,
            train_loss: measure(&self.data.train).map(|score| score.loss),
            validation_loss: measure(&self.data.validation).map(|score| score.loss),
            test_loss: test.as_ref().map(|score| score.loss),
            test_accuracy: test.filter(|_| classes).map(|score| score.accuracy),
            model_hash: hex(&sha256(&[&model])),
        };
        Ok(Trained { model, report_json: to_json(&report)? })
    }
}

/// Loss and accuracy on some rows; `None` if there are none.
fn measure(data: &Prepared, member: &Member, rows: &[u32]) -> Option<Score> {
    let (inputs, targets) = gather(data, rows);
    let outputs = member.outputs(&data.schema, &inputs);
    (!rows.is_empty()).then(|| score(&fused(&[1.0], &[outputs]), &targets, data.schema.outputs()))
}

/// The array bytes of `rows` rows; the widths follow from the lengths.
fn array_bytes(inputs: &[f32], targets: &[f32], rows: usize) -> Result<Vec<u8>, Error> {
    let width = |field: &str, count: usize| match count.checked_rem(rows) {
        Some(0) => Ok(count / rows),
        _ => Err(Error::data(
            field,
            format!("{field}: {count} numbers for {rows} rows; allowed: the same count for each row"),
        )),
    };
    Ok(encode_arrays(
        inputs,
        rows,
        width("data", inputs.len())?,
        targets,
        width("target", targets.len())?,
        None,
    ))
}

fn rules(options: &Options) -> Rules {
    Rules {
        epochs: options.epochs,
        patience: options.patience.unwrap_or(0),
        gl: options.gl,
        pq: options.pq,
        up: options.up,
        progress: options.progress,
        strip: options.strip,
        target_error: options.target_error,
        bit_fail: options.bit_fail,
    }
}

fn recipe(options: &Options) -> Recipe {
    let hidden = match &options.activation {
        PerLayer::Each(words) => words.first().cloned(),
        PerLayer::One(word) => Some(word.clone()),
    };
    Recipe {
        engine: ENGINE_VERSION,
        algorithm: options.algorithm.clone(),
        hidden: options.hidden.clone(),
        activation: hidden.unwrap_or_else(|| "tanh".to_string()),
        output_activation: options.output_activation.clone().unwrap_or_default(),
        loss: options.loss.clone().unwrap_or_default(),
        max_epochs: options.epochs,
        learning_rate: options.learning_rate.unwrap_or(0.1),
        momentum: options.momentum.unwrap_or(0.0),
        batch_rows: options.batch_rows.unwrap_or(0),
        l2: options.l2,
        dropout: options.dropout,
        noise: options.noise,
        ..Recipe::default()
    }
}
