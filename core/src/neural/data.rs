//! Datasets: one table of raw inputs and targets, whatever format the bytes have.
//!
//! Everything that can be wrong with a file is found by [`inspect_data`], before anything is written.

use super::schema::{Schema, Task};
use super::{formats, table};
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
    /// `csv`, `fann` or `array`.
    pub format: String,
}

/// What a dataset is, as the ledger stores it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// SHA-256 of the raw bytes.
    pub hash: String,
    /// `csv`, `fann` or `array`.
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
}

/// Parses `bytes`, checks every rule, and answers the summary as JSON.
///
/// `options_json` is `{"target","task","format"}`, every key optional; an empty text means none.
pub fn inspect_data(bytes: &[u8], options_json: &str) -> Result<String, Error> {
    let _settings = super::float_state::FloatState::hold();
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

/// Reads any of the formats and checks what is common to them.
pub(crate) fn read_table(bytes: &[u8], options: &DataOptions) -> Result<Table, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::data("data", format!("data: {} bytes; at most 256 MiB are allowed", bytes.len())));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::data(
            "data",
            "data: the file is empty; give a CSV with a header and at least 10 rows",
        ));
    }
    let task = Task::parse(&options.task)?;
    let table = match detect_format(bytes, &options.format)? {
        "array" => formats::read_array(bytes, task)?,
        "fann" => formats::read_fann(bytes, task)?,
        _ => table::read_csv(bytes, &options.target, task)?,
    };
    check_table(&table)?;
    Ok(table)
}

/// `csv`, `fann` or `array`, as stated or as the bytes show.
fn detect_format(bytes: &[u8], stated: &str) -> Result<&'static str, Error> {
    match stated {
        "csv" => Ok("csv"),
        "fann" => Ok("fann"),
        "array" => Ok("array"),
        "" if bytes.starts_with(formats::ARRAY_MAGIC) => Ok("array"),
        "" if formats::looks_like_fann(bytes) => Ok("fann"),
        "" => Ok("csv"),
        _ => Err(Error::not_one_of("format", stated, &["csv", "fann", "array"])),
    }
}

fn check_table(table: &Table) -> Result<(), Error> {
    if table.rows < MIN_ROWS {
        return Err(Error::data(
            "data",
            format!("data: {} rows; at least {MIN_ROWS} are needed to train, validate and test", table.rows),
        ));
    }
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
    let target = super::schema::shorten(&table.schema.target);
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
            let name = super::schema::shorten(&table.schema.target);
            return Err(Error::data("target", format!("target: column {name:?} holds one value only")));
        }
    }
    Ok(())
}
