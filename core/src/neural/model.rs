//! A trained model: from raw rows to answers.
#![allow(clippy::indexing_slicing)] // the shapes were checked when the file was read

use super::cascade::Cascade;
use super::codec;
use super::csv::{push_field, Reader};
use super::float_state::FloatState;
use super::kernel::{padded, to_panel, Level, BLOCK};
use super::network::{Mlp, Passes};
use super::plan::to_json;
use super::schema::{list_names, parse_number, shorten, CellError, Schema, Task};
use super::table::{class_index, read_header};
use super::view::View;
use crate::error::Error;
use crate::hash::{hex, sha256};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

/// Rows that are predicted at a time.
const CHUNK: usize = 1024;

/// A member's network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Network {
    Mlp(Mlp),
    Cascade(Cascade),
}

impl Network {
    /// `30-16-8-2`; `30-[5]-2` for a cascade of five units.
    pub fn shape(&self) -> String {
        match self {
            Network::Mlp(net) => {
                let mut text = net.inputs().to_string();
                net.layers.iter().for_each(|layer| text.push_str(&format!("-{}", layer.outputs)));
                text
            }
            Network::Cascade(net) => format!("{}-[{}]-{}", net.inputs, net.units.len(), net.outputs),
        }
    }
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
        let stride = padded(width + 1);
        let level = Level::detect();
        let count = rows.len() / inputs;
        let mut result = vec![0.0; count * outputs];
        let mut sheet = vec![0.0; stride * BLOCK];
        let mut panel = vec![0.0; (width + 1) * BLOCK];
        let mut passes = match &self.network {
            Network::Mlp(net) => {
                let mut passes = Passes::new(level, net);
                passes.load(net, false);
                Some(passes)
            }
            Network::Cascade(_) => None,
        };
        for (block, rows) in rows.chunks(inputs * BLOCK).enumerate() {
            let count = rows.len() / inputs;
            for (row, slots) in rows.chunks_exact(inputs).zip(sheet.chunks_exact_mut(stride)) {
                self.view.apply(row, &mut slots[..width]);
                slots[width] = 1.0;
            }
            to_panel(&sheet, stride, width + 1, count, &mut panel);
            let values = match (&self.network, &mut passes) {
                (Network::Mlp(net), Some(passes)) => {
                    passes.forward(net, &panel, count, None);
                    passes.output().to_vec()
                }
                (Network::Cascade(net), _) => net.forward_panel(level, &panel, count),
                _ => Vec::new(),
            };
            for (output, values) in values.chunks_exact(BLOCK).enumerate() {
                for (row, value) in values.iter().take(count).enumerate() {
                    result[(block * BLOCK + row) * outputs + output] = *value;
                }
            }
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
    members: Vec<MemberDescription<'a>>,
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
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Evaluation {
    rows: usize,
    loss: f64,
    accuracy: Option<f64>,
}

impl Model {
    /// Reads a model file; any bytes are answered by a model or a clear error.
    pub fn load(bytes: &[u8]) -> Result<Model, Error> {
        let (schema, members) = codec::read(bytes)?;
        Ok(Model { schema, members, hash: hex(&sha256(&[bytes])), size: bytes.len() })
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

    /// What the model is, as JSON.
    pub fn describe(&self) -> String {
        to_json(&Description {
            hash: &self.hash,
            version: codec::MODEL_VERSION,
            bytes: self.size,
            task: self.schema.task.as_str(),
            target: &self.schema.target,
            features: self.schema.columns.len(),
            inputs: self.inputs(),
            outputs: self.outputs(),
            classes: &self.schema.classes,
            members: self.members.iter().map(describe_member).collect(),
        })
        .unwrap_or_default()
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
        for (values, out) in values.chunks(inputs * CHUNK).zip(out.chunks_mut(outputs * CHUNK)) {
            let mut scaled = values.to_vec();
            self.answer(&mut scaled, out);
        }
        Ok(())
    }

    /// Standardises raw rows in place and writes the answers.
    fn answer(&self, rows: &mut [f32], out: &mut [f32]) {
        let _settings = FloatState::hold();
        for row in rows.chunks_exact_mut(self.inputs()) {
            self.schema.standardise(row);
        }
        for (slot, value) in out.iter_mut().zip(self.fused_outputs(rows)) {
            *slot = value as f32;
        }
        if self.schema.task == Task::Regression {
            for row in out.chunks_exact_mut(self.outputs()) {
                self.schema.unscale_target(row);
            }
        }
    }

    fn fused_outputs(&self, standardised: &[f32]) -> Vec<f64> {
        let weights: Vec<f64> = self.members.iter().map(|member| member.weight).collect();
        let outputs: Vec<Vec<f32>> =
            self.members.iter().map(|member| member.outputs(&self.schema, standardised)).collect();
        fused(&weights, &outputs)
    }

    /// Reads the feature columns of a CSV by name, whatever else it holds; hands over raw rows in chunks.
    fn read_csv(&self, bytes: &[u8], each: &mut RawRows<'_>, with_target: bool) -> Result<usize, Error> {
        if bytes.len() > super::data::MAX_BYTES {
            return Err(Error::data(
                "data",
                format!("data: {} bytes; at most 256 MiB are allowed", bytes.len()),
            ));
        }
        let mut reader = Reader::new(bytes)?;
        let names = read_header(&mut reader)?;
        if names.is_empty() {
            return Err(Error::data("data", "data: the file is empty; give a CSV with a header"));
        }
        let mut slots: Vec<Option<(usize, usize)>> = vec![None; names.len()];
        let mut offset = 0;
        for (index, column) in self.schema.columns.iter().enumerate() {
            let Some(found) = names.iter().position(|name| *name == column.name) else {
                return Err(missing_column(&column.name, &names));
            };
            slots[found] = Some((index, offset));
            offset += column.width();
        }
        let target = names.iter().position(|name| *name == self.schema.target);
        if with_target && target.is_none() {
            return Err(missing_column(&self.schema.target, &names));
        }
        let mut row = vec![0.0; offset];
        loop {
            let number = reader.records();
            let mut goal = String::new();
            let count = reader.record(&mut |index, cell| {
                if Some(index) == target {
                    goal.push_str(cell.trim());
                }
                let Some(Some((column, offset))) = slots.get(index) else { return Ok(()) };
                let column = &self.schema.columns[*column];
                let part = &mut row[*offset..*offset + column.width()];
                column
                    .encode(cell, part)
                    .map_err(|error| error.at(&format!("row {number}"), &column.name, cell))?;
                column.fill_missing(part);
                Ok(())
            })?;
            match count {
                None if number <= 1 => {
                    return Err(Error::data("data", "data: there are no rows below the header"))
                }
                None => return Ok(number - 1),
                Some(count) if count != names.len() => {
                    return Err(Error::data(
                        "data",
                        format!(
                            "data: row {number} has {count} fields, but the header names {}",
                            names.len()
                        ),
                    ));
                }
                Some(_) => each(number, &row, &goal)?,
            }
        }
    }

    /// Predicts each row of a CSV whose header names the feature columns; others, the target too, are ignored.
    pub fn predict_csv(&self, bytes: &[u8]) -> Result<PredictedCsv, Error> {
        let mut raw = Vec::new();
        let collect = &mut |_: usize, row: &[f32], _: &str| {
            raw.extend_from_slice(row);
            Ok(())
        };
        let rows = self.read_csv(bytes, collect, false)?;
        let outputs = self.outputs();
        let mut text = self.header();
        for chunk in raw.chunks_mut(self.inputs() * CHUNK) {
            let mut out = vec![0.0; chunk.len() / self.inputs() * outputs];
            self.answer(chunk, &mut out);
            for row in out.chunks_exact(outputs) {
                self.push_answer(&mut text, row);
            }
        }
        Ok(PredictedCsv { csv: text.into_bytes(), rows })
    }

    fn header(&self) -> String {
        let mut line = String::from("prediction");
        for class in &self.schema.classes {
            line.push(',');
            push_field(&mut line, &format!("probability_{class}"));
        }
        for target in 2..=self.schema.targets {
            line.push_str(&format!(",prediction{target}"));
        }
        line.push('\n');
        line
    }

    fn push_answer(&self, text: &mut String, row: &[f32]) {
        let number = |value: &f32| to_json(value).unwrap_or_default();
        if self.schema.task == Task::Classification {
            let wide: Vec<f64> = row.iter().map(|value| f64::from(*value)).collect();
            push_field(text, self.schema.classes.get(largest(&wide)).map_or("", String::as_str));
            text.push(',');
        }
        let numbers: Vec<String> = row.iter().map(number).collect();
        text.push_str(&numbers.join(","));
        text.push('\n');
    }

    /// Squared error (of classes: on 0 and 1; of numbers: on the scaled targets) and accuracy on a CSV with targets.
    pub fn evaluate_csv(&self, bytes: &[u8]) -> Result<String, Error> {
        let _settings = FloatState::hold();
        let (mut raw, mut goals) = (Vec::new(), Vec::new());
        let collect = &mut |number: usize, row: &[f32], goal: &str| {
            raw.extend_from_slice(row);
            self.push_goal(number, goal, &mut goals)
        };
        let rows = self.read_csv(bytes, collect, true)?;
        for row in raw.chunks_exact_mut(self.inputs()) {
            self.schema.standardise(row);
        }
        let score = score(&self.fused_outputs(&raw), &goals, self.outputs());
        let accuracy = (self.schema.task == Task::Classification).then_some(score.accuracy);
        to_json(&Evaluation { rows, loss: score.loss, accuracy })
    }

    fn push_goal(&self, number: usize, goal: &str, goals: &mut Vec<f32>) -> Result<(), Error> {
        let name = shorten(&self.schema.target);
        if self.schema.task == Task::Regression {
            let value = parse_number(goal)
                .map_err(|error: CellError| error.at(&format!("row {number}"), &name, goal))?;
            let scaled = |(mean, scale): (&f32, &f32)| (value - mean) / scale;
            goals.extend(self.schema.target_mean.iter().zip(&self.schema.target_scale).map(scaled));
            return Ok(());
        }
        let class = class_index(&self.schema.classes, goal).ok_or_else(|| {
            let known = list_names(&self.schema.classes);
            Error::data(
                "target",
                format!("target: row {number} of column {name:?} is {:?}; allowed: {known}", shorten(goal)),
            )
        })?;
        goals.extend((0..self.outputs() as u32).map(|output| if output == class { 1.0 } else { 0.0 }));
        Ok(())
    }
}

fn describe_member(member: &Member) -> MemberDescription<'_> {
    MemberDescription {
        pattern: &member.pattern,
        algorithm: &member.algorithm,
        network: member.network.shape(),
        view: member.view.kind(),
        weight: member.weight,
        epochs: member.epochs,
    }
}

/// Takes the number of the row, its raw inputs and its target cell.
type RawRows<'f> = dyn FnMut(usize, &[f32], &str) -> Result<(), Error> + 'f;

fn missing_column(name: &str, names: &[String]) -> Error {
    let name = shorten(name);
    Error::data(
        "data",
        format!("data: no column {name:?}, which the model needs; the columns are: {}", list_names(names)),
    )
}

/// Mean squared error and accuracy.
pub(crate) struct Score {
    pub loss: f64,
    pub accuracy: f64,
}

/// Scores outputs against targets of the same shape.
pub(crate) fn score(outputs: &[f64], targets: &[f32], width: usize) -> Score {
    let (mut squares, mut right, mut rows) = (0.0, 0u32, 0u32);
    for (row, target) in outputs.chunks_exact(width).zip(targets.chunks_exact(width)) {
        for (value, goal) in row.iter().zip(target) {
            let error = value - f64::from(*goal);
            squares += error * error;
        }
        let wide: Vec<f64> = target.iter().map(|value| f64::from(*value)).collect();
        right += u32::from(largest(row) == largest(&wide));
        rows += 1;
    }
    let rows = f64::from(rows.max(1));
    Score { loss: squares / (rows * width as f64), accuracy: f64::from(right) / rows }
}
