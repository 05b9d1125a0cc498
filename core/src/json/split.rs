//! Splits a JSON object or list into its parts, as most are: without an escape in a key, a fraction
//! or deep nesting. What is not so plain, or no JSON at all, is left to [`super::strict`].

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::Field;
use crate::canonical::Cursor;

/// How deep lists and objects in a part may be nested.
const DEPTH: u32 = 16;

/// The fields of a plain object, in the order of the text.
pub fn fields(text: &str) -> Option<Vec<Field<'_>>> {
    let mut cursor = Cursor::new(text);
    let mut found = Vec::with_capacity(8);
    members(&mut cursor, b'}', &mut |cursor| {
        let key = member_key(cursor)?;
        found.push((Cow::Borrowed(key), value(cursor)?));
        Some(())
    })?;
    ends(&mut cursor)?;
    Some(found)
}

/// The elements of a plain list.
pub fn items(text: &str) -> Option<Vec<&str>> {
    let mut cursor = Cursor::new(text);
    let mut found = Vec::new();
    members(&mut cursor, b']', &mut |cursor| {
        found.push(value(cursor)?);
        Some(())
    })?;
    ends(&mut cursor)?;
    Some(found)
}

/// The text that `raw` quotes, if nothing in it is escaped.
pub fn plain_text(raw: &str) -> Option<&str> {
    let mut cursor = Cursor::new(raw);
    cursor.need("\"")?;
    let text = cursor.plain_text()?;
    cursor.rest().is_empty().then_some(text)
}

/// The number that `text`, a few digits and nothing else, writes.
pub fn digits(text: &str) -> Option<u64> {
    let small = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    small.then(|| text.bytes().fold(0, |value, byte| value * 10 + u64::from(byte - b'0')))
}

fn ends(cursor: &mut Cursor<'_>) -> Option<()> {
    space(cursor);
    cursor.rest().is_empty().then_some(())
}

fn space(cursor: &mut Cursor<'_>) {
    while matches!(cursor.byte(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        cursor.skip();
    }
}

/// Goes through an object or a list that ends with `close`; `member` reads one part of it.
fn members<'a>(
    cursor: &mut Cursor<'a>,
    close: u8,
    member: &mut dyn FnMut(&mut Cursor<'a>) -> Option<()>,
) -> Option<()> {
    space(cursor);
    // the opening bracket stands two places before the closing one
    if cursor.byte() != Some(close - 2) {
        return None;
    }
    cursor.skip();
    space(cursor);
    if cursor.byte() == Some(close) {
        cursor.skip();
        return Some(());
    }
    loop {
        space(cursor);
        member(cursor)?;
        space(cursor);
        let byte = cursor.byte()?;
        cursor.skip();
        match byte {
            b',' => {}
            byte if byte == close => return Some(()),
            _ => return None,
        }
    }
}

fn member_key<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    cursor.need("\"")?;
    let key = cursor.plain_text()?;
    space(cursor);
    cursor.need(":")?;
    space(cursor);
    Some(key)
}

/// One value, as written.
fn value<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    let from = cursor.rest();
    skip_value(cursor, DEPTH)?;
    from.get(..from.len() - cursor.rest().len())
}

fn skip_value(cursor: &mut Cursor<'_>, depth: u32) -> Option<()> {
    match cursor.byte()? {
        b'"' => skip_text(cursor),
        b'{' if depth > 0 => members(cursor, b'}', &mut |cursor| {
            member_key(cursor)?;
            skip_value(cursor, depth - 1)
        }),
        b'[' if depth > 0 => members(cursor, b']', &mut |cursor| skip_value(cursor, depth - 1)),
        b't' => cursor.need("true"),
        b'f' => cursor.need("false"),
        b'n' => cursor.need("null"),
        _ => skip_integer(cursor),
    }
}

fn skip_text(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.need("\"")?;
    loop {
        cursor.skip_plain();
        if cursor.eat("\"") {
            return Some(());
        }
        cursor.need("\\")?;
        if !matches!(cursor.byte()?, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') {
            return None;
        }
        cursor.skip();
    }
}

fn skip_integer(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.eat("-");
    let first = cursor.byte()?;
    let mut length = 0;
    while cursor.byte().is_some_and(|byte| byte.is_ascii_digit()) {
        cursor.skip();
        length += 1;
    }
    let more = matches!(cursor.byte(), Some(b'.' | b'e' | b'E'));
    let whole = length > 0 && (length == 1 || first != b'0') && !more;
    whole.then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    #[test]
    fn what_is_split_here_is_split_as_serde_json_splits_it() {
        let plain = [
            r#"{}"#,
            " { } ",
            r#"{"a":1,"b":"x","c":[1,{"d":null}],"e":true,"f":false,"g":-12,"h":0}"#,
            "\t{ \"a\" :\n1 , \"b\":[ ] ,\"c\":{ \"d\" : [ 1 , 2 ] } }\r\n",
            r#"{"a":"x\"y\\z\n","é":"ü"}"#,
            r#"{"a":1,"a":2,"":3}"#,
        ];
        for text in plain {
            let ours = fields(text).unwrap();
            let theirs = super::super::slow_fields(text).unwrap();
            assert_eq!(ours, theirs, "{text}");
        }
        for text in ["[]", " [ ] ", r#"[1,"x",{"a":[]},[[2]], null ]"#] {
            let theirs: Vec<&RawValue> = serde_json::from_str(text).unwrap();
            let theirs: Vec<&str> = theirs.into_iter().map(RawValue::get).collect();
            assert_eq!(items(text).unwrap(), theirs, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_never_split_here() {
        for value in [
            "",
            "01",
            "-",
            "-01",
            "+1",
            "1.",
            ".5",
            "1e",
            "tru",
            "nul",
            "\"",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[",
            "]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "1 1",
            "'a'",
            "\u{a0}1",
        ] {
            for text in [alloc::format!("[{value} x]"), alloc::format!("{{\"k\":{value}}}"), value.into()] {
                if fields(&text).is_some() || items(&text).is_some() {
                    assert!(serde_json::from_str::<&RawValue>(&text).is_ok(), "{text}");
                }
            }
            assert_eq!(fields(&alloc::format!("{{\"k\":{value}}}")), None, "{value}");
        }
        for text in ["{} x", "{}{}", "{", "}", "[}", "{]", "{\"a\":1", "{\"a\":1]", "[1}", "\u{feff}{}"] {
            assert!(fields(text).is_none() && items(text).is_none(), "{text}");
        }
        let deep = ["[".repeat(200), "]".repeat(200)].concat();
        assert_eq!(items(&deep), None);
        let texts = [
            plain_text("\"a\""),
            plain_text("\"a"),
            plain_text("a"),
            plain_text("\"a\\n\""),
            plain_text("\"\""),
        ];
        assert_eq!(texts, [Some("a"), None, None, None, Some("")]);
        let numbers = ["7", "007", "", "-1", "999999999999999", "1234567890123456", "1.0"].map(digits);
        assert_eq!(numbers, [Some(7), Some(7), None, None, Some(999_999_999_999_999), None, None]);
    }
}
