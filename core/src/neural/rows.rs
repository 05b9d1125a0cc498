//! Rows for a model from bytes that come in pieces: CSV by column name, FANN and Proben1 text and arrays by position.
//!
//! A piece may end anywhere: within a character, between CR and LF, inside quotes. What is kept between two pieces
//! is the record that is not complete yet.
#![allow(clippy::indexing_slicing)] // places in a row come from the schema, lengths from the code around

use super::array_rows::ArrayRows;
use super::csv::{Ends, Reader};
use super::fann::{self, looks_like_fann, text_of_part};
use super::formats::ARRAY_MAGIC;
use super::layout::{CsvLayout, Goals, NumberLayout};
use super::proben1::{self, looks_like_proben1};
use super::schema::Schema;
use super::table::{read_header, unequal};
use crate::error::Error;
use alloc::format;
use alloc::vec::Vec;

/// Longest record (or line) in bytes.
const MAX_RECORD: usize = 16 << 20;
/// Bytes that are taken in at a time.
const PIECE: usize = 1 << 16;
/// Bytes that show the format at the latest.
const SNIFF: usize = 128;

/// Takes the number of the row from 1, its raw inputs (gaps filled) and its goals as the network has them.
pub(crate) type EachRow<'f> = dyn FnMut(u64, &[f32], &[f32]) -> Result<(), Error> + 'f;

enum Source {
    /// Too few bytes yet.
    Unknown,
    Csv(Ends, Option<CsvLayout>),
    Fann(Option<(fann::Rows, NumberLayout)>),
    Proben1(proben1::Rows, Option<NumberLayout>),
    Array(ArrayRows),
}

/// A reader of rows.
pub(crate) struct RowReader {
    goals: Goals,
    source: Source,
    /// Bytes of the record that is not complete.
    carry: Vec<u8>,
    /// Bytes before `carry`.
    offset: u64,
    /// CSV records read, the header too.
    records: u64,
    rows: u64,
}

impl RowReader {
    /// Before the first byte.
    pub fn new(goals: Goals) -> RowReader {
        RowReader { goals, source: Source::Unknown, carry: Vec::new(), offset: 0, records: 0, rows: 0 }
    }

    /// Takes the next bytes and hands over the rows that they complete.
    pub fn push(&mut self, schema: &Schema, bytes: &[u8], each: &mut EachRow<'_>) -> Result<(), Error> {
        for piece in bytes.chunks(PIECE) {
            self.piece(schema, piece, false, each)?;
        }
        Ok(())
    }

    /// Takes the end; the number of rows.
    pub fn finish(&mut self, schema: &Schema, each: &mut EachRow<'_>) -> Result<u64, Error> {
        self.piece(schema, &[], true, each)?;
        match &self.source {
            Source::Csv(_, None) | Source::Unknown => {
                return Err(Error::data("data", "data: the file is empty; give a CSV with a header"));
            }
            Source::Csv(_, Some(_)) => {}
            Source::Fann(found) => match found {
                Some((rows, _)) => rows.end()?,
                None => return Err(Error::data("data", "data: the file is empty")),
            },
            Source::Proben1(rows, _) => rows.end()?,
            Source::Array(rows) => rows.end()?,
        }
        if self.rows == 0 {
            return Err(Error::data("data", "data: there are no rows below the header"));
        }
        Ok(self.rows)
    }

