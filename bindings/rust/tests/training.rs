//! Training from the command line: results, bad input, Ctrl-C, kill and resume.

mod common;

use std::fmt::Write;
use std::process::Child;
use std::time::{Duration, Instant};

use common::{Bench, Ran};
use serde_json::{json, Value};

/// Rows that no network learns at once: a noisy rule on twelve features.
fn long_job() -> String {
    let mut text = (0..12).map(|i| format!("f{i},")).collect::<String>() + "class\n";
    let mut state = 12345u32;
    for _ in 0..12_000 {
        let mut sum = 0.0;
        for i in 0..12 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = f64::from(state >> 8) / 8_388_608.0 - 1.0;
            sum += value * f64::from(i % 5 - 2);
            write!(text, "{value:.5},").unwrap();
        }
        text.push_str(if (sum * 3.0).sin() > 0.0 { "yes\n" } else { "no\n" });
    }
    text
}

fn interrupt(child: &Child) {
    signal(child, "INT");
}

fn signal(child: &Child, name: &str) {
    let status = std::process::Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

/// Waits until the log has an event of `kind` after `after`.
fn wait_for(bench: &Bench, kind: &str, after: u64) {
    let end = Instant::now() + Duration::from_secs(60);
    let from = (after + 1).to_string();
    while !bench.ok(&["log", "--json", "--from", &from]).contains(&format!("\"kind\":\"{kind}\"")) {
        assert!(Instant::now() < end, "no {kind} in the log");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_quick_start_trains_and_predicts() {
    let bench = Bench::new();
    bench.ok(&["init", "--persistence", "sqlite", "--db", "./swarm.db", "--seed", "7"]);
    bench.ok(&["spawn", "neural", "--model", "ruv-fann", "--capabilities", "cascade-correlation,rprop"]);
    let text = bench.ok(&["orchestrate", "--strategy", "cognitive-diversity", "--parallel"]);
    assert!(text.starts_with("no data was given: training on the bundled sample"), "{text}");
    for part in
        ["a1 convergent", "have been spawned: a2, a3, a4", "validation loss", "ensemble on held-out rows"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let hash = text.lines().last().unwrap().strip_prefix("model ").unwrap();

    bench.write(
        "new.csv",
        "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n6.3,2.9,5.6,1.8\n",
    );
    assert_eq!(
        bench.json(&["predict", "--model", hash, "--data", "new.csv", "--out", "p.csv"]),
        json!({"rows": 2, "out": "p.csv"})
    );
    let predicted = std::fs::read_to_string(bench.path("p.csv")).unwrap();
    assert_eq!(predicted.lines().count(), 3);
    assert_eq!(bench.ok(&["predict", "--model", hash, "--data", "new.csv"]), predicted);
    let left: Vec<_> = std::fs::read_dir(bench.folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{left:?}");

    let missing = "0".repeat(64);
    assert!(bench.fails(&["predict", "--model", &missing, "--data", "new.csv"], 2).contains("no model"));
    assert!(bench
        .fails(&["predict", "--model", "0123abcd", "--data", "new.csv"], 2)
        .contains("no model \"0123abcd\""));
    assert!(bench.fails(&["predict", "--model", "no.bin", "--data", "new.csv"], 2).contains("no file"));
    assert!(bench.fails(&["predict", "--data", "new.csv"], 2).starts_with("model: missing"));
    assert!(bench
        .fails(&["predict", "--model", hash, "--data", "new.csv", "--out", "no/p.csv"], 2)
        .contains("folder"));
    bench.write("fake.bin", "no model");
    bench.fails(&["predict", "--model", "fake.bin", "--data", "new.csv"], 2);
}

#[test]
fn the_result_does_not_depend_on_threads_or_database() {
    let result = |args: &[&str]| {
        let bench = Bench::with_swarm();
        bench.ok(&["spawn", "neural", "--pattern", "convergent", "--capabilities", "rprop,batch"]);
        let result =
            bench.json(&[&["orchestrate", "train", "--strategy", "cognitive-diversity"], args].concat());
        assert_eq!(bench.json(&["replay", "--verify"])["ok"], true);
        result
    };
    let one = result(&["--threads", "1"]);
    let many = result(&["--threads", "4", "--parallel"]);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&one), ["ensemble", "goalId", "members", "modelHash", "state", "stateHash"]);
    assert_eq!(
        keys(&one["members"][0]),
        ["agentId", "algorithm", "network", "pattern", "validationAccuracy", "validationLoss"]
    );
    for field in ["modelHash", "members", "ensemble", "state"] {
        assert_eq!(one[field], many[field], "{field}");
    }
    let figure = |name: &str| one["ensemble"][name].as_f64().unwrap();
    assert!((figure("meanMemberLoss") - figure("ambiguity") - figure("testLoss")).abs() < 1e-9);
}

#[test]
fn bad_data_is_told_in_one_line_and_changes_nothing() {
    let bench = Bench::with_swarm();
    bench.write("empty.csv", "");
    bench.write("ragged.csv", "a,b\n1,x\n2\n");
    bench.write("binary.csv", [0xff, 0xfe, 0x00, 0x80]);
    bench.write("twice.csv", "a,a,b\n1,2,x\n3,4,y\n");
    bench.write("alone.csv", "b\nx\ny\n");
    bench.write("one.csv", format!("a,b\n{}", "1,x\n".repeat(30)));
    bench.write("nan.csv", format!("a,b\nnan,x\n{}", "1,y\n2,x\n".repeat(30)));
    bench.write("inf.csv", format!("a,b\ninf,x\n{}", "1,y\n2,x\n".repeat(30)));
    bench.write("good.csv", format!("a,b\n{}", "1,y\n2,x\n".repeat(30)));
    bench.write("wide.csv", format!("{}\n", "c,".repeat(1_000_000)));
    let before = std::fs::read(bench.path("swarm.db")).unwrap();
    let head = bench.ok(&["status", "--json"]);
    let train = |args: &[&str], code: i32| bench.fails(&[&["orchestrate", "train"], args].concat(), code);
    for name in ["empty", "ragged", "binary", "twice", "alone", "one", "nan", "inf", "wide"] {
        let message = train(&["--data", &format!("{name}.csv")], 2);
        assert!(message.len() < 300, "{name}: {message}");
    }
    assert!(train(&["--data", "none.csv"], 2).contains("no file \"none.csv\""));
    assert!(train(&["--data", "."], 2).contains("is a folder"));
    assert!(train(&["--data", "good.csv", "--target", "z"], 2).contains('z'));
    assert!(train(&["--data", "good.csv", "--task", "magic"], 2).contains("classification"));
    assert!(train(&["--data", "good.csv", "--strategy", "magic"], 2).contains("allowed: balanced"));
    assert!(train(&["--data", "good.csv", "--agents", "magic"], 2).contains("allowed: convergent"));
    assert!(train(&["--data", "good.csv", "--agents", "a7"], 2).contains("a7"));
    assert!(train(&["--data", "good.csv", "--threads", "0"], 2).contains("allowed: 1 to 1024"));
    assert_eq!(bench.ok(&["status", "--json"]), head);
    assert_eq!(std::fs::read(bench.path("swarm.db")).unwrap(), before);
}

#[test]
fn ctrl_c_cancels_and_loses_nothing() {
    let bench = Bench::with_swarm();
    bench.write("long.csv", long_job());
    let child =
        bench.start(&["orchestrate", "train", "--data", "long.csv", "--strategy", "cognitive-diversity"]);
    wait_for(&bench, "TaskClaimed", 1);
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{ran:?}");
    assert!(ran.err.starts_with("error: interrupted"), "{ran:?}");
    assert_eq!(bench.json(&["query", "--goal", "g1"])["state"], "cancelled");
    let tasks = &bench.json(&["status"])["tasks"];
    assert_eq!((&tasks["running"], &tasks["ready"], &tasks["blocked"]), (&json!(0), &json!(0), &json!(0)));
    assert_eq!(bench.json(&["replay", "--verify"])["ok"], true);
}

#[test]
fn a_goal_that_another_process_cancels_ends_here_too() {
    let bench = Bench::with_swarm();
    bench.write("long.csv", long_job());
    let child =
        bench.start(&["orchestrate", "train", "--data", "long.csv", "--agents", "convergent,lateral"]);
    wait_for(&bench, "TaskClaimed", 1);
    let host = ruv_swarm::Host::open(ruv_swarm::Options::file(bench.path("swarm.db"))).unwrap();
    host.call("task_cancel", r#"{"goalId":"g1","reason":"enough"}"#, "").unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (1, "error: goal g1 was cancelled\n"));
    assert_eq!(bench.json(&["query", "--goal", "g1"])["state"], "cancelled");
}

#[test]
fn after_a_kill_resume_goes_on_to_the_same_model() {
    let undisturbed = Bench::with_swarm();
    undisturbed.write("long.csv", long_job());
    let train = ["orchestrate", "train", "--data", "long.csv", "--agents", "convergent,systems"];
    let expected = undisturbed.json(&train)["modelHash"].clone();

    let bench = Bench::with_swarm();
    bench.write("long.csv", long_job());
    let mut child = bench.start(&train);
    wait_for(&bench, "TaskClaimed", 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let killed_at = bench.json(&["status"]);
    assert_eq!(
        killed_at["tasks"]["running"].as_u64().unwrap() + killed_at["tasks"]["ready"].as_u64().unwrap(),
        2
    );
    let resumed = bench.json(&["orchestrate", "--resume"]);
    assert_eq!((&resumed["state"], &resumed["modelHash"]), (&json!("completed"), &expected));
    assert_eq!(bench.json(&["orchestrate", "--resume"]), json!({"goals": []}));
    assert_eq!(bench.json(&["replay", "--verify"])["ok"], true);
}

#[test]
fn a_holder_that_slept_past_its_lease_is_fenced() {
    let bench = Bench::with_swarm();
    bench.write("long.csv", long_job());
    let sleeper =
        bench.start(&["orchestrate", "train", "--data", "long.csv", "--agents", "convergent", "--json"]);
    wait_for(&bench, "TaskClaimed", 1);
    // one that is stopped inside a transaction would hold the file's lock as well
    loop {
        signal(&sleeper, "STOP");
        let file = rusqlite::Connection::open(bench.path("swarm.db")).unwrap();
        file.busy_timeout(Duration::from_millis(300)).unwrap();
        if file.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok() {
            break;
        }
        signal(&sleeper, "CONT");
    }
    let resumed = bench.json(&["orchestrate", "--resume"]);
    assert_eq!(resumed["state"], "completed");
    signal(&sleeper, "CONT");
    let ran = Ran::from(sleeper.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    let result: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!(result["modelHash"], resumed["modelHash"]);
    let log = bench.ok(&["log", "--json"]);
    assert_eq!(log.matches("\"kind\":\"LeaseExpired\"").count(), 1);
    assert_eq!(log.matches("\"kind\":\"TaskCompleted\"").count(), 2);
    assert_eq!(bench.json(&["replay", "--verify"])["ok"], true);
}
