//! Datasets: one table of raw inputs and targets, whatever format the bytes have.
//!
//! Everything that can be wrong with a file is found by [`inspect_data`], before anything is written.

use super::preparation::Preparation;
use super::roles::{self, Roles};
use super::schema::{shorten, Schema, Task};
use super::{fann, formats, proben1, table};
use crate::error::Error;
use crate::hash::{hex, sha256};
use crate::json::{self, readable};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Largest dataset in bytes.
pub const MAX_BYTES: usize = 256 << 20;
/// Fewest rows that can be split into training, validation and test.
pub const MIN_ROWS: usize = 10;
/// Most encoded values (rows times inputs).
pub const MAX_VALUES: usize = 100_000_000;

/// How the bytes are to be read; an empty word leaves it to the data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataOptions {
    /// The target column.
    pub target: String,
    /// `classification` or `regression`.
    pub task: String,
    /// `csv`, `fann`, `proben1` or `array`.
    pub format: String,
}

/// What a dataset is, as the ledger stores it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// SHA-256 of the raw bytes.
    pub hash: String,
    /// `csv`, `fann`, `proben1` or `array`.
    pub format: String,
    /// Data rows.
    pub rows: u64,
    /// Feature columns.
    pub features: u64,
    /// Network inputs after encoding.
    pub inputs: u64,
    /// Network outputs.
    pub outputs: u64,
    /// `classification` or `regression`.
    pub task: String,
    /// The target column.
    pub target: String,
    /// The classes in output order; empty for regression.
    pub classes: Vec<String>,
    /// Missing feature values.
    pub missing: u64,
}

readable!(strict Summary { hash, format, rows, features, inputs, outputs, task, target, classes, missing });

/// A parsed dataset: raw encoded inputs (NaN where a value is missing) and targets.
pub(crate) struct Table {
    pub schema: Schema,
    pub rows: usize,
    pub missing: u64,
    /// Row-major, `rows` x `schema.inputs()`.
    pub inputs: Vec<f32>,
    /// Classification: class of each row.
    pub labels: Vec<u32>,
    /// Regression: row-major, `rows` x `schema.targets`.
    pub values: Vec<f32>,
    /// The group of each row, numbered from 0 as they appear; empty without a group column.
    pub groups: Vec<u32>,
    /// The weight of each row; empty without a weight column.
    pub weights: Vec<f32>,
    /// Training, validation and test rows that the file itself states.
    pub parts: Option<[usize; 3]>,
}

impl Table {
    /// Rows of each group.
    pub fn group_sizes(&self) -> Vec<u64> {
        let mut sizes = Vec::new();
        for group in &self.groups {
            let group = *group as usize;
            if group >= sizes.len() {
                sizes.resize(group + 1, 0);
            }
            if let Some(size) = sizes.get_mut(group) {
                *size += 1;
            }
        }
        sizes
    }
}

/// Parses `bytes`, checks every rule, and answers the summary as JSON.
///
/// `options_json` is `{"target","task","format"}`, every key optional; an empty text means none.
pub fn inspect_data(bytes: &[u8], options_json: &str) -> Result<String, Error> {
    let _settings = ruv_swarm_neural::FloatState::hold();
    let table = read_table(bytes, &parse_options(options_json)?)?;
    let summary = summarise(bytes, &table);
    serde_json::to_string(&summary).map_err(|error| Error::data("data", format!("data: {error}")))
}

pub(crate) fn parse_options(options_json: &str) -> Result<DataOptions, Error> {
    if options_json.trim().is_empty() {
        return Ok(DataOptions::default());
    }
    let bad = |why: String| {
        Error::invalid("options", format!("options: {why}; allowed: target, task, format, each a text"))
    };
    let mut options = DataOptions::default();
    for (key, raw) in json::fields(options_json).map_err(bad)? {
        let slot = match &*key {
            "target" => &mut options.target,
            "task" => &mut options.task,
            "format" => &mut options.format,
            _ => return Err(bad(format!("unknown field {key:?}"))),
        };
        json::set(slot, &key, raw).map_err(bad)?;
    }
    Ok(options)
}

pub(crate) fn summarise(bytes: &[u8], table: &Table) -> Summary {
    let schema = &table.schema;
    Summary {
        hash: hex(&sha256(&[bytes])),
        format: schema.format.clone(),
        rows: table.rows as u64,
        features: schema.columns.len() as u64,
        inputs: schema.inputs() as u64,
        outputs: schema.outputs() as u64,
        task: schema.task.as_str().to_string(),
        target: schema.target.clone(),
        classes: schema.classes.clone(),
        missing: table.missing,
    }
}

