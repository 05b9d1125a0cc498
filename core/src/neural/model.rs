//! A trained model: from raw rows to answers.
#![allow(clippy::indexing_slicing)] // the shapes were checked when the file was read

use super::codec::{self, Contents};
use super::plan::to_json;
use super::schema::{Schema, Task};
use super::stream::{no_answer, Evaluating, Predicting, CHUNK};
use super::view::{self, View};
use crate::error::Error;
use crate::hash::{hex, sha256};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use ruv_swarm_neural::{FloatState, Layer, Level, Network, Runner};
use serde::Serialize;

/// `30-16-8-2`; `30-[5]-2` for a cascade of five units.
pub(crate) fn shape_text(network: &Network) -> String {
    let shape = &network.shape;
    let (last, hidden) =
        shape.layers.split_last().map_or((0, &[][..]), |(last, hidden)| (last.units, hidden));
    if shape.shortcut && hidden.iter().all(|layer| layer.units == 1) {
        return format!("{}-[{}]-{last}", shape.inputs, hidden.len());
    }
    let mut text = shape.inputs.to_string();
    shape.layers.iter().for_each(|layer| text.push_str(&format!("-{}", layer.units)));
    text
}

/// The weights of one layer, as a matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerWeights {
    /// Inputs of a unit, without the bias: with shortcuts the network's inputs and all units before.
    pub inputs: usize,
    /// Units of the layer.
    pub outputs: usize,
    /// Their function.
    pub activation: &'static str,
    /// Factor of their sums.
    pub steepness: f32,
    /// `outputs` x (`inputs` + 1) numbers: unit after unit its weights, then its bias; 0 where no connection is.
    pub weights: Vec<f32>,
}

/// One member of a model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub pattern: String,
    pub algorithm: String,
    pub epochs: u32,
    pub weight: f64,
    pub view: View,
    pub network: Network,
}

impl Member {
    /// Network outputs `[row][output]` for standardised rows.
    pub fn outputs(&self, schema: &Schema, rows: &[f32]) -> Vec<f32> {
        let (inputs, outputs) = (schema.inputs(), schema.outputs());
        let width = self.view.width(inputs);
        let count = rows.len() / inputs;
        let mut result = vec![0.0; count * outputs];
        // a model's networks were checked when it was read or made
        let Some(mut runner) = Runner::new(Level::detect(), &self.network) else { return result };
        if self.view == View::All {
            runner.rows(&rows[..count * inputs], &mut result);
            return result;
        }
        let mut seen = vec![0.0; CHUNK.min(count) * width];
        for (rows, results) in rows.chunks(CHUNK * inputs).zip(result.chunks_mut(CHUNK * outputs)) {
            let count = rows.len() / inputs;
            for (row, slots) in rows.chunks_exact(inputs).zip(seen.chunks_exact_mut(width)) {
                self.view.apply(row, slots);
            }
            runner.rows(&seen[..count * width], results);
        }
        result
    }
}

/// The convex mean of the members' outputs, in f64.
pub(crate) fn fused(weights: &[f64], outputs: &[Vec<f32>]) -> Vec<f64> {
    let mut sums = vec![0.0f64; outputs.first().map_or(0, Vec::len)];
    for (weight, values) in weights.iter().zip(outputs) {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += weight * f64::from(*value);
        }
    }
    sums
}

/// The index of the largest value; the first of equals.
pub(crate) fn largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// A model that was read from its file.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) schema: Schema,
    pub(crate) members: Vec<Member>,
    version: u32,
    options: String,
    hash: String,
    size: usize,
}

/// Predictions as CSV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredictedCsv {
    /// UTF-8 text with a header: `prediction`, then `probability_CLASS` for each class.
    pub csv: Vec<u8>,
    /// Data rows.
    pub rows: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description<'a> {
    hash: &'a str,
    version: u32,
    bytes: usize,
    task: &'static str,
    target: &'a str,
    features: usize,
    inputs: usize,
    outputs: usize,
    classes: &'a [String],
    columns: Vec<ColumnDescription<'a>>,
    #[serde(skip_serializing_if = "<[f32]>::is_empty")]
    target_mean: &'a [f32],
    #[serde(skip_serializing_if = "<[f32]>::is_empty")]
    target_scale: &'a [f32],
    members: Vec<MemberDescription<'a>>,
}

