//! Rows of array bytes that come in pieces: the inputs of all rows first, then the targets of all.

use super::formats::{parse_array_header, ArrayHeader, ARRAY_HEADER};
use super::layout::{Goals, NumberLayout};
use super::number::shown;
use super::rows::EachRow;
use super::schema::{CellError, Schema};
use crate::error::Error;
use alloc::format;
use alloc::vec::Vec;

/// A reader of array bytes; with goals it keeps the inputs until their targets come.
pub(crate) struct ArrayRows {
    head: Vec<u8>,
    shape: Option<(ArrayHeader, NumberLayout)>,
    /// Bytes of the number that is not complete.
    part: Vec<u8>,
    /// Numbers taken.
    count: u64,
    bytes: u64,
    kept: Vec<f32>,
    numbers: Vec<f32>,
}

impl ArrayRows {
    /// Before the first byte.
    pub fn new() -> ArrayRows {
        ArrayRows {
            head: Vec::new(),
            shape: None,
            part: Vec::new(),
            count: 0,
            bytes: 0,
            kept: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// Takes the next bytes.
    pub fn push(
        &mut self,
        schema: &Schema,
        goals: Goals,
        bytes: &[u8],
        counter: &mut u64,
        each: &mut EachRow<'_>,
    ) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        let (head, rest) = bytes.split_at_checked(ARRAY_HEADER - self.head.len()).unwrap_or((bytes, &[]));
        self.head.extend_from_slice(head);
        if self.shape.is_none() && self.head.len() == ARRAY_HEADER {
            let header = parse_array_header(&self.head)?;
            let layout = NumberLayout::new(schema, header.inputs as usize, header.targets as usize, goals)?;
            self.shape = Some((header, layout));
        }
        self.part.extend_from_slice(rest);
        let part = core::mem::take(&mut self.part);
        let mut numbers = part.chunks_exact(4);
        for number in numbers.by_ref() {
            let value = f32::from_le_bytes(number.first_chunk().copied().unwrap_or_default());
            self.number(schema, goals, value, counter, each)?;
        }
        self.part.extend_from_slice(numbers.remainder());
        Ok(())
    }

    fn number(
        &mut self,
        schema: &Schema,
        goals: Goals,
        value: f32,
        counter: &mut u64,
        each: &mut EachRow<'_>,
    ) -> Result<(), Error> {
        let Some((header, layout)) = &self.shape else { return Ok(()) };
        let in_inputs = self.count < header.rows * header.inputs;
        let (place, width, kind) = if in_inputs {
            (self.count, header.inputs, "x")
        } else {
            (self.count - header.rows * header.inputs, header.targets, "y")
        };
        self.count += 1;
        let (row, column) = (place / width, place % width);
        if row >= header.rows || (!in_inputs && goals == Goals::Ignored) {
            return Ok(());
        }
        if !value.is_finite() {
            let (place, name) = (format!("row {}", row + 1), format!("{kind}{}", column + 1));
            return Err(CellError::NotFinite.in_numbers(&place, &name, &shown(value)));
        }
        let [inputs, _] = layout.shape();
        match (in_inputs, goals) {
            (true, Goals::Needed) => {
                self.kept.push(value);
                return Ok(());
            }
            (false, Goals::Needed) if column == 0 => {
                let start = row as usize * inputs;
                self.numbers.extend_from_slice(self.kept.get(start..start + inputs).unwrap_or_default());
            }
            _ => {}
        }
        self.numbers.push(value);
        if column + 1 == width {
            *counter += 1;
            let mut found = Default::default();
            layout.place(schema, *counter, &self.numbers, &mut found)?;
            each(*counter, &found.0, &found.1)?;
            self.numbers.clear();
        }
        Ok(())
    }

    /// Checks that all bytes came.
    pub fn end(&self) -> Result<(), Error> {
        match &self.shape {
            Some((header, _)) => header.check_size(self.bytes),
            None => parse_array_header(&self.head).map(|_| ()),
        }
    }
}
