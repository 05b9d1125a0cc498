//! Opening a database file, or making one.

use std::cell::Cell;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use ruv_swarm_core::error::{host_error, Error, HostTrouble};
use ruv_swarm_core::{APPLICATION_ID, SCHEMA_SQL, SCHEMA_VERSION};

use super::{trouble, Durability, Location, Store};
use crate::files::io_words;

pub(super) fn open(location: &Location, durability: Durability, create: bool) -> Result<Store, Error> {
    let shown = location.shown();
    check_engine(&shown)?;
    let connection = match location {
        Location::Memory => Connection::open_in_memory(),
        Location::File(path) => {
            let there = look_at(path, &shown, create)?;
            if there {
                look_inside(path, &shown)?;
            }
            let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            flags.set(OpenFlags::SQLITE_OPEN_CREATE, !there);
            Connection::open_with_flags(path, flags)
        }
    };
    let fail = |error: rusqlite::Error| trouble::store_error(&error, &shown);
    let mut connection = connection.map_err(fail)?;
    connection.busy_handler(Some(wait_a_little)).map_err(fail)?;
    let store = Store { connection, shown, log_is_left: Cell::new(false) };
    prepare(&store, location, durability, create)?;
    Ok(store)
}

/// SQLite before 3.51.3 may lose data of a write-ahead log with several connections; a build that
/// was linked to the system's library must not go on with such a one.
fn check_engine(shown: &str) -> Result<(), Error> {
    if rusqlite::version_number() >= 3_051_003 {
        return Ok(());
    }
    let detail = format!("sqlite {} may lose data; at least 3.51.3 is needed", rusqlite::version());
    Err(host_error(HostTrouble::StoreFailed, "db", shown, &detail))
}

/// Looks at the path without opening it: closing a plain file handle would drop the locks that
/// other connections of this process hold on the same file. True if a file is there.
fn look_at(path: &Path, shown: &str, create: bool) -> Result<bool, Error> {
    let fail = |kind, detail: &str| Err(host_error(kind, "db", shown, detail));
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == ErrorKind::NotFound && !create => {
            return fail(HostTrouble::NoDatabase, "")
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            return match folder.is_dir() {
                true => Ok(false),
                false => fail(HostTrouble::FileUnwritable, "its folder does not exist"),
            };
        }
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            return fail(HostTrouble::FileUnwritable, "a part of its path is a file");
        }
        Err(error) => return fail(HostTrouble::FileUnreadable, &io_words(&error)),
    };
    if meta.is_dir() {
        return fail(HostTrouble::FileIsFolder, "");
    }
    if !meta.is_file() {
        return fail(HostTrouble::NotADatabase, "");
    }
    if meta.len() == 0 && !create {
        return fail(HostTrouble::NoDatabase, "");
    }
    Ok(true)
}

/// Whose file it is and how new, read without a lock and without the files that SQLite puts beside a
/// database in use: a file that is refused is left as it was, and its folder too.
fn look_inside(path: &Path, shown: &str) -> Result<(), Error> {
    let Some(uri) = immutable_uri(path) else { return Ok(()) };
    if beside(path, "-wal").exists() || beside(path, "-journal").exists() {
        // in use, or left by a crash: the first page may be in the log, or half written and to be
        // put right by the journal, and SQLite has to be asked
        return Ok(());
    }
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let read = Connection::open_with_flags(uri, flags).and_then(|connection| {
        let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        // one transaction: another process may be making the tables just now
        connection.execute_batch("BEGIN")?;
        Ok((
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_schema")?,
        ))
    });
    match read {
        Ok((0, _, 0)) => Ok(()),
        Ok((application, version, _)) => check_owner(application, version, shown),
        Err(error) if trouble::kind(&error) == HostTrouble::NotADatabase => {
            Err(trouble::store_error(&error, shown))
        }
        // whatever else it is shows again, and with certainty, under a lock
        Err(_) => Ok(()),
    }
}

