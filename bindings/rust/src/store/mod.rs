//! The SQLite store: one swarm a file, shared by several processes.
//!
//! The store keeps what the core hands out and knows no rules. `seq` is the event table's only key;
//! the head row says where the log ends; projections are upserted blindly in the same transaction.

mod artifacts;
#[cfg(test)]
pub(crate) mod faults;
mod insert;
mod log;
mod open;
mod trouble;

use std::cell::Cell;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use ruv_swarm_core::error::{host_error, Error, HostTrouble};

pub use log::{row_number, Head, NewEvent, StoredEvent};

/// Where a swarm is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A database file, which other processes may have open too.
    File(PathBuf),
    /// Memory of this process; gone with it.
    Memory,
}

impl Location {
    /// The location as people gave it, for messages and results.
    pub fn shown(&self) -> String {
        match self {
            Location::File(path) => path.display().to_string(),
            Location::Memory => ":memory:".to_string(),
        }
    }
}

/// What an acknowledgement promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Survives a power cut: synced before the answer (`synchronous=FULL`).
    #[default]
    Full,
    /// Survives a crash of the process, and may lose the last answers in a power cut (`synchronous=NORMAL`).
    Normal,
    /// Nothing is synced: for memory and throw-away files (`synchronous=OFF`).
    Memory,
}

impl Durability {
    /// Every mode.
    pub const ALL: &'static [Durability] = &[Durability::Full, Durability::Normal, Durability::Memory];

    /// The mode's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Durability::Full => "full",
            Durability::Normal => "normal",
            Durability::Memory => "memory",
        }
    }

    /// The mode that `word` names.
    pub fn parse(word: &str) -> Result<Durability, Error> {
        let names: Vec<&str> = Durability::ALL.iter().map(|mode| mode.as_str()).collect();
        Durability::ALL
            .iter()
            .copied()
            .find(|mode| mode.as_str() == word)
            .ok_or_else(|| Error::not_one_of("durability", word, &names))
    }

    fn pragma(self) -> &'static str {
        match self {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
            Durability::Memory => "OFF",
        }
    }
}

/// How a commit went wrong.
#[derive(Debug)]
pub enum CommitTrouble {
    /// The transaction is certainly not in the file.
    NothingChanged(Error),
    /// The transaction may be in the file; the connection must not be used again.
    Unknown(Error),
}

/// An open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    shown: String,
    /// A log from before this connection is still to be folded in.
    log_is_left: Cell<bool>,
}

impl Store {
    /// Opens the database; `create` makes it where there is none.
    ///
    /// Whose file it is and how new is settled before anything is written to it.
    pub fn open(location: &Location, durability: Durability, create: bool) -> Result<Store, Error> {
        open::open(location, durability, create)
    }

    /// Whether there is something at the path that [`Store::open`] would open without `create`.
    pub fn exists(path: &Path) -> bool {
        std::fs::metadata(path).map(|meta| !meta.is_file() || meta.len() > 0).unwrap_or(false)
    }

    /// The version of SQLite in this build.
    pub fn sqlite_version() -> &'static str {
        rusqlite::version()
    }

    /// The path as people gave it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Begins a write transaction; waits with jitter while another process writes.
    pub fn begin(&self) -> Result<(), Error> {
        self.fold_in_log()?;
        self.run("BEGIN IMMEDIATE")
    }

    /// Writes what a crash left in the log into the database, and syncs it, before anything is answered.
    ///
    /// After a sync that failed, the system shows the log's last commits from its memory and may never
    /// have written them; a later sync does not try again. SQLite takes such commits for good when it
    /// reads the log anew, and whoever is answered on their ground would lose that in a power cut.
    fn fold_in_log(&self) -> Result<(), Error> {
        if !self.log_is_left.get() {
            return Ok(());
        }
        // a result that says busy is no trouble: others have the file open, so the log was not read anew
        self.read_one::<i64>("PRAGMA wal_checkpoint(TRUNCATE)")?;
        self.log_is_left.set(false);
        Ok(())
    }

    /// Begins a read transaction, so that several reads see one state of the file.
    pub fn begin_read(&self) -> Result<(), Error> {
        self.run("BEGIN")
    }

    /// Gives up the transaction, if there is one.
    pub fn rollback(&self) {
        if !self.connection.is_autocommit() {
            // a failure here leaves the transaction to the end of the connection, which undoes it too
            let _ = self.run("ROLLBACK");
        }
    }

    /// Commits and, unless the durability says otherwise, syncs.
    pub fn commit(&self) -> Result<(), CommitTrouble> {
        #[cfg(test)]
        if let Some(fault) = faults::take() {
            self.run(if fault == faults::Fault::ErrorAfterCommit { "COMMIT" } else { "ROLLBACK" }).unwrap();
            let error = host_error(HostTrouble::OutcomeUnknown, "db", &self.shown, "disk i/o error");
            return Err(CommitTrouble::Unknown(error));
        }
        let Err(error) = self.cached("COMMIT").and_then(|mut statement| statement.raw_execute()) else {
            return Ok(());
        };
        let kind = trouble::kind(&error);
        // a full disk and a lock are met before the commit record is written; after any other
        // error the record may or may not have reached the disk
        if matches!(kind, HostTrouble::DiskFull | HostTrouble::Busy | HostTrouble::ReadOnly) {
            return Err(CommitTrouble::NothingChanged(self.error(&error)));
        }
        let unknown = host_error(HostTrouble::OutcomeUnknown, "db", &self.shown, &trouble::detail(&error));
        Err(CommitTrouble::Unknown(unknown))
    }

    /// Marks a point in the transaction to which it can go back.
    pub fn savepoint(&self) -> Result<(), Error> {
        self.run("SAVEPOINT unit")
    }

    /// Undoes what was written since the savepoint, and drops it.
    pub fn back_to_savepoint(&self) -> Result<(), Error> {
        self.run("ROLLBACK TO unit")?;
        self.run("RELEASE unit")
    }

    /// Drops the savepoint and keeps what was written since.
    pub fn release_savepoint(&self) -> Result<(), Error> {
        self.run("RELEASE unit")
    }

    /// A number that changes when another connection has committed.
    pub fn data_version(&self) -> Result<i64, Error> {
        self.read_one("PRAGMA data_version")
    }

    /// SQLite's own check of the file: nothing, or what is wrong.
    pub fn quick_check(&self) -> Result<Option<String>, Error> {
        let report: String = self.read_one("PRAGMA quick_check(1)")?;
        Ok(if report == "ok" { None } else { Some(report) })
    }

    /// Lets the file grow no further, as a full disk would.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: u32) {
        self.connection.query_row(&format!("PRAGMA max_page_count={pages}"), [], |_| Ok(())).unwrap();
    }

    fn run(&self, sql: &str) -> Result<(), Error> {
        self.cached(sql)
            .and_then(|mut statement| statement.raw_execute())
            .map(|_| ())
            .map_err(|e| self.error(&e))
    }

    fn read_one<T: rusqlite::types::FromSql>(&self, sql: &str) -> Result<T, Error> {
        self.cached(sql).and_then(|mut s| s.query_row([], |row| row.get(0))).map_err(|e| self.error(&e))
    }

    fn cached(&self, sql: &str) -> rusqlite::Result<rusqlite::CachedStatement<'_>> {
        self.connection.prepare_cached(sql)
    }

    fn error(&self, error: &rusqlite::Error) -> Error {
        trouble::store_error(error, &self.shown)
    }
}