/// A feature column; each of its inputs is `(value - mean) * scale`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ColumnDescription<'a> {
    name: &'a str,
    categories: &'a [String],
    indicator: bool,
    mean: &'a [f32],
    scale: &'a [f32],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberDescription<'a> {
    pattern: &'a str,
    algorithm: &'a str,
    network: String,
    view: &'static str,
    weight: f64,
    epochs: u32,
    shortcut: bool,
    layers: Vec<LayerDescription>,
    weights: usize,
    connections: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LayerDescription {
    units: usize,
    activation: &'static str,
    steepness: f32,
}

impl Model {
    /// Reads a model file; any bytes are answered by a model or a clear error.
    pub fn load(bytes: &[u8]) -> Result<Model, Error> {
        let _settings = FloatState::hold();
        let Contents { version, options, schema, members } = codec::read(bytes)?;
        Ok(Model { schema, members, version, options, hash: hex(&sha256(&[bytes])), size: bytes.len() })
    }

    /// SHA-256 of the file, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Numbers of a row of [`Model::predict_rows`]: the raw columns, texts as one-hot, indicators after their column.
    pub fn inputs(&self) -> usize {
        self.schema.inputs()
    }

    /// Numbers of an answer: one per class, or one per regression target.
    pub fn outputs(&self) -> usize {
        self.schema.outputs()
    }

    /// The classes in output order; none for regression.
    pub fn classes(&self) -> &[String] {
        &self.schema.classes
    }

    /// The layers of a member's network, the output layer last; `None` if there is no such member.
    pub fn layers(&self, member: usize) -> Option<Vec<LayerWeights>> {
        let network = &self.members.get(member)?.network;
        let shape = &network.shape;
        let layer = |(index, layer): (usize, &Layer)| {
            let (inputs, start) = (shape.fan_in(index), shape.offset(index));
            LayerWeights {
                inputs,
                outputs: layer.units,
                activation: layer.activation.word(),
                steepness: layer.steepness,
                weights: network.weights[start..start + layer.units * (inputs + 1)].to_vec(),
            }
        };
        Some(shape.layers.iter().enumerate().map(layer).collect())
    }

    /// What the model is, as JSON.
    pub fn describe(&self) -> String {
        let mut text = to_json(&Description {
            hash: &self.hash,
            version: self.version,
            bytes: self.size,
            task: self.schema.task.as_str(),
            target: &self.schema.target,
            features: self.schema.columns.len(),
            inputs: self.inputs(),
            outputs: self.outputs(),
            classes: &self.schema.classes,
            columns: self.describe_columns(),
            target_mean: &self.schema.target_mean,
            target_scale: &self.schema.target_scale,
            members: self.members.iter().map(describe_member).collect(),
        })
        .unwrap_or_default();
        // the options are JSON already: they were checked when the file was read
        text.pop();
        text.push_str(",\"options\":");
        text.push_str(if self.options.is_empty() { "null" } else { &self.options });
        text.push('}');
        text
    }

    fn describe_columns(&self) -> Vec<ColumnDescription<'_>> {
        let mut described = Vec::new();
        let mut from = 0;
        for column in &self.schema.columns {
            let to = from + column.width();
            described.push(ColumnDescription {
                name: &column.name,
                categories: &column.categories,
                indicator: column.indicator,
                mean: &self.schema.mean[from..to],
                scale: &self.schema.scale[from..to],
            });
            from = to;
        }
        described
    }

    /// Answers for raw rows: `rows` x [`Model::inputs`] numbers in, `rows` x [`Model::outputs`] out.
    pub fn predict_rows(&self, values: &[f32], rows: usize, out: &mut [f32]) -> Result<(), Error> {
        let (inputs, outputs) = (self.inputs(), self.outputs());
        if Some(values.len()) != rows.checked_mul(inputs) {
            return Err(Error::invalid(
                "inputs",
                format!("inputs: {} numbers for {rows} rows; allowed: {inputs} a row", values.len()),
            ));
        }
        if Some(out.len()) != rows.checked_mul(outputs) {
            return Err(Error::invalid(
                "out",
                format!("out: room for {} numbers for {rows} rows; allowed: {outputs} a row", out.len()),
            ));
        }
        if let Some(bad) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::data(
                "inputs",
                format!("inputs: row {}, column {} is not finite", bad / inputs + 1, bad % inputs + 1),
            ));
        }
        let _settings = FloatState::hold();
        let parts = values.chunks(inputs * CHUNK).zip(out.chunks_mut(outputs * CHUNK));
        for (part, (values, out)) in parts.enumerate() {
            let mut scaled = values.to_vec();
            for (index, row) in scaled.chunks_exact_mut(inputs).enumerate() {
                self.schema.standardise(row);
                self.schema.check_scaled(row, &format!("row {}", part * CHUNK + index + 1))?;
            }
            self.answer_scaled(&scaled, out);
            if let Some(bad) = out.iter().position(|value| !value.is_finite()) {
                return Err(no_answer(part * CHUNK + bad / outputs + 1));
            }
        }
        Ok(())
    }

    /// Writes the answers for scaled rows.
    pub(crate) fn answer_scaled(&self, rows: &[f32], out: &mut [f32]) {
        let _settings = FloatState::hold();
        for (slot, value) in out.iter_mut().zip(self.fused_outputs(rows)) {
            *slot = value as f32;
        }
        if self.schema.task == Task::Regression {
            for row in out.chunks_exact_mut(self.outputs()) {
                self.schema.unscale_target(row);
            }
        }
    }

    /// The members' outputs for scaled rows, weighed and added in f64.
    pub(crate) fn fused_outputs(&self, standardised: &[f32]) -> Vec<f64> {
        let weights: Vec<f64> = self.members.iter().map(|member| member.weight).collect();
        let outputs: Vec<Vec<f32>> =
            self.members.iter().map(|member| member.outputs(&self.schema, standardised)).collect();
        fused(&weights, &outputs)
    }

    /// Predicts each row of a CSV whose header names the feature columns; others, the target too, are ignored.
    ///
    /// FANN and Proben1 text and array bytes are taken too, see [`super::PredictStream`].
    pub fn predict_csv(&self, bytes: &[u8]) -> Result<PredictedCsv, Error> {
        let mut csv = Vec::new();
        let mut stream = Predicting::new();
        stream.push(self, bytes, &mut csv)?;
        let rows = stream.finish(self, &mut csv)? as usize;
        Ok(PredictedCsv { csv, rows })
    }

    /// Squared error (of classes: on 0 and 1; of numbers: on the scaled targets) and accuracy on data with targets.
    pub fn evaluate_csv(&self, bytes: &[u8]) -> Result<String, Error> {
        let mut stream = Evaluating::new();
        stream.push(self, bytes)?;
        stream.finish(self)
    }
}

