//! The event log, its head, the projections and the snapshots.

use rusqlite::{params, OptionalExtension, Row as SqlRow};
use ruv_swarm_core::error::{host_error, Error, HostTrouble};
use ruv_swarm_core::hash::Hash;
use ruv_swarm_core::Row;

use super::Store;

/// One event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the log: 1, 2, 3, ...
    pub seq: u64,
    /// The canonical line, byte for byte as the core wrote it.
    pub body: String,
    /// The hash chain up to this event.
    pub chain: Hash,
}

/// Where the log ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The swarm's id.
    pub swarm_id: String,
    /// The number of the last event.
    pub version: u64,
    /// The hash chain up to it.
    pub chain: Hash,
}

impl Store {
    /// The head row; `None` in a database that holds no swarm yet.
    pub fn head(&self) -> Result<Option<Head>, Error> {
        let mut statement =
            self.cached("SELECT id, version, chain FROM swarm LIMIT 1").map_err(|e| self.error(&e))?;
        let read = |row: &SqlRow<'_>| {
            Ok(Head { swarm_id: row.get(0)?, version: row.get::<_, i64>(1)? as u64, chain: row.get(2)? })
        };
        statement.query_row([], read).optional().map_err(|e| self.error(&e))
    }

    /// Writes where the log ends now.
    pub fn write_head(&self, head: &Head, config: &str) -> Result<(), Error> {
        let sql = "INSERT INTO swarm (id, version, chain, epoch, config) VALUES (?1, ?2, ?3, 0, ?4)
                   ON CONFLICT (id) DO UPDATE SET version = excluded.version, chain = excluded.chain";
        self.cached(sql)
            .and_then(|mut s| s.execute(params![head.swarm_id, head.version as i64, head.chain, config]))
            .map(|_| ())
            .map_err(|e| self.error(&e))
    }

    /// The number of the last event in the table.
    pub fn last_seq(&self) -> Result<u64, Error> {
        self.read_one::<Option<i64>>("SELECT max(seq) FROM event").map(|seq| seq.unwrap_or(0) as u64)
    }

    /// Appends one event.
    pub fn append(&self, event: &StoredEvent, swarm: &str, at_ms: u64, kind: &str) -> Result<(), Error> {
        let sql = "INSERT INTO event (seq, swarm, at_ms, kind, body, chain) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.cached(sql)
            .and_then(|mut s| {
                s.execute(params![event.seq as i64, swarm, at_ms as i64, kind, event.body, event.chain])
            })
            .map(|_| ())
            .map_err(|e| self.error(&e))
    }

    /// Up to `limit` events after `after`, in order.
    pub fn events(&self, after: u64, limit: u64) -> Result<Vec<StoredEvent>, Error> {
        let sql = "SELECT seq, body, chain FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = |row: &SqlRow<'_>| {
            Ok(StoredEvent { seq: row.get::<_, i64>(0)? as u64, body: row.get(1)?, chain: row.get(2)? })
        };
        self.cached(sql)
            .and_then(|mut s| s.query_map(params![after, limit], read)?.collect())
            .map_err(|e| self.error(&e))
    }

    /// Puts a projection row as of event `seq` in place of the former one, whatever it says.
    pub fn upsert(&self, row: &Row, seq: u64) -> Result<(), Error> {
        let table = self.table(row.table)?;
        let sql = format!(
            "INSERT INTO {table} (id, state, seq, body) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id)
             DO UPDATE SET state = excluded.state, seq = excluded.seq, body = excluded.body"
        );
        self.cached(&sql)
            .and_then(|mut s| s.execute(params![row.id, row.state, seq as i64, row.body]))
            .map(|_| ())
            .map_err(|e| self.error(&e))
    }

    /// How many rows a projection table has.
    pub fn count_rows(&self, table: &'static str) -> Result<u64, Error> {
        let table = self.table(table)?;
        self.read_one::<i64>(&format!("SELECT count(*) FROM {table}")).map(|n| n as u64)
    }

    /// State and body of one projection row, and the event that it was written with.
    pub fn row(&self, table: &'static str, id: &str) -> Result<Option<(String, String, u64)>, Error> {
        let table = self.table(table)?;
        let read = |row: &SqlRow<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)? as u64));
        self.cached(&format!("SELECT state, body, seq FROM {table} WHERE id = ?1"))
            .and_then(|mut s| s.query_row([id], read).optional())
            .map_err(|e| self.error(&e))
    }

    /// Keeps a snapshot; the one before it stays too, should this one prove unreadable.
    pub fn write_snapshot(&self, seq: u64, body: &str) -> Result<(), Error> {
        let hash = ruv_swarm_core::hash::sha256(&[body.as_bytes()]);
        self.cached("INSERT OR REPLACE INTO snapshot (seq, body, hash) VALUES (?1, ?2, ?3)")
            .and_then(|mut s| s.execute(params![seq as i64, body, hash]))
            .and_then(|_| {
                self.cached("DELETE FROM snapshot WHERE seq NOT IN (SELECT seq FROM snapshot ORDER BY seq DESC LIMIT 2)")
            })
            .and_then(|mut s| s.execute([]))
            .map(|_| ())
            .map_err(|e| self.error(&e))
    }

    /// The snapshots, newest first; those whose bytes are not what was written are left out.
    pub fn snapshots(&self) -> Result<Vec<(u64, String)>, Error> {
        let read = |row: &SqlRow<'_>| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?, row.get(2)?));
        let rows: Vec<(u64, String, Hash)> = self
            .cached("SELECT seq, body, hash FROM snapshot ORDER BY seq DESC")
            .and_then(|mut s| s.query_map([], read)?.collect())
            .map_err(|e| self.error(&e))?;
        let whole =
            |(_, body, hash): &(u64, String, Hash)| ruv_swarm_core::hash::sha256(&[body.as_bytes()]) == *hash;
        Ok(rows.into_iter().filter(whole).map(|(seq, body, _)| (seq, body)).collect())
    }

    /// The error for a log that is not what was written.
    pub fn damaged(&self, detail: &str) -> Error {
        host_error(HostTrouble::DamagedDatabase, "db", &self.shown, detail)
    }

    /// Table names come from the core; none but these is ever put into SQL.
    fn table(&self, name: &'static str) -> Result<&'static str, Error> {
        match name {
            "agent" | "task" | "goal" => Ok(name),
            other => {
                Err(Error::new(ruv_swarm_core::Code::Internal, "", format!("no projection table {other:?}")))
            }
        }
    }
}
