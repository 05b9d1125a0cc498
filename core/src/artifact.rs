//! Artifacts.

use alloc::string::String;
use serde::Serialize;

use crate::json::readable;

/// A file that the swarm keeps, named by its content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// SHA-256 of the bytes, in hex.
    pub hash: String,
    /// A name for people.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was first stored.
    pub created_at_ms: u64,
}

readable!(Artifact { hash, name, media_type, size, created_at_ms });
