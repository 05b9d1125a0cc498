//! What a column means: the schema that turns raw CSV cells into network inputs, kept in the model.

use crate::error::Error;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ruv_swarm_neural::pipeline;

/// Most distinct texts of one text column.
pub const MAX_CATEGORIES: usize = 64;
/// Most classes of a target.
pub const MAX_CLASSES: usize = 256;
/// Most columns of a file, and most network inputs after encoding.
pub const MAX_INPUTS: usize = 10_000;

/// What is learnt: one class of several, or numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// One output per class.
    Classification,
    /// One output per target number.
    Regression,
}

impl Task {
    /// The word at every door.
    pub fn as_str(self) -> &'static str {
        match self {
            Task::Classification => "classification",
            Task::Regression => "regression",
        }
    }

    /// The task that `word` names; an empty word leaves it open.
    pub fn parse(word: &str) -> Result<Option<Task>, Error> {
        match word {
            "" => Ok(None),
            "classification" => Ok(Some(Task::Classification)),
            "regression" => Ok(Some(Task::Regression)),
            _ => Err(Error::not_one_of("task", word, &["classification", "regression"])),
        }
    }
}

/// One feature column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name in the header.
    pub name: String,
    /// The distinct texts in byte order; none for a column of numbers.
    pub categories: Vec<String>,
    /// Whether a further input says that the value was missing.
    pub indicator: bool,
    /// What stands for a missing value: the mean, or the index of the most frequent text.
    pub fill: f32,
}

impl Column {
    /// How many network inputs the column yields.
    pub fn width(&self) -> usize {
        self.categories.len().max(1) + usize::from(self.indicator)
    }

    /// Encodes one cell into `out` (of [`Column::width`]); a missing value becomes NaN for [`Column::fill_missing`].
    pub fn encode(&self, cell: &str, out: &mut [f32]) -> Result<bool, CellError> {
        out.fill(0.0);
        let cell = cell.trim();
        let missing = is_missing(cell);
        if self.categories.is_empty() {
            let value = if missing { f32::NAN } else { parse_number(cell)? };
            if let Some(slot) = out.first_mut() {
                *slot = value;
            }
        } else if missing {
            out.iter_mut().take(self.categories.len()).for_each(|slot| *slot = f32::NAN);
        } else if let Ok(index) = self.categories.binary_search_by(|known| known.as_str().cmp(cell)) {
            // a text that training never saw leaves every category at 0
            if let Some(slot) = out.get_mut(index) {
                *slot = 1.0;
            }
        }
        if self.indicator && missing {
            if let Some(slot) = out.last_mut() {
                *slot = 1.0;
            }
        }
        Ok(missing)
    }

    /// Replaces the NaN of a missing value by what stands for it.
    pub fn fill_missing(&self, out: &mut [f32]) {
        if !out.first().is_some_and(|value| value.is_nan()) {
            return;
        }
        if self.categories.is_empty() {
            if let Some(slot) = out.first_mut() {
                *slot = self.fill;
            }
        } else {
            let chosen = self.fill as usize;
            for (index, slot) in out.iter_mut().take(self.categories.len()).enumerate() {
                *slot = if index == chosen { 1.0 } else { 0.0 };
            }
        }
    }
}

/// Why a cell is no usable number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellError {
    /// Not a number at all.
    NotANumber,
    /// `nan` or `inf`, or too large for 32 bits.
    NotFinite,
}

impl CellError {
    /// The error with its place, in a file without missing values.
    pub fn in_numbers(self, place: &str, column: &str, cell: &str) -> Error {
        let why = match self {
            CellError::NotANumber => "no number",
            CellError::NotFinite => "not finite",
        };
        let (column, cell) = (shorten(column), shorten(cell.trim()));
        Error::data(
            "data",
            format!("data: {place}, column {column:?}: {cell:?} is {why}; allowed: numbers up to 3.4e38"),
        )
    }

    /// The error with its place in a CSV.
    pub fn at(self, place: &str, column: &str, cell: &str) -> Error {
        let column = shorten(column);
        let cell = shorten(cell.trim());
        match self {
            CellError::NotANumber => Error::data(
                "data",
                format!("data: {place}, column {column:?}: {cell:?} is no number, and the column holds numbers"),
            ),
            CellError::NotFinite => Error::data(
                "data",
                format!("data: {place}, column {column:?}: {cell:?} is not finite; allowed: numbers up to 3.4e38, or empty, NA or ? for missing"),
            ),
        }
    }
}

