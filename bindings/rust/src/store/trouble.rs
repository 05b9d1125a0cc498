//! What SQLite reports, in the words of the core.

use rusqlite::ffi::ErrorCode;
use ruv_swarm_core::error::{host_error, Error, HostTrouble};

/// How long a transaction waits for other processes before it gives up, in ms.
pub(super) const PATIENCE_MS: u64 = 10_000;

/// `SQLITE_IOERR_SHMSIZE`: the shared-memory index could not grow, which a full disk causes.
const IOERR_SHMSIZE: i32 = 4874;

/// The kind of trouble that an SQLite error means.
pub(super) fn kind(error: &rusqlite::Error) -> HostTrouble {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return HostTrouble::DamagedDatabase;
    };
    if failure.extended_code == IOERR_SHMSIZE {
        return HostTrouble::DiskFull;
    }
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            HostTrouble::Busy
        }
        ErrorCode::NotADatabase => HostTrouble::NotADatabase,
        ErrorCode::DatabaseCorrupt => HostTrouble::DamagedDatabase,
        ErrorCode::DiskFull => HostTrouble::DiskFull,
        // the file itself was looked at before; what cannot be opened now is the log beside it
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => HostTrouble::ReadOnly,
        _ => HostTrouble::StoreFailed,
    }
}

/// The error of the project for an SQLite error on the database that people call `path`.
pub(super) fn store_error(error: &rusqlite::Error, path: &str) -> Error {
    let kind = kind(error);
    let detail = match kind {
        HostTrouble::Busy => PATIENCE_MS.to_string(),
        _ => detail(error),
    };
    host_error(kind, "db", path, &detail)
}

/// SQLite's own words, one line, lower case as all our messages are.
pub(super) fn detail(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(failure, text) => {
            let text = text.clone().unwrap_or_else(|| failure.to_string());
            format!("{} (sqlite code {})", text.to_lowercase(), failure.extended_code)
        }
        other => other.to_string().to_lowercase(),
    }
}
