//! What the command line asks for.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

/// Whatever stops a run.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the command line asks for.
pub struct Wanted {
    /// The folder that holds `proben1`.
    pub data: PathBuf,
    /// How many seeds, from 1.
    pub seeds: u64,
    /// How many trainings at a time.
    pub threads: usize,
    /// Only these sets; empty: all.
    pub sets: Vec<String>,
    /// Options over those of every training.
    pub with: Value,
}

impl Wanted {
    /// Whether a set is asked for.
    pub fn wants(&self, set: &str) -> bool {
        self.sets.is_empty() || self.sets.iter().any(|name| name == set)
    }

    /// The bytes of a set of Proben1.
    pub fn read(&self, set: &str) -> Result<Arc<Vec<u8>>, Failure> {
        let path = self.data.join("proben1").join(format!("{set}.dt"));
        let bytes = fs::read(&path).map_err(|error| {
            format!("{}: {error}; give the folder that holds proben1/*.dt by --data", path.display())
        })?;
        Ok(Arc::new(bytes))
    }
}
