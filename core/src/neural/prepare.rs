//! From a table to what members train on: the split of the rows, filled gaps, standardised inputs and targets.
#![allow(clippy::indexing_slicing)] // row and input indices come from the table's own shape

use super::data::{read_table, DataOptions, Table};
use super::math::sqrt_f64;
use super::plan::TrainingPlan;
use super::schema::{Schema, Task};
use crate::error::Error;
use crate::hash::{hex, parse_hex, sha256};
use crate::rng::Rng;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// A dataset ready for training: the schema holds the measured scaling.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// SHA-256 of the bytes, in hexadecimal.
    pub hash: String,
    /// What the columns mean, with the measured scaling.
    pub schema: Schema,
    /// Row numbers from 0, ascending.
    pub train: Vec<u32>,
    /// Likewise; may be empty.
    pub validation: Vec<u32>,
    /// Likewise; may be empty.
    pub test: Vec<u32>,
    /// Standardised, `[row][input]`.
    pub inputs: Vec<f32>,
    /// One-hot or standardised, `[row][output]`.
    pub targets: Vec<f32>,
    /// One per row: row weight times class weight; empty if all are 1.
    pub weights: Vec<f32>,
}

impl Prepared {
    /// How much a row counts.
    pub fn weight(&self, row: u32) -> f32 {
        self.weights.get(row as usize).copied().unwrap_or(1.0)
    }

    /// The standardised inputs of a row.
    pub fn row(&self, row: u32) -> &[f32] {
        let width = self.schema.inputs();
        &self.inputs[row as usize * width..(row as usize + 1) * width]
    }

    /// The network targets of a row.
    pub fn target(&self, row: u32) -> &[f32] {
        let width = self.schema.outputs();
        &self.targets[row as usize * width..(row as usize + 1) * width]
    }
}

/// Parses `bytes` as the plan says, splits and scales.
pub(crate) fn prepare(bytes: &[u8], plan: &TrainingPlan) -> Result<Prepared, Error> {
    let hash = hex(&sha256(&[bytes]));
    if hash != plan.dataset {
        return Err(Error::data(
            "data",
            format!("data: the bytes have hash {hash}, the plan was made for {}", plan.dataset),
        ));
    }
    let options =
        DataOptions { target: plan.target.clone(), task: plan.task.clone(), format: plan.format.clone() };
    let mut table = read_table(bytes, &options)?;
    let seed = parse_hex(&plan.split_seed)
        .ok_or_else(|| Error::invalid("splitSeed", "splitSeed: must be 64 hexadecimal digits"))?;
    let [train, validation, test] = split(&table, &plan.split, &mut Rng::from_hash(&seed));
    if train.is_empty() || validation.is_empty() || test.is_empty() {
        return Err(Error::data("data", format!("data: {} rows are too few for the split", table.rows)));
    }
    fill_gaps(&mut table, &train);
    measure_inputs(&mut table, &train);
    let width = table.schema.inputs();
    for row in table.inputs.chunks_exact_mut(width) {
        table.schema.standardise(row);
    }
    let targets = scale_targets(&mut table, &train);
    Ok(Prepared {
        hash,
        weights: Vec::new(),
        schema: table.schema,
        train,
        validation,
        test,
        inputs: table.inputs,
        targets,
    })
}

/// Deals the rows of each class (shuffled) out in fixed proportion, so that every part sees every class.
fn split(table: &Table, shares: &[u32; 3], rng: &mut Rng) -> [Vec<u32>; 3] {
    let classes = table.schema.classes.len().max(1);
    let mut groups: Vec<Vec<u32>> = vec![Vec::new(); classes];
    for row in 0..table.rows {
        let class = table.labels.get(row).map_or(0, |label| *label as usize);
        groups[class].push(row as u32);
    }
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    let mut dealt: u64 = 0;
    // whether a running total of `share` percent passes a whole number at this row, shifted by `phase` percent
    let passes = |dealt: u64, share: u32, phase: u64| {
        let share = u64::from(share);
        (dealt * share + phase + share) / 100 > (dealt * share + phase) / 100
    };
    for group in &mut groups {
        rng.shuffle(group);
        let small = group.len() < 5;
        for (place, row) in group.iter().enumerate() {
            let part = if small && place == 0 {
                0
            } else if passes(dealt, shares[2], 0) {
                2
            } else if passes(dealt, shares[1], 50) {
                1
            } else {
                0
            };
            parts[part].push(*row);
            dealt += 1;
        }
    }
    for part in &mut parts {
        part.sort_unstable();
    }
    parts
}

