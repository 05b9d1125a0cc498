//! One network, without a swarm: trained in slices by the clock of this host, with checkpoints and a time limit.
//!
//! ```
//! use ruv_swarm::neural;
//!
//! let data = neural::sample(); // iris as CSV; a file is std::fs::read("d.csv")?
//! let trained = neural::train(data, r#"{"target":"species","hidden":[8],"epochs":200}"#)?;
//! let model = neural::Model::load(&trained.model)?;
//! let mut answer = [0.0; 3];
//! model.predict_rows(&[5.1, 3.5, 1.4, 0.2], 1, &mut answer)?;
//! assert_eq!(model.classes()[0], "setosa");
//! assert!(answer[0] > 0.9, "{answer:?}");
//! # Ok::<(), ruv_swarm::Error>(())
//! ```
//!
//! Slices and pauses change no bit of the model. A time limit ends a training at the end of a slice; the epoch it
//! ended with is part of the report, and a training of so many epochs gives the same bits again.

use std::time::{Duration, Instant};

use ruv_swarm_core::error::{Code, Error};
pub use ruv_swarm_core::neural::{
    checkpoint_note, encode_arrays, inspect_data, sample, Model, PredictStream, Session, Trained,
};
use serde::Deserialize;

use crate::files;
use crate::slices::next_slice;

/// A slice lasts about this long: progress is shown a few times a second, and a stop is heard.
const SLICE: Duration = Duration::from_millis(100);

/// Without a number of epochs between checkpoints, one is written about this often.
const KEEP_EACH: Duration = Duration::from_secs(10);

/// Trains one network on the bytes of a dataset (CSV, FANN or Proben1 text, or [`encode_arrays`]) to its end.
///
/// # Errors
/// `invalid_argument` for options, `invalid_data` for data, `work_failed` if the numbers run away.
pub fn train(data: &[u8], options_json: &str) -> Result<Trained, Error> {
    finish(Session::new(data, options_json)?)
}

/// Trains one network on `rows` rows of inputs and of targets, row by row, to its end. It gives the same bits as
/// [`train`] on the [`encode_arrays`] of them.
///
/// ```
/// use ruv_swarm::neural;
///
/// // is the sum of two numbers above 1?
/// let inputs: Vec<f32> = (0..400).map(|place| (place * 7919 % 101) as f32 / 100.0).collect();
/// let targets: Vec<f32> =
///     inputs.chunks(2).map(|pair| f32::from(u8::from(pair[0] + pair[1] > 1.0))).collect();
/// let trained = neural::train_arrays(&inputs, &targets, 200, r#"{"hidden":[4],"epochs":100}"#)?;
/// let model = neural::Model::load(&trained.model)?;
/// let mut answer = [0.0; 2]; // one number a class: not above, above
/// model.predict_rows(&[0.9, 0.8], 1, &mut answer)?;
/// assert!(answer[1] > 0.9, "{answer:?}");
/// # Ok::<(), ruv_swarm::Error>(())
/// ```
///
/// # Errors
/// As [`train`].
pub fn train_arrays(
    inputs: &[f32],
    targets: &[f32],
    rows: usize,
    options_json: &str,
) -> Result<Trained, Error> {
    finish(Session::from_arrays(inputs, targets, rows, options_json)?)
}

fn finish(mut session: Session) -> Result<Trained, Error> {
    while !session.done() {
        session.run(u32::MAX)?;
    }
    session.finish()
}

/// How far a training is. Losses are mean squared errors, whatever loss is lowered.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Progress {
    /// Epochs done.
    pub epoch: u32,
    /// Most epochs.
    pub max_epochs: u32,
    /// On the training rows.
    pub train_loss: Option<f64>,
    /// On the validation rows; none without such rows.
    pub validation_loss: Option<f64>,
    /// The least of them.
    pub best_validation_loss: Option<f64>,
    /// The epoch whose weights are kept.
    pub best_epoch: u32,
    /// Whether training is over.
    pub done: bool,
    /// Why, as a word; empty while it goes on.
    pub stopped: String,
}

impl Progress {
    /// Reads the progress that a [`Session`] tells.
    ///
    /// # Errors
    /// `internal` if it is none.
    pub fn read(json: &str) -> Result<Progress, Error> {
        serde_json::from_str(json)
            .map_err(|error| Error::new(Code::Internal, "", format!("progress: {error}")))
    }
}

/// What should come after a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The next slice.
    GoOn,
    /// The end: the model is made of what was learnt so far.
    Finish,
    /// The end without a model: a checkpoint is written, if one was asked for.
    Leave,
}

