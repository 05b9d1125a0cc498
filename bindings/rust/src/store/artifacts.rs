//! Bytes that the swarm keeps beside its log: datasets and models, named by their content.

use rusqlite::{params, OptionalExtension};
use ruv_swarm_core::error::Error;
use ruv_swarm_core::hash::{hex, sha256};

use super::Store;

impl Store {
    /// Keeps `bytes` under their hash; the same bytes a second time change nothing.
    pub fn put_artifact(&self, hash: &str, bytes: &[u8]) -> Result<(), Error> {
        self.cached(
            "INSERT INTO artifact (hash, size, content) VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO NOTHING",
        )
        .and_then(|mut s| s.execute(params![hash, bytes.len() as i64, bytes]))
        .map(|_| ())
        .map_err(|e| self.error(&e))
    }

    /// The bytes whose hash is `hash`, checked against it; `None` if they are not here.
    pub fn artifact(&self, hash: &str) -> Result<Option<Vec<u8>>, Error> {
        let found: Option<Vec<u8>> = self
            .cached("SELECT content FROM artifact WHERE hash = ?1")
            .and_then(|mut s| s.query_row([hash], |row| row.get(0)).optional())
            .map_err(|e| self.error(&e))?;
        match found {
            Some(bytes) if hex(&sha256(&[&bytes])) != hash => {
                Err(self.damaged(&format!("the bytes of artifact {hash} do not have this hash")))
            }
            other => Ok(other),
        }
    }
}
