//! The whole grammar of JSON (RFC 8259), for texts that [`super::split`] does not take and for the words
//! of what is wrong with a text. A parser of derived types would be made anew for each of them.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Field, Trouble};

/// Refuses a text that is not one JSON value, in words with line and column.
pub fn check(text: &str) -> Result<(), Trouble> {
    let mut scan = Scan::new(text);
    scan.value()?;
    scan.end()
}

/// The fields of an object, in the order of the text.
pub fn fields(text: &str) -> Result<Vec<Field<'_>>, Trouble> {
    let mut scan = Scan::new(text);
    match scan.space() {
        Some(b'{') => scan.at += 1,
        Some(_) => return Err(scan.here("expected a json object")),
        None => return Err(scan.here("EOF while parsing a value")),
    }
    let mut found = Vec::new();
    loop {
        let after_comma = match scan.space() {
            Some(b'}') => break,
            Some(b',') if !found.is_empty() => {
                scan.at += 1;
                true
            }
            Some(_) if found.is_empty() => false,
            Some(_) => return Err(scan.here("expected `,` or `}`")),
            None => return Err(scan.here("EOF while parsing an object")),
        };
        match scan.space() {
            Some(b'"') => {}
            Some(b'}') => return Err(scan.here("trailing comma")),
            Some(_) => return Err(scan.here("key must be a string")),
            None if after_comma => return Err(scan.here("EOF while parsing a value")),
            None => return Err(scan.here("EOF while parsing an object")),
        }
        let from = scan.at;
        scan.string()?;
        let key = unquoted(scan.text.get(from..scan.at).unwrap_or_default())
            .ok_or_else(|| scan.before("invalid unicode code point"))?;
        scan.colon()?;
        found.push((key, scan.taken()?));
    }
    scan.at += 1;
    scan.end()?;
    Ok(found)
}

/// The elements of a list; `None` for any other text.
pub fn items(text: &str) -> Option<Vec<&str>> {
    let mut scan = Scan::new(text);
    if scan.space()? != b'[' {
        return None;
    }
    scan.at += 1;
    let mut found = Vec::new();
    if scan.space()? != b']' {
        loop {
            found.push(scan.taken().ok()?);
            match scan.space()? {
                b',' => scan.at += 1,
                b']' => break,
                _ => return None,
            }
        }
    }
    scan.at += 1;
    scan.end().ok()?;
    Some(found)
}

/// The text that `raw`, one JSON string, writes.
pub fn text(raw: &str) -> Option<Cow<'_, str>> {
    let raw = raw.trim_matches(SPACE);
    let mut scan = Scan::new(raw);
    if scan.byte() != Some(b'"') {
        return None;
    }
    scan.string().and_then(|()| scan.end()).ok()?;
    unquoted(raw)
}

/// The finite number that `raw`, one JSON number, writes: the nearest there is.
pub fn number(raw: &str) -> Option<f64> {
    let raw = raw.trim_matches(SPACE);
    let mut scan = Scan::new(raw);
    if !matches!(scan.byte(), Some(b'-' | b'0'..=b'9')) {
        return None;
    }
    scan.number().and_then(|()| scan.end()).ok()?;
    raw.parse().ok().filter(|value: &f64| value.is_finite())
}

const SPACE: [char; 4] = [' ', '\n', '\r', '\t'];

