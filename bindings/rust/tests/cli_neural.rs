//! The commands of a single network: train, evaluate, predict, inspect; none makes or needs a database.

mod common;

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Bench, Ran};
use serde_json::{json, Value};

/// The bundled sample.
const IRIS: &[u8] = include_bytes!("../../../core/src/neural/sample.csv");

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("iris.csv", IRIS);
    bench
}

/// A training that lasts until it is stopped.
const ENDLESS: [&str; 8] =
    ["train", "--data", "iris.csv", "--epochs", "1000000000", "--patience", "0", "--hidden=32,32"];

fn train(bench: &Bench, more: &[&str]) -> Value {
    bench.json(&[&["train", "--data", "iris.csv", "--epochs", "60"], more].concat())
}

fn names(bench: &Bench) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(bench.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_network_is_trained_looked_at_measured_and_used() {
    let bench = bench();
    let answer = train(&bench, &["--target", "species", "--hidden", "8,6", "--out", "m.rsn"]);
    let text = bench.ok(&["train", "--data", "iris.csv", "--epochs", "60", "--hidden", "8,6", "--json"]);
    let order = [
        "epochs",
        "trainLoss",
        "validationLoss",
        "testLoss",
        "testAccuracy",
        "modelHash",
        "out",
        "bestEpoch",
    ];
    let places: Vec<usize> = order.iter().map(|key| text.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted() && text.lines().count() == 1, "{text}");
    assert_eq!((&answer["out"], answer["epochs"].as_u64() <= Some(60)), (&json!("m.rsn"), true));
    assert!(answer["testAccuracy"].as_f64().unwrap() > 0.8, "{answer}");

    let model = bench.json(&["inspect", "--model", "m.rsn"]);
    assert_eq!((&model["hash"], &model["task"]), (&answer["modelHash"], &json!("classification")));
    assert!(bench.ok(&["inspect", "--model", "m.rsn"]).contains("setosa, versicolor, virginica"));

    let found = bench.json(&["evaluate", "--model", "m.rsn", "--data", "iris.csv"]);
    assert_eq!(found["rows"], 150);
    assert!(bench.ok(&["evaluate", "--model", "m.rsn", "--data", "iris.csv"]).starts_with("150 rows: loss "));

    let told = bench.json(&["predict", "--model", "m.rsn", "--data", "iris.csv", "--out", "p.csv"]);
    assert_eq!(told, json!({"rows": 150, "out": "p.csv"}));
    let written = std::fs::read_to_string(bench.path("p.csv")).unwrap();
    assert_eq!(bench.ok(&["predict", "--model", "m.rsn", "--data", "iris.csv"]), written);
    let told = bench.json(&["predict", "--model", "m.rsn", "--data", "iris.csv"]);
    assert_eq!(told["csv"].as_str().unwrap(), written);
    assert_eq!(names(&bench), ["iris.csv", "m.rsn", "p.csv"]);
}

#[test]
fn text_says_what_came_of_it() {
    let bench = bench();
    let told = bench.ok(&["train", "--data", "iris.csv", "--epochs", "5", "--out", "m.rsn"]);
    assert!(told.starts_with("5 epochs, best ") && told.ends_with("\nwrote m.rsn\n"), "{told}");
    let told = bench.ok(&["train", "--data", "iris.csv", "--epochs", "5"]);
    assert!(told.ends_with("the model was not kept; --out FILE writes it\n"), "{told}");
}

#[test]
fn every_flag_is_an_option_and_every_option_a_flag() {
    let bench = bench();
    let refused = bench.fails(&["train", "--data", "iris.csv", "--options", r#"{"nope":1}"#], 2);
    let allowed: Vec<&str> = refused.split("allowed: ").nth(1).unwrap().split(", ").collect();
    assert!(refused.starts_with("nope:") && allowed.len() > 40, "{refused}");
    let help = bench.ok(&["train", "--help"]);
    for option in &allowed {
        let flag: String = option
            .chars()
            .flat_map(|c| if c.is_uppercase() { vec!['-', c.to_ascii_lowercase()] } else { vec![c] })
            .collect();
        assert!(help.contains(&format!("--{flag}")), "{option} has no flag");
    }
    // one of each kind: a text, a number, a list of one and of several, a switch
    let seeded = train(&bench, &["--seed", "2"]);
    assert_eq!(seeded, train(&bench, &["--options", r#"{"seed":2}"#]));
    assert_eq!(seeded, train(&bench, &["--options", r#"{"seed":3}"#, "--seed", "2"]));
    assert_ne!(seeded["modelHash"], train(&bench, &["--seed", "3"])["modelHash"]);
    bench.write("o.json", r#"{"hidden":[5],"algorithm":"adam","shortcut":true}"#);
    let flags = ["--hidden", "5", "--algorithm", "adam", "--shortcut"];
    assert_eq!(train(&bench, &flags), train(&bench, &["--options", "o.json"]));
    assert!(train(&bench, &["--hidden="])["epochs"].is_u64());
}

#[test]
fn a_checkpoint_goes_on_bit_for_bit() {
    let bench = bench();
    let whole = train(&bench, &["--patience", "0", "--out", "whole.rsn"]);
    // the first part ends by its own number of epochs: its checkpoint holds that number too
    let first = ["--patience", "0", "--checkpoint", "c.rsc", "--every", "25", "--out", "m.rsn"];
    let kept = train(&bench, &first);
    assert_eq!(kept["modelHash"], whole["modelHash"]);
    // the checkpoint of the end has nothing left to do; it knows data, out and every
    let again = bench.json(&["train", "--resume", "c.rsc"]);
    assert_eq!(again, kept);
    let other = bench.json(&["train", "--resume", "c.rsc", "--out", "n.rsn", "--data", "iris.csv"]);
    assert_eq!((&other["out"], &other["modelHash"]), (&json!("n.rsn"), &whole["modelHash"]));
    assert!(bench.ok(&["train", "--resume", "c.rsc"]).starts_with("going on after epoch 60\n"));
}

#[test]
fn a_time_limit_ends_a_training_whose_epochs_give_the_same_bits() {
    let bench = bench();
    let timed = bench.json(&[&ENDLESS[..], &["--seconds", "0.3", "--checkpoint", "c.rsc"]].concat());
    assert_eq!(timed["stopped"], "time");
    let epochs = timed["epochs"].to_string();
    let counted = bench.json(&[
        "train",
        "--data",
        "iris.csv",
        "--patience",
        "0",
        "--hidden=32,32",
        "--epochs",
        &epochs,
    ]);
    assert_eq!((&counted["modelHash"], &counted["stopped"]), (&timed["modelHash"], &json!("epochs")));
    // the checkpoint goes on behind the limit
    let more = bench.json(&["train", "--resume", "c.rsc", "--seconds", "0.2"]);
    assert!(more["epochs"].as_u64() > timed["epochs"].as_u64(), "{more}");
}

/// Waits until the file is there.
fn wait_for(bench: &Bench, name: &str) {
    let end = Instant::now() + Duration::from_secs(60);
    while !bench.path(name).exists() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(bench.path(name).exists(), "{name} was never written");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_after_the_slice_and_says_how_to_go_on() {
    let bench = bench();
    let interrupt = |more: &[&str], ready: &str| {
        let child = bench.start(&[&ENDLESS[..], more].concat());
        match ready {
            "" => std::thread::sleep(Duration::from_millis(500)),
            file => wait_for(&bench, file),
        }
        let pid = nix::unistd::Pid::from_raw(child.id() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
        Ran::from(child.wait_with_output().unwrap())
    };
    let ran = interrupt(&["--checkpoint", "c.rsc", "--every", "10", "--out", "m.rsn"], "c.rsc");
    assert_eq!((ran.code, ran.out.as_str()), (130, ""), "{ran:?}");
    let line = ran.err.lines().last().unwrap();
    assert!(line.starts_with("error: interrupted after epoch "), "{line}");
    assert!(line.ends_with("go on with: ruv-swarm train --resume c.rsc"), "{line}");
    assert!(!bench.path("m.rsn").exists());
    let gone_on = bench.json(&["train", "--resume", "c.rsc", "--seconds", "0.1"]);
    let epochs = gone_on["epochs"].to_string();
    let straight = bench.json(&[
        "train",
        "--data",
        "iris.csv",
        "--patience",
        "0",
        "--hidden=32,32",
        "--epochs",
        &epochs,
    ]);
    assert_eq!((&gone_on["modelHash"], &gone_on["out"]), (&straight["modelHash"], &json!("m.rsn")));

    let ran = interrupt(&["--json"], "");
    let told: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!((ran.code, ran.err.as_str(), &told["error"]["code"]), (130, "", &json!("interrupted")));
    assert!(told["error"]["message"].as_str().unwrap().contains("no checkpoint was asked for"), "{told}");
}

#[test]
fn data_may_come_from_standard_input() {
    let bench = bench();
    let fed = |args: &[&str]| {
        let mut command = bench.command(args);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(IRIS).unwrap();
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        ran.out
    };
    let trained =
        fed(&["train", "--data", "-", "--epochs", "60", "--out", "m.rsn", "--checkpoint", "c.rsc", "--json"]);
    let trained: Value = serde_json::from_str(&trained).unwrap();
    assert_eq!(trained["modelHash"], train(&bench, &[])["modelHash"]);
    assert_eq!(fed(&["predict", "--model", "m.rsn", "--data", "-"]).lines().count(), 151);
    assert!(fed(&["evaluate", "--model", "m.rsn", "--data", "-"]).starts_with("150 rows"));
    // standard input cannot be read a second time
    assert!(bench.fails(&["train", "--resume", "c.rsc"], 2).starts_with("data: missing"));
}

#[cfg(target_os = "linux")] // other systems count memory otherwise
#[test]
fn predictions_need_no_more_memory_for_more_rows() {
    let bench = bench();
    train(&bench, &["--hidden", "4", "--out", "m.rsn"]);
    let text = String::from_utf8(IRIS.to_vec()).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    // 66 MB: more than the limit below leaves
    bench.write("big.csv", format!("{header}\n{}", rows.repeat(18_000)));
    let program = env!("CARGO_BIN_EXE_ruv-swarm");
    let line =
        format!("ulimit -v 60000; exec {program} predict --model m.rsn --data big.csv --out p.csv --json");
    let mut command = std::process::Command::new("sh");
    let ran = Ran::from(command.args(["-c", &line]).current_dir(bench.folder()).output().unwrap());
    assert_eq!((ran.code, ran.out.as_str()), (0, "{\"rows\":2700000,\"out\":\"p.csv\"}\n"), "{ran:?}");
}

#[test]
fn mistakes_are_told_before_anything_is_trained_or_written() {
    let bench = bench();
    train(&bench, &["--out", "m.rsn", "--checkpoint", "c.rsc"]);
    let data = ["train", "--data", "iris.csv"];
    let with = |more: &[&str]| bench.fails(&[&data[..], more].concat(), 2);
    assert!(bench.fails(&["train"], 2).starts_with("data: missing"));
    assert!(with(&["--hidden", "8,0"]).contains("0 units"));
    assert!(with(&["--hidden", "some"]).contains("some"));
    assert!(with(&["--learning-rate", "fast"]).contains("fast"));
    assert!(with(&["--activation", "magic"]).contains("tanh"));
    assert!(with(&["--algorithm", "magic"]).contains("allowed: rprop"));
    assert!(with(&["--steepness", "0"]).starts_with("steepness: 0"));
    assert!(with(&["--seconds", "0"]).starts_with("seconds: 0"));
    assert!(with(&["--every", "5"]).starts_with("every:"));
    assert!(with(&["--every", "0", "--checkpoint", "x"]).starts_with("every: 0"));
    assert!(with(&["--out", "no/such/m.rsn"]).contains("folder does not exist"));
    assert!(with(&["--checkpoint", "."]).contains("is a folder"));
    assert!(with(&["--options", "[]"]).contains("no file"));
    assert!(with(&["--options", "{"]).starts_with("options:"));
    assert!(with(&["--resume", "c.rsc", "--hidden", "3"]).starts_with("hidden: given beside resume"));
    assert!(with(&["--resume", "none.rsc"]).contains("none.rsc"));
    assert!(with(&["--resume", "iris.csv"]).starts_with("resume:"));
    assert!(with(&["--target", "nope"]).contains("species"));
    bench.write("other.csv", [IRIS, b"5,3,1,0.2,setosa\n"].concat());
    assert!(bench.fails(&["train", "--resume", "c.rsc", "--data", "other.csv"], 2).starts_with("data:"));
    let model = std::fs::read(bench.path("m.rsn")).unwrap();
    for (name, bytes) in damaged(&model) {
        bench.write("bad.rsn", bytes);
        let code = if name == "newer" { 3 } else { 2 };
        let told = bench.fails(&["inspect", "--model", "bad.rsn"], code);
        assert!(told.contains("model"), "{name}: {told}");
    }
    let checkpoint = std::fs::read(bench.path("c.rsc")).unwrap();
    for (name, bytes) in damaged(&checkpoint) {
        bench.write("bad.rsc", bytes);
        let code = if name == "newer" { 3 } else { 2 };
        let told = bench.fails(&["train", "--resume", "bad.rsc"], code);
        assert!(told.starts_with("resume:"), "{name}: {told}");
    }
    bench.write("few.csv", "a,b\n1,2\n");
    for args in [
        &["predict", "--model", "m.rsn", "--data", "few.csv", "--out", "p.csv"][..],
        &["evaluate", "--model", "m.rsn", "--data", "few.csv"],
    ] {
        assert!(bench.fails(args, 2).starts_with("data: no column"), "{args:?}");
    }
    for command in ["predict", "evaluate", "inspect"] {
        assert!(bench.fails(&[command], 2).starts_with("model: missing"));
    }
    assert!(bench.fails(&["predict", "--model", "m.rsn"], 2).starts_with("data: missing"));
    assert!(bench.fails(&["inspect", "--model", &"ab".repeat(32)], 2).contains("ruv-swarm init"));
    let left = ["bad.rsc", "bad.rsn", "c.rsc", "few.csv", "iris.csv", "m.rsn", "other.csv"];
    assert_eq!(names(&bench), left);
}

/// A file cut short, with a flipped bit, and of a later release.
fn damaged(file: &[u8]) -> [(&'static str, Vec<u8>); 3] {
    let mut flipped = file.to_vec();
    flipped[file.len() / 2] ^= 1;
    let mut newer = file.to_vec();
    newer[8] = 99;
    [("cut", file[..file.len() - 5].to_vec()), ("flipped", flipped), ("newer", newer)]
}