/// Reads any of the formats for the swarm, whose split needs [`MIN_ROWS`].
pub(crate) fn read_table(bytes: &[u8], options: &DataOptions) -> Result<Table, Error> {
    let table = read_any(bytes, options, &Roles::default())?;
    if table.rows < MIN_ROWS {
        return Err(Error::data(
            "data",
            format!("data: {} rows; at least {MIN_ROWS} are needed to train, validate and test", table.rows),
        ));
    }
    check_table(&table)?;
    Ok(table)
}

/// Reads any of the formats as `how` says; two rows are enough.
pub(crate) fn read_table_with(bytes: &[u8], how: &Preparation) -> Result<Table, Error> {
    let options =
        DataOptions { target: how.target.clone(), task: how.task.clone(), format: how.format.clone() };
    let roles = Roles { group: how.group_column.trim(), weight: how.weight_column.trim() };
    let table = read_any(bytes, &options, &roles)?;
    if table.rows < 2 {
        return Err(Error::data("data", "data: 1 row; at least 2 are needed to learn a difference"));
    }
    check_table(&table)?;
    Ok(table)
}

fn read_any(bytes: &[u8], options: &DataOptions, roles: &Roles<'_>) -> Result<Table, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::data("data", format!("data: {} bytes; at most 256 MiB are allowed", bytes.len())));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::data(
            "data",
            "data: the file is empty; give a CSV with a header and rows below it",
        ));
    }
    let task = Task::parse(&options.task)?;
    let mut table = match detect_format(bytes, &options.format)? {
        "array" => formats::read_array(bytes, task)?,
        "fann" => fann::read_fann(bytes, task)?,
        "proben1" => proben1::read_proben1(bytes, task)?,
        _ => return table::read_csv(bytes, options.target.trim(), roles, task),
    };
    check_target_name(&table.schema, options.target.trim())?;
    roles::take_columns(&mut table, roles)?;
    Ok(table)
}

/// Formats without a header have their targets last; another column cannot be asked for.
fn check_target_name(schema: &Schema, target: &str) -> Result<(), Error> {
    if target.is_empty() || target == schema.target || target == "y" {
        return Ok(());
    }
    Err(Error::invalid(
        "target",
        format!(
            "target: no column {:?}; {} data has its targets last, and they are named {}",
            shorten(target),
            schema.format,
            schema.target
        ),
    ))
}

/// The words of the formats.
pub(crate) const FORMATS: &[&str] = &["csv", "fann", "proben1", "array"];

/// One of [`FORMATS`], as stated or as the bytes show.
fn detect_format(bytes: &[u8], stated: &str) -> Result<&'static str, Error> {
    if !stated.is_empty() {
        let known = FORMATS.iter().find(|word| **word == stated);
        return known.copied().ok_or_else(|| Error::not_one_of("format", stated, FORMATS));
    }
    Ok(if bytes.starts_with(formats::ARRAY_MAGIC) {
        "array"
    } else if fann::looks_like_fann(bytes) {
        "fann"
    } else if proben1::looks_like_proben1(bytes) {
        "proben1"
    } else {
        "csv"
    })
}

fn check_table(table: &Table) -> Result<(), Error> {
    let width = table.schema.inputs();
    let varies = |input: usize| {
        let mut values =
            table.inputs.iter().skip(input).step_by(width.max(1)).filter(|value| !value.is_nan());
        let first = values.next();
        first.is_some_and(|first| values.any(|value| value != first))
    };
    if !(0..width).any(varies) {
        return Err(Error::data(
            "data",
            "data: every feature column holds one value only; nothing can be learnt from it",
        ));
    }
    match table.schema.task {
        Task::Classification => check_classes(table),
        Task::Regression => check_values(table),
    }
}

fn check_classes(table: &Table) -> Result<(), Error> {
    let target = shorten(&table.schema.target);
    let classes = table.schema.classes.len();
    if classes > table.rows {
        return Err(Error::data(
            "target",
            format!(
                "target: {classes} classes for {} rows; at least a row for each class is needed",
                table.rows
            ),
        ));
    }
    let first = table.labels.first();
    if table.schema.classes.len() < 2 || table.labels.iter().all(|label| Some(label) == first) {
        return Err(Error::data(
            "target",
            format!("target: column {target:?} holds one class only; at least two are needed"),
        ));
    }
    Ok(())
}

fn check_values(table: &Table) -> Result<(), Error> {
    for target in 0..table.schema.targets {
        let mut values = table.values.iter().skip(target).step_by(table.schema.targets.max(1));
        let first = values.next();
        if values.all(|value| Some(value) == first) {
            let name = shorten(&table.schema.target_name(target));
            return Err(Error::data("target", format!("target: column {name:?} holds one value only")));
        }
    }
    Ok(())
}
