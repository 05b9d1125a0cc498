//! The store kit: what must hold of a file whatever happens to it.

mod common;

use std::sync::Arc;

use common::Bench;
use ruv_swarm::store::{Durability, Location, Store};
use ruv_swarm::{Call, Code, Host, Options};
use serde_json::{json, Value};

fn made(bench: &Bench) -> Host {
    let host = Host::open(Options::file(bench.path("swarm.db")).or_create()).unwrap();
    host.call("swarm_init", r#"{"swarmId":"s-test","seed":7}"#, "").unwrap();
    host
}

fn again(bench: &Bench) -> Host {
    Host::open(Options::file(bench.path("swarm.db"))).unwrap()
}

fn submit(name: &str) -> Call {
    Call::new("task_submit", json!({ "tasks": [{ "name": name }] }).to_string())
}

fn hash(host: &Host) -> [u8; 32] {
    host.with_swarm(|swarm| swarm.state_hash()).unwrap()
}

fn sql(bench: &Bench, text: &str) {
    rusqlite::Connection::open(bench.path("swarm.db")).unwrap().execute_batch(text).unwrap();
}

#[test]
fn what_was_answered_is_there_after_reopening() {
    let bench = Bench::new();
    let host = made(&bench);
    host.call("agent_spawn", r#"{"type":"coder","count":3}"#, "").unwrap();
    let (version, state) = (host.version().unwrap(), hash(&host));
    drop(host);
    let host = again(&bench);
    assert_eq!((host.version().unwrap(), hash(&host)), (version, state));
    let events = host.events(0, 10).unwrap();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(host.replay(true).unwrap().problem.is_none());
}

#[test]
fn two_handles_see_each_other() {
    let bench = Bench::new();
    let (one, two) = (made(&bench), again(&bench));
    for round in 0..20 {
        one.call_many(vec![submit(&format!("one{round}"))]).remove(0).unwrap();
        two.call_many(vec![submit(&format!("two{round}"))]).remove(0).unwrap();
        assert_eq!(one.version().unwrap(), 1 + 2 * (round + 1));
    }
    assert_eq!(hash(&one), hash(&two));
    // a query of one sees at once what the other has committed
    two.call("agent_spawn", r#"{"type":"coder"}"#, "").unwrap();
    let agents: Value = serde_json::from_str(&one.query("agent_list", "{}").unwrap()).unwrap();
    assert_eq!(agents["agents"].as_array().unwrap().len(), 1);
    assert!(two.replay(true).unwrap().problem.is_none());
}

#[test]
fn hosts_that_make_one_file_at_once_all_open_it() {
    for round in 0..40 {
        let bench = Bench::new();
        let start = std::sync::Barrier::new(6);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    start.wait();
                    let options = Options::file(bench.path("swarm.db")).or_create();
                    Host::open(options).unwrap_or_else(|error| panic!("round {round}: {error}"));
                });
            }
        });
    }
}

#[test]
fn threads_and_handles_share_commits_and_lose_nothing() {
    let bench = Bench::new();
    let first = Arc::new(made(&bench));
    let hosts = [first.clone(), Arc::new(again(&bench))];
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let host = hosts[thread % 2].clone();
            scope.spawn(move || {
                for round in 0..25 {
                    let request = json!({ "tasks": [{ "name": format!("{thread}-{round}") }] }).to_string();
                    let answer =
                        host.call("task_submit", &request, &format!("key-{thread}-{round}")).unwrap();
                    assert_eq!(
                        host.call("task_submit", &request, &format!("key-{thread}-{round}")).unwrap(),
                        answer
                    );
                }
            });
        }
    });
    let status: Value = serde_json::from_str(&first.query("swarm_status", "{}").unwrap()).unwrap();
    assert_eq!(status["tasks"]["ready"], 200);
    assert_eq!(hash(&hosts[0]), hash(&hosts[1]));
    assert!(first.replay(true).unwrap().problem.is_none());
}

#[test]
fn one_task_has_one_winner() {
    let bench = Bench::new();
    let host = Arc::new(made(&bench));
    host.call("agent_spawn", r#"{"type":"coder","count":8}"#, "").unwrap();
    for _ in 0..40 {
        host.call_many(vec![submit("t")]).remove(0).unwrap();
    }
    let claimed = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for agent in 1..=8 {
            let (bench, claimed) = (&bench, &claimed);
            scope.spawn(move || {
                let host = again(bench);
                let request = json!({ "agentId": format!("a{agent}") }).to_string();
                loop {
                    let answer: Value = serde_json::from_str(&host.call("task_claim", &request, "").unwrap()).unwrap();
                    let Some(task) = answer.get("task").and_then(|task| task["id"].as_str()) else { break };
                    claimed.lock().unwrap().push(task.to_string());
                    let report = json!({
                        "taskId": task, "agentId": format!("a{agent}"), "epoch": answer["task"]["lease"]["epoch"],
                        "outcome": "completed",
                    });
                    host.call("task_report", &report.to_string(), "").unwrap();
                }
            });
        }
    });
    let mut claimed = claimed.into_inner().unwrap();
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), 40);
    assert_eq!(host.events(0, 1000).unwrap().iter().filter(|e| e.body.contains("TaskClaimed")).count(), 40);
}

