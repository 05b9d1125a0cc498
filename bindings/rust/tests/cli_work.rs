//! `work` and its neighbours on the command line: submit, claim, report, call.
#![cfg(unix)] // the programs of these tests are shell lines

mod common;

use std::process::{Child, Command};
use std::time::Duration;

use common::{Bench, Ran};
use serde_json::{json, Value};

fn task(bench: &Bench, id: &str) -> Value {
    bench.json(&["query", "--task", id])
}

/// The lines of a run under --json that must succeed.
fn lines(bench: &Bench, args: &[&str]) -> Vec<Value> {
    let out = bench.ok(&[args, &["--json"]].concat());
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_program_does_the_tasks_and_its_output_is_the_result() {
    let bench = Bench::with_swarm();
    bench.ok(&["submit", "first", "--payload", "hello world", "--priority", "high"]);
    bench.ok(&["submit", "second", "--depends-on", "t1"]);
    let worker =
        r#"sh -c 'read line; echo "$RUV_SWARM_TASK $RUV_SWARM_AGENT $RUV_SWARM_EPOCH"; echo "$line"'"#;
    let ran = lines(&bench, &["work", "--exec", worker, "--until-idle"]);
    assert_eq!(
        ran,
        [
            json!({"taskId": "t1", "agentId": "a1", "epoch": 1, "outcome": "completed", "state": "completed"}),
            json!({"taskId": "t2", "agentId": "a1", "epoch": 1, "outcome": "completed", "state": "completed"}),
            json!({"agentId": "a1", "completed": 2, "failed": 0, "released": 0, "cancelled": 0}),
        ]
    );
    let output = task(&bench, "t1")["output"].as_str().unwrap().to_string();
    let (first, second) = output.split_once('\n').unwrap();
    assert_eq!(first, "t1 a1 1");
    let given: Value = serde_json::from_str(second.strip_suffix('\n').unwrap()).unwrap();
    assert_eq!((&given["payload"], &given["lease"]["epoch"]), (&json!("hello world"), &json!(1)));
    let said = bench.ok(&["work", "--exec", "true", "--agent", "a1", "--until-idle"]);
    assert_eq!(said, "a1 works\na1: 0 completed, 0 failed, 0 given back, 0 cancelled\n");
}

#[test]
fn exit_codes_signals_and_limits_are_codes_of_failure() {
    let bench = Bench::with_swarm();
    let program = r#"sh -c 'case "$(cat)" in *quiet*) exit 3;; *loud*) echo one >&2; echo two >&2; exit 4;; *shot*) kill -9 $$;; *slow*) sleep 60;; *big*) yes;; *bytes*) printf "\377\000x";; esac'"#;
    for name in ["quiet", "loud", "shot", "slow", "big", "bytes"] {
        bench.ok(&["submit", name, "--max-retries", "0"]);
    }
    bench.ok(&[
        "work",
        "--exec",
        program,
        "--until-idle",
        "--time-limit",
        "0.5",
        "--output-limit",
        "2000000",
    ]);
    let error = |id: &str| task(&bench, id)["error"].clone();
    assert_eq!(error("t1"), json!({"code": "exit_3", "message": "the program ended with exit code 3"}));
    assert_eq!(error("t2"), json!({"code": "exit_4", "message": "one\ntwo"}));
    assert_eq!(error("t3")["code"], "signal_9");
    assert_eq!(error("t4")["code"], "time_limit");
    assert_eq!(error("t5")["code"], "output_limit");
    let bytes = task(&bench, "t6");
    let got = bench.json(&["call", "artifact_get", &json!({"hash": bytes["artifact"]}).to_string()]);
    assert_eq!((&bytes["state"], &got["content"]), (&json!("completed"), &json!("/wB4")));
}

#[test]
fn a_program_that_is_not_there_loses_nothing() {
    let bench = Bench::with_swarm();
    bench.ok(&["submit", "x"]);
    bench.write("plain.txt", "no program");
    for exec in ["no-such-program --flag", "./plain.txt", "./missing"] {
        let said = bench.fails(&["work", "--exec", exec], 2);
        assert!(said.starts_with("exec: no program"), "{said}");
    }
    assert!(bench.fails(&["work"], 2).starts_with("exec: missing"));
    assert!(bench.fails(&["work", "--exec", "sh 'x"], 2).contains("has no end"));
    assert!(bench.fails(&["work", "--exec", "true", "--time-limit", "0"], 2).contains("timeLimit"));
    assert!(bench.fails(&["work", "--exec", "true", "--output-limit", "0"], 2).contains("allowed: 1 to"));
    assert!(bench.fails(&["work", "--exec", "true", "--agent", "a7"], 2).contains("a7"));
    assert_eq!(bench.json(&["status"])["agents"], 0);
    assert_eq!(task(&bench, "t1")["attempts"], 0);
}

#[test]
fn after_a_kill_another_takes_over_once_the_lease_is_over() {
    let bench = Bench::with_swarm();
    bench.ok(&["submit", "x", "--backoff-ms", "0"]);
    // each program leaves its number and waits; the second is let go on at once
    let exec = "sh -c 'echo $$ >> begun; test $RUV_SWARM_EPOCH -gt 1 || sleep 600'";
    let mut first = bench.start(&["work", "--exec", exec, "--lease-ms", "1000"]);
    until(|| bench.path("begun").exists());
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(task(&bench, "t1")["state"], "running");
    bench.ok(&["work", "--exec", exec, "--until-idle", "--lease-ms", "1000"]);
    let done = task(&bench, "t1");
    assert_eq!((&done["state"], &done["attempts"]), (&json!("completed"), &json!(2)));
    assert_eq!(done["lastAgentId"], "a2");
    assert_eq!(bench.json(&["replay", "--verify"])["ok"], true);
    let begun = std::fs::read_to_string(bench.path("begun")).unwrap();
    // by the call itself: some `kill` commands read the group -1234 as -1, which is everyone
    let orphan = begun.lines().next().unwrap().parse().unwrap();
    let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(orphan), nix::sys::signal::Signal::SIGKILL);
}

