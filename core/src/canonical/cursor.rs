//! Reading a text from left to right.

use crate::limits::MAX_INTEGER;

/// A place in a text that is read from left to right.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// At the beginning of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    /// The byte that stands here.
    #[inline]
    pub fn byte(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    /// Goes past one character of one byte; anything else stays.
    #[inline]
    pub fn skip(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or(self.rest);
    }

    /// Goes past all that a JSON text need not escape.
    pub fn skip_plain(&mut self) {
        let length = plain_length(self.rest);
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    /// Goes past `token` if it stands here.
    #[inline]
    pub fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// As [`Cursor::eat`], or the end of reading.
    #[inline]
    pub fn need(&mut self, token: &str) -> Option<()> {
        if self.eat(token) {
            Some(())
        } else {
            None
        }
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// Goes past `key`, a quoted name with its colon, if it stands here. Most keys that are tried do
    /// not, and most of those differ in their first letter.
    #[inline(always)]
    pub fn eat_key(&mut self, key: &str) -> bool {
        self.rest.as_bytes().get(1) == key.as_bytes().get(1) && self.eat(key)
    }

    /// Goes into an object; false if it is empty and read with that.
    #[inline]
    pub fn open(&mut self) -> Option<bool> {
        self.need("{")?;
        Some(!self.eat("}"))
    }

    /// Goes past the comma after a value, or past the object's end: false.
    #[inline]
    pub fn more(&mut self) -> Option<bool> {
        if self.eat(",") {
            return Some(true);
        }
        self.need("}").map(|()| false)
    }

    /// A text without escapes, up to its closing quote; the cursor stands after the opening one.
    #[inline]
    pub fn plain_text(&mut self) -> Option<&'a str> {
        let text = self.take(plain_length(self.rest))?;
        self.need("\"").map(|()| text)
    }

    /// A whole number in its shortest form, at most 2^53 − 1.
    #[inline]
    pub fn integer(&mut self) -> Option<u64> {
        let mut value = 0u64;
        let mut length = 0;
        for byte in self.rest.bytes().take_while(u8::is_ascii_digit) {
            if length > 0 && value == 0 || length == 16 {
                return None;
            }
            value = value * 10 + u64::from(byte - b'0');
            length += 1;
        }
        self.take(length)?;
        if length > 0 && value <= MAX_INTEGER {
            Some(value)
        } else {
            None
        }
    }
}

/// How many bytes of `text` stand before the first one that a JSON text escapes: all, or those before
/// a `"`, a `\` or a control character. Looks at eight bytes at a time.
pub fn plain_length(text: &str) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // The lowest bit that is set marks the first byte below `limit` (at most 128): a borrow can only
    // mark bytes after it.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & (ONES * 128);
    let escaped = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
    let (words, tail) = text.as_bytes().as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let slash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let found = below(word, 0x20) | quote | slash;
        if found != 0 {
            return place * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    words.len() * 8 + tail.iter().position(escaped).unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_text_ends_before_the_first_character_that_is_escaped() {
        let plain = "0123456789abcdefé\u{7f}\u{80}\u{3ff}x";
        for (place, _) in plain.char_indices() {
            for special in ["\"", "\\", "\u{1f}", "\u{0}"] {
                let text = [&plain[..place], special, &plain[place..], special].concat();
                assert_eq!(plain_length(&text), place, "{text:?}");
            }
        }
        assert_eq!(plain_length(plain), plain.len());
    }
}
