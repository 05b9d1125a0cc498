//! The canonical JSON form at the boundary: reading requests with errors that name the field.

use alloc::format;
use alloc::string::{String, ToString};
use serde::de::{DeserializeOwned, Error as _, Unexpected, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::limits::{MAX_INTEGER, REQUEST_BYTES};

/// True for the value that canonical JSON omits.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Canonical text of `value`: keys in declaration order, no spaces.
pub fn encode<T: Serialize>(value: &T) -> String {
    // Serialising our own plain structs to text has no way to fail.
    serde_json::to_string(value).unwrap_or_default()
}

/// Reads a request. An empty text is an empty request; `null` fields are absent fields; unknown
/// fields are ignored; an error names the field and its value.
pub fn decode<T: DeserializeOwned>(request: &str) -> Result<T, Error> {
    if request.len() > REQUEST_BYTES {
        let message = format!("request: {} bytes; at most {REQUEST_BYTES} are allowed", request.len());
        return Err(Error::invalid("", message));
    }
    let request = if request.trim().is_empty() { "{}" } else { request };
    if request.trim_start().starts_with(['[', '"']) {
        return Err(Error::invalid("", "request: not a json object"));
    }
    match serde_json::from_str(request) {
        Ok(value) => Ok(value),
        Err(error) => {
            let trouble = |text: &str| serde_json::from_str::<T>(text).err();
            let text = without_nulls(request, &error, &trouble)?;
            serde_json::from_str(&text).map_err(|error| refused(&error))
        }
    }
}

/// The request again without its `null` fields, or the error that names the field which is wrong.
/// `trouble` reads a text as the request. This is no generic function, and reads texts alone: a copy
/// of it for every request, with a reader of values each, made the WebAssembly module a tenth larger.
fn without_nulls(
    request: &str,
    first: &serde_json::Error,
    trouble: &dyn Fn(&str) -> Option<serde_json::Error>,
) -> Result<String, Error> {
    let Ok(value) = serde_json::from_str::<Value>(request) else {
        return Err(Error::invalid("", format!("request: not valid json: {first}")));
    };
    let Value::Object(mut fields) = value else {
        return Err(Error::invalid("", "request: not a json object"));
    };
    drop_nulls(&mut fields);
    for (name, value) in &fields {
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        if let Some(error) = trouble(&Value::Object(alone).to_string()) {
            let (text, detail) = (shorten(&value.to_string()), plain(&error.to_string()));
            return Err(Error::invalid(name, format!("{name}: value {text} is not allowed: {detail}")));
        }
    }
    Ok(Value::Object(fields).to_string())
}

fn refused(error: &serde_json::Error) -> Error {
    Error::invalid("", format!("request: {}", plain(&error.to_string())))
}

fn drop_nulls(fields: &mut Map<String, Value>) {
    fields.retain(|_, value| !value.is_null());
    for value in fields.values_mut() {
        match value {
            Value::Object(inner) => drop_nulls(inner),
            Value::Array(items) => items.iter_mut().for_each(|item| {
                if let Value::Object(inner) = item {
                    drop_nulls(inner);
                }
            }),
            _ => {}
        }
    }
}

/// The text without the position that a re-read value does not have.
fn plain(text: &str) -> String {
    text.split(" at line ").next().unwrap_or(text).to_string()
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

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("an integer from 0 to 9007199254740991")
    }
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<u64, E> {
        if value > MAX_INTEGER {
            return Err(E::invalid_value(Unexpected::Unsigned(value), &self));
        }
        Ok(value)
    }
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
    }
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<u64, E> {
        let whole = value as u64;
        if value >= 0.0 && whole <= MAX_INTEGER && whole as f64 == value {
            return Ok(whole);
        }
        Err(E::invalid_value(Unexpected::Float(value), &self))
    }
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<u64, E> {
        match value.parse::<u64>() {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Str(value), &self)),
        }
    }
}

/// An integer, also written as a string (as proto3 JSON writes 64-bit ones).
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(IntegerVisitor)
}

/// An integer that may be absent.
pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    integer(deserializer).map(Some)
}

/// A word that may be written as a number.
pub fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value: Value = serde::Deserialize::deserialize(deserializer)?;
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(D::Error::custom("expected a word or a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Probe {
        #[serde(alias = "max_agents", deserialize_with = "optional")]
        max_agents: Option<u64>,
        name: String,
    }

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
            "maxAgents: value -3 is not allowed: invalid value: integer `-3`, expected an integer from 0 to 9007199254740991"
        );
        assert!(decode::<Probe>("[1]").unwrap_err().message.contains("not a json object"));
        assert!(decode::<Probe>("{").unwrap_err().message.contains("not valid json"));
    }
}
