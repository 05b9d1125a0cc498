//! The checkpoint file of a session: little-endian, versioned, closed by a SHA-256 of all before it.

use super::stopping::Reason;
use crate::error::{Code, Error};
use crate::hash::{sha256, Hash};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The first bytes of a checkpoint.
pub const CHECKPOINT_MAGIC: &[u8; 8] = b"RSCHECK\0";
/// The version that this release writes, and the newest it reads.
pub const CHECKPOINT_VERSION: u32 = 1;

/// What a checkpoint holds.
pub(crate) struct Checkpoint {
    pub dataset: Hash,
    pub options: String,
    pub epoch: u32,
    pub stopped: Option<Reason>,
}

/// The bytes of a checkpoint.
pub(crate) fn write(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(CHECKPOINT_MAGIC);
    bytes.extend_from_slice(&CHECKPOINT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&checkpoint.dataset);
    bytes.extend_from_slice(&checkpoint.epoch.to_le_bytes());
    for text in [checkpoint.stopped.map_or("", Reason::word), &checkpoint.options] {
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    let digest = sha256(&[&bytes]);
    bytes.extend_from_slice(&digest);
    bytes
}

/// Reads what [`write`] wrote.
pub(crate) fn read(bytes: &[u8]) -> Result<Checkpoint, Error> {
    let damaged = || Error::data("resume", "resume: the checkpoint is damaged or cut short");
    let Some(rest) = bytes.strip_prefix(CHECKPOINT_MAGIC) else {
        return Err(Error::data("resume", "resume: the bytes are no ruv-swarm checkpoint"));
    };
    let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
    let version = u32::from_le_bytes(*version);
    if version > CHECKPOINT_VERSION {
        return Err(Error::new(
            Code::UnsupportedVersion,
            "resume",
            format!("resume: checkpoint version {version} is newer than {CHECKPOINT_VERSION}, the newest this release reads; upgrade ruv-swarm"),
        ));
    }
    let (_, digest) = bytes.split_last_chunk::<32>().ok_or_else(damaged)?;
    let body = bytes.get(..bytes.len() - 32).ok_or_else(damaged)?;
    if sha256(&[body]) != *digest {
        return Err(damaged());
    }
    let (dataset, rest) = rest.split_first_chunk::<32>().ok_or_else(damaged)?;
    let (epoch, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
    let mut rest = rest;
    let mut text = || -> Result<String, Error> {
        let (size, after) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (found, after) =
            after.split_at_checked(u32::from_le_bytes(*size) as usize).ok_or_else(damaged)?;
        rest = after;
        core::str::from_utf8(found).map(ToString::to_string).map_err(|_| damaged())
    };
    let stopped = text()?;
    Ok(Checkpoint {
        dataset: *dataset,
        options: text()?,
        epoch: u32::from_le_bytes(*epoch),
        stopped: Reason::parse(&stopped),
    })
}