/// The file that SQLite keeps beside the database under this ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(unix)]
fn immutable_uri(path: &Path) -> Option<String> {
    use std::os::unix::ffi::OsStrExt;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match plain(byte) {
            true => uri.push(char::from(*byte)),
            false => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(uri + "?immutable=1")
}

#[cfg(not(unix))]
fn immutable_uri(_: &Path) -> Option<String> {
    None
}

fn check_owner(application: i64, version: i64, shown: &str) -> Result<(), Error> {
    if application != i64::from(APPLICATION_ID) {
        return Err(host_error(HostTrouble::NotADatabase, "db", shown, ""));
    }
    if version > i64::from(SCHEMA_VERSION) {
        return Err(host_error(HostTrouble::NewerDatabase, "db", shown, &version.to_string()));
    }
    Ok(())
}

fn prepare(store: &Store, location: &Location, durability: Durability, create: bool) -> Result<(), Error> {
    let connection = &store.connection;
    let fail = |error: rusqlite::Error| store.error(&error);
    connection.set_prepared_statement_cache_capacity(64);
    // should the file turn out to be another's, closing must not write to it either
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(fail)?;
    let application: i64 = store.read_one("PRAGMA application_id")?;
    if connection.is_readonly("main").map_err(fail)? {
        return Err(host_error(HostTrouble::ReadOnly, "db", &store.shown, ""));
    }
    if application == 0 {
        create_schema(store, create)?;
    } else {
        check_owner(application, store.read_one("PRAGMA user_version")?, &store.shown)?;
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(fail)?;
    if let Location::File(_) = location {
        let mode = switch_to_wal(store)?;
        if mode != "wal" {
            let detail = format!("write-ahead logging is not to be had here (journal mode {mode})");
            return Err(host_error(HostTrouble::StoreFailed, "db", &store.shown, &detail));
        }
    }
    connection
        .execute_batch(&format!("PRAGMA synchronous={}; PRAGMA foreign_keys=OFF;", durability.pragma()))
        .map_err(fail)?;
    if let (Location::File(path), Durability::Full) = (location, durability) {
        store.log_is_left.set(log_is_left(path));
    }
    Ok(())
}

/// Whether there is a log beside the database from before this connection.
fn log_is_left(path: &Path) -> bool {
    // SQLite keeps it beside the file itself, not beside a link to it
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    fs::metadata(beside(&path, "-wal")).is_ok_and(|meta| meta.len() > 0)
}

/// SQLite does not call the busy handler for this switch, so the retry is ours.
fn switch_to_wal(store: &Store) -> Result<String, Error> {
    let mut tries = 0;
    loop {
        match store.connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0)) {
            Err(error) if trouble::kind(&error) == HostTrouble::Busy && wait_a_little(tries) => tries += 1,
            result => return result.map_err(|error| store.error(&error)),
        }
    }
}

/// Makes the tables in one transaction, before the switch to WAL: so the mark of ownership is in the
/// file itself from its first moment. Several processes may come here at once.
fn create_schema(store: &Store, create: bool) -> Result<(), Error> {
    let fail = |error: rusqlite::Error| store.error(&error);
    let tables: i64 = store.read_one("SELECT count(*) FROM sqlite_schema")?;
    if tables > 0 {
        // another process may have made them since we looked
        let application: i64 = store.read_one("PRAGMA application_id")?;
        return check_owner(application, store.read_one("PRAGMA user_version")?, &store.shown);
    }
    if !create {
        return Err(host_error(HostTrouble::NoDatabase, "db", &store.shown, ""));
    }
    store.begin()?;
    let made = (|| {
        let application: i64 = store.read_one("PRAGMA application_id")?;
        if application != 0 {
            return check_owner(application, store.read_one("PRAGMA user_version")?, &store.shown);
        }
        store.connection.execute_batch(SCHEMA_SQL).map_err(fail)
    })();
    if let Err(error) = made {
        store.rollback();
        return Err(error);
    }
    store.connection.execute_batch("COMMIT").map_err(|error| {
        store.rollback();
        store.error(&error)
    })
}

thread_local! {
    static WAITING_SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Called by SQLite while another process holds the lock. Short waits with jitter: processes that
/// wait in step would find the lock taken in step.
fn wait_a_little(tries: i32) -> bool {
    let now = Instant::now();
    if tries == 0 {
        WAITING_SINCE.set(Some(now));
    }
    let waited = now.duration_since(WAITING_SINCE.get().unwrap_or(now));
    if waited.as_millis() as u64 > trouble::PATIENCE_MS {
        return false;
    }
    // 0.1 to 1.1 ms: about the time of one commit
    std::thread::sleep(Duration::from_micros(100 + crate::random::draw() % 1000));
    true
}
