//! Training of one network without a swarm, in slices of epochs: a slice's length never changes a bit.

use super::checkpoint::{self, Checkpoint, Remembered};
use super::codec;
use super::formats::encode_arrays;
use super::learner::{self, Learner};
use super::model::{fused, score, Member, Score};
use super::options::Options;
use super::plan::to_json;
use super::prepare::{check_targets, prepare_with, Prepared};
use super::schema::Task;
use super::stopping::{Measured, Reason, Rules, Stopping};
use super::trainer::gather;
use super::view::View;
use crate::error::{Code, Error};
use crate::hash::{hex, parse_hex, sha256, Hash};
use crate::rng::derived;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ruv_swarm_neural::{FloatState, Level};
use serde::Serialize;

/// Longest note of a host in a checkpoint.
const MAX_NOTE: usize = 1 << 16;

/// Training of one network.
pub struct Session {
    options: Options,
    data: Prepared,
    dataset: Hash,
    learner: Learner,
    stopping: Stopping,
    last: Option<Measured>,
    stopped: Option<Reason>,
    message: String,
    note: String,
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
struct Report<'a> {
    epochs: u32,
    best_epoch: u32,
    stopped: &'static str,
    message: Option<&'a str>,
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
        Session::with_level(bytes, options_json, Level::detect())
    }

    /// As [`Session::new`] with the kernels of `level`: the same bits, for tests and comparisons.
    ///
    /// # Errors
    /// As for [`Session::new`].
    pub fn with_level(bytes: &[u8], options_json: &str, level: Level) -> Result<Session, Error> {
        let _settings = FloatState::hold();
        let options = Options::parse(options_json)?;
        let data = prepare_with(bytes, &options.preparation()?)?;
        let options = options.resolve(&data)?;
        let mut rng = derived(&[b"session\n", options.seed.to_string().as_bytes()]);
        let network = learner::network(&options, &data, &mut rng)?;
        let range = network.shape.layers.last().map(|layer| layer.activation.range());
        if let (Some((low, high)), Task::Regression) = (range, data.schema.task) {
            check_targets(&data, low, high)?;
        }
        let rows = |rows: &[u32], weighted: bool| {
            learner::rows_of(&data, rows, data.schema.inputs(), weighted, |row, out| out.copy_from_slice(row))
        };
        let (train, validation) = (rows(&data.train, true), rows(&data.validation, false));
        let learner = Learner::new(level, network, learner::settings(&options), train, validation, rng)?;
        Ok(Session {
            dataset: parse_hex(&data.hash).unwrap_or_default(),
            stopping: Stopping::new(rules(&options)),
            options,
            data,
            learner,
            last: None,
            stopped: None,
            message: String::new(),
            note: String::new(),
        })
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
        let _settings = FloatState::hold();
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
        if !session.learner.restore(&found.state, &found.best) {
            return Err(Error::data(
                "resume",
                "resume: the checkpoint is damaged: its state does not fit its options",
            ));
        }
        found.remembered.restore(&mut session.stopping);
        session.last = found.last;
        session.stopped = found.stopped;
        session.message = found.message;
        session.note = found.note;
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

    /// Trains for at most `epochs` more epochs and answers the progress.
    ///
    /// If numbers run away, training stops with the reason `diverged` and the best weights so far are kept.
    ///
    /// # Errors
    /// `work_failed`, which names epoch and layer, if that happens before there are weights to keep.
    pub fn run(&mut self, epochs: u32) -> Result<String, Error> {
        let _settings = FloatState::hold();
        for _ in 0..epochs {
            if self.stopped.is_some() {
                break;
            }
            self.epoch()?;
        }
        Ok(self.progress())
    }

    fn epoch(&mut self) -> Result<(), Error> {
        let measures = (self.stopping.epoch + 1).is_multiple_of(self.options.validate_every);
        let losses = self.learner.epoch(measures);
        if let Some(layer) = losses.broken {
            self.message = format!(
                "training: the numbers of layer {} left the finite ones in epoch {}; scale the data, lower the learning rate or choose another activation",
                layer + 1,
                self.stopping.epoch + 1
            );
            self.stopped = Some(Reason::Diverged);
            return match self.best_epoch() {
                0 => Err(self.failed()),
                _ => Ok(()),
            };
        }
        let measured =
            Measured { training: losses.training, validation: losses.validation, bit_fail: losses.bit_fail };
        let (improved, stopped) = self.stopping.epoch(measured);
        // until the first measurement the last weights are the best that is known
        if improved || self.stopping.best.is_none() {
            self.learner.keep_best();
        }
        let validation = measured.validation.or(self.last.and_then(|last| last.validation));
        self.last = Some(Measured { validation, ..measured });
        self.stopped = stopped;
        Ok(())
    }

    fn failed(&self) -> Error {
        Error::new(Code::WorkFailed, "", self.message.clone())
    }

    /// `{"epoch","maxEpochs","trainLoss","validationLoss","bestValidationLoss","bestEpoch","done","stopped"}`.
    ///
    /// Losses are mean squared errors as last measured, `null` where there is none; `stopped` is empty while training goes on.
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

    /// Sets a text of the host's own, at most 64 KiB, that checkpoints carry; no result depends on it.
    pub fn set_note(&mut self, note: &str) -> Result<(), Error> {
        if note.len() > MAX_NOTE {
            return Err(Error::invalid(
                "note",
                format!("note: {} bytes; allowed: up to {MAX_NOTE}", note.len()),
            ));
        }
        self.note = note.to_string();
        Ok(())
    }

    /// The bytes of a checkpoint (`.rsc`), from which [`Session::resume`] goes on.
    pub fn checkpoint(&self) -> Vec<u8> {
        checkpoint::write(&Checkpoint {
            dataset: self.dataset,
            options: self.options(),
            note: self.note.clone(),
            remembered: Remembered::of(&self.stopping),
            last: self.last,
            stopped: self.stopped,
            message: self.message.clone(),
            best: self.learner.best(),
            state: self.learner.state(),
        })
    }

    /// The model with the best weights, and its report; training may be ended early.
    ///
    /// With validation rows the best weights are those of the least validation loss, else the last ones.
    ///
    /// # Errors
    /// `failed_precondition` if no epoch has run yet, `work_failed` if the first one ran away.
    pub fn finish(self) -> Result<Trained, Error> {
        let _settings = FloatState::hold();
        let (epochs, best_epoch) = (self.stopping.epoch, self.best_epoch());
        if best_epoch == 0 {
            return Err(match self.stopped {
                Some(Reason::Diverged) => self.failed(),
                _ => Error::new(Code::FailedPrecondition, "", "training: no epoch has run yet"),
            });
        }
        // an early end is part of the result: as many epochs asked for give the same file
        let options = Options { epochs, ..self.options.clone() }.to_json()?;
        let member = Member {
            pattern: String::new(),
            algorithm: self.options.algorithm.clone(),
            epochs,
            weight: 1.0,
            view: View::All,
            network: self.learner.into_best(),
        };
        let measure = |rows: &[u32]| measure(&self.data, &member, rows);
        let test = measure(&self.data.test);
        let classes = self.data.schema.task == Task::Classification;
        let model = codec::write(&options, &self.data.schema, core::slice::from_ref(&member));
        let report = Report {
            epochs,
            best_epoch,
            stopped: self.stopped.map_or("", Reason::word),
            message: (!self.message.is_empty()).then_some(self.message.as_str()),
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