#[test]
fn a_unit_of_calls_happens_whole_or_not_at_all() {
    let bench = Bench::new();
    let host = made(&bench);
    let content = ruv_swarm::Content::new(b"bytes".to_vec());
    let name = content.hash().to_string();
    let refused = host.call_all(vec![
        Call::artifact(content.clone(), "b", "text/plain"),
        Call::new("task_cancel", r#"{"taskId":"t99"}"#),
    ]);
    assert_eq!(refused.unwrap_err().code, Code::NotFound);
    assert_eq!(host.version().unwrap(), 1);
    assert_eq!(host.get_artifact(&name).unwrap_err().code, Code::NotFound);
    // in one group with others, the refusal is its own
    let answers =
        host.call_many(vec![submit("a"), Call::new("task_cancel", r#"{"taskId":"t99"}"#), submit("b")]);
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    host.put_artifact(b"bytes".to_vec(), "b", "text/plain").unwrap();
    assert_eq!(host.get_artifact(&name).unwrap(), b"bytes");
    let answer = host.call("artifact_put", r#"{"content":"TWFu","name":"m"}"#, "").unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(host.get_artifact(answer["artifact"]["hash"].as_str().unwrap()).unwrap(), b"Man");
    let missing = json!({ "hash": "0".repeat(64), "size": 3 }).to_string();
    assert_eq!(host.call("artifact_put", &missing, "").unwrap_err().field, "content");
    assert!(host.replay(true).unwrap().problem.is_none());
}

#[test]
fn foreign_newer_and_damaged_files_are_refused_and_left_alone() {
    let open = |bench: &Bench, create: bool| {
        let options = Options::file(bench.path("swarm.db"));
        Host::open(if create { options.or_create() } else { options }).unwrap_err()
    };
    let bench = Bench::new();
    for (content, code) in [
        (&b"this is no database"[..], Code::StoreUnavailable),
        (&[0u8; 5000][..], Code::StoreUnavailable),
        (&b"SQLite format 3\0 but not really"[..], Code::StoreUnavailable),
    ] {
        bench.write("swarm.db", content);
        for create in [false, true] {
            assert_eq!(open(&bench, create).code, code, "{content:?}");
        }
        assert_eq!(std::fs::read(bench.path("swarm.db")).unwrap(), content);
    }
    // somebody else's database
    let bench = Bench::new();
    sql(&bench, "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine');");
    let before = std::fs::read(bench.path("swarm.db")).unwrap();
    assert!(open(&bench, true).message.contains("is not a ruv-swarm database"));
    assert_eq!(std::fs::read(bench.path("swarm.db")).unwrap(), before);
    // a newer release's
    let bench = Bench::new();
    drop(made(&bench));
    sql(&bench, "PRAGMA user_version = 999");
    let before = std::fs::read(bench.path("swarm.db")).unwrap();
    assert_eq!(open(&bench, true).code, Code::UnsupportedVersion);
    assert!(bench.fails(&["status"], 3).contains("999"));
    assert_eq!(std::fs::read(bench.path("swarm.db")).unwrap(), before);
    assert_eq!(std::fs::read_dir(bench.folder()).unwrap().count(), 1);
}

#[test]
fn the_chain_finds_an_edit_and_a_cut() {
    let edit = |text: &str| {
        let bench = Bench::new();
        let host = made(&bench);
        host.call("agent_spawn", r#"{"type":"coder","count":5}"#, "").unwrap();
        drop(host);
        sql(&bench, text);
        bench.fails(&["replay", "--verify"], 3)
    };
    assert!(edit("UPDATE event SET body = replace(body, 'coder', 'boder') WHERE seq = 3").contains("event 3"));
    assert!(edit("UPDATE event SET chain = zeroblob(32) WHERE seq = 4").contains("event 4"));
    assert!(edit("DELETE FROM event WHERE seq = 6").contains("damaged"));
    assert!(edit("DELETE FROM event WHERE seq = 2").contains("event 3"));
    assert!(edit("UPDATE agent SET state = 'gone' WHERE id = 'a2'").contains("row a2 of table agent"));
    assert!(edit("DELETE FROM agent WHERE id = 'a2'").contains("table agent has 4 rows"));
}

#[test]
fn a_long_tail_is_replayed_once_and_snapshots_may_be_lost() {
    let bench = Bench::new();
    let host = made(&bench);
    for _ in 0..3 {
        let tasks: Vec<Value> = (0..1000).map(|i| json!({ "name": format!("t{i}") })).collect();
        host.call("task_submit", &json!({ "tasks": tasks }).to_string(), "").unwrap();
    }
    let state = hash(&host);
    drop(host);
    drop(again(&bench));
    let count = || -> i64 {
        let connection = rusqlite::Connection::open(bench.path("swarm.db")).unwrap();
        connection.query_row("SELECT count(*) FROM snapshot WHERE seq = 3001", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(), 1);
    let host = again(&bench);
    assert_eq!(hash(&host), state);
    assert!(host.replay(true).unwrap().problem.is_none());
    drop(host);
    sql(&bench, "UPDATE snapshot SET body = replace(body, 't17', 't18')");
    assert_eq!(hash(&again(&bench)), state);
    sql(&bench, "DELETE FROM snapshot");
    assert_eq!(hash(&again(&bench)), state);
}

#[test]
fn a_file_put_back_to_an_older_copy_is_noticed() {
    let bench = Bench::new();
    let host = made(&bench);
    host.call("agent_spawn", r#"{"type":"coder"}"#, "").unwrap();
    sql(
        &bench,
        "DELETE FROM event WHERE seq = 2; DELETE FROM agent;
                 UPDATE swarm SET version = 1, chain = (SELECT chain FROM event WHERE seq = 1)",
    );
    assert_eq!(host.version().unwrap(), 1);
    host.call("agent_spawn", r#"{"type":"tester"}"#, "").unwrap();
    assert!(host.replay(true).unwrap().problem.is_none());
}

#[test]
fn a_host_adds_what_only_it_has() {
    // id and seed are drawn, with a key from the key: a repeated call gets the recorded answer
    let host = Host::open(Options::memory()).unwrap();
    let made = host.call("swarm_init", "{}", "k1").unwrap();
    assert_eq!(host.call("swarm_init", "{}", "k1").unwrap(), made);
    let made: Value = serde_json::from_str(&made).unwrap();
    let digest = ruv_swarm::core::hash::hex(&ruv_swarm::core::hash::sha256(&[b"k1"]));
    assert_eq!(made["swarmId"], format!("s-{}", &digest[..8]));
    let joined: Value = serde_json::from_str(&host.call("swarm_init", "{}", "k2").unwrap()).unwrap();
    assert_eq!((&joined["created"], &joined["seed"]), (&json!(false), &made["seed"]));
    assert_eq!(host.call("swarm_init", "no json", "").unwrap_err().code, Code::InvalidArgument);

    // the summary of a dataset that is named by its hash
    let answer =
        host.put_artifact(ruv_swarm::core::neural::sample().to_vec(), "iris.csv", "text/csv").unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let request = json!({ "task": "train", "dataset": { "hash": answer["artifact"]["hash"] } }).to_string();
    let planned: Value = serde_json::from_str(&host.call("task_orchestrate", &request, "").unwrap()).unwrap();
    assert_eq!(planned["goalId"], "g1");
    let unknown = json!({ "task": "train", "dataset": { "hash": "0".repeat(64) } }).to_string();
    assert_eq!(host.call("task_orchestrate", &unknown, "").unwrap_err().code, Code::NotFound);
}

#[test]
fn memory_works_like_a_file() {
    let host = Host::open(Options::memory()).unwrap();
    host.call("swarm_init", r#"{"swarmId":"s-m","seed":1}"#, "").unwrap();
    host.call("agent_spawn", r#"{"type":"coder"}"#, "").unwrap();
    assert!(host.replay(true).unwrap().problem.is_none());
    assert_eq!(Durability::parse("full").unwrap(), Durability::Full);
    assert!(Durability::parse("half").unwrap_err().message.contains("full, normal, memory"));
    assert!(Store::open(&Location::Memory, Durability::Memory, false).is_err());
}

#[test]
fn a_writer_killed_again_and_again_loses_no_answer() {
    let bench = Bench::with_swarm();
    for cycle in 0..6u64 {
        let mut child = bench.start(&["orchestrate", "train", "--agents", "convergent"]);
        std::thread::sleep(std::time::Duration::from_millis(2 + cycle * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        let agents = bench.json(&["spawn", "coder"])["agents"].clone();
        let id = agents[0]["id"].as_str().unwrap().to_string();
        assert_eq!(bench.json(&["query", "--agent", &id])["type"], "coder");
        assert_eq!(bench.json(&["replay", "--verify"])["ok"], true);
    }
}