/// A place in a text.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Scan<'a> {
        Scan { text, at: 0 }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes past space; the byte that comes then.
    fn space(&mut self) -> Option<u8> {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        self.byte()
    }

    /// Trouble with the byte that stands here.
    fn here(&self, what: &str) -> Trouble {
        self.trouble(what, (self.at + 1).min(self.text.len()))
    }

    /// Trouble with the byte that was read last.
    fn before(&self, what: &str) -> Trouble {
        self.trouble(what, self.at)
    }

    fn trouble(&self, what: &str, read: usize) -> Trouble {
        let before = self.text.as_bytes().get(..read).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        format!("{what} at line {line} column {column}")
    }

    fn end(&mut self) -> Result<(), Trouble> {
        match self.space() {
            Some(_) => Err(self.here("trailing characters")),
            None => Ok(()),
        }
    }

    fn colon(&mut self) -> Result<(), Trouble> {
        match self.space() {
            Some(b':') => self.at += 1,
            Some(_) => return Err(self.here("expected `:`")),
            None => return Err(self.here("EOF while parsing an object")),
        }
        Ok(())
    }

    /// One value, as written.
    fn taken(&mut self) -> Result<&'a str, Trouble> {
        self.space();
        let from = self.at;
        self.value()?;
        Ok(self.text.get(from..self.at).unwrap_or_default())
    }

    /// Goes past one value, however deep it is nested.
    fn value(&mut self) -> Result<(), Trouble> {
        let mut open = Vec::new();
        loop {
            match self.space() {
                None => return Err(self.here("EOF while parsing a value")),
                Some(bracket @ (b'{' | b'[')) => {
                    self.at += 1;
                    open.push(bracket);
                    // the opening bracket stands two places before the closing one
                    if self.space() != Some(bracket + 2) {
                        self.start_of_member(bracket)?;
                        continue;
                    }
                }
                Some(_) => self.plain()?,
            }
            loop {
                let Some(bracket) = open.last().copied() else { return Ok(()) };
                match self.space() {
                    Some(byte) if byte == bracket + 2 => {
                        self.at += 1;
                        open.pop();
                    }
                    Some(b',') => {
                        self.at += 1;
                        self.start_of_member(bracket)?;
                        break;
                    }
                    Some(_) if bracket == b'[' => return Err(self.here("expected `,` or `]`")),
                    Some(_) => return Err(self.here("expected `,` or `}`")),
                    None => return Err(self.cut(bracket)),
                }
            }
        }
    }

    fn cut(&self, bracket: u8) -> Trouble {
        self.here(if bracket == b'[' { "EOF while parsing a list" } else { "EOF while parsing an object" })
    }

    /// Goes past a key and its colon in an object; in a list there is nothing to go past.
    fn start_of_member(&mut self, bracket: u8) -> Result<(), Trouble> {
        if bracket == b'[' {
            // a list that ends here was cut in the list, an element after a comma is a value
            return match self.space() {
                None if self
                    .text
                    .as_bytes()
                    .get(..self.at)
                    .is_some_and(|read| read.trim_ascii_end().ends_with(b"[")) =>
                {
                    Err(self.cut(bracket))
                }
                _ => Ok(()),
            };
        }
        match self.space() {
            Some(b'"') => self.string()?,
            Some(_) => return Err(self.here("key must be a string")),
            None => return Err(self.cut(bracket)),
        }
        self.colon()
    }

    /// Goes past a value without parts.
    fn plain(&mut self) -> Result<(), Trouble> {
        match self.byte() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => Err(self.here("expected value")),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Trouble> {
        for letter in word.bytes() {
            match self.byte() {
                Some(byte) if byte == letter => self.at += 1,
                Some(_) => {
                    self.at += 1;
                    return Err(self.before("expected ident"));
                }
                None => return Err(self.before("EOF while parsing a value")),
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - from
    }

    fn number(&mut self) -> Result<(), Trouble> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        let zero = self.byte() == Some(b'0');
        match self.digits() {
            0 => return Err(self.no_digit()),
            1 => {}
            count if zero => {
                // the first digit after the zero is the one too many
                self.at -= count - 1;
                return Err(self.here("invalid number"));
            }
            _ => {}
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.here("invalid number"));
            }
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.no_digit());
            }
        }
        Ok(())
    }

    /// Something was read in place of a digit, be it the end.
    fn no_digit(&mut self) -> Trouble {
        self.at = (self.at + 1).min(self.text.len());
        self.before("invalid number")
    }

    /// Goes past a string from its opening quote on.
    fn string(&mut self) -> Result<(), Trouble> {
        self.at += 1;
        loop {
            let Some(byte) = self.byte() else { return Err(self.before("EOF while parsing a string")) };
            self.at += 1;
            match byte {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                0..=0x1f => {
                    self.at -= 1;
                    return Err(
                        self.before("control character (\\u0000-\\u001F) found while parsing a string")
                    );
                }
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<(), Trouble> {
        let Some(byte) = self.byte() else { return Err(self.before("EOF while parsing a string")) };
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => match self.text.as_bytes().get(self.at..self.at + 4) {
                Some(digits) => {
                    self.at += 4;
                    let good = digits.iter().all(u8::is_ascii_hexdigit);
                    good.then_some(()).ok_or_else(|| self.before("invalid escape"))
                }
                None => {
                    self.at = self.text.len();
                    Err(self.before("EOF while parsing a string"))
                }
            },
            _ => Err(self.before("invalid escape")),
        }
    }
}

/// What a string that was found to be well-formed writes; `None` for half a pair of surrogates.
fn unquoted(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.get(1..raw.len().checked_sub(1)?)?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        text.push_str(plain);
        let kind = escaped.bytes().next()?;
        rest = escaped.get(1..)?;
        text.push(match kind {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => unit(&mut rest).and_then(|first| character(first, &mut rest))?,
            other => char::from(other),
        });
    }
    text.push_str(rest);
    Some(Cow::Owned(text))
}

