//! From a table to what is trained on: the split of the rows, filled gaps, scaled inputs and targets, weights.

use super::data::{read_table, read_table_with, DataOptions, Table};
use super::number::shown;
use super::plan::TrainingPlan;
use super::preparation::{Preparation, Scaling};
use super::row_weights::row_weights;
use super::scale::{fill_gaps, scale_inputs, scale_targets};
use super::schema::{shorten, Schema};
use super::split::{self, Parts};
use crate::error::Error;
use crate::hash::{hex, parse_hex, sha256, Hash};
use crate::rng::Rng;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ruv_swarm_neural::FloatState;

/// A dataset ready for training: the schema holds the measured scaling.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// SHA-256 of the bytes, in hexadecimal.
    pub hash: String,
    /// What the columns mean, with the measured scaling.
    pub schema: Schema,
    /// Row numbers from 0, ascending; never empty.
    pub train: Vec<u32>,
    /// Likewise; may be empty.
    pub validation: Vec<u32>,
    /// Likewise; may be empty.
    pub test: Vec<u32>,
    /// Scaled, `[row][input]`.
    pub inputs: Vec<f32>,
    /// One-hot (0 and 1) or scaled, `[row][output]`.
    pub targets: Vec<f32>,
    /// One per row: row weight times class weight; empty if all are 1.
    pub weights: Vec<f32>,
}

impl Prepared {
    /// How much a row counts.
    pub fn weight(&self, row: u32) -> f32 {
        self.weights.get(row as usize).copied().unwrap_or(1.0)
    }

    /// The scaled inputs of a row; empty for a row that is not there.
    pub fn row(&self, row: u32) -> &[f32] {
        part(&self.inputs, self.schema.inputs(), row)
    }

    /// The network targets of a row; empty for a row that is not there.
    pub fn target(&self, row: u32) -> &[f32] {
        part(&self.targets, self.schema.outputs(), row)
    }
}

fn part(values: &[f32], width: usize, row: u32) -> &[f32] {
    let start = row as usize * width;
    values.get(start..start + width).unwrap_or_default()
}

/// The digest that a split's generator starts from: SHA-256 of `split`, the seed and the data's hash, a line each.
pub(crate) fn split_seed(seed: u64, dataset: &str) -> Hash {
    sha256(&[b"split\n", seed.to_string().as_bytes(), b"\n", dataset.as_bytes()])
}

/// Parses `bytes` as `how` says, splits, weighs and scales.
///
/// Errors: `invalid_argument` for a field of `how` that is not allowed or does not fit the data,
/// `invalid_data` with row and column for data that cannot be trained on.
pub fn prepare_with(bytes: &[u8], how: &Preparation) -> Result<Prepared, Error> {
    let _settings = FloatState::hold();
    how.check()?;
    let table = read_table_with(bytes, how)?;
    let hash = hex(&sha256(&[bytes]));
    let parts = split::split(&table, how, &mut Rng::from_hash(&split_seed(how.seed, &hash)))?;
    let coded = table.schema.format == "proben1";
    let inputs = how.scaling.unwrap_or(if coded { Scaling::None } else { Scaling::Standard });
    let targets = how.target_scaling.unwrap_or(match (coded, how.bounded) {
        (true, _) => Scaling::None,
        (false, true) => Scaling::MinMax,
        (false, false) => Scaling::Standard,
    });
    let weights = row_weights(&table, &parts[0], &how.class_weights)?;
    let prepared = scaled(table, parts, hash, inputs, targets)?;
    Ok(Prepared { weights, ..prepared })
}

/// Parses `bytes` as the swarm's plan says, splits and scales.
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
    let table = read_table(bytes, &options)?;
    let seed = parse_hex(&plan.split_seed)
        .ok_or_else(|| Error::invalid("splitSeed", "splitSeed: must be 64 hexadecimal digits"))?;
    let parts = split::stratified(&table, &plan.split, &mut Rng::from_hash(&seed));
    if parts.iter().any(Vec::is_empty) {
        return Err(Error::data("data", format!("data: {} rows are too few for the split", table.rows)));
    }
    scaled(table, parts, hash, Scaling::Standard, Scaling::Standard)
}

fn scaled(
    mut table: Table,
    parts: Parts,
    hash: String,
    inputs: Scaling,
    targets: Scaling,
) -> Result<Prepared, Error> {
    let [train, validation, test] = parts;
    fill_gaps(&mut table, &train);
    scale_inputs(&mut table, &train, inputs)?;
    let targets = scale_targets(&mut table, &train, targets)?;
    let Table { schema, inputs, .. } = table;
    Ok(Prepared { hash, schema, train, validation, test, inputs, targets, weights: Vec::new() })
}

/// Refuses a target of the training rows that outputs from `low` to `high` cannot reach; names the first.
pub fn check_targets(prepared: &Prepared, low: f32, high: f32) -> Result<(), Error> {
    for row in &prepared.train {
        let target = prepared.target(*row);
        let Some(output) = target.iter().position(|value| !(low..=high).contains(value)) else { continue };
        let name = shorten(&prepared.schema.target_name(output));
        let value = target.get(output).copied().unwrap_or_default();
        return Err(Error::data(
            "target",
            format!(
                "target: row {}, column {name:?}: {} (after scaling) is outside the output's range {} to {}; choose target scaling min-max or another output activation",
                row + 1,
                shown(value),
                shown(low),
                shown(high)
            ),
        ));
    }
    Ok(())
}
