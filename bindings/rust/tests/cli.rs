//! Transcripts of the command line: texts, JSON, exit codes.

mod common;

use common::{Bench, Ran};
use serde_json::{json, Value};

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn init_makes_joins_and_refuses() {
    let bench = Bench::new();
    let made = bench.json(&[
        "init",
        "--topology",
        "ring",
        "--persistence",
        "sqlite",
        "--db",
        "./s.db",
        "--seed",
        "9",
    ]);
    assert_eq!(keys(&made), ["db", "seed", "swarmId", "topology"]);
    assert_eq!(
        (&made["topology"], &made["db"], &made["seed"]),
        (&json!("ring"), &json!("./s.db"), &json!(9))
    );
    assert_eq!(bench.json(&["init", "--db", "./s.db"]), made);
    assert!(bench.fails(&["init", "--db", "./s.db", "--seed", "8"], 2).starts_with("seed:"));
    let ran = bench.run(&["init", "--db", "./s.db", "--topology", "mesh", "--json"]);
    let error: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, ran.err.as_str(), &error["error"]["code"]), (2, "", &json!("conflict")));
    assert!(bench.fails(&["init", "--persistence", "postgres"], 2).contains("allowed: sqlite"));
}

#[test]
fn a_refused_init_leaves_no_file() {
    let bench = Bench::new();
    bench.fails(&["init", "--topology", "blob"], 2);
    bench.fails(&["init", "--max-agents", "0"], 2);
    assert_eq!(std::fs::read_dir(bench.folder()).unwrap().count(), 0);
    assert!(bench.fails(&["init", "--db", "no/such/folder/s.db"], 2).contains("folder does not exist"));
    bench.write("plain", "x");
    assert!(bench.fails(&["init", "--db", "plain/s.db"], 2).contains("a part of its path is a file"));
}

#[test]
fn the_program_tells_its_version_and_use() {
    let bench = Bench::new();
    assert_eq!(bench.ok(&["--version"]), format!("ruv-swarm {}\n", ruv_swarm::version()));
    assert!(bench.ok(&["--help"]).contains("orchestrate"));
    assert!(bench.ok(&["orchestrate", "--help"]).contains("--strategy"));
    assert!(bench.fails(&["frobnicate"], 2).contains("frobnicate"));
    assert!(bench.fails(&["status", "--nope"], 2).contains("--nope"));
    assert!(bench.fails(&[], 2).contains("no command"));
    assert!(bench.fails(&["mcp", "start"], 2).contains("npx @ruv/swarm mcp start"));
    assert_eq!(keys(&bench.json(&["doctor"])), ["core", "cpuFeatures", "durability", "sqlite", "version"]);
}

#[test]
fn commands_without_a_swarm_say_how_to_make_one() {
    let bench = Bench::new();
    for command in
        [&["status"][..], &["log"], &["spawn", "neural"], &["replay"], &["orchestrate"], &["monitor"]]
    {
        assert!(bench.fails(command, 2).contains("ruv-swarm init --db ./swarm.db"), "{command:?}");
    }
    assert_eq!(std::fs::read_dir(bench.folder()).unwrap().count(), 0);
}

#[test]
fn the_database_is_found_upwards_or_named() {
    let bench = Bench::with_swarm();
    let below = bench.path("a/b");
    std::fs::create_dir_all(&below).unwrap();
    let output = bench.command(&["status", "--json"]).current_dir(&below).output().unwrap();
    assert_eq!(Ran::from(output).code, 0);
    let named = bench.command(&["status"]).env("RUV_SWARM_DB", "other.db").output().unwrap();
    assert!(Ran::from(named).err.contains("other.db"));
}