fn describe_member(member: &Member) -> MemberDescription<'_> {
    MemberDescription {
        pattern: &member.pattern,
        algorithm: &member.algorithm,
        network: shape_text(&member.network),
        view: view::kind(&member.view),
        weight: member.weight,
        epochs: member.epochs,
        shortcut: member.network.shape.shortcut,
        layers: member.network.shape.layers.iter().map(describe_layer).collect(),
        weights: member.network.weights.len(),
        connections: member.network.connections(),
    }
}

fn describe_layer(layer: &Layer) -> LayerDescription {
    LayerDescription { units: layer.units, activation: layer.activation.word(), steepness: layer.steepness }
}

/// Mean squared error and accuracy.
pub(crate) struct Score {
    pub loss: f64,
    pub accuracy: f64,
}

/// What a [`Score`] is made of, added up row by row.
#[derive(Default)]
pub(crate) struct Tally {
    squares: f64,
    right: u64,
    rows: u64,
}

impl Tally {
    /// Adds rows of `width` outputs and targets.
    pub fn add(&mut self, outputs: &[f64], targets: &[f32], width: usize) {
        for (row, target) in outputs.chunks_exact(width).zip(targets.chunks_exact(width)) {
            for (value, goal) in row.iter().zip(target) {
                let error = value - f64::from(*goal);
                self.squares += error * error;
            }
            let wide: Vec<f64> = target.iter().map(|value| f64::from(*value)).collect();
            self.right += u64::from(largest(row) == largest(&wide));
            self.rows += 1;
        }
    }

    /// The figures of all rows so far.
    pub fn score(&self, width: usize) -> Score {
        let rows = self.rows.max(1) as f64;
        Score { loss: self.squares / (rows * width as f64), accuracy: self.right as f64 / rows }
    }
}

/// Scores outputs against targets of the same shape.
pub(crate) fn score(outputs: &[f64], targets: &[f32], width: usize) -> Score {
    let mut tally = Tally::default();
    tally.add(outputs, targets, width);
    tally.score(width)
}
