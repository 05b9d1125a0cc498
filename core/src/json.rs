//! The canonical JSON form at the boundary: reading requests with errors that name the field.

mod encode;
mod split;
mod strict;

pub use encode::encode;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::Serialize;

use crate::error::Error;
use crate::limits::{MAX_INTEGER, REQUEST_BYTES};

/// True for the value that canonical JSON omits.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Why a text is no such value: what is wrong, in words.
pub type Trouble = String;

/// A value that is read from JSON text.
///
/// Requests, events and snapshots are read by this trait and not by derived deserialisers: those are
/// made anew for each type, and came to a third of the WebAssembly module.
pub trait Read: Sized {
    /// The value that `raw`, one JSON value, writes.
    fn read(raw: &str) -> Result<Self, Trouble>;
}

/// Makes [`Read`] of a struct with a default: fields in snake_case or camelCase, unknown ones
/// ignored, absent and `null` ones left as they are. `strict` refuses an absent field.
macro_rules! readable {
    (strict $name:ident { $($fields:tt)* }) => {
        $crate::json::readable!(@make $name, true, { $($fields)* });
    };
    ($name:ident { $($fields:tt)* }) => {
        $crate::json::readable!(@make $name, false, { $($fields)* });
    };
    (@make $name:ident, $strict:literal, { $($field:ident $(as $json:literal)?),* $(,)? }) => {
        impl $crate::json::Read for $name {
            fn read(raw: &str) -> Result<Self, $crate::json::Trouble> {
                let names: &[&str] = &[$($crate::json::readable!(@name $field $($json)?)),*];
                #[allow(unused_mut)] // a request without fields
                let mut value = Self::default();
                let found = $crate::json::fields(raw)?;
                if $strict {
                    $crate::json::all_there(&found, names)?;
                }
                for (key, raw) in &found {
                    let mut place = names.iter();
                    $(if place.next().is_some_and(|name| $crate::json::same_name(key, name)) {
                        $crate::json::set(&mut value.$field, key, raw)?;
                        continue;
                    })*
                    let _ = (&mut place, key, raw);
                }
                Ok(value)
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $json:literal) => { $json };
}
pub(crate) use readable;

/// A key and its value, as written.
pub type Field<'a> = (Cow<'a, str>, &'a str);

/// The fields of a JSON object, in the order of the text.
pub fn fields(raw: &str) -> Result<Vec<Field<'_>>, Trouble> {
    match split::fields(raw) {
        Some(fields) => Ok(fields),
        None => slow_fields(raw),
    }
}

fn slow_fields(raw: &str) -> Result<Vec<Field<'_>>, Trouble> {
    if !raw.trim_start().starts_with('{') && strict::check(raw).is_ok() {
        return Err("expected a json object".into());
    }
    strict::fields(raw)
}

/// The elements of a JSON array.
pub fn items(raw: &str) -> Result<Vec<&str>, Trouble> {
    split::items(raw).or_else(|| strict::items(raw)).ok_or_else(|| "expected a list".into())
}

/// True if `key` is `name` (snake_case), or its camelCase.
pub fn same_name(key: &str, name: &str) -> bool {
    if key == name {
        return true;
    }
    if key.as_bytes().first() != name.as_bytes().first() {
        return false;
    }
    let mut upper = false;
    let mut camel = name.bytes().filter_map(|byte| {
        if byte == b'_' {
            upper = true;
            return None;
        }
        Some(if core::mem::take(&mut upper) { byte.to_ascii_uppercase() } else { byte })
    });
    key.bytes().all(|byte| camel.next() == Some(byte)) && camel.next().is_none()
}

/// Reads a field in its place; an error names the key and its value.
pub fn set<T: Read>(slot: &mut T, key: &str, raw: &str) -> Result<(), Trouble> {
    if raw == "null" {
        return Ok(());
    }
    match T::read(raw) {
        Ok(value) => *slot = value,
        Err(why) => return Err(at_key(key, raw, &why)),
    }
    Ok(())
}

fn at_key(key: &str, raw: &str, why: &str) -> Trouble {
    // the innermost place says most; the outer ones are put before it
    match why.split_once(": ") {
        Some((path, rest)) if rest.starts_with("value ") => format!("{key}.{path}: {rest}"),
        _ => format!("{key}: value {} is not allowed: {why}", shorten(raw)),
    }
}