    fn piece(
        &mut self,
        schema: &Schema,
        piece: &[u8],
        last: bool,
        each: &mut EachRow<'_>,
    ) -> Result<(), Error> {
        let mut fresh = self.carry.len();
        self.carry.extend_from_slice(piece);
        if matches!(self.source, Source::Unknown) {
            if !last && self.carry.len() < SNIFF && !self.carry.contains(&b'\n') {
                return Ok(());
            }
            self.source = detect(&self.carry);
            fresh = 0;
        }
        let ready = match &mut self.source {
            Source::Csv(ends, _) => ends.last_end(&self.carry[fresh..]).map(|end| fresh + end),
            Source::Array(_) => Some(self.carry.len()),
            _ => self.carry[fresh..].iter().rposition(|byte| *byte == b'\n').map(|end| fresh + end + 1),
        };
        let ready = if last { self.carry.len() } else { ready.unwrap_or(0) };
        let carry = core::mem::take(&mut self.carry);
        let (complete, rest) = carry.split_at_checked(ready).unwrap_or_default();
        self.complete(schema, complete, each)?;
        self.offset += ready as u64;
        if rest.len() > MAX_RECORD {
            return Err(Error::data(
                "data",
                format!("data: row {}: longer than 16 MiB; is a quote never closed?", self.rows + 1),
            ));
        }
        self.carry = carry;
        self.carry.drain(..ready);
        Ok(())
    }

    /// Takes bytes that end with a record.
    fn complete(&mut self, schema: &Schema, bytes: &[u8], each: &mut EachRow<'_>) -> Result<(), Error> {
        if bytes.is_empty() {
            return Ok(());
        }
        let (goals, counter) = (self.goals, &mut self.rows);
        let mut found: (Vec<f32>, Vec<f32>) = Default::default();
        match &mut self.source {
            Source::Unknown => {}
            Source::Csv(_, layout) => {
                let mut reader = Reader::resume(bytes, self.offset, self.records)?;
                csv_rows(schema, &mut reader, goals, layout, counter, each)?;
                self.records = reader.records();
            }
            Source::Fann(known) => {
                for line in text_of_part(bytes, self.offset)?.lines() {
                    let Some((rows, layout)) = known else {
                        let rows = fann::Rows::new(line)?;
                        let [_, inputs, targets] = rows.shape();
                        *known = Some((rows, NumberLayout::new(schema, inputs, targets, goals)?));
                        continue;
                    };
                    if let Some(row) = rows.line(line)? {
                        *counter += 1;
                        layout.place(schema, *counter, row, &mut found)?;
                        each(*counter, &found.0, &found.1)?;
                    }
                }
            }
            Source::Proben1(rows, layout) => {
                for line in text_of_part(bytes, self.offset)?.lines() {
                    let shape = rows.shape();
                    let Some(row) = rows.line(line)? else { continue };
                    if let (None, Some([inputs, targets])) = (&layout, shape) {
                        *layout = Some(NumberLayout::new(schema, inputs, targets, goals)?);
                    }
                    if let Some(layout) = layout {
                        *counter += 1;
                        layout.place(schema, *counter, row, &mut found)?;
                        each(*counter, &found.0, &found.1)?;
                    }
                }
            }
            Source::Array(rows) => rows.push(schema, goals, bytes, counter, each)?,
        }
        Ok(())
    }
}

fn detect(bytes: &[u8]) -> Source {
    if bytes.starts_with(ARRAY_MAGIC) {
        Source::Array(ArrayRows::new())
    } else if looks_like_fann(bytes) {
        Source::Fann(None)
    } else if looks_like_proben1(bytes) {
        Source::Proben1(proben1::Rows::new(), None)
    } else {
        Source::Csv(Ends::default(), None)
    }
}

fn csv_rows(
    schema: &Schema,
    reader: &mut Reader<'_>,
    goals: Goals,
    layout: &mut Option<CsvLayout>,
    counter: &mut u64,
    each: &mut EachRow<'_>,
) -> Result<(), Error> {
    let layout = match layout {
        Some(layout) => layout,
        None => {
            let names = read_header(reader)?;
            if names.is_empty() {
                return Ok(());
            }
            layout.insert(CsvLayout::new(schema, &names, goals)?)
        }
    };
    loop {
        let number = reader.records();
        layout.clear();
        let count = reader.record(&mut |index, cell| layout.cell(schema, number, index, cell))?;
        let Some(count) = count else { return Ok(()) };
        if count != layout.columns() {
            return Err(unequal(number, count, layout.columns()));
        }
        *counter += 1;
        layout.goals(schema, number)?;
        each(*counter, layout.row(), layout.goal())?;
    }
}
