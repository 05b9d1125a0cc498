//! What the command line needs for one network: flags as options, answers, texts, files in pieces.
use ruv_swarm_core::neural::{self, door};
use ruv_swarm_core::render;
use wasm_bindgen::prelude::*;

use crate::neural::{predicted, JsPredictedCsv, Model};
use crate::thrown;

/// The options of a training from flags, a JSON list of `[name, type, text]`, over the JSON object `base`.
#[wasm_bindgen(js_name = trainOptions)]
pub fn train_options(flags: &str, base: &str) -> Result<String, JsError> {
    door::options_of_flags(flags, base).map_err(thrown)
}

/// Throws for arguments of `train` that do not go together; an empty text is one that was not given.
#[wasm_bindgen(js_name = checkTrain)]
pub fn check_train(
    data: &str,
    resume: &str,
    #[wasm_bindgen(js_name = firstOption)] first_option: &str,
    checkpoint: &str,
    every: Option<f64>,
    seconds: Option<f64>,
) -> Result<(), JsError> {
    // a cast of a float saturates, so a number out of range stays one
    let every = every.map(|every| every as u64);
    let arguments = door::TrainArguments { data, resume, first_option, checkpoint, every, seconds };
    door::check_train(&arguments).map_err(thrown)
}

/// The answer of `train`: the report with the path of the model file, or an empty one.
#[wasm_bindgen(js_name = trainAnswer)]
pub fn train_answer(report: &str, out: &str) -> String {
    door::train_answer(report, out)
}

/// Throws for the report of a training whose numbers ran away.
#[wasm_bindgen(js_name = checkReport)]
pub fn check_report(report: &str) -> Result<(), JsError> {
    door::check_report(report).map_err(thrown)
}

/// The error of a training that was broken off after `epoch`, as the JSON object of an error.
#[wasm_bindgen(js_name = trainInterrupted)]
pub fn train_interrupted(epoch: u32, checkpoint: &str) -> String {
    door::interrupted(epoch, checkpoint).to_json()
}

/// The note that a checkpoint holds.
#[wasm_bindgen(js_name = checkpointNote)]
pub fn checkpoint_note(checkpoint: &[u8]) -> Result<String, JsError> {
    neural::checkpoint_note(checkpoint).map_err(thrown)
}

/// The loss curve of a training, for a terminal.
#[wasm_bindgen]
#[derive(Default)]
pub struct Curve(render::Curve);

#[wasm_bindgen]
impl Curve {
    /// An empty curve.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Curve {
        Curve::default()
    }

    /// Takes the next progress as JSON text.
    pub fn add(&mut self, progress: &str) {
        self.0.add(progress);
    }

    /// The lines for a terminal of so many columns.
    pub fn text(&self, columns: usize) -> String {
        self.0.text(columns)
    }
}

/// Predictions for a file of any size, piece by piece.
#[wasm_bindgen]
pub struct PredictStream(neural::PredictStream);

#[wasm_bindgen]
impl PredictStream {
    /// The stream of a model.
    #[wasm_bindgen(constructor)]
    pub fn new(model: &Model) -> PredictStream {
        PredictStream(neural::PredictStream::new(model.inner()))
    }

    /// Takes a piece of the file; gives the predictions that are ready, as CSV.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<u8>, JsError> {
        let mut out = Vec::new();
        self.0.push(piece, &mut out).map_err(thrown)?;
        Ok(out)
    }

    /// The end of the file: the last predictions, and how many rows there were; consumes the stream.
    pub fn finish(self) -> Result<JsPredictedCsv, JsError> {
        let mut out = Vec::new();
        let rows = self.0.finish(&mut out).map_err(thrown)?;
        Ok(predicted(&out, rows as f64))
    }
}

/// How well a model does on a file of any size, piece by piece.
#[wasm_bindgen]
pub struct EvaluateStream(neural::EvaluateStream);

#[wasm_bindgen]
impl EvaluateStream {
    /// The stream of a model.
    #[wasm_bindgen(constructor)]
    pub fn new(model: &Model) -> EvaluateStream {
        EvaluateStream(neural::EvaluateStream::new(model.inner()))
    }

    /// Takes a piece of the file.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), JsError> {
        self.0.push(piece).map_err(thrown)
    }

    /// The end of the file: `{"rows","loss","accuracy"}` as JSON text; consumes the stream.
    pub fn finish(self) -> Result<String, JsError> {
        self.0.finish().map_err(thrown)
    }
}
