//! Writes our own structs as JSON text: the bytes are those of serde_json's compact form.
//!
//! Answers to workers are written all the time. Keys come from the program and hold nothing that is
//! escaped, and texts are looked through eight bytes at a time; that made the difference.

use alloc::string::String;
use core::fmt::Error;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Serialize, Serializer};

use crate::canonical::{write_integer, write_text};

/// Canonical text of `value`: keys in declaration order, no spaces.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> String {
    let mut out = String::with_capacity(512);
    // Serialising our own plain structs to text has no way to fail.
    match value.serialize(Writer { out: &mut out }) {
        Ok(()) => out,
        Err(Error) => String::new(),
    }
}

struct Writer<'a> {
    out: &'a mut String,
}

/// A list or an object in the making.
struct Parts<'a> {
    out: &'a mut String,
    first: bool,
    close: &'static str,
}

impl<'a> Writer<'a> {
    fn open(self, open: &str, close: &'static str) -> Parts<'a> {
        self.out.push_str(open);
        Parts { out: self.out, first: true, close }
    }

    /// A variant with a body: an object with the variant's name as its only key.
    fn variant(self, name: &str, open: &str, close: &'static str) -> Parts<'a> {
        self.out.push('{');
        write_text(name, self.out);
        self.out.push(':');
        self.open(open, close)
    }

    fn negative(self, value: i64) -> Result<(), Error> {
        if value < 0 {
            self.out.push('-');
        }
        write_integer(value.unsigned_abs(), self.out);
        Ok(())
    }
}

impl Parts<'_> {
    fn comma(&mut self) {
        if !core::mem::take(&mut self.first) {
            self.out.push(',');
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.comma();
        value.serialize(Writer { out: self.out })
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        self.comma();
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
        value.serialize(Writer { out: self.out })
    }

    fn close(self) -> Result<(), Error> {
        self.out.push_str(self.close);
        Ok(())
    }
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.negative(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.negative(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.negative(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        self.negative(value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        write_integer(value, self.out);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.out.push_str(&serde_json::to_string(&value).map_err(|_| Error)?);
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.out.push_str(&serde_json::to_string(&value).map_err(|_| Error)?);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        write_text(value, self.out);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.push_str("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut parts = self.open("{", "}");
        parts.field(variant, value)?;
        parts.close()
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Parts<'a>, Error> {
        Ok(self.open("[", "]"))
    }

    fn serialize_tuple(self, _length: usize) -> Result<Parts<'a>, Error> {
        Ok(self.open("[", "]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Error> {
        Ok(self.open("[", "]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Error> {
        Ok(self.variant(variant, "[", "]}"))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Parts<'a>, Error> {
        Ok(self.open("{", "}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Error> {
        Ok(self.open("{", "}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Error> {
        Ok(self.variant(variant, "{", "}}"))
    }
}

macro_rules! lists {
    ($($kind:ident . $method:ident),*) => {$(
        impl $kind for Parts<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        }
    )*};
}

lists!(
    SerializeSeq.serialize_element,
    SerializeTuple.serialize_element,
    SerializeTupleStruct.serialize_field,
    SerializeTupleVariant.serialize_field
);

macro_rules! objects {
    ($($kind:ident),*) => {$(
        impl $kind for Parts<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.field(key, value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        }
    )*};
}

objects!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.comma();
        let start = self.out.len();
        key.serialize(Writer { out: self.out })?;
        // a key that is a number or the like is quoted
        if !self.out.get(start..).is_some_and(|key| key.starts_with('"')) {
            self.out.insert(start, '"');
            self.out.push('"');
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(':');
        value.serialize(Writer { out: self.out })
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::vec;
    use alloc::vec::Vec;

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Pair(i8, char);

    #[derive(Serialize)]
    enum Shape {
        Dot,
        Round(u16),
        Line(f32, f64),
        Named { some_word: &'static str },
    }

    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct All {
        words: Vec<&'static str>,
        none: Option<u64>,
        some_number: Option<i64>,
        shapes: [Shape; 4],
        map: BTreeMap<u32, bool>,
        by_word: BTreeMap<&'static str, Pair>,
        unit: (Unit, (), [u8; 0]),
        floats: Vec<f64>,
    }

    #[test]
    fn the_text_is_that_of_serde_json() {
        let floats = vec![0.0, -0.0, 1.0, 0.1, 1e21, 1e-7, f64::MAX, f64::NAN, f64::INFINITY];
        let all = All {
            words: vec!["", "a\"b\\c\n\u{1}é", "longer than eight bytes \u{7f}"],
            none: None,
            some_number: Some(i64::MIN),
            shapes: [Shape::Dot, Shape::Round(7), Shape::Line(0.1, 1e300), Shape::Named { some_word: "x" }],
            map: BTreeMap::from([(1, true), (20, false)]),
            by_word: BTreeMap::from([("a\"b", Pair(-3, '"')), ("", Pair(0, 'é'))]),
            unit: (Unit, (), []),
            floats,
        };
        assert_eq!(encode(&all), serde_json::to_string(&all).unwrap());
    }
}
