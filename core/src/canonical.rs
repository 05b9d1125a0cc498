//! The canonical form of what the log holds, written and read by small code of its own.
//!
//! The reader takes exactly what the writer writes: keys in their order, no spaces, defaults left
//! out, the one way to escape a character. So a line that it has read need not be written again to
//! know that it is canonical, and replay costs one pass over the bytes.

mod cursor;

pub use cursor::{plain_length, Cursor};

use alloc::string::String;
use alloc::vec::Vec;

use crate::ids::{AgentId, GoalId, TaskId};

/// A value with one canonical text.
pub trait Canonical: Sized {
    /// True for the value that an object leaves out.
    fn is_default(&self) -> bool;
    /// Appends the text.
    fn write(&self, out: &mut String);
    /// Reads the text at the cursor; `None` if it is no such text.
    fn scan(cursor: &mut Cursor<'_>) -> Option<Self>;
}

/// Appends the decimal digits of `value`.
pub fn write_integer(value: u64, out: &mut String) {
    out.push_str(digits(value, 0, &mut [0; 21]));
}

/// The decimal digits of `value`, behind `letter` (ASCII) unless that is 0.
pub fn digits(mut value: u64, letter: u8, place: &mut [u8; 21]) -> &str {
    let mut first = place.len();
    let mut bytes = place.iter_mut().rev();
    for byte in bytes.by_ref() {
        *byte = b'0' + (value % 10) as u8;
        first -= 1;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if let (Some(byte), true) = (bytes.next(), letter != 0) {
        *byte = letter;
        first -= 1;
    }
    place.get(first..).and_then(|digits| core::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// Appends `text` as a JSON text: `"` and `\` behind a `\`, the five short escapes, `\u00xx` for the
/// other control characters, and nothing else escaped.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    loop {
        let (plain, tail) = rest.split_at_checked(plain_length(rest)).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut characters = tail.chars();
        let Some(escaped) = characters.next() else { break };
        write_escape(escaped, out);
        rest = characters.as_str();
    }
    out.push('"');
}

const SHORT_ESCAPES: [(char, char); 7] =
    [('"', '"'), ('\\', '\\'), ('\u{8}', 'b'), ('\u{c}', 'f'), ('\n', 'n'), ('\r', 'r'), ('\t', 't')];

fn write_escape(character: char, out: &mut String) {
    out.push('\\');
    match SHORT_ESCAPES.iter().find(|(plain, _)| *plain == character) {
        Some((_, short)) => out.push(*short),
        None => {
            let code = character as u32;
            out.push_str("u00");
            for nibble in [code >> 4, code & 15] {
                out.push(char::from_digit(nibble, 16).unwrap_or('0'));
            }
        }
    }
}

fn read_escape(cursor: &mut Cursor<'_>) -> Option<char> {
    let kind = cursor.rest().chars().next()?;
    cursor.take(kind.len_utf8())?;
    if let Some((plain, _)) = SHORT_ESCAPES.iter().find(|(_, short)| *short == kind) {
        return Some(*plain);
    }
    if kind != 'u' {
        return None;
    }
    let digits = cursor.take(4)?;
    if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
        return None;
    }
    let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    let short = SHORT_ESCAPES.iter().any(|(plain, _)| *plain == character);
    if character < ' ' && !short && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        Some(character)
    } else {
        None
    }
}

impl Canonical for String {
    fn is_default(&self) -> bool {
        self.is_empty()
    }

    fn write(&self, out: &mut String) {
        write_text(self, out);
    }

    #[inline]
    fn scan(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.need("\"")?;
        let mut ahead = *cursor;
        if let Some(text) = ahead.plain_text() {
            *cursor = ahead;
            return Some(text.into());
        }
        let mut text = String::new();
        loop {
            text.push_str(cursor.take(plain_length(cursor.rest()))?);
            if cursor.eat("\"") {
                return Some(text);
            }
            cursor.need("\\")?;
            text.push(read_escape(cursor)?);
        }
    }
}

impl Canonical for u64 {
    fn is_default(&self) -> bool {
        *self == 0
    }

    fn write(&self, out: &mut String) {
        write_integer(*self, out);
    }

    fn scan(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.integer()
    }
}

