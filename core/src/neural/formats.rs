//! The canonical bytes of arrays, and tables whose columns are numbers without a header.
//!
//! Array bytes, all little-endian: `RSARRAY1` (8 bytes), task u32 (0 open, 1 classification, 2 regression),
//! rows u64, inputs per row u32, targets per row u32, the inputs as f32 row by row, then the targets likewise.

use super::data::{Table, MAX_VALUES};
use super::number::shown;
use super::schema::{CellError, Column, Schema, Task, MAX_CLASSES, MAX_INPUTS};
use super::table::{class_index, number_label};
use crate::error::Error;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The first bytes of [`encode_arrays`].
pub const ARRAY_MAGIC: &[u8] = b"RSARRAY1";
pub(crate) const ARRAY_HEADER: usize = 28;

/// The canonical dataset bytes of arrays: `inputs` is `rows` x `n_inputs` row by row, `targets` `rows` x `n_targets`.
///
/// `task` None leaves it to the values: one column of at most 20 distinct integers means classes, as do several
/// columns of one-hot rows. Values that the slices lack are absent from the bytes, which [`super::inspect_data`] then refuses.
pub fn encode_arrays(
    inputs: &[f32],
    rows: usize,
    n_inputs: usize,
    targets: &[f32],
    n_targets: usize,
    task: Option<Task>,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ARRAY_HEADER + 4 * (inputs.len() + targets.len()));
    bytes.extend_from_slice(ARRAY_MAGIC);
    let code: u32 = match task {
        None => 0,
        Some(Task::Classification) => 1,
        Some(Task::Regression) => 2,
    };
    bytes.extend_from_slice(&code.to_le_bytes());
    bytes.extend_from_slice(&(rows as u64).to_le_bytes());
    bytes.extend_from_slice(&(n_inputs as u32).to_le_bytes());
    bytes.extend_from_slice(&(n_targets as u32).to_le_bytes());
    for value in inputs.iter().chain(targets) {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

fn number_at<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut out = [0; N];
    if let Some(found) = bytes.get(offset..offset + N) {
        out.copy_from_slice(found);
    }
    out
}

/// The header of array bytes.
pub(crate) struct ArrayHeader {
    pub task: Option<Task>,
    pub rows: u64,
    pub inputs: u64,
    pub targets: u64,
}

impl ArrayHeader {
    /// Checks the number of bytes, with the header.
    pub fn check_size(&self, bytes: u64) -> Result<(), Error> {
        let ArrayHeader { rows, inputs, targets, .. } = self;
        let expected = ARRAY_HEADER as u64 + 4 * rows * (inputs + targets);
        if bytes == expected {
            return Ok(());
        }
        Err(Error::data(
            "data",
            format!("data: {rows} rows of {inputs} inputs and {targets} targets take {expected} bytes, but there are {bytes}"),
        ))
    }
}

/// Reads the first [`ARRAY_HEADER`] bytes.
pub(crate) fn parse_array_header(bytes: &[u8]) -> Result<ArrayHeader, Error> {
    if !bytes.starts_with(ARRAY_MAGIC) || bytes.len() < ARRAY_HEADER {
        return Err(Error::data(
            "data",
            "data: no array header; give the bytes that the array encoder wrote",
        ));
    }
    let rows = u64::from_le_bytes(number_at(bytes, 12));
    let inputs = u64::from(u32::from_le_bytes(number_at(bytes, 20)));
    let targets = u64::from(u32::from_le_bytes(number_at(bytes, 24)));
    check_shape(rows, inputs, targets)?;
    check_values(rows, (inputs + targets) as usize)?;
    let task = match u32::from_le_bytes(number_at(bytes, 8)) {
        0 => None,
        1 => Some(Task::Classification),
        2 => Some(Task::Regression),
        code => {
            return Err(Error::data("data", format!("data: unknown task code {code} in the array header")))
        }
    };
    Ok(ArrayHeader { task, rows, inputs, targets })
}

/// Reads what [`encode_arrays`] wrote.
pub(crate) fn read_array(bytes: &[u8], task: Option<Task>) -> Result<Table, Error> {
    let header = parse_array_header(bytes)?;
    header.check_size(bytes.len() as u64)?;
    let ArrayHeader { task: stated, rows, inputs, targets } = header;
    let (rows, inputs, targets) = (rows as usize, inputs as usize, targets as usize);
    let floats = |from: usize, count: usize| -> Vec<f32> {
        let body = bytes.get(ARRAY_HEADER + 4 * from..ARRAY_HEADER + 4 * (from + count)).unwrap_or(&[]);
        body.chunks_exact(4).map(|chunk| f32::from_le_bytes(number_at(chunk, 0))).collect()
    };
    let features = floats(0, rows * inputs);
    let goals = floats(rows * inputs, rows * targets);
    for (values, width, kind) in [(&features, inputs, "x"), (&goals, targets, "y")] {
        if let Some(bad) = values.iter().position(|value| !value.is_finite()) {
            let (row, column) = (bad / width, bad % width + 1);
            let value = values.get(bad).map(|value| shown(*value)).unwrap_or_default();
            return Err(CellError::NotFinite.in_numbers(
                &format!("row {}", row + 1),
                &format!("{kind}{column}"),
                &value,
            ));
        }
    }
    build("array", [rows, inputs, targets], features, goals, task.or(stated))
}