/// Whether a trimmed cell stands for a missing value.
pub fn is_missing(cell: &str) -> bool {
    matches!(cell, "" | "NA" | "?")
}

/// A trimmed cell as f64, rounded once to f32.
pub fn parse_number(cell: &str) -> Result<f32, CellError> {
    let value: f64 = cell.parse().map_err(|_| CellError::NotANumber)?;
    let rounded = value as f32;
    if rounded.is_finite() {
        Ok(rounded)
    } else {
        Err(CellError::NotFinite)
    }
}

/// `text` cut after 40 characters, for messages.
pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or("")),
        None => text.to_string(),
    }
}

/// The first twelve of `names`, for messages.
pub fn list_names(names: &[String]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().take(12).enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(&shorten(name));
    }
    if names.len() > 12 {
        text.push_str(&format!(", ... ({} in all)", names.len()));
    }
    text
}

/// Everything between raw cells and scaled inputs, and between scaled outputs and answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// `csv`, `fann`, `proben1` or `array`.
    pub format: String,
    /// What is learnt.
    pub task: Task,
    /// The target column (for FANN text and arrays: a made-up name).
    pub target: String,
    /// The feature columns in file order, without the target.
    pub columns: Vec<Column>,
    /// The classes (empty for regression): integers by value, texts by bytes.
    pub classes: Vec<String>,
    /// Number of target values of a row: 1 for classification.
    pub targets: usize,
    /// Per input: subtracted from the value; mean, least value or 0 (see [`super::Scaling`]).
    pub mean: Vec<f32>,
    /// Per input: multiplied after that; 0 for an input that never changes.
    pub scale: Vec<f32>,
    /// Per regression target: subtracted from the value.
    pub target_mean: Vec<f32>,
    /// Per regression target: the rest is divided by it; 1 for a target that never changes.
    pub target_scale: Vec<f32>,
}

impl Schema {
    /// Number of encoded inputs.
    pub fn inputs(&self) -> usize {
        self.columns.iter().map(Column::width).sum()
    }

    /// Number of network outputs.
    pub fn outputs(&self) -> usize {
        match self.task {
            Task::Classification => self.classes.len(),
            Task::Regression => self.targets,
        }
    }

    /// The name of a target column: of several, `y1` and so on.
    pub fn target_name(&self, output: usize) -> String {
        if self.task == Task::Regression && self.targets > 1 {
            format!("y{}", output + 1)
        } else {
            self.target.clone()
        }
    }

    /// Scales a raw encoded row in place: `(value - mean) * scale`.
    pub fn standardise(&self, row: &mut [f32]) {
        pipeline::scale(row, &self.mean, &self.scale);
    }

    /// Refuses a scaled row with a number that is not finite; the error names `place` and the column.
    pub fn check_scaled(&self, row: &[f32], place: &str) -> Result<(), Error> {
        let Some(bad) = row.iter().position(|value| !value.is_finite()) else { return Ok(()) };
        let mut after = 0;
        let column = self.columns.iter().find(|column| {
            after += column.width();
            bad < after
        });
        let name = column.map(|column| shorten(&column.name)).unwrap_or_default();
        Err(Error::data(
            "data",
            format!(
                "data: {place}, column {name:?}: the value is too far from the training rows to be scaled"
            ),
        ))
    }

    /// Scales a row of regression targets in place: `(value - mean) / scale`.
    pub fn scale_target(&self, row: &mut [f32]) {
        for ((value, mean), scale) in row.iter_mut().zip(&self.target_mean).zip(&self.target_scale) {
            let distance = *value - mean;
            *value = if distance.is_finite() {
                distance / scale
            } else {
                ((f64::from(*value) - f64::from(*mean)) / f64::from(*scale)) as f32
            };
        }
    }

    /// Turns network outputs of a regression into answers in place: `value * scale + mean`.
    pub fn unscale_target(&self, row: &mut [f32]) {
        pipeline::unscale(row, &self.target_mean, &self.target_scale);
    }
}