/// Refuses an object that lacks one of `names`.
pub fn all_there(found: &[Field<'_>], names: &[&str]) -> Result<(), Trouble> {
    match names.iter().find(|name| !found.iter().any(|(key, _)| same_name(key, name))) {
        Some(name) => Err(format!("{name} is missing")),
        None => Ok(()),
    }
}

impl Read for String {
    fn read(raw: &str) -> Result<Self, Trouble> {
        if let Some(text) = split::plain_text(raw) {
            return Ok(text.into());
        }
        strict::text(raw).map(Cow::into_owned).ok_or_else(|| "expected a text".into())
    }
}

impl Read for bool {
    fn read(raw: &str) -> Result<Self, Trouble> {
        match raw {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("expected true or false".into()),
        }
    }
}

impl Read for u64 {
    fn read(raw: &str) -> Result<Self, Trouble> {
        if let Some(number) = split::digits(split::plain_text(raw).unwrap_or(raw)) {
            return Ok(number);
        }
        let text = if raw.starts_with('"') { String::read(raw)? } else { raw.into() };
        if let Ok(number) = text.parse::<u64>() {
            if number <= MAX_INTEGER && !text.starts_with('+') {
                return Ok(number);
            }
        } else if !raw.starts_with('"') {
            if let Ok(number) = f64::read(raw) {
                let whole = number as u64;
                if number >= 0.0 && whole <= MAX_INTEGER && whole as f64 == number {
                    return Ok(whole);
                }
            }
        }
        Err(format!("expected an integer from 0 to {MAX_INTEGER}"))
    }
}

impl Read for u32 {
    fn read(raw: &str) -> Result<Self, Trouble> {
        let number = u64::read(raw)?;
        u32::try_from(number).map_err(|_| format!("expected an integer from 0 to {}", u32::MAX))
    }
}

impl Read for f64 {
    fn read(raw: &str) -> Result<Self, Trouble> {
        strict::number(raw).ok_or_else(|| "expected a number".into())
    }
}

impl<T: Read> Read for Option<T> {
    fn read(raw: &str) -> Result<Self, Trouble> {
        if raw == "null" {
            return Ok(None);
        }
        T::read(raw).map(Some)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(raw: &str) -> Result<Self, Trouble> {
        let mut list = Vec::new();
        for item in items(raw)? {
            list.push(T::read(item)?);
        }
        Ok(list)
    }
}

impl Read for [u32; 3] {
    fn read(raw: &str) -> Result<Self, Trouble> {
        Vec::read(raw)?.try_into().map_err(|_| "expected three integers".into())
    }
}

/// A word that may be written as a number.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Word(pub String);

impl Read for Word {
    fn read(raw: &str) -> Result<Self, Trouble> {
        if raw.starts_with('"') {
            return String::read(raw).map(Word);
        }
        if split::digits(raw).is_some() {
            return Ok(Word(raw.into()));
        }
        f64::read(raw).map(|_| Word(raw.into())).map_err(|_| "expected a word or a number".into())
    }
}

/// Reads a request. An empty text is an empty request; `null` fields are absent fields; unknown
/// fields are ignored; an error names the field and its value.
pub fn decode<T: Read>(request: &str) -> Result<T, Error> {
    let request = check_request(request)?;
    T::read(request).map_err(|why| bad_request(request, &why))
}

fn check_request(request: &str) -> Result<&str, Error> {
    if request.len() > REQUEST_BYTES {
        let message = format!("request: {} bytes; at most {REQUEST_BYTES} are allowed", request.len());
        return Err(Error::invalid("", message));
    }
    Ok(if request.trim().is_empty() { "{}" } else { request })
}

fn bad_request(request: &str, why: &str) -> Error {
    match strict::check(request) {
        Err(error) => Error::invalid("", format!("request: not valid json: {error}")),
        Ok(_) if !request.trim_start().starts_with('{') => Error::invalid("", "request: not a json object"),
        Ok(_) => {
            let field = why.split([':', '.']).next().unwrap_or_default();
            Error::invalid(field, why)
        }
    }
}

/// At most 60 characters of `text`.
pub fn shorten(text: &str) -> String {
    if text.chars().count() <= 60 {
        return text.to_string();
    }
    let mut short: String = text.chars().take(57).collect();
    short.push_str("...");
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Probe {
        max_agents: Option<u64>,
        name: String,
    }
    readable!(Probe { max_agents, name });

    #[test]
    fn both_spellings_strings_nulls_and_unknown_fields() {
        let want = Probe { max_agents: Some(5), name: "x".into() };
        for text in [
            r#"{"maxAgents":5,"name":"x"}"#,
            r#"{"max_agents":"5","name":"x","other":[1]}"#,
            r#"{"maxAgents":5.0,"name":"x","other":null}"#,
        ] {
            assert_eq!(decode::<Probe>(text).unwrap(), want, "{text}");
        }
        assert_eq!(decode::<Probe>(r#"{"name":null}"#).unwrap(), Probe::default());
        assert_eq!(decode::<Probe>("").unwrap(), Probe::default());
    }

    #[test]
    fn an_error_names_the_field_and_the_value() {
        let error = decode::<Probe>(r#"{"name":"x","maxAgents":-3}"#).unwrap_err();
        assert_eq!(error.field, "maxAgents");
        assert_eq!(
            error.message,
            "maxAgents: value -3 is not allowed: expected an integer from 0 to 9007199254740991"
        );
        assert!(decode::<Probe>("[1]").unwrap_err().message.contains("not a json object"));
        assert!(decode::<Probe>("{").unwrap_err().message.contains("not valid json"));
    }
}