#[test]
fn spawn_status_query_and_log() {
    let bench = Bench::with_swarm();
    let spawned = bench.json(&["spawn", "neural", "--capabilities", "rprop, batch", "--pattern", "lateral"]);
    assert_eq!(
        spawned,
        json!({"agents": [{"id": "a1", "type": "neural", "pattern": "lateral", "capabilities": ["rprop", "batch"]}]})
    );
    assert_eq!(bench.json(&["spawn", "coder", "--parallel", "3"])["agents"].as_array().unwrap().len(), 3);
    let status = bench.json(&["status"]);
    assert_eq!(keys(&status), ["agents", "stateHash", "swarmId", "tasks", "topology", "version"]);
    assert_eq!((&status["agents"], &status["version"]), (&json!(4), &json!(5)));
    assert_eq!(bench.json(&["query", "--agent", "a1"])["pattern"], "lateral");
    assert!(bench.fails(&["query", "--agent", "a9"], 2).contains("a9"));
    assert!(bench.fails(&["query"], 2).contains("give"));
    assert!(bench.fails(&["spawn", "neural", "--pattern", "sideways"], 2).contains("allowed: convergent"));
    assert!(bench.fails(&["spawn", "neural", "--capabilities", "magic"], 2).contains("cascade-correlation"));

    let log = bench.ok(&["log", "--json"]);
    assert_eq!(log.lines().count(), 5);
    assert_eq!(
        bench.ok(&["query", "--events", "2", "--limit", "2", "--json"]),
        log.lines().skip(1).take(2).map(|l| format!("{l}\n")).collect::<String>()
    );
    assert_eq!(bench.ok(&["log", "--from", "5", "--json"]), format!("{}\n", log.lines().last().unwrap()));
    check_chain(&bench, &log);
    let replay = bench.json(&["replay", "--verify"]);
    assert_eq!(keys(&replay), ["chain", "events", "ok", "stateHash"]);
    assert_eq!((&replay["ok"], &replay["stateHash"]), (&json!(true), &status["stateHash"]));
    assert!(bench.ok(&["monitor", "--duration", "0", "--after", "0", "--json"]).starts_with(&log));
}

/// h(n) = SHA-256(h(n-1), the line's bytes).
fn check_chain(bench: &Bench, log: &str) {
    use ruv_swarm::core::hash::{hex, sha256};
    let mut hash = [0; 32];
    let chained = bench.ok(&["log", "--json", "--chain"]);
    for (line, chained) in log.lines().zip(chained.lines()) {
        hash = sha256(&[&hash, line.as_bytes()]);
        assert_eq!(chained, format!("{}\t{line}", hex(&hash)));
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let bench = Bench::with_swarm();
    bench.ok(&["spawn", "coder", "--parallel", "90"]);
    for _ in 0..5 {
        let mut child = bench.start(&["log", "--json"]);
        drop(child.stdout.take());
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    }
}

#[test]
fn monitor_shows_what_comes_and_ends_in_time() {
    let bench = Bench::with_swarm();
    let child = bench.start(&["monitor", "--duration", "1", "--interval", "0.05", "--json"]);
    std::thread::sleep(std::time::Duration::from_millis(300));
    bench.ok(&["spawn", "coder"]);
    let ran = Ran::from(child.wait_with_output().unwrap());
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{ran:?}");
    assert_eq!((&lines[0]["kind"], &lines[1]["agents"]), (&json!("AgentSpawned"), &json!(1)));
    assert!(bench.fails(&["monitor", "--interval", "0"], 2).contains("allowed: 0.05 to 3600"));
}

#[test]
fn a_goal_for_workers_says_who_is_missing() {
    let bench = Bench::with_swarm();
    assert!(bench.ok(&["orchestrate", "Write the docs"]).contains("no worker serves"));
    let planned = bench.json(&["orchestrate", "Write the tests"]);
    assert_eq!((&planned["goalId"], &planned["state"]), (&json!("g2"), &json!("running")));
    assert!(bench.fails(&["orchestrate", "x", "--strategy", "magic"], 2).contains("allowed: balanced"));
}
