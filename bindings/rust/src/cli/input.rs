//! Files and standard input as arguments.

use std::io::Read;

use ruv_swarm_core::error::{Code, Error};

use crate::files;

/// All of standard input as text for the argument `field`.
pub(super) fn text(field: &str) -> Result<String, Error> {
    as_text(field, standard_input(field)?)
}

/// The text that the bytes given as `field` are.
pub(super) fn as_text(field: &str, bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| Error::invalid(field, format!("{field}: not UTF-8 text")))
}

/// All bytes of the file `path`, or of standard input for `-`.
pub(super) fn bytes(field: &str, path: &str) -> Result<Vec<u8>, Error> {
    match path {
        "-" => standard_input(field),
        path => files::read(field, path),
    }
}

/// All of standard input, up to the limit of files.
fn standard_input(field: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![];
    let read = std::io::stdin().lock().take(files::MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(field, &error))?;
    if bytes.len() as u64 > files::MAX_BYTES {
        let message = format!(
            "{field}: standard input has more than {} bytes (256 MiB), which is the limit",
            files::MAX_BYTES
        );
        return Err(Error::new(Code::LimitExceeded, field, message));
    }
    Ok(bytes)
}

fn unreadable(field: &str, error: &std::io::Error) -> Error {
    let words = files::io_words(error);
    Error::invalid(field, format!("{field}: cannot read standard input: {words}"))
}

/// Hands over the file `path`, or standard input for `-`, piece by piece, whatever its size.
pub(super) fn stream(
    field: &str,
    path: &str,
    each: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut piece = vec![0; 256 * 1024];
    if path == "-" {
        let mut from = std::io::stdin().lock();
        return pump(&mut piece, &mut from, each, &|error| unreadable(field, error));
    }
    let mut from = files::open(field, path)?;
    pump(&mut piece, &mut from, each, &|error| files::unreadable(field, path, error))
}

fn pump(
    piece: &mut [u8],
    from: &mut dyn Read,
    each: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    trouble: &dyn Fn(&std::io::Error) -> Error,
) -> Result<(), Error> {
    loop {
        match from.read(piece) {
            Ok(0) => return Ok(()),
            Ok(count) => each(piece.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(trouble(&error)),
        }
    }
}