#[test]
fn a_worker_that_slept_through_its_lease_is_refused() {
    let bench = Bench::with_swarm();
    bench.ok(&["submit", "x", "--backoff-ms", "0"]);
    let exec = "sh -c 'echo $RUV_SWARM_EPOCH >> begun; while ! test -e go; do sleep 0.05; done; echo $RUV_SWARM_EPOCH'";
    let first = bench.start(&["work", "--exec", exec, "--lease-ms", "1000", "--max-tasks", "1", "--json"]);
    until(|| bench.path("begun").exists());
    signal(&first, "-STOP");
    let second = bench.start(&["work", "--exec", exec, "--lease-ms", "1000", "--max-tasks", "1", "--json"]);
    until(|| std::fs::read_to_string(bench.path("begun")).unwrap().lines().count() == 2);
    signal(&first, "-CONT");
    let first = Ran::from(first.wait_with_output().unwrap());
    let last: Value = serde_json::from_str(first.out.lines().last().unwrap()).unwrap();
    assert_eq!(
        last,
        json!({"agentId": "a1", "completed": 0, "failed": 0, "released": 1, "cancelled": 0}),
        "{first:?}"
    );
    assert_eq!(task(&bench, "t1")["state"], "running");
    bench.write("go", "");
    let second = Ran::from(second.wait_with_output().unwrap());
    assert_eq!(second.code, 0, "{second:?}");
    let done = task(&bench, "t1");
    assert_eq!((&done["output"], &done["attempts"]), (&json!("2\n"), &json!(2)));
    let log = bench.ok(&["log", "--json"]);
    assert_eq!(log.lines().filter(|line| line.contains("\"TaskCompleted\"")).count(), 1);
}

#[test]
fn a_task_outlives_its_lease_as_long_as_the_worker_lives() {
    let bench = Bench::with_swarm();
    bench.ok(&["submit", "x"]);
    bench.ok(&["work", "--exec", "sleep 2.5", "--until-idle", "--lease-ms", "1000"]);
    let done = task(&bench, "t1");
    assert_eq!((&done["state"], &done["attempts"]), (&json!("completed"), &json!(1)));
}

