//! The event log, its head, the projections and the snapshots.

use rusqlite::{params, OptionalExtension, Row as SqlRow};
use ruv_swarm_core::error::{host_error, Error, HostTrouble};
use ruv_swarm_core::hash::Hash;
use ruv_swarm_core::Row;

use super::insert::Insert;
use super::Store;

const EVENTS: Insert =
    Insert { head: "INSERT INTO event (seq, swarm, at_ms, kind, body, chain) VALUES ", columns: 6, tail: "" };

/// How the rows of one projection table are written and read.
struct Projection {
    upsert: Insert,
    row: &'static str,
    count: &'static str,
}

macro_rules! projection {
    ($table:literal) => {
        Projection {
            upsert: Insert {
                head: concat!("INSERT INTO ", $table, " (number, state, seq, body) VALUES "),
                columns: 4,
                tail: " ON CONFLICT (number) DO UPDATE
                       SET state = excluded.state, seq = excluded.seq, body = excluded.body",
            },
            row: concat!("SELECT state, body, seq FROM ", $table, " WHERE number = ?1"),
            count: concat!("SELECT count(*) FROM ", $table),
        }
    };
}

/// Table names come from the core; no other than these is ever put into SQL.
fn projection(table: &str) -> Result<&'static Projection, Error> {
    const AGENT: &Projection = &projection!("agent");
    const TASK: &Projection = &projection!("task");
    const GOAL: &Projection = &projection!("goal");
    match table {
        "agent" => Ok(AGENT),
        "task" => Ok(TASK),
        "goal" => Ok(GOAL),
        other => {
            Err(Error::new(ruv_swarm_core::Code::Internal, "", format!("no projection table {other:?}")))
        }
    }
}

/// The number in an id, which is the key of its row: 17 of t17.
pub fn row_number(id: &str) -> Result<u64, Error> {
    id.get(1..)
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| Error::new(ruv_swarm_core::Code::Internal, "", format!("no number in the id {id:?}")))
}

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

/// An event to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What is stored of it and read again.
    pub stored: StoredEvent,
    /// Its time, in ms since 1970.
    pub at_ms: u64,
    /// Its kind.
    pub kind: &'static str,
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

    /// Appends events, in order.
    pub fn append(&self, swarm: &str, events: &[NewEvent]) -> Result<(), Error> {
        self.insert_all(&EVENTS, events, |row, event| {
            row.bind(event.stored.seq as i64)?;
            row.bind(swarm)?;
            row.bind(event.at_ms as i64)?;
            row.bind(event.kind)?;
            row.bind(&event.stored.body)?;
            row.bind(event.stored.chain)
        })
    }

    /// Shows every event after `after`, in order, as number, line and chain; the line is not copied.
    pub fn each_event(
        &self,
        after: u64,
        mut look: impl FnMut(u64, &str, &Hash) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let fail = |error: rusqlite::Error| self.error(&error);
        let sql = "SELECT seq, body, chain FROM event WHERE seq > ?1 ORDER BY seq";
        let mut statement = self.cached(sql).map_err(fail)?;
        let mut rows = statement.query([i64::try_from(after).unwrap_or(i64::MAX)]).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            let seq: i64 = row.get(0).map_err(fail)?;
            let chain: Hash = row.get(2).map_err(fail)?;
            let body = row.get_ref(1).and_then(|value| Ok(value.as_str()?)).map_err(fail)?;
            look(seq as u64, body, &chain)?;
        }
        Ok(())
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

    /// Puts projection rows, all of one table, in place of the former ones, whatever they say.
    pub fn upsert(&self, rows: &[Row]) -> Result<(), Error> {
        let Some(first) = rows.first() else { return Ok(()) };
        let numbers = rows.iter().map(|row| row_number(&row.id)).collect::<Result<Vec<u64>, Error>>()?;
        let numbered: Vec<(u64, &Row)> = numbers.into_iter().zip(rows).collect();
        self.insert_all(&projection(first.table)?.upsert, &numbered, |values, (number, row)| {
            values.bind(*number as i64)?;
            values.bind(&row.state)?;
            values.bind(row.seq as i64)?;
            values.bind(&row.body)
        })
    }

    /// How many rows a projection table has.
    pub fn count_rows(&self, table: &str) -> Result<u64, Error> {
        self.read_one::<i64>(projection(table)?.count).map(|n| n as u64)
    }

    /// State and body of one projection row, and the event that it was written with.
    pub fn row(&self, table: &str, id: &str) -> Result<Option<(String, String, u64)>, Error> {
        let read = |row: &SqlRow<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)? as u64));
        let number = row_number(id)? as i64;
        self.cached(projection(table)?.row)
            .and_then(|mut s| s.query_row([number], read).optional())
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
}
