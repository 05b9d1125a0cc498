//! The tool surface: names of the operations, their kinds, and the error for a name that is none.

use alloc::format;
use alloc::string::String;

use crate::error::{Code, Error};

/// The catalogue: name and kind of every operation, in the order of the proto service.
pub const OPERATIONS: &[(&str, &str)] = &[
    ("swarm_init", "command"),
    ("agent_spawn", "command"),
    ("agent_list", "query"),
    ("agent_heartbeat", "command"),
    ("agent_retire", "command"),
    ("agent_metrics", "query"),
    ("task_submit", "command"),
    ("task_update", "command"),
    ("task_orchestrate", "command"),
    ("task_claim", "command"),
    ("task_heartbeat", "command"),
    ("task_report", "command"),
    ("task_cancel", "command"),
    ("task_status", "query"),
    ("task_list", "query"),
    ("task_explain", "query"),
    ("task_results", "query"),
    ("swarm_pause", "command"),
    ("swarm_resume", "command"),
    ("swarm_status", "query"),
    ("swarm_query", "query"),
    ("swarm_monitor", "query"),
    ("artifact_put", "command"),
    ("artifact_get", "query"),
    ("tick", "command"),
];

/// `command` or `query`, or `None` if there is no such operation.
pub fn operation_kind(operation: &str) -> Option<&'static str> {
    OPERATIONS.iter().find(|(name, _)| *name == operation).map(|(_, kind)| *kind)
}

/// The error for an operation that is none, or no query where one is needed.
pub fn unknown(operation: &str) -> Error {
    if operation_kind(operation).is_some() {
        let message = format!("operation: {operation:?} is a command; use call, not query");
        return Error::invalid("operation", message);
    }
    let names: alloc::vec::Vec<&str> = OPERATIONS.iter().map(|(name, _)| *name).collect();
    let message: String = format!("operation: unknown value {operation:?}; allowed: {}", names.join(", "));
    Error::new(Code::UnknownOperation, "operation", message)
}
