//! FANN training text: `rows inputs outputs` on the first line, then the rows.
//!
//! A row is a line of inputs and a line of outputs, or one line of both; longer lines may be broken, but
//! inputs, outputs and rows each end where a line ends, so that a number too few or too many is found in its row.

use super::csv::not_utf8;
use super::data::Table;
use super::formats::{build, check_shape, check_values};
use super::schema::{parse_number, shorten, CellError, Task};
use crate::error::Error;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Whether the first line is FANN's: three whole numbers and nothing else.
pub(crate) fn looks_like_fann(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    line.len() < 100 && core::str::from_utf8(line).is_ok_and(|line| header(line).is_some())
}

/// The three numbers of the first line.
fn header(line: &str) -> Option<[u64; 3]> {
    let mut words = line.split_ascii_whitespace();
    let mut numbers = [0u64; 3];
    for slot in &mut numbers {
        *slot = words.next()?.parse().ok()?;
    }
    words.next().is_none().then_some(numbers)
}

/// Collects the numbers of rows from lines.
pub(crate) struct Rows {
    promised: usize,
    inputs: usize,
    targets: usize,
    /// Complete rows.
    pub rows: usize,
    row: Vec<f32>,
}

impl Rows {
    /// From the first line.
    pub fn new(line: &str) -> Result<Rows, Error> {
        let Some([rows, inputs, targets]) = header(line) else {
            return Err(Error::data(
                "data",
                "data: the first line of FANN text must be three whole numbers: rows inputs outputs",
            ));
        };
        check_shape(rows, inputs, targets)?;
        let (inputs, targets) = (inputs as usize, targets as usize);
        Ok(Rows { promised: rows as usize, inputs, targets, rows: 0, row: Vec::new() })
    }

    /// Rows, inputs and targets as promised.
    pub fn shape(&self) -> [usize; 3] {
        [self.promised, self.inputs, self.targets]
    }

    /// Takes a line; the numbers of a row (inputs, then targets) if the line completes one.
    pub fn line(&mut self, line: &str) -> Result<Option<&[f32]>, Error> {
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        if self.rows == self.promised {
            return Err(Error::data(
                "data",
                format!("data: text {:?} follows the last of {} rows", shorten(line.trim()), self.promised),
            ));
        }
        if self.row.len() == self.inputs + self.targets {
            self.row.clear();
        }
        let before = self.row.len();
        let number = self.rows + 1;
        for word in line.split_ascii_whitespace() {
            let name = column_name(self.row.len(), self.inputs);
            let place = |error: CellError| error.in_numbers(&format!("row {number}"), &name, word);
            let value = parse_number(word).map_err(place)?;
            self.row.push(value);
        }
        let (count, whole) = (self.row.len(), self.inputs + self.targets);
        let crosses = before < self.inputs && count > self.inputs;
        if count > whole || (crosses && !(before == 0 && count == whole)) {
            return Err(self.unequal(before, count));
        }
        if count < whole {
            return Ok(None);
        }
        self.rows += 1;
        Ok(Some(&self.row))
    }

    fn unequal(&self, before: usize, count: usize) -> Error {
        let (found, part, promised) = if before < self.inputs {
            // a line of inputs that is too long, or a short one that the targets' line runs on from
            (if before == 0 { count } else { before }, "inputs", self.inputs)
        } else {
            (count - self.inputs, "outputs", self.targets)
        };
        Error::data(
            "data",
            format!("data: row {} has {found} {part}, but the first line promises {promised}", self.rows + 1),
        )
    }

    /// Checks that all rows came.
    pub fn end(&self) -> Result<(), Error> {
        if self.rows == self.promised {
            return Ok(());
        }
        Err(Error::data(
            "data",
            format!(
                "data: the first line promises {} rows, but row {} is not complete",
                self.promised,
                self.rows + 1
            ),
        ))
    }
}

/// The name of the number at `place` of a row: `x1` to the last input, then `y1`.
pub(crate) fn column_name(place: usize, inputs: usize) -> String {
    if place < inputs {
        format!("x{}", place + 1)
    } else {
        format!("y{}", place - inputs + 1)
    }
}

/// The text of a file of numbers, or of a part of it that begins at byte `offset`.
pub(crate) fn text_of_part(bytes: &[u8], offset: u64) -> Result<&str, Error> {
    core::str::from_utf8(bytes).map_err(|error| not_utf8(offset + error.valid_up_to() as u64))
}

/// Reads FANN training text.
pub(crate) fn read_fann(bytes: &[u8], task: Option<Task>) -> Result<Table, Error> {
    let mut lines = text_of_part(bytes, 0)?.lines();
    let mut rows = Rows::new(lines.next().unwrap_or_default())?;
    let [promised, inputs, targets] = rows.shape();
    check_values(promised as u64, inputs + targets)?;
    if promised.saturating_mul(inputs + targets) > bytes.len() {
        return Err(Error::data(
            "data",
            format!("data: the first line promises {promised} rows, but the text ends early"),
        ));
    }
    let mut features = Vec::with_capacity(promised * inputs);
    let mut goals = Vec::with_capacity(promised * targets);
    for line in lines {
        if let Some(row) = rows.line(line)? {
            let (left, right) = row.split_at_checked(inputs).unwrap_or_default();
            features.extend_from_slice(left);
            goals.extend_from_slice(right);
        }
    }
    rows.end()?;
    build("fann", [promised, inputs, targets], features, goals, task)
}
