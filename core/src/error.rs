//! One list of stable error codes; every door maps it exhaustively.
//!
//! A message is lower case and names the field, the value and what is allowed. Texts of host
//! errors (files, stores) are made here too, so that every door says the same.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $exit:literal, $grpc:literal, $rpc:literal, $class:literal;)*) => {
        /// What went wrong, as a stable word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, in the order of the table in the docs.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The stable word.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
            /// The exit code of the command line: 1 work failed, 2 bad use or input, 3 store trouble, 130 interrupted.
            pub fn exit(self) -> u8 {
                match self { $(Code::$name => $exit,)* }
            }
            /// The gRPC status name.
            pub fn grpc(self) -> &'static str {
                match self { $(Code::$name => $grpc,)* }
            }
            /// The JSON-RPC error code.
            pub fn json_rpc(self) -> i32 {
                match self { $(Code::$name => $rpc,)* }
            }
            /// The class of the Python and TypeScript facades.
            pub fn class(self) -> &'static str {
                match self { $(Code::$name => $class,)* }
            }
            /// The code that `text` names.
            pub fn parse(text: &str) -> Option<Code> {
                Code::ALL.iter().copied().find(|code| code.as_str() == text)
            }
        }
    };
}

codes! {
    /// A request field has a value that is not allowed.
    InvalidArgument = "invalid_argument", 2, "INVALID_ARGUMENT", -32602, "InvalidArgumentError";
    /// Training or prediction data cannot be used.
    InvalidData = "invalid_data", 2, "INVALID_ARGUMENT", -32010, "InvalidDataError";
    /// No operation of this name.
    UnknownOperation = "unknown_operation", 2, "UNIMPLEMENTED", -32601, "UnknownOperationError";
    /// No agent, task, goal, model, artifact or file of this name.
    NotFound = "not_found", 2, "NOT_FOUND", -32011, "NotFoundError";
    /// What was given contradicts what is there.
    Conflict = "conflict", 2, "ALREADY_EXISTS", -32012, "ConflictError";
    /// The state does not allow it now.
    FailedPrecondition = "failed_precondition", 2, "FAILED_PRECONDITION", -32013, "FailedPreconditionError";
    /// The lease has passed to another epoch.
    StaleEpoch = "stale_epoch", 2, "ABORTED", -32014, "StaleEpochError";
    /// A stated limit is reached.
    LimitExceeded = "limit_exceeded", 2, "RESOURCE_EXHAUSTED", -32015, "LimitExceededError";
    /// The part of the log that was asked for is in the archive.
    Compacted = "compacted", 2, "OUT_OF_RANGE", -32016, "CompactedError";
    /// Work was done and did not succeed.
    WorkFailed = "work_failed", 1, "INTERNAL", -32017, "WorkFailedError";
    /// Work was cancelled.
    Cancelled = "cancelled", 1, "CANCELLED", -32018, "CancelledError";
    /// The user interrupted it.
    Interrupted = "interrupted", 130, "CANCELLED", -32019, "InterruptedError";
    /// The store cannot be opened, read or written.
    StoreUnavailable = "store_unavailable", 3, "UNAVAILABLE", -32020, "StoreUnavailableError";
    /// Bytes in the store are not what was written.
    Corrupt = "corrupt", 3, "DATA_LOSS", -32021, "CorruptError";
    /// The file was written by a newer release.
    UnsupportedVersion = "unsupported_version", 3, "FAILED_PRECONDITION", -32022, "UnsupportedVersionError";
    /// A commit failed and may have happened: repeat it with its idempotency key.
    OutcomeUnknown = "outcome_unknown", 3, "UNKNOWN", -32023, "OutcomeUnknownError";
    /// A defect of ruv-swarm itself.
    Internal = "internal", 1, "INTERNAL", -32603, "InternalError";
}

/// An error: code, message and, where one is to blame, the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The stable code.
    pub code: Code,
    /// Lower-case text: the field, the value, what is allowed.
    pub message: String,
    /// The request field in camelCase, or empty.
    pub field: String,
}

impl Error {
    /// An error with code, field (may be empty) and message.
    pub fn new(code: Code, field: &str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: field.to_string() }
    }

    /// `invalid_argument` for `field`.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, field, message)
    }

    /// `invalid_data` for `field`.
    pub fn data(field: &str, message: impl Into<String>) -> Self {
        Self::new(Code::InvalidData, field, message)
    }

    /// `invalid_argument`: `value` is none of `allowed`.
    pub fn not_one_of(field: &str, value: &str, allowed: &[&str]) -> Self {
        Self::invalid(field, format!("{field}: unknown value {value:?}; allowed: {}", allowed.join(", ")))
    }

    /// `not_found`: no `noun` called `id`.
    pub fn unknown_id(field: &str, noun: &str, id: &str) -> Self {
        Self::new(Code::NotFound, field, format!("{field}: no {noun} {id:?}"))
    }

    /// The canonical JSON object: `{"code","message","field"}`, an empty field omitted.
    pub fn to_json(&self) -> String {
        let quote = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let mut json = format!("{{\"code\":\"{}\",\"message\":{}", self.code.as_str(), quote(&self.message));
        if !self.field.is_empty() {
            json.push_str(&format!(",\"field\":{}", quote(&self.field)));
        }
        json.push('}');
        json
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Error {}

/// Trouble that only a host can meet, by kind; see [`host_error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostTrouble {
    /// A file that was named is not there.
    FileMissing,
    /// A path names a folder where a file is needed.
    FileIsFolder,
    /// A file cannot be read; `detail` says why.
    FileUnreadable,
    /// A file cannot be written; `detail` says why.
    FileUnwritable,
    /// There is no swarm database at the path yet.
    NoDatabase,
    /// The file at the path is no swarm database.
    NotADatabase,
    /// The database was written by a newer release; `detail` is its schema version.
    NewerDatabase,
    /// The database is damaged; `detail` says where.
    DamagedDatabase,
    /// The disk is full.
    DiskFull,
    /// The file or its folder may not be written.
    ReadOnly,
    /// Other processes held the database for too long; `detail` is the wait in ms.
    Busy,
    /// Any other error of the store; `detail` says which.
    StoreFailed,
    /// A commit failed and may have happened.
    OutcomeUnknown,
    /// The user pressed Ctrl-C.
    Interrupted,
}