#[test]
fn a_cancelled_task_ends_its_program_and_all_that_it_started() {
    let bench = Bench::with_swarm();
    bench.ok(&["submit", "x"]);
    let exec = "sh -c 'sleep 600 & echo $! > below; wait'";
    let worker = bench.start(&["work", "--exec", exec, "--max-tasks", "1", "--json"]);
    let below = || std::fs::read_to_string(bench.path("below")).unwrap_or_default();
    until(|| below().ends_with('\n'));
    bench.ok(&["cancel", "t1", "--reason", "not needed"]);
    let ran = Ran::from(worker.wait_with_output().unwrap());
    assert!(ran.out.contains(r#""outcome":"cancelled","state":"cancelled""#), "{ran:?}");
    let last: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!(last, json!({"agentId": "a1", "completed": 0, "failed": 0, "released": 0, "cancelled": 1}));
    let stat = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let pid = below();
    // gone, or a zombie that nobody has waited for yet
    until(|| stat(pid.trim()).is_empty() || stat(pid.trim()).contains(") Z "));
}

#[test]
fn ctrl_c_gives_the_task_back() {
    let bench = Bench::with_swarm();
    bench.ok(&["submit", "x", "--max-retries", "0"]);
    let exec = "sh -c 'touch begun; sleep 600'";
    let worker = bench.start(&["work", "--exec", exec, "--json"]);
    until(|| bench.path("begun").exists());
    signal(&worker, "-INT");
    let ran = Ran::from(worker.wait_with_output().unwrap());
    let last: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!((ran.code, &last["released"]), (130, &json!(1)), "{ran:?}");
    let back = task(&bench, "t1");
    assert_eq!((&back["state"], &back["attempts"]), (&json!("ready"), &json!(1)));
}

#[test]
fn a_named_worker_is_the_same_agent_again() {
    let bench = Bench::with_swarm();
    let work = ["work", "--exec", "true", "--name", "Ada", "--capabilities", "rust, git", "--until-idle"];
    for _ in 0..2 {
        assert_eq!(bench.json(&work)["agentId"], "a1");
    }
    assert_eq!(bench.json(&["query", "--agent", "a1"])["capabilities"], json!(["rust", "git"]));
}

#[test]
fn a_worker_outside_claims_beats_and_reports() {
    let bench = Bench::with_swarm();
    bench.ok(&["spawn", "coder"]);
    bench.ok(&["submit", "x", "--payload", "in"]);
    assert_eq!(bench.json(&["claim", "--agent", "a1", "--lease-ms", "60000"])["task"]["payload"], "in");
    assert_eq!(bench.json(&["heartbeat", "t1", "--agent", "a1", "--epoch", "1"])["cancelRequested"], false);
    let failed = [
        "report",
        "t1",
        "--agent",
        "a1",
        "--epoch",
        "1",
        "--outcome",
        "failed",
        "--error",
        "no luck",
        "--code",
        "luck",
    ];
    let reported = bench.json(&failed);
    assert_eq!(reported["task"]["error"], json!({"code": "luck", "message": "no luck"}));
    assert!(bench.fails(&failed, 2).contains("no lease of a1 is live"));
    assert!(bench.fails(&["claim"], 2).contains("agentId"));
    assert_eq!(bench.json(&["cancel", "t1"])["cancelled"], json!(["t1"]));
}

#[test]
fn call_is_any_operation_and_submit_takes_a_file() {
    let bench = Bench::with_swarm();
    let request = json!({"tasks": [{"name": "a"}, {"name": "b", "dependsOn": ["a"]}]}).to_string();
    bench.write("plan.json", &request);
    assert_eq!(bench.json(&["submit", "--file", "plan.json"])["taskIds"], json!(["t1", "t2"]));
    let piped = |args: &[&str]| {
        let file = std::fs::File::open(bench.path("plan.json")).unwrap();
        let output = bench.command(args).stdin(file).output().unwrap();
        Ran::from(output)
    };
    assert_eq!(piped(&["submit", "--file", "-", "--json"]).out, "{\"taskIds\":[\"t3\",\"t4\"]}\n");
    let keyed = ["call", "task_submit", "-", "--key", "k1"];
    assert_eq!(piped(&keyed).out, "{\"taskIds\":[\"t5\",\"t6\"]}\n");
    assert_eq!(piped(&keyed).out, "{\"taskIds\":[\"t5\",\"t6\"]}\n");
    assert_eq!(bench.json(&["call", "swarm_status"])["tasks"]["blocked"], 3);
    assert!(bench.fails(&["call", "frobnicate"], 2).contains("frobnicate"));
    assert!(bench.fails(&["call"], 2).starts_with("operation: missing"));
    assert!(bench.fails(&["submit", "x", "--file", "plan.json"], 2).contains("not both"));
    assert!(bench.fails(&["submit", "--file", "nope.json"], 2).contains("no file"));
}

#[test]
fn monitor_shows_the_events_that_pass_the_filters() {
    let bench = Bench::with_swarm();
    for name in ["x", "y"] {
        bench.ok(&["submit", name]);
    }
    bench.ok(&["cancel", "t2"]);
    let shown = |filter: &[&str]| {
        let args = [&["monitor", "--duration", "0", "--after", "0"], filter].concat();
        let events = lines(&bench, &args);
        let kinds: Vec<&str> = events.iter().filter_map(|event| event["kind"].as_str()).collect();
        kinds.join(" ")
    };
    assert_eq!(shown(&["--task", "t2"]), "TaskSubmitted TaskCancelled");
    assert_eq!(shown(&["--kinds", "TaskSubmitted,SwarmCreated"]), "SwarmCreated TaskSubmitted TaskSubmitted");
    assert_eq!(shown(&["--kinds", "TaskCancelled", "--task", "t1"]), "");
}

#[test]
fn several_processes_do_each_task_once() {
    let bench = Bench::with_swarm();
    let tasks: Vec<Value> = (0..60).map(|_| json!({})).collect();
    bench.write("plan.json", json!({ "tasks": tasks }).to_string());
    bench.ok(&["submit", "--file", "plan.json"]);
    let work = [
        "work",
        "--exec",
        "sh -c 'echo $RUV_SWARM_TASK >> done'",
        "--capacity",
        "4",
        "--until-idle",
        "--json",
    ];
    let workers: Vec<Child> = (0..3).map(|_| bench.start(&work)).collect();
    let completed = |worker: Child| {
        let ran = Ran::from(worker.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        serde_json::from_str::<Value>(ran.out.lines().last().unwrap()).unwrap()["completed"].as_u64().unwrap()
    };
    assert_eq!(workers.into_iter().map(completed).sum::<u64>(), 60);
    let done = std::fs::read_to_string(bench.path("done")).unwrap();
    let ids: std::collections::BTreeSet<&str> = done.lines().collect();
    assert_eq!((ids.len(), done.lines().count()), (60, 60));
    assert_eq!(bench.json(&["replay", "--verify"])["ok"], true);
}