/// Measures what stands for missing values on the training rows and puts it in everywhere.
fn fill_gaps(table: &mut Table, train: &[u32]) {
    let width = table.schema.inputs();
    let mut offset = 0;
    for column in &mut table.schema.columns {
        let span = column.width();
        if column.categories.is_empty() {
            let (mut sum, mut count) = (0.0f64, 0u32);
            for row in train {
                let value = table.inputs[*row as usize * width + offset];
                if !value.is_nan() {
                    sum += f64::from(value);
                    count += 1;
                }
            }
            column.fill = if count > 0 { (sum / f64::from(count)) as f32 } else { 0.0 };
        } else {
            let mut counts = vec![0u32; column.categories.len()];
            for row in train {
                let start = *row as usize * width + offset;
                for (count, value) in counts.iter_mut().zip(&table.inputs[start..start + span]) {
                    *count += u32::from(*value == 1.0);
                }
            }
            // the first of the most frequent
            let mut best = 0;
            for (index, count) in counts.iter().enumerate() {
                if *count > counts[best] {
                    best = index;
                }
            }
            column.fill = best as f32;
        }
        for row in table.inputs.chunks_exact_mut(width) {
            column.fill_missing(&mut row[offset..offset + span]);
        }
        offset += span;
    }
}

/// Mean and 1 / standard deviation of each input over the training rows; one-hot inputs stay 0 and 1.
fn measure_inputs(table: &mut Table, train: &[u32]) {
    let width = table.schema.inputs();
    let mut mean = Vec::with_capacity(width);
    let mut scale = Vec::with_capacity(width);
    for column in &table.schema.columns {
        for place in 0..column.width() {
            let input = mean.len();
            let values = train.iter().map(|row| table.inputs[*row as usize * width + input]);
            let (center, deviation) = moments(values);
            let one_hot = !column.categories.is_empty() || place > 0;
            let constant = deviation == 0.0;
            mean.push(if one_hot { 0.0 } else { center as f32 });
            scale.push(match (constant, one_hot) {
                (true, _) => 0.0,
                (false, true) => 1.0,
                (false, false) => finite((1.0 / deviation) as f32),
            });
        }
    }
    table.schema.mean = mean;
    table.schema.scale = scale;
}

fn finite(value: f32) -> f32 {
    if value.is_finite() {
        value
    } else {
        0.0
    }
}

/// Mean and standard deviation in row order; the deviation of equal values is exactly 0.
fn moments(values: impl Iterator<Item = f32> + Clone) -> (f64, f64) {
    let mut all = values.clone();
    let Some(first) = all.next() else { return (0.0, 0.0) };
    let mut sum = f64::from(first);
    let mut count = 1.0f64;
    let mut equal = true;
    for value in all {
        sum += f64::from(value);
        count += 1.0;
        equal &= value == first;
    }
    if equal {
        return (f64::from(first), 0.0);
    }
    let mean = sum / count;
    let squares = values.fold(0.0, |sum, value| {
        let distance = f64::from(value) - mean;
        sum + distance * distance
    });
    (mean, sqrt_f64(squares / count))
}

/// One-hot rows for classes; standardised numbers for regression, with the scaling kept in the schema.
fn scale_targets(table: &mut Table, train: &[u32]) -> Vec<f32> {
    let outputs = table.schema.outputs();
    let mut targets = vec![0.0; table.rows * outputs];
    if table.schema.task == Task::Classification {
        for (row, label) in targets.chunks_exact_mut(outputs).zip(&table.labels) {
            row[*label as usize] = 1.0;
        }
        return targets;
    }
    for output in 0..outputs {
        let (center, deviation) =
            moments(train.iter().map(|row| table.values[*row as usize * outputs + output]));
        let (center, deviation) = (center as f32, finite(deviation as f32));
        table.schema.target_mean.push(center);
        table.schema.target_scale.push(if deviation > 0.0 { deviation } else { 1.0 });
    }
    for (slots, values) in targets.chunks_exact_mut(outputs).zip(table.values.chunks_exact(outputs)) {
        for (output, slot) in slots.iter_mut().enumerate() {
            *slot = (values[output] - table.schema.target_mean[output]) / table.schema.target_scale[output];
        }
    }
    targets
}