impl HostTrouble {
    /// Every kind with its word at the boundary.
    pub const ALL: &'static [(&'static str, HostTrouble)] = &[
        ("file_missing", HostTrouble::FileMissing),
        ("file_is_folder", HostTrouble::FileIsFolder),
        ("file_unreadable", HostTrouble::FileUnreadable),
        ("file_unwritable", HostTrouble::FileUnwritable),
        ("no_database", HostTrouble::NoDatabase),
        ("not_a_database", HostTrouble::NotADatabase),
        ("newer_database", HostTrouble::NewerDatabase),
        ("damaged_database", HostTrouble::DamagedDatabase),
        ("disk_full", HostTrouble::DiskFull),
        ("read_only", HostTrouble::ReadOnly),
        ("busy", HostTrouble::Busy),
        ("store_failed", HostTrouble::StoreFailed),
        ("outcome_unknown", HostTrouble::OutcomeUnknown),
        ("interrupted", HostTrouble::Interrupted),
    ];

    /// The kind that `word` names.
    pub fn parse(word: &str) -> Option<HostTrouble> {
        HostTrouble::ALL.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind)
    }
}

/// The error for trouble that a host met with `path` given as `field`.
pub fn host_error(kind: HostTrouble, field: &str, path: &str, detail: &str) -> Error {
    use HostTrouble as T;
    let (code, message) = match kind {
        T::FileMissing => (Code::NotFound, format!("{field}: no file {path:?}")),
        T::FileIsFolder => (Code::InvalidArgument, format!("{field}: {path:?} is a folder; give a file")),
        T::FileUnreadable => (Code::InvalidArgument, format!("{field}: cannot read {path:?}: {detail}")),
        T::FileUnwritable => (Code::InvalidArgument, format!("{field}: cannot write {path:?}: {detail}")),
        T::NoDatabase => (
            Code::NotFound,
            format!("{field}: no swarm at {path:?}; create one with: ruv-swarm init --db {path}"),
        ),
        T::NotADatabase => (
            Code::StoreUnavailable,
            format!("{field}: {path:?} is not a ruv-swarm database; name another file"),
        ),
        T::NewerDatabase => (
            Code::UnsupportedVersion,
            format!("{field}: {path:?} has schema version {detail}, newer than this release reads; upgrade ruv-swarm"),
        ),
        T::DamagedDatabase => (
            Code::Corrupt,
            format!("{field}: {path:?} is damaged: {detail}; restore a copy of the file"),
        ),
        T::DiskFull => (
            Code::StoreUnavailable,
            format!("{field}: no space left on the disk of {path:?}; nothing was changed; free space and repeat"),
        ),
        T::ReadOnly => (
            Code::StoreUnavailable,
            format!("{field}: {path:?} or its folder is read-only; nothing was changed; name a file that can be written"),
        ),
        T::Busy => (
            Code::StoreUnavailable,
            format!("{field}: other processes kept {path:?} locked for {detail} ms; nothing was changed; repeat"),
        ),
        T::StoreFailed => (Code::StoreUnavailable, format!("{field}: the store {path:?} failed: {detail}")),
        T::OutcomeUnknown => (
            Code::OutcomeUnknown,
            format!("{field}: the commit to {path:?} failed and may have happened: {detail}; repeat with the same idempotency key"),
        ),
        T::Interrupted => (Code::Interrupted, "interrupted; the running goal was cancelled and all that was committed is kept".to_string()),
    };
    Error::new(code, field, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_parse_back() {
        for (i, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(!Code::ALL[..i].iter().any(|other| other.as_str() == code.as_str()));
            assert!([1, 2, 3, 130].contains(&code.exit()));
        }
        assert_eq!(Code::parse("no such code"), None);
    }

    #[test]
    fn the_json_form_quotes_and_omits_an_empty_field() {
        let error = Error::not_one_of("topology", "me\"sh", &["mesh", "star"]);
        assert_eq!(
            error.to_json(),
            r#"{"code":"invalid_argument","message":"topology: unknown value \"me\\\"sh\"; allowed: mesh, star","field":"topology"}"#
        );
        assert!(!Error::new(Code::Internal, "", "x").to_json().contains("field"));
    }

    #[test]
    fn every_host_trouble_has_a_text() {
        for (word, kind) in HostTrouble::ALL {
            assert_eq!(HostTrouble::parse(word), Some(*kind));
            assert!(!host_error(*kind, "db", "./swarm.db", "x").message.is_empty());
        }
    }
}