/// The limits of a row of numbers; no rows are refused too.
pub(crate) fn check_shape(rows: u64, inputs: u64, targets: u64) -> Result<(), Error> {
    if rows == 0 {
        return Err(Error::data("data", "data: there are no rows"));
    }
    if rows > u64::from(u32::MAX) {
        return Err(Error::data("data", format!("data: {rows} rows; at most {} are allowed", u32::MAX)));
    }
    if inputs == 0 {
        return Err(Error::data("data", "data: no feature column"));
    }
    if targets == 0 {
        return Err(Error::data("target", "target: no target column"));
    }
    if inputs > MAX_INPUTS as u64 {
        return Err(Error::data("data", format!("data: {inputs} columns; at most {MAX_INPUTS} are allowed")));
    }
    if targets > MAX_CLASSES as u64 {
        return Err(Error::data(
            "target",
            format!("target: {targets} columns; at most {MAX_CLASSES} are allowed"),
        ));
    }
    Ok(())
}

/// The limit of what is trained on: `rows` of `width` numbers.
pub(crate) fn check_values(rows: u64, width: usize) -> Result<(), Error> {
    if rows.saturating_mul(width as u64) <= MAX_VALUES as u64 {
        return Ok(());
    }
    Err(Error::data(
        "data",
        format!("data: {rows} rows of {width} numbers; at most {MAX_VALUES} values in all are allowed"),
    ))
}

/// The class of a one-hot row ({0,1} or {-1,1} with a single 1), or `None`.
pub(crate) fn one_hot(row: &[f32]) -> Option<u32> {
    let low = row.iter().copied().find(|value| *value != 1.0).unwrap_or(0.0);
    let ones = row.iter().filter(|value| **value == 1.0).count();
    let rest_low = row.iter().all(|value| *value == 1.0 || *value == low);
    if ones == 1 && rest_low && (low == 0.0 || low == -1.0) {
        row.iter().position(|value| *value == 1.0).map(|index| index as u32)
    } else {
        None
    }
}

/// A table of `inputs` features and `targets` goals a row, both row by row, in columns `x1`... and `y`.
pub(crate) fn build(
    format: &str,
    [rows, inputs, targets]: [usize; 3],
    features: Vec<f32>,
    goals: Vec<f32>,
    task: Option<Task>,
) -> Result<Table, Error> {
    let (task, classes, labels) = targets_of(rows, targets, &goals, task)?;
    let column = |index: usize| Column {
        name: format!("x{index}"),
        categories: Vec::new(),
        indicator: false,
        fill: 0.0,
    };
    let schema = Schema {
        format: format.to_string(),
        task,
        target: if targets == 1 || task == Task::Classification {
            "y".to_string()
        } else {
            format!("y1..y{targets}")
        },
        columns: (1..=inputs).map(column).collect(),
        classes,
        targets: if task == Task::Classification { 1 } else { targets },
        mean: Vec::new(),
        scale: Vec::new(),
        target_mean: Vec::new(),
        target_scale: Vec::new(),
    };
    let values = if task == Task::Regression { goals } else { Vec::new() };
    Ok(Table {
        schema,
        rows,
        missing: 0,
        inputs: features,
        labels,
        values,
        groups: Vec::new(),
        weights: Vec::new(),
        parts: None,
    })
}

type Targets = (Task, Vec<String>, Vec<u32>);

fn targets_of(rows: usize, targets: usize, goals: &[f32], task: Option<Task>) -> Result<Targets, Error> {
    let regression = (Task::Regression, Vec::new(), Vec::new());
    if task == Some(Task::Regression) {
        return Ok(regression);
    }
    if targets > 1 {
        let labels: Vec<u32> = goals.chunks_exact(targets).map_while(one_hot).collect();
        if labels.len() == rows {
            return Ok((
                Task::Classification,
                (1..=targets).map(|index| index.to_string()).collect(),
                labels,
            ));
        }
        return match task {
            None => Ok(regression),
            Some(_) => Err(Error::data(
                "target",
                format!(
                    "target: row {} is not one-hot; classification needs one 1 among its {targets} targets",
                    labels.len() + 1
                ),
            )),
        };
    }
    let mut distinct: Vec<f32> = Vec::new();
    for value in goals {
        if let Err(place) = distinct.binary_search_by(|known| known.total_cmp(&(value + 0.0))) {
            distinct.insert(place, value + 0.0);
            if distinct.len() > MAX_CLASSES {
                break;
            }
        }
    }
    let integers = distinct.iter().all(|value| *value == (*value as i32) as f32);
    if task.is_none() && !(integers && distinct.len() <= 20) {
        return Ok(regression);
    }
    if distinct.len() > MAX_CLASSES {
        return Err(Error::data(
            "target",
            format!("target: more than {MAX_CLASSES} classes; choose task regression"),
        ));
    }
    let classes: Vec<String> = distinct.iter().map(|value| number_label(f64::from(*value))).collect();
    let labels = goals
        .iter()
        .map(|value| class_index(&classes, &number_label(f64::from(*value))).unwrap_or(0))
        .collect();
    Ok((Task::Classification, classes, labels))
}
