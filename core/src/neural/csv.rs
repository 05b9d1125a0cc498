//! RFC 4180 text, read record by record without copying what is not quoted.
//!
//! Rules beyond the RFC: a byte order mark is skipped, line ends may be CRLF, LF or CR, an empty line is
//! no record, and spaces around an unquoted or quoted value belong to the value (readers trim them).

use crate::error::Error;
use alloc::format;
use alloc::string::String;

/// A reader of records; see [`Reader::record`].
pub(crate) struct Reader<'a> {
    text: &'a str,
    position: usize,
    records: u64,
    scratch: String,
}

/// The error for bytes that are no UTF-8.
pub(crate) fn not_utf8(byte: u64) -> Error {
    Error::data("data", format!("data: byte {byte} is not UTF-8; save the file as UTF-8"))
}

/// Finds where records end in text that comes in pieces.
#[derive(Default)]
pub(crate) struct Ends {
    place: Place,
    begun: bool,
}

#[derive(Clone, Copy, Default)]
enum Place {
    #[default]
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside quotes: the end of the value, or the first of two.
    Closed,
}

impl Ends {
    /// Where the last record ends that is complete in `bytes`, which go on where those of the call before ended.
    ///
    /// The first call has to have all of a byte order mark. What the reader refuses (text after a closing quote)
    /// may end a record here.
    pub fn last_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let skipped = if !self.begun && bytes.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        self.begun = true;
        let mut last = None;
        let mut place = self.place;
        for (index, byte) in bytes.iter().enumerate().skip(skipped) {
            place = match (place, byte) {
                (Place::FieldStart, b'"') | (Place::Closed, b'"') => Place::Quoted,
                (Place::Quoted, b'"') => Place::Closed,
                (Place::Quoted, _) => Place::Quoted,
                (_, b',') => Place::FieldStart,
                (_, b'\n' | b'\r') => {
                    last = Some(index + 1);
                    Place::FieldStart
                }
                _ => Place::Plain,
            };
        }
        self.place = place;
        last
    }
}

/// Called with the index and the text of each field.
pub(crate) type EachField<'f> = dyn FnMut(usize, &str) -> Result<(), Error> + 'f;

impl<'a> Reader<'a> {
    /// A reader of UTF-8 `bytes`; the error names the first bad byte.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::resume(bytes, 0, 0)
    }

    /// A reader of a part of a text that begins at byte `offset`, after `records` records.
    pub fn resume(bytes: &'a [u8], offset: u64, records: u64) -> Result<Self, Error> {
        let text =
            core::str::from_utf8(bytes).map_err(|error| not_utf8(offset + error.valid_up_to() as u64))?;
        let text = text.strip_prefix('\u{feff}').filter(|_| offset == 0).unwrap_or(text);
        Ok(Self { text, position: 0, records, scratch: String::new() })
    }

    /// Records read so far; the header counts, so after it the number of the data row is one less.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Where the last record stands, for messages: `row 3`.
    pub fn place(&self) -> String {
        format!("row {}", self.records.saturating_sub(1))
    }

    /// Reads one record and hands each field to `each`; the number of fields, or `None` at the end.
    pub fn record(&mut self, each: &mut EachField<'_>) -> Result<Option<usize>, Error> {
        self.skip_empty_lines();
        if self.position >= self.text.len() {
            return Ok(None);
        }
        self.records += 1;
        let mut index = 0;
        loop {
            let last = self.field(index, each)?;
            index += 1;
            if last {
                return Ok(Some(index));
            }
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or("")
    }

    fn skip_empty_lines(&mut self) {
        let rest = self.rest().as_bytes();
        let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.position += empty;
    }

    /// One field; true if it ends its record.
    fn field(&mut self, index: usize, each: &mut EachField<'_>) -> Result<bool, Error> {
        let rest = self.rest();
        if rest.starts_with('"') {
            return self.quoted(index, each);
        }
        let bytes = rest.as_bytes();
        let end = bytes.iter().position(|byte| matches!(byte, b',' | b'\r' | b'\n')).unwrap_or(bytes.len());
        each(index, rest.get(..end).unwrap_or(""))?;
        self.position += end;
        Ok(self.separator())
    }

    fn quoted(&mut self, index: usize, each: &mut EachField<'_>) -> Result<bool, Error> {
        let mut scratch = core::mem::take(&mut self.scratch);
        scratch.clear();
        let mut rest = self.rest().get(1..).unwrap_or("");
        self.position += 1;
        loop {
            let Some(end) = rest.find('"') else {
                let place = self.named_place();
                return Err(Error::data(
                    "data",
                    format!("data: {place}, column {}: a quote is never closed", index + 1),
                ));
            };
            scratch.push_str(rest.get(..end).unwrap_or(""));
            self.position += end + 1;
            rest = self.rest();
            if !rest.starts_with('"') {
                break;
            }
            scratch.push('"');
            self.position += 1;
            rest = self.rest();
        }
        if !(rest.is_empty() || rest.starts_with([',', '\r', '\n'])) {
            let place = self.named_place();
            return Err(Error::data(
                "data",
                format!(
                    "data: {place}, column {}: text after the closing quote; double a quote inside a value",
                    index + 1
                ),
            ));
        }
        let result = each(index, &scratch);
        self.scratch = scratch;
        result?;
        Ok(self.separator())
    }

    /// Steps over a comma (false: more fields) or the end of the record (true).
    fn separator(&mut self) -> bool {
        match self.rest().as_bytes().first() {
            Some(b',') => {
                self.position += 1;
                false
            }
            _ => true,
        }
    }

    /// `header` or `row N`.
    pub fn named_place(&self) -> String {
        if self.records <= 1 {
            String::from("header")
        } else {
            self.place()
        }
    }
}

