//! Prediction and evaluation of data that comes in pieces: memory does not grow with the file.

use super::csv::push_field;
use super::layout::Goals;
use super::model::{Model, Tally};
use super::plan::to_json;
use super::rows::RowReader;
use super::schema::{Schema, Task};
use crate::error::Error;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use ruv_swarm_neural::FloatState;
use serde::Serialize;

/// Rows that are predicted at a time.
pub(crate) const CHUNK: usize = 1024;

/// Predicts the rows of a CSV (or FANN or Proben1 text, or array bytes) piece by piece.
///
/// The answers are CSV: a header, then a line per row; the same bytes as [`Model::predict_csv`] whatever the pieces.
/// CSV columns are found by name, others (the target too) are ignored; numbers without names go by position.
pub struct PredictStream {
    model: Model,
    state: Predicting,
}

impl PredictStream {
    /// A stream of answers of `model`.
    pub fn new(model: &Model) -> PredictStream {
        PredictStream { model: model.clone(), state: Predicting::new() }
    }

    /// Takes the next bytes and appends the answers of the rows that they complete to `out`.
    ///
    /// Errors: `invalid_data` with row and column; the stream cannot go on after it.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.state.push(&self.model, bytes, out)
    }

    /// Takes the end and appends the last answers; the number of data rows.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<u64, Error> {
        self.state.finish(&self.model, out)
    }
}

/// The state of a [`PredictStream`] without its model.
pub(crate) struct Predicting {
    reader: RowReader,
    begun: bool,
    rows: Waiting,
}

impl Predicting {
    /// Before the first byte.
    pub fn new() -> Predicting {
        Predicting { reader: RowReader::new(Goals::Ignored), begun: false, rows: Waiting::default() }
    }

    /// See [`PredictStream::push`].
    pub fn push(&mut self, model: &Model, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let _settings = FloatState::hold();
        self.begin(model, out);
        let rows = &mut self.rows;
        self.reader.push(&model.schema, bytes, &mut |_, row, _| {
            rows.inputs.extend_from_slice(row);
            rows.count += 1;
            if rows.count == CHUNK {
                answer(model, rows, out)?;
            }
            Ok(())
        })?;
        answer(model, rows, out)
    }

    /// See [`PredictStream::finish`].
    pub fn finish(&mut self, model: &Model, out: &mut Vec<u8>) -> Result<u64, Error> {
        let _settings = FloatState::hold();
        self.begin(model, out);
        let rows = &mut self.rows;
        let count = self.reader.finish(&model.schema, &mut |_, row, _| {
            rows.inputs.extend_from_slice(row);
            rows.count += 1;
            Ok(())
        })?;
        answer(model, rows, out)?;
        Ok(count)
    }

    fn begin(&mut self, model: &Model, out: &mut Vec<u8>) {
        if !core::mem::replace(&mut self.begun, true) {
            out.extend_from_slice(header(&model.schema).as_bytes());
        }
    }
}

/// Rows that wait to be predicted together.
#[derive(Default)]
struct Waiting {
    inputs: Vec<f32>,
    goals: Vec<f32>,
    count: usize,
    /// Rows before these.
    before: usize,
}

impl Waiting {
    fn done(&mut self) {
        self.before += self.count;
        self.count = 0;
        self.inputs.clear();
        self.goals.clear();
    }

    /// Scales the inputs; an error names the first row that cannot be.
    fn scale(&mut self, schema: &Schema) -> Result<(), Error> {
        for (index, row) in self.inputs.chunks_exact_mut(schema.inputs()).enumerate() {
            schema.standardise(row);
            schema.check_scaled(row, &format!("row {}", self.before + index + 1))?;
        }
        Ok(())
    }
}

fn answer(model: &Model, rows: &mut Waiting, to: &mut Vec<u8>) -> Result<(), Error> {
    if rows.count == 0 {
        return Ok(());
    }
    rows.scale(&model.schema)?;
    let outputs = model.outputs();
    let mut out = vec![0.0; rows.count * outputs];
    let mut text = String::new();
    model.answer_scaled(&rows.inputs, &mut out);
    for (index, row) in out.chunks_exact(outputs).enumerate() {
        if row.iter().any(|value| !value.is_finite()) {
            return Err(no_answer(rows.before + index + 1));
        }
        push_answer(&model.schema, &mut text, row);
    }
    to.extend_from_slice(text.as_bytes());
    rows.done();
    Ok(())
}

