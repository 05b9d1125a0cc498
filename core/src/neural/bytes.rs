//! Little-endian bytes of files: a writer, and a reader that never trusts a count.

use crate::error::{Code, Error};
use crate::hash::sha256;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// A kind of file: what its errors name.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// The first bytes.
    pub magic: &'static [u8; 8],
    /// The newest version that is read.
    pub version: u32,
    /// The field of the errors.
    pub field: &'static str,
    /// What it is called.
    pub noun: &'static str,
}

impl Kind {
    /// The error of a file whose `what` cannot be read.
    pub fn damaged(&self, what: &str) -> Error {
        Error::data(
            self.field,
            format!("{}: the {} is damaged: {what} cannot be read", self.field, self.noun),
        )
    }
}

/// Bytes in the making.
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Starts a file: magic and version.
    pub fn new(kind: Kind) -> Writer {
        let mut writer = Writer { bytes: Vec::new() };
        writer.raw(kind.magic);
        writer.u32(kind.version);
        writer
    }

    /// Ends the file: the SHA-256 of all before it.
    pub fn close(mut self) -> Vec<u8> {
        let digest = sha256(&[&self.bytes]);
        self.raw(&digest);
        self.bytes
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.raw(&value.to_le_bytes());
    }

    pub fn count(&mut self, value: usize) {
        self.u32(value as u32);
    }

    pub fn f64(&mut self, value: f64) {
        let canonical = if value.is_nan() { f64::NAN } else { value };
        self.raw(&canonical.to_le_bytes());
    }

    /// A flag, then the number if there is one.
    pub fn option(&mut self, value: Option<f64>) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            self.f64(value);
        }
    }

    /// Numbers without a count; one NaN only.
    pub fn floats(&mut self, values: &[f32]) {
        for value in values {
            let canonical = if value.is_nan() { f32::NAN } else { *value };
            self.raw(&canonical.to_le_bytes());
        }
    }

    pub fn text(&mut self, value: &str) {
        self.count(value.len());
        self.raw(value.as_bytes());
    }

    pub fn texts(&mut self, values: &[String]) {
        self.count(values.len());
        values.iter().for_each(|value| self.text(value));
    }

    /// A count and the items.
    pub fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Writer, &T)) {
        self.count(items.len());
        items.iter().for_each(|item| each(self, item));
    }
}

/// The bytes that are left.
pub(crate) struct Reader<'a> {
    kind: Kind,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Checks magic, version and checksum; the reader stands after the version.
    ///
    /// # Errors
    /// `invalid_data` if it is another file or damaged, `unsupported_version` if it is newer.
    pub fn open(kind: Kind, bytes: &'a [u8]) -> Result<(Reader<'a>, u32), Error> {
        let Kind { magic, version: newest, field, noun } = kind;
        let Some(rest) = bytes.strip_prefix(magic) else {
            return Err(Error::data(field, format!("{field}: the bytes are no ruv-swarm {noun}")));
        };
        let version = rest.first_chunk::<4>().map_or(0, |found| u32::from_le_bytes(*found));
        if version > newest {
            return Err(Error::new(
                Code::UnsupportedVersion,
                field,
                format!("{field}: format version {version} is newer than {newest}, the newest this release reads; upgrade ruv-swarm"),
            ));
        }
        if version == 0 {
            return Err(kind.damaged("its version"));
        }
        let Some((body, digest)) = bytes.split_last_chunk::<32>() else {
            return Err(kind.damaged("its end"));
        };
        if sha256(&[body]) != *digest {
            return Err(Error::data(
                field,
                format!("{field}: the {noun} is damaged or cut short: its checksum does not match"),
            ));
        }
        Ok((Reader { kind, rest: body.get(12..).unwrap_or(&[]) }, version))
    }

    /// The error of a part that cannot be read.
    pub fn damaged(&self, what: &str) -> Error {
        self.kind.damaged(what)
    }

    /// Whether all bytes were read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `N` bytes.
    pub fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (found, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.kind.damaged("its end"))?;
        self.rest = rest;
        Ok(*found)
    }

    /// The next `size` bytes.
    pub fn slice(&mut self, size: usize) -> Result<&'a [u8], Error> {
        let (found, rest) = self.rest.split_at_checked(size).ok_or_else(|| self.kind.damaged("its end"))?;
        self.rest = rest;
        Ok(found)
    }

    pub fn u8(&mut self) -> Result<u8, Error> {
        self.take::<1>().map(|[byte]| byte)
    }

    /// A byte of 0 or 1.
    pub fn flag(&mut self) -> Result<bool, Error> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.damaged("a flag")),
        }
    }

    pub fn u32(&mut self) -> Result<u32, Error> {
        self.take().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Error> {
        self.take().map(u64::from_le_bytes)
    }

    pub fn f64(&mut self) -> Result<f64, Error> {
        self.take().map(f64::from_le_bytes)
    }

    /// What [`Writer::option`] wrote.
    pub fn option(&mut self) -> Result<Option<f64>, Error> {
        Ok(if self.flag()? { Some(self.f64()?) } else { None })
    }

    /// A count of at most `limit`, and of no more things than bytes are left.
    pub fn count(&mut self, limit: usize) -> Result<usize, Error> {
        let count = self.u32()? as usize;
        if count > limit || count > self.rest.len() {
            return Err(self.damaged("a count"));
        }
        Ok(count)
    }

    /// `count` numbers, any of them.
    pub fn any_floats(&mut self, count: usize) -> Result<Vec<f32>, Error> {
        let size = count.checked_mul(4).ok_or_else(|| self.kind.damaged("its end"))?;
        let number = |chunk: &[u8]| f32::from_le_bytes(chunk.first_chunk().copied().unwrap_or_default());
        Ok(self.slice(size)?.chunks_exact(4).map(number).collect())
    }

    /// `count` finite numbers.
    pub fn floats(&mut self, count: usize) -> Result<Vec<f32>, Error> {
        let values = self.any_floats(count)?;
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(self.damaged("a number"))
        }
    }

    pub fn text(&mut self) -> Result<String, Error> {
        let size = self.count(1 << 20)?;
        let found = self.slice(size)?;
        core::str::from_utf8(found).map(ToString::to_string).map_err(|_| self.damaged("a text"))
    }

    pub fn texts(&mut self, limit: usize) -> Result<Vec<String>, Error> {
        let count = self.count(limit)?;
        (0..count).map(|_| self.text()).collect()
    }

    /// A count and as many items of at least one byte.
    pub fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let count = self.count(usize::MAX)?;
        (0..count).map(|_| each(self)).collect()
    }
}