/// Appends `value` to a CSV line, quoted where RFC 4180 asks for it.
pub(crate) fn push_field(line: &mut String, value: &str) {
    if value.contains([',', '"', '\r', '\n']) || value.starts_with(' ') || value.ends_with(' ') {
        line.push('"');
        for piece in value.split_inclusive('"') {
            line.push_str(piece);
            if piece.ends_with('"') {
                line.push('"');
            }
        }
        line.push('"');
    } else {
        line.push_str(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    fn all(text: &str) -> Result<Vec<Vec<String>>, Error> {
        let mut records = Vec::new();
        rest_of(Reader::new(text.as_bytes())?, &mut records).map(|_| records)
    }

    /// Reads to the end; the number of records so far.
    fn rest_of(mut reader: Reader<'_>, records: &mut Vec<Vec<String>>) -> Result<u64, Error> {
        loop {
            let mut fields = Vec::new();
            let count = reader.record(&mut |_, field| {
                fields.push(field.to_string());
                Ok(())
            })?;
            match count {
                Some(count) => assert_eq!(count, fields.len()),
                None => return Ok(reader.records()),
            }
            records.push(fields);
        }
    }

    #[test]
    fn quotes_line_ends_and_the_mark() {
        let records = all("\u{feff}a,\"b,\"\"c\"\"\"\r\n1,\"two\nlines\"\n\n,\r\nx,").unwrap();
        assert_eq!(records, [["a", "b,\"c\""], ["1", "two\nlines"], ["", ""], ["x", ""]]);
    }

    #[test]
    fn damaged_quotes_name_their_row() {
        let error = all("a,b\n1,2\n3,\"4").unwrap_err();
        assert_eq!(error.message, "data: row 2, column 2: a quote is never closed");
        assert!(all("a\n\"1\"x").unwrap_err().message.contains("after the closing quote"));
    }

    /// The records of a text that comes in two pieces, cut at byte `cut`.
    fn in_pieces(text: &[u8], cut: usize) -> Result<Vec<Vec<String>>, Error> {
        let mut ends = Ends::default();
        let (mut records, mut counted, mut start, mut seen) = (Vec::new(), 0, 0, 0);
        for stop in [cut, text.len()] {
            if let Some(end) = ends.last_end(&text[seen..stop]) {
                counted =
                    rest_of(Reader::resume(&text[start..seen + end], start as u64, counted)?, &mut records)?;
                start = seen + end;
            }
            seen = stop;
        }
        rest_of(Reader::resume(&text[start..], start as u64, counted)?, &mut records)?;
        Ok(records)
    }

    #[test]
    fn pieces_cut_anywhere_give_the_records_of_the_whole() {
        let letters = ["a", ",", "\"", "\n", "\r", "\r\n", "\u{e9}", " ", "\"\"", ",\"", "\"\n"];
        let mut rng = crate::rng::Rng::from_seed(5);
        let (mut good, mut bad) = (0, 0);
        for round in 0..3000 {
            let mut text = String::from(if round % 3 == 0 { "\u{feff}" } else { "" });
            for _ in 0..rng.below(24) {
                text.push_str(letters[rng.below(letters.len() as u64) as usize]);
            }
            let whole = all(&text);
            if whole.is_ok() {
                good += 1;
            } else {
                bad += 1;
            }
            let first = if round % 3 == 0 { 3 } else { 0 };
            for cut in first..=text.len() {
                assert_eq!(in_pieces(text.as_bytes(), cut), whole, "{text:?} cut at {cut}");
            }
        }
        assert!(good > 500 && bad > 500, "{good} {bad}");
    }

    #[test]
    fn fields_are_quoted_back() {
        let mut line = String::new();
        push_field(&mut line, "say \"hi\", all");
        assert_eq!(line, "\"say \"\"hi\"\", all\"");
    }
}