/// The error for a row whose answer is not finite.
pub(crate) fn no_answer(row: usize) -> Error {
    Error::data(
        "data",
        format!(
            "data: row {row}: the answer is beyond 3.4e38; its values are too far from the training rows"
        ),
    )
}

fn header(schema: &Schema) -> String {
    let mut line = String::from("prediction");
    for class in &schema.classes {
        line.push(',');
        push_field(&mut line, &format!("probability_{class}"));
    }
    for target in 2..=schema.targets {
        line.push_str(&format!(",prediction{target}"));
    }
    line.push('\n');
    line
}

fn push_answer(schema: &Schema, text: &mut String, row: &[f32]) {
    if schema.task == Task::Classification {
        // the first of the largest
        let first = row.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (index, value)| {
            if *value > best.1 {
                (index, *value)
            } else {
                best
            }
        });
        push_field(text, schema.classes.get(first.0).map_or("", String::as_str));
        text.push(',');
    }
    for (index, value) in row.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&to_json(value).unwrap_or_default());
    }
    text.push('\n');
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Evaluation {
    rows: u64,
    loss: f64,
    accuracy: Option<f64>,
}

/// Evaluates a model on data with targets, piece by piece; formats as [`PredictStream`].
pub struct EvaluateStream {
    model: Model,
    state: Evaluating,
}

impl EvaluateStream {
    /// An evaluation of `model`.
    pub fn new(model: &Model) -> EvaluateStream {
        EvaluateStream { model: model.clone(), state: Evaluating::new() }
    }

    /// Takes the next bytes. Errors: `invalid_data` with row and column.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.state.push(&self.model, bytes)
    }

    /// Takes the end: `{"rows","loss","accuracy"}` as JSON, see [`Model::evaluate_csv`].
    pub fn finish(mut self) -> Result<String, Error> {
        self.state.finish(&self.model)
    }
}

/// The state of an [`EvaluateStream`] without its model.
pub(crate) struct Evaluating {
    reader: RowReader,
    rows: Waiting,
    tally: Tally,
}

impl Evaluating {
    /// Before the first byte.
    pub fn new() -> Evaluating {
        Evaluating {
            reader: RowReader::new(Goals::Needed),
            rows: Waiting::default(),
            tally: Tally::default(),
        }
    }

    /// See [`EvaluateStream::push`].
    pub fn push(&mut self, model: &Model, bytes: &[u8]) -> Result<(), Error> {
        let _settings = FloatState::hold();
        let (rows, tally) = (&mut self.rows, &mut self.tally);
        self.reader.push(&model.schema, bytes, &mut |_, row, goal| {
            rows.inputs.extend_from_slice(row);
            rows.goals.extend_from_slice(goal);
            rows.count += 1;
            if rows.count == CHUNK {
                weigh(model, rows, tally)?;
            }
            Ok(())
        })
    }

    /// See [`EvaluateStream::finish`].
    pub fn finish(&mut self, model: &Model) -> Result<String, Error> {
        let _settings = FloatState::hold();
        let rows = &mut self.rows;
        let count = self.reader.finish(&model.schema, &mut |_, row, goal| {
            rows.inputs.extend_from_slice(row);
            rows.goals.extend_from_slice(goal);
            rows.count += 1;
            Ok(())
        })?;
        weigh(model, rows, &mut self.tally)?;
        let score = self.tally.score(model.outputs());
        if !score.loss.is_finite() {
            return Err(Error::data(
                "data",
                "data: the loss is not finite; the targets are too far from the training rows",
            ));
        }
        let accuracy = (model.schema.task == Task::Classification).then_some(score.accuracy);
        to_json(&Evaluation { rows: count, loss: score.loss, accuracy })
    }
}

fn weigh(model: &Model, rows: &mut Waiting, tally: &mut Tally) -> Result<(), Error> {
    if rows.count == 0 {
        return Ok(());
    }
    rows.scale(&model.schema)?;
    tally.add(&model.fused_outputs(&rows.inputs), &rows.goals, model.outputs());
    rows.done();
    Ok(())
}