impl Canonical for u32 {
    fn is_default(&self) -> bool {
        *self == 0
    }

    fn write(&self, out: &mut String) {
        write_integer(u64::from(*self), out);
    }

    fn scan(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.integer().and_then(|value| u32::try_from(value).ok())
    }
}

impl Canonical for bool {
    fn is_default(&self) -> bool {
        !*self
    }

    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }

    fn scan(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.need("true").map(|()| true)
    }
}

macro_rules! canonical_ids {
    ($($name:ident $letter:literal),*) => {$(
        impl Canonical for $name {
            fn is_default(&self) -> bool {
                self.0 == 0
            }

            fn write(&self, out: &mut String) {
                out.push_str(concat!('"', $letter));
                write_integer(self.0, out);
                out.push('"');
            }

            fn scan(cursor: &mut Cursor<'_>) -> Option<Self> {
                cursor.need(concat!('"', $letter))?;
                let number = cursor.integer()?;
                cursor.need("\"")?;
                // as long an id as a request may name
                if (1..1_000_000_000_000_000).contains(&number) { Some(Self(number)) } else { None }
            }
        }
    )*};
}

canonical_ids!(AgentId 'a', TaskId 't', GoalId 'g');

impl<T: Canonical> Canonical for Option<T> {
    fn is_default(&self) -> bool {
        self.is_none()
    }

    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }

    fn scan(cursor: &mut Cursor<'_>) -> Option<Self> {
        T::scan(cursor).map(Some)
    }
}

impl<T: Canonical> Canonical for Vec<T> {
    fn is_default(&self) -> bool {
        self.is_empty()
    }

    fn write(&self, out: &mut String) {
        let mut before = "[";
        for item in self {
            out.push_str(before);
            item.write(out);
            before = ",";
        }
        out.push(']');
    }

    fn scan(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.need("[")?;
        // most lists hold one item, and what a task holds stays in memory
        let mut items = Vec::with_capacity(1);
        loop {
            items.push(T::scan(cursor)?);
            if cursor.eat("]") {
                return Some(items);
            }
            cursor.need(",")?;
        }
    }
}

/// The length of a [`key`].
pub const fn key_length(snake: &str) -> usize {
    let bytes = snake.as_bytes();
    let (mut i, mut length) = (0, 4);
    while i < bytes.len() {
        #[allow(
            clippy::indexing_slicing,
            reason = "evaluated by the compiler, inside the bounds of the loop"
        )]
        if bytes[i] != b'_' {
            length += 1;
        }
        i += 1;
    }
    length
}

/// `,"camelCase":` for a field's name, made by the compiler.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, inside the bounds of the loop")]
pub const fn key<const N: usize>(snake: &str) -> [u8; N] {
    let bytes = snake.as_bytes();
    let mut out = [b','; N];
    out[1] = b'"';
    let (mut i, mut at, mut upper) = (0, 2, false);
    while i < bytes.len() {
        if bytes[i] == b'_' {
            upper = true;
        } else {
            out[at] = if upper { bytes[i].to_ascii_uppercase() } else { bytes[i] };
            at += 1;
            upper = false;
        }
        i += 1;
    }
    out[at] = b'"';
    out[at + 1] = b':';
    out
}

