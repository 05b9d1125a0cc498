//! A command line for a program of the user's, split into its words as a POSIX shell would split it
//! and without one: nothing is expanded, so nothing in it can run anything else.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::error::Error;

/// The words of `text`: separated by white space; kept together by `'…'`, which takes everything as
/// it stands, and by `"…"`, in which `\"` and `\\` stand for `"` and `\`; outside of quotes `\` takes
/// the character after it as it is.
///
/// # Errors
/// `invalid_argument` for `field` if there is no word or a quote or `\` has no end.
pub fn split_words(field: &str, text: &str) -> Result<Vec<String>, Error> {
    let refused = |why: &str| Err(Error::invalid(field, format!("{field}: {text:?}: {why}")));
    let mut words = vec![];
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return refused("a ' has no end"),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                if !double_quoted(&mut rest, word) {
                    return refused("a \" has no end");
                }
            }
            '\\' => match rest.next() {
                Some(c) => word.get_or_insert_default().push(c),
                None => return refused("nothing follows the last \\"),
            },
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => refused("no program; give one with its arguments, for example: python3 worker.py"),
    }
}

/// Reads to the closing quote; false if there is none.
fn double_quoted(rest: &mut core::str::Chars<'_>, word: &mut String) -> bool {
    while let Some(c) = rest.next() {
        match c {
            '"' => return true,
            '\\' => match rest.next() {
                Some(c @ ('"' | '\\')) => word.push(c),
                Some(c) => word.extend(['\\', c]),
                None => return false,
            },
            c => word.push(c),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_quotes_and_what_has_no_end() {
        for (text, want) in [
            ("python3 worker.py", vec!["python3", "worker.py"]),
            ("  a\t b\n", vec!["a", "b"]),
            ("'a b' \"c \\\" \\d\" e\\ f x''y ''", vec!["a b", "c \" \\d", "e f", "xy", ""]),
            ("sh -c 'echo $HOME; rm x'", vec!["sh", "-c", "echo $HOME; rm x"]),
        ] {
            assert_eq!(split_words("exec", text).unwrap(), want, "{text}");
        }
        for text in ["", "  ", "'a", "\"a", "a\\", "\"a\\", "''"] {
            let error = split_words("exec", text).unwrap_err();
            assert_eq!(error.field, "exec", "{text}");
        }
    }
}
