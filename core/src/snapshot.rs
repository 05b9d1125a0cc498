//! The canonical snapshot: the state as JSON text, and its hash.

use alloc::format;
use alloc::string::String;
use serde::Serialize;

use crate::error::{Code, Error};
use crate::hash::{sha256, Hash};
use crate::json::{self, readable, Read};
use crate::state::State;

/// The version of the snapshot's form.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Out<'a> {
    v: u32,
    state: &'a State,
}

#[derive(Default)]
struct In {
    v: u32,
    state: State,
}

readable!(strict In { v, state });

/// The canonical snapshot of `state`.
pub fn write(state: &State) -> String {
    json::encode(&Out { v: VERSION, state })
}

/// SHA-256 of the canonical snapshot.
pub fn hash(state: &State) -> Hash {
    sha256(&[write(state).as_bytes()])
}

/// Reads a snapshot; only the canonical text of a state of this version is accepted.
pub fn read(text: &str) -> Result<State, Error> {
    let damaged = |why: String| Error::new(Code::Corrupt, "snapshot", format!("snapshot: {why}"));
    let mut read = In::read(text).map_err(damaged)?;
    if read.v != VERSION {
        let message = format!("snapshot: version {}; this release reads version {VERSION}", read.v);
        return Err(Error::new(Code::UnsupportedVersion, "snapshot", message));
    }
    if write(&read.state) != text {
        return Err(damaged("not in canonical form".into()));
    }
    read.state.reindex();
    Ok(read.state)
}
