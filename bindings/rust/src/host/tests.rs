//! Faults of the store, as the host meets them.

use ruv_swarm_core::Code;
use serde_json::json;

use super::{Call, Host, Options};
use crate::store::faults::{self, Fault};

fn made(folder: &tempfile::TempDir) -> Host {
    let host = Host::open(Options::file(folder.path().join("swarm.db")).or_create()).unwrap();
    host.call("swarm_init", r#"{"swarmId":"s-f","seed":1}"#, "").unwrap();
    host
}

fn spawn(host: &Host, key: &str) -> Result<String, crate::Error> {
    host.call("agent_spawn", r#"{"type":"coder"}"#, key)
}

#[test]
fn an_unknown_outcome_is_settled_by_the_key() {
    for fault in [Fault::ErrorAfterCommit, Fault::ErrorInsteadOfCommit] {
        let folder = tempfile::tempdir().unwrap();
        let host = made(&folder);
        faults::next(fault);
        let error = spawn(&host, "k").unwrap_err();
        assert_eq!((error.code, error.code.exit()), (Code::OutcomeUnknown, 3), "{fault:?}");
        // whichever it was, the same call with the same key has happened once afterwards
        let answer = spawn(&host, "k").unwrap();
        assert_eq!(spawn(&host, "k").unwrap(), answer);
        assert_eq!(host.version().unwrap(), 3, "{fault:?}");
        assert!(host.replay(true).unwrap().problem.is_none());
    }
}

#[test]
fn all_of_a_group_hear_of_its_failure_and_queries_see_what_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let host = made(&folder);
    faults::next(Fault::ErrorInsteadOfCommit);
    let call = || Call::new("agent_spawn", r#"{"type":"coder"}"#);
    for answer in host.call_many(vec![call(), call(), call()]) {
        assert_eq!(answer.unwrap_err().code, Code::OutcomeUnknown);
    }
    assert_eq!(host.version().unwrap(), 1);
    assert!(host.query("agent_list", "{}").unwrap().contains("\"agents\":[]"));
}

#[test]
fn a_full_disk_changes_nothing_and_heals_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let host = made(&folder);
    spawn(&host, "").unwrap();
    let before = host.with_swarm(|swarm| swarm.state_hash()).unwrap();
    host.lock().parts().unwrap().0.limit_pages(1);
    let many = json!({ "tasks": (0..1000).map(|i| json!({ "name": format!("t{i}") })).collect::<Vec<_>>() });
    let error = host.call("task_submit", &many.to_string(), "").unwrap_err();
    assert_eq!(error.code, Code::StoreUnavailable);
    assert!(error.message.contains("no space left"), "{error}");
    assert_eq!(host.with_swarm(|swarm| swarm.state_hash()).unwrap(), before);
    host.call("task_submit", &many.to_string(), "").unwrap();
    assert!(host.replay(true).unwrap().problem.is_none());
}

#[test]
fn a_locked_file_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let host = made(&folder);
    let other = rusqlite::Connection::open(folder.path().join("swarm.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| spawn(&host, ""));
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(!waiting.is_finished());
        other.execute_batch("COMMIT").unwrap();
        waiting.join().unwrap().unwrap();
    });
}
