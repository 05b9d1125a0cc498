//! Proben1 text (Prechelt, "Proben1", technical report 21/94, Karlsruhe 1994): seven lines `key=count`, then a row a line.
//!
//! A row is its inputs, then its outputs. The rows stand in the order training, validation, test.

use super::data::Table;
use super::fann::{column_name, text_of_part};
use super::formats::{build, check_shape, check_values};
use super::schema::{parse_number, shorten, CellError, Task};
use crate::error::Error;
use alloc::format;
use alloc::vec::Vec;

const KEYS: [&str; 7] = [
    "bool_in",
    "real_in",
    "bool_out",
    "real_out",
    "training_examples",
    "validation_examples",
    "test_examples",
];

/// Whether the first line is one of the seven of the header.
pub(crate) fn looks_like_proben1(bytes: &[u8]) -> bool {
    let start = bytes.get(..bytes.len().min(100)).unwrap_or_default();
    KEYS.iter().any(|key| {
        start.strip_prefix(key.as_bytes()).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"="))
    })
}

/// Collects the rows from lines.
pub(crate) struct Rows {
    header: [Option<u64>; 7],
    /// Complete rows.
    pub rows: usize,
    row: Vec<f32>,
}

impl Rows {
    /// Before the first line.
    pub fn new() -> Rows {
        Rows { header: [None; 7], rows: 0, row: Vec::new() }
    }

    /// Inputs and targets of a row, once the header is read.
    pub fn shape(&self) -> Option<[usize; 2]> {
        let [bool_in, real_in, bool_out, real_out, ..] = self.counts()?;
        Some([(bool_in + real_in) as usize, (bool_out + real_out) as usize])
    }

    /// Training, validation and test rows, once the header is read.
    pub fn parts(&self) -> Option<[usize; 3]> {
        let [.., train, validation, test] = self.counts()?;
        Some([train as usize, validation as usize, test as usize])
    }

    fn counts(&self) -> Option<[u64; 7]> {
        let mut counts = [0; 7];
        for (slot, count) in counts.iter_mut().zip(&self.header) {
            *slot = (*count)?;
        }
        Some(counts)
    }

    /// Takes a line; the numbers of a row (inputs, then targets) if it is one.
    pub fn line(&mut self, line: &str) -> Result<Option<&[f32]>, Error> {
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        let Some([inputs, targets]) = self.shape() else {
            self.header_line(line)?;
            return Ok(None);
        };
        let number = self.rows + 1;
        if number > self.promised() {
            return Err(Error::data(
                "data",
                format!("data: text {:?} follows the last of {} rows", shorten(line.trim()), self.promised()),
            ));
        }
        self.row.clear();
        for word in line.split_ascii_whitespace() {
            let name = column_name(self.row.len(), inputs);
            let place = |error: CellError| error.in_numbers(&format!("row {number}"), &name, word);
            let value = parse_number(word).map_err(place)?;
            self.row.push(value);
        }
        if self.row.len() != inputs + targets {
            return Err(Error::data(
                "data",
                format!(
                    "data: row {number} has {} numbers, but the header promises {inputs} inputs and {targets} outputs",
                    self.row.len()
                ),
            ));
        }
        self.rows = number;
        Ok(Some(&self.row))
    }

    fn promised(&self) -> usize {
        self.parts().map_or(0, |parts| parts.iter().sum())
    }

    fn header_line(&mut self, line: &str) -> Result<(), Error> {
        let (key, count) = line.split_once('=').unwrap_or((line, ""));
        let (key, count) = (key.trim(), count.trim());
        let Some(slot) = KEYS.iter().position(|known| *known == key).and_then(|at| self.header.get_mut(at))
        else {
            return Err(Error::data(
                "data",
                format!(
                    "data: {:?} in the header of proben1 text; its seven lines are {} with = and a count",
                    shorten(line.trim()),
                    KEYS.join(", ")
                ),
            ));
        };
        // any two can be added in 32 bits; the limits below are far less
        let number = count.parse::<u64>().ok().filter(|number| *number < 1 << 31);
        match (number, *slot) {
            (Some(number), None) => *slot = Some(number),
            (Some(_), Some(_)) => {
                return Err(Error::data("data", format!("data: {key} stands twice in the header")));
            }
            (None, _) => {
                return Err(Error::data(
                    "data",
                    format!(
                        "data: {key}={count}; allowed: whole numbers below 2147483648",
                        count = shorten(count)
                    ),
                ));
            }
        }
        match (self.shape(), self.parts()) {
            (Some([inputs, targets]), Some(parts)) => {
                let rows = parts.iter().map(|part| *part as u64).sum();
                check_shape(rows, inputs as u64, targets as u64)
            }
            _ => Ok(()),
        }
    }

    /// Checks that all rows came.
    pub fn end(&self) -> Result<(), Error> {
        let Some([train, validation, test]) = self.parts() else {
            let missing =
                KEYS.iter().zip(&self.header).find(|(_, count)| count.is_none()).map_or("", |(key, _)| key);
            return Err(Error::data("data", format!("data: the header of proben1 text lacks {missing}=")));
        };
        if self.rows == train + validation + test {
            return Ok(());
        }
        Err(Error::data(
            "data",
            format!(
                "data: the header promises {train} + {validation} + {test} rows, but there are {}",
                self.rows
            ),
        ))
    }
}

/// Reads Proben1 text; the table keeps the file's own split.
pub(crate) fn read_proben1(bytes: &[u8], task: Option<Task>) -> Result<Table, Error> {
    let mut rows = Rows::new();
    let (mut features, mut goals) = (Vec::new(), Vec::new());
    let mut inputs = 0;
    for line in text_of_part(bytes, 0)?.lines() {
        if let Some([count, _]) = rows.shape() {
            inputs = count;
        }
        if let Some(row) = rows.line(line)? {
            let (left, right) = row.split_at_checked(inputs).unwrap_or_default();
            features.extend_from_slice(left);
            goals.extend_from_slice(right);
        }
    }
    rows.end()?;
    let targets = rows.shape().map_or(0, |[_, targets]| targets);
    check_values(rows.rows as u64, inputs + targets)?;
    let mut table = build("proben1", [rows.rows, inputs, targets], features, goals, task)?;
    table.parts = rows.parts();
    Ok(table)
}