/// Makes [`Canonical`] of a struct with a default: an object without the fields that hold theirs.
macro_rules! canonical {
    ($name:ident { $($field:ident $(as $json:literal)? : $kind:ty),* $(,)? }) => {
        impl $crate::canonical::Canonical for $name {
            fn is_default(&self) -> bool {
                true $(&& $crate::canonical::Canonical::is_default(&self.$field))*
            }

            fn write(&self, out: &mut alloc::string::String) {
                out.push('{');
                #[allow(unused_variables, unused_mut)]
                let mut first = true;
                $(if !$crate::canonical::Canonical::is_default(&self.$field) {
                    $crate::canonical::canonical!(@key KEY, $field $($json)?);
                    out.push_str(if first { KEY.split_at(1).1 } else { KEY });
                    first = false;
                    $crate::canonical::Canonical::write(&self.$field, out);
                })*
                out.push('}');
                let _ = first;
            }

            fn scan(cursor: &mut $crate::canonical::Cursor<'_>) -> Option<Self> {
                let mut value = Self::default();
                value.fill(cursor).map(|()| value)
            }
        }

        impl $name {
            /// Reads the canonical text at the cursor into a value that holds nothing but defaults;
            /// `None` if it is no such text.
            pub fn fill(&mut self, cursor: &mut $crate::canonical::Cursor<'_>) -> Option<()> {
                if !cursor.open()? {
                    return Some(());
                }
                $({
                    $crate::canonical::canonical!(@key KEY, $field $($json)?);
                    if cursor.eat_key(KEY.split_at(1).1) {
                        self.$field = <$kind as $crate::canonical::Canonical>::scan(cursor)?;
                        if $crate::canonical::Canonical::is_default(&self.$field) {
                            return None;
                        }
                        if !cursor.more()? {
                            return Some(());
                        }
                    }
                })*
                // a key that does not belong here
                None
            }
        }
    };
    (@key $key:ident, $field:ident) => { $crate::canonical::canonical!(@text $key, stringify!($field)); };
    (@key $key:ident, $field:ident $json:literal) => { $crate::canonical::canonical!(@text $key, $json); };
    (@text $key:ident, $name:expr) => {
        const BYTES: [u8; $crate::canonical::key_length($name)] = $crate::canonical::key($name);
        const $key: &str = match core::str::from_utf8(&BYTES) { Ok(text) => text, Err(_) => "" };
    };
}
pub(crate) use canonical;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_INTEGER;
    use alloc::vec;

    #[derive(Debug, Default, PartialEq)]
    struct Probe {
        task_id: TaskId,
        words: Vec<String>,
        count: u64,
        yes: bool,
    }
    canonical!(Probe { task_id: TaskId, words as "type": Vec<String>, count: u64, yes: bool });

    fn text(value: &impl Canonical) -> String {
        let mut out = String::new();
        value.write(&mut out);
        out
    }

    fn read<T: Canonical>(text: &str) -> Option<T> {
        let mut cursor = Cursor::new(text);
        let value = T::scan(&mut cursor)?;
        cursor.rest().is_empty().then_some(value)
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let probe = Probe {
            task_id: TaskId(12),
            words: vec!["a\"\\\n\u{1}é".into(), String::new()],
            count: MAX_INTEGER,
            yes: true,
        };
        let line = r#"{"taskId":"t12","type":["a\"\\\n\u0001é",""],"count":9007199254740991,"yes":true}"#;
        assert_eq!(text(&probe), line);
        assert_eq!(read::<Probe>(line), Some(probe));
        assert_eq!(read::<Probe>("{}"), Some(Probe::default()));
        assert_eq!(read::<Probe>(r#"{"count":7}"#), Some(Probe { count: 7, ..Probe::default() }));
        for other in [
            r#"{"count":07}"#,
            r#"{"count":0}"#,
            r#"{"count": 7}"#,
            r#"{"count":9007199254740992}"#,
            r#"{"yes":false}"#,
            r#"{"yes":true,"count":7}"#,
            r#"{,"count":7}"#,
            r#"{"count":7,}"#,
            r#"{"type":[]}"#,
            r#"{"type":["\u000a"]}"#,
            r#"{"type":["\u001F"]}"#,
            r#"{"type":["\u+001"]}"#,
            r#"{"type":["\/"]}"#,
            r#"{"type":["\u0041"]}"#,
            r#"{"taskId":"t012"}"#,
            r#"{"taskId":"t0"}"#,
            r#"{"count":7}x"#,
            r#"{"count":7"#,
            r#"{"count":7,"count":8}"#,
            r#"{"kount":7}"#,
            "{\"type\":[\"\n\"]}",
        ] {
            assert_eq!(read::<Probe>(other), None, "{other}");
        }
    }

    #[test]
    fn texts_are_escaped_as_serde_escapes_them() {
        let all: String = (0u32..0x300).filter_map(char::from_u32).collect();
        assert_eq!(text(&all), serde_json::to_string(&all).unwrap());
        assert_eq!(read::<String>(&text(&all)), Some(all));
        for value in [0, 9, 10, 12_345, u64::MAX] {
            let mut out = String::new();
            write_integer(value, &mut out);
            assert_eq!(out, alloc::format!("{value}"));
        }
    }
}