/// Four hexadecimal digits.
fn unit(rest: &mut &str) -> Option<u32> {
    let value = u32::from_str_radix(rest.get(..4)?, 16).ok()?;
    *rest = rest.get(4..)?;
    Some(value)
}

/// The character of one unit, or of a pair of surrogates whose second one follows.
fn character(first: u32, rest: &mut &str) -> Option<char> {
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    *rest = rest.strip_prefix("\\u")?;
    let second = unit(rest).filter(|second| (0xdc00..0xe000).contains(second))?;
    char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use alloc::string::ToString;
    use serde_json::value::RawValue;

    const SEEDS: [&str; 8] = [
        r#"{"a":1,"b":[1,2.5e-3,-0,{"c":null}],"d":"x\"\\\n\u00e9\ud83d\ude00"}"#,
        r#" [ true , false , null , "é" , -1.25E+7 , [] , {} , [[[]]] ] "#,
        r#"{"k\u0065y":{"n":{"m":[{"o":"p"}]}},"":0,"z":1e400}"#,
        "{\n  \"line\": [\n1,\n2\n],\n\t\"more\": \"text\"\n}",
        "12345678901234567890",
        "-0.0",
        r#""\ud83d\ude00\t\/""#,
        "1.7976931348623157e308",
    ];

    /// Texts that are nearly JSON: seeds cut, with bytes changed, dropped and doubled.
    fn nearly() -> Vec<String> {
        let letters = b"{}[]\",:\\ue09-+.tfn \n\x01 /xdD8";
        let mut rng = Rng::from_seed(7);
        let mut all: Vec<String> = SEEDS.iter().map(ToString::to_string).collect();
        for seed in SEEDS {
            all.extend((0..=seed.len()).filter_map(|length| seed.get(..length).map(ToString::to_string)));
            for _ in 0..1500 {
                let mut bytes = seed.as_bytes().to_vec();
                for _ in 0..=rng.below(3) {
                    let at = rng.below(bytes.len().max(1) as u64) as usize;
                    let letter = letters[rng.below(letters.len() as u64) as usize];
                    match rng.below(3) {
                        0 if at < bytes.len() => bytes[at] = letter,
                        1 if at < bytes.len() => drop(bytes.remove(at)),
                        _ => bytes.insert(at.min(bytes.len()), letter),
                    }
                }
                all.extend(String::from_utf8(bytes));
            }
        }
        all
    }

    #[test]
    fn a_text_is_judged_as_serde_json_judges_it_in_the_same_words() {
        for text in nearly() {
            let theirs =
                serde_json::from_str::<&RawValue>(&text).map(|_| ()).map_err(|error| error.to_string());
            assert_eq!(check(&text), theirs, "{text:?}");
        }
    }

    #[test]
    fn parts_are_those_that_serde_json_finds() {
        let mut right = 0;
        for whole in nearly() {
            let theirs: Option<Vec<&RawValue>> = serde_json::from_str(&whole).ok();
            let theirs = theirs.map(|list| list.into_iter().map(RawValue::get).collect::<Vec<_>>());
            assert_eq!(items(&whole), theirs, "{whole:?}");
            assert_eq!(text(&whole).map(Cow::into_owned), serde_json::from_str(&whole).ok(), "{whole:?}");
            let number = number(&whole).map(f64::to_bits);
            assert_eq!(number, serde_json::from_str(&whole).ok().map(f64::to_bits), "{whole:?}");
            let theirs = serde_json::from_str::<alloc::collections::BTreeMap<String, &RawValue>>(&whole);
            let ours = fields(&whole);
            assert_eq!(ours.is_ok(), theirs.is_ok(), "{whole:?}");
            for (key, value) in ours.iter().flatten() {
                right += 1;
                let twice = ours.iter().flatten().filter(|(other, _)| other == key).count() > 1;
                assert!(twice || theirs.as_ref().unwrap().get(&**key).map(|raw| raw.get()) == Some(value));
            }
        }
        assert!(right > 100);
    }

    #[test]
    fn depth_has_no_end() {
        let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat();
        assert_eq!(check(&deep), Ok(()));
        assert_eq!(items(&deep).map(|list| list.len()), Some(1));
    }
}
