//! A simulated store: the log, the projection rows and the last snapshot of all hosts.

use std::collections::BTreeMap;

use ruv_swarm_core::Row;

/// What would be on the disk.
#[derive(Default)]
pub struct Store {
    /// The event lines, from number 1 on.
    pub lines: Vec<String>,
    /// Projection rows by table and number.
    pub rows: BTreeMap<(&'static str, String), Row>,
    /// The version of the last snapshot, and its text; nothing before the first.
    pub snapshot: Option<(u64, String)>,
    /// The last event that somebody was told of.
    pub acknowledged: u64,
}

impl Store {
    /// The number of the last event.
    pub fn head(&self) -> u64 {
        self.lines.len() as u64
    }

    /// The lines after event `version`.
    pub fn after(&self, version: u64) -> &[String] {
        self.lines.get(version as usize..).unwrap_or(&[])
    }

    /// Appends lines if nobody has appended since `version`; all or none.
    pub fn append(&mut self, version: u64, lines: Vec<String>, rows: Vec<Row>) -> bool {
        if version != self.head() {
            return false;
        }
        self.lines.extend(lines);
        for row in rows {
            self.rows.insert((row.table, row.id.clone()), row);
        }
        true
    }
}