/// A training that runs by the clock.
///
/// ```
/// use ruv_swarm::neural::{sample, Session, Then, Training};
///
/// let mut training = Training::new(Session::new(sample(), r#"{"epochs":30,"patience":0}"#)?)?;
/// let mut slices = 0;
/// training.run(&mut |_progress| {
///     slices += 1;
///     Then::GoOn
/// })?;
/// assert!(slices > 0 && training.epoch() == 30);
/// let whole = training.finish()?;
///
/// let mut half = Session::new(sample(), r#"{"epochs":30,"patience":0}"#)?;
/// half.run(11)?;
/// let mut rest = Session::resume(&half.checkpoint(), sample())?;
/// rest.run(u32::MAX)?;
/// assert_eq!(rest.finish()?.model, whole.model);
/// # Ok::<(), ruv_swarm::Error>(())
/// ```
pub struct Training {
    session: Session,
    epochs: u32,
    epoch: u32,
    limit: Option<Duration>,
    keep: Option<Keep>,
}

/// Where and when checkpoints are written.
struct Keep {
    path: String,
    every: Option<u32>,
    written: Option<u32>,
    at: Instant,
}

impl Training {
    /// A training that runs [`Session`] `session`.
    pub fn new(session: Session) -> Result<Training, Error> {
        let epoch = Progress::read(&session.progress())?.epoch;
        Ok(Training { session, epochs: 1, epoch, limit: None, keep: None })
    }

    /// Ends at the end of the slice in which so much time has passed since [`Training::run`].
    pub fn limit(&mut self, limit: Option<Duration>) {
        self.limit = limit;
    }

    /// Writes checkpoints to `path`, if there is one, each file whole or not at all: after each `every` epochs, or
    /// about every ten seconds, and at the end.
    pub fn checkpoints(&mut self, path: Option<String>, every: Option<u32>) {
        let every = every.filter(|every| *every > 0);
        self.keep = path.map(|path| Keep { path, every, written: None, at: Instant::now() });
    }

    /// Epochs done.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The session, to be stopped or to take a note.
    pub fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Runs slices until training is over or `watch`, which gets the progress as JSON after each slice, says
    /// otherwise; it tells whether there is a model to [`Training::finish`].
    ///
    /// # Errors
    /// `work_failed` if the numbers run away, and whatever keeps a checkpoint from being written.
    pub fn run(&mut self, watch: &mut dyn FnMut(&str) -> Then) -> Result<bool, Error> {
        let ended = self.advance(u32::MAX, watch)?;
        self.keep()?;
        Ok(ended)
    }

    /// Runs at most `epochs` epochs; it tells false if `watch` said to leave. As [`Training::run`] else.
    ///
    /// # Errors
    /// As [`Training::run`].
    pub fn advance(&mut self, epochs: u32, watch: &mut dyn FnMut(&str) -> Then) -> Result<bool, Error> {
        let until = self.limit.map(|limit| Instant::now() + limit);
        let last = self.epoch.saturating_add(epochs);
        while !self.session.done() && self.epoch < last {
            let slice = self.slice(until).min(last - self.epoch);
            let began = Instant::now();
            let progress = self.session.run(slice)?;
            self.epochs = next_slice(slice, began.elapsed(), SLICE);
            self.epoch = Progress::read(&progress)?.epoch;
            self.keep_when_due()?;
            let over = until.is_some_and(|until| Instant::now() >= until);
            match watch(&progress) {
                Then::GoOn if over && !self.session.done() => {
                    self.keep()?;
                    self.session.stop("time");
                }
                Then::GoOn => {}
                Then::Finish => {
                    self.keep()?;
                    self.session.stop("cancelled");
                }
                Then::Leave => {
                    self.keep()?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The model and the report.
    ///
    /// # Errors
    /// `failed_precondition` if no epoch has run.
    pub fn finish(self) -> Result<Trained, Error> {
        self.session.finish()
    }

    /// Epochs of the next slice: not beyond the next checkpoint, and short when little time is left.
    fn slice(&self, until: Option<Instant>) -> u32 {
        let mut slice = self.epochs;
        if let Some(left) = until.map(|until| until.saturating_duration_since(Instant::now())) {
            let share = left.as_secs_f64() / SLICE.as_secs_f64();
            if share < 1.0 {
                slice = ((f64::from(slice) * share) as u32).max(1);
            }
        }
        match self.keep.as_ref().and_then(|keep| keep.every) {
            Some(every) => slice.min(every - self.epoch % every),
            None => slice,
        }
    }

    fn keep_when_due(&mut self) -> Result<(), Error> {
        let Some(keep) = &self.keep else { return Ok(()) };
        let due = match keep.every {
            Some(every) => self.epoch.is_multiple_of(every),
            None => keep.at.elapsed() >= KEEP_EACH,
        };
        if due {
            self.keep()?;
        }
        Ok(())
    }

    /// Writes a checkpoint, unless the last one is of this epoch: one that is asked to end is kept as it went on.
    ///
    /// # Errors
    /// Whatever keeps the file from being written.
    pub fn keep(&mut self) -> Result<(), Error> {
        let Some(keep) = &mut self.keep else { return Ok(()) };
        if keep.written == Some(self.epoch) {
            return Ok(());
        }
        files::write_atomically("checkpoint", &keep.path, &self.session.checkpoint())?;
        keep.written = Some(self.epoch);
        keep.at = Instant::now();
        Ok(())
    }
}
