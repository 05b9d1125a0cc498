//! A thousand epochs of every training rule: the same weights on every level, in every slice, on any number of threads.
//!
//! `RUV_SWARM_BLESS=1 cargo test -p ruv-swarm-core --test neural_thousand` writes the vectors anew; that is right
//! only together with a new engine version.

use ruv_swarm_core::hash::{hex, sha256};
use ruv_swarm_core::neural::{Level, Session, ENGINE_VERSION};
use serde_json::{json, Value};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

const EPOCHS: u32 = 1000;
const SLICES: [u32; 3] = [1, 7, 1000];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

/// What is trained: data and options.
struct Case {
    data: &'static str,
    bytes: Vec<u8>,
    options: String,
}

fn case(data: &'static str, parts: &[&Value]) -> Case {
    let mut options = serde_json::Map::new();
    for part in parts {
        options.extend(part.as_object().unwrap().clone());
    }
    let bytes = std::fs::read(path("data").join(data)).unwrap();
    Case { data, bytes, options: Value::Object(options).to_string() }
}

/// Every training rule, those with momentum and small batches with and without.
fn rules() -> Vec<Value> {
    let words = ["rprop+", "rprop-", "irprop+", "irprop-", "sarprop", "quickprop"];
    let mut rules: Vec<Value> = words.iter().map(|word| json!({ "algorithm": word })).collect();
    rules.extend([
        json!({"algorithm": "batch", "momentum": 0, "batchRows": 0}),
        json!({"algorithm": "batch", "momentum": 0.5, "batchRows": 0}),
        json!({"algorithm": "batch", "momentum": 0.5, "batchRows": 16, "learningRate": 0.01}),
        json!({"algorithm": "incremental", "momentum": 0}),
        json!({"algorithm": "incremental", "momentum": 0.9}),
        json!({"algorithm": "adam", "batchRows": 0}),
        json!({"algorithm": "adam", "batchRows": 16}),
    ]);
    rules
}

/// Each rule on four kinds of network for the whole thousand epochs, and some to a stop of their own.
fn cases() -> Vec<Case> {
    let whole = json!({ "epochs": EPOCHS, "patience": 0 });
    let kinds = [
        ("iris.csv", json!({})),
        (
            "iris.csv",
            json!({"hidden": [6, 5], "activation": ["logistic", "elliott"], "shortcut": true,
            "connectionRate": 0.7, "init": "nguyen-widrow", "steepness": [1, 0.5, 1], "seed": 2}),
        ),
        (
            "sunspots.csv",
            json!({"hidden": [5, 3], "activation": ["sine", "gaussian"], "init": "glorot",
            "learningRate": 0.01, "seed": 3}),
        ),
        (
            "cancer1.dt",
            json!({"hidden": [7], "activation": "softplus", "outputActivation": "logistic", "dropout": 0.1,
            "noise": 0.05, "l1": 0.0001, "l2": 0.001, "loss": "cross-entropy", "seed": 4}),
        ),
    ];
    let mut all = Vec::new();
    for (data, kind) in &kinds {
        all.extend(rules().iter().map(|rule| case(data, &[kind, rule, &whole])));
    }
    for (data, stop) in [
        ("hearta1.dt", json!({"algorithm": "rprop+", "gl": 5, "hidden": [16, 8]})),
        ("cancer1.dt", json!({"algorithm": "adam", "pq": 0.5, "hidden": [9], "patience": 0})),
        ("iris.csv", json!({"algorithm": "incremental", "up": 3, "patience": 0, "activation": "relu"})),
        ("iris.csv", json!({"algorithm": "quickprop", "patience": 40, "activation": "gaussian-symmetric"})),
        (
            "sunspots.csv",
            json!({"algorithm": "sarprop", "targetError": 0.1, "loss": "huber", "activation": "cosine"}),
        ),
        (
            "iris.csv",
            json!({"algorithm": "irprop-", "bitFail": 3, "split": [100, 0, 0], "loss": "fann-tanh",
            "outputActivation": "logistic"}),
        ),
    ] {
        all.push(case(data, &[&stop, &json!({ "epochs": EPOCHS })]));
    }
    all
}

/// The whole state at the end, the model with the best weights, and the report.
fn train(case: &Case, level: Level, slice: u32) -> Value {
    let mut session = Session::with_level(&case.bytes, &case.options, level).unwrap();
    while !session.done() {
        session.run(slice).unwrap();
    }
    let checkpoint = session.checkpoint();
    let trained = session.finish().unwrap();
    json!({
        "data": case.data,
        "options": case.options,
        "checkpointHash": hex(&sha256(&[&checkpoint])),
        "modelHash": hex(&sha256(&[&trained.model])),
        "report": serde_json::from_str::<Value>(&trained.report_json).unwrap(),
    })
}

/// Trains all cases on `threads` threads side by side; the answers in the order of the cases.
fn side_by_side(cases: &[Case], threads: usize, level: Level, slice: u32) -> Vec<Value> {
    let next = AtomicUsize::new(0);
    let work = || {
        let take = || next.fetch_add(1, Ordering::Relaxed);
        let mut found = Vec::new();
        let mut index = take();
        while let Some(case) = cases.get(index) {
            found.push((index, train(case, level, slice)));
            index = take();
        }
        found
    };
    let mut found: Vec<(usize, Value)> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, value)| value).collect()
}

fn stored() -> Vec<Value> {
    let text = std::fs::read_to_string(path("vectors/neural/thousand.json")).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(all["engine"], json!(ENGINE_VERSION));
    serde_json::from_value(all["cases"].take()).unwrap()
}

fn assert_stored(found: &[Value], stored: &[Value], how: &str) {
    assert_eq!(found.len(), stored.len());
    for (found, stored) in found.iter().zip(stored) {
        assert_eq!(found, stored, "{how}");
    }
}

#[test]
fn every_level_and_slice_gives_the_stored_bits() {
    let cases = cases();
    if std::env::var_os("RUV_SWARM_BLESS").is_some() {
        let found = side_by_side(&cases, 2, Level::detect(), 1000);
        let all = json!({ "engine": ENGINE_VERSION, "cases": found });
        let text = serde_json::to_string_pretty(&all).unwrap() + "\n";
        std::fs::write(path("vectors/neural/thousand.json"), text).unwrap();
    }
    let stored = stored();
    for level in Level::available() {
        for slice in SLICES {
            let how = format!("{} in slices of {slice}", level.word());
            assert_stored(&side_by_side(&cases, 2, level, slice), &stored, &how);
        }
    }
}

#[test]
fn one_two_and_five_threads_give_the_stored_bits() {
    let (cases, stored) = (cases(), stored());
    for threads in [1, 2, 5] {
        let found = side_by_side(&cases, threads, Level::detect(), 7);
        assert_stored(&found, &stored, &format!("{threads} threads"));
    }
}

/// The vectors are what they are said to be: whole thousands, all unlike, and one of each own stop.
#[test]
fn the_vectors_train_a_thousand_epochs_or_to_their_own_stop() {
    let stored = stored();
    let (own, whole): (Vec<&Value>, Vec<&Value>) =
        stored.iter().partition(|case| case["report"]["stopped"] != "epochs");
    let mut reasons: Vec<&str> = own.iter().map(|case| case["report"]["stopped"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["bit-fail", "gl", "patience", "pq", "target-error", "up"]);
    assert_eq!(whole.len(), 4 * rules().len());
    let mut states: Vec<&str> = stored.iter().map(|case| case["checkpointHash"].as_str().unwrap()).collect();
    states.sort_unstable();
    states.dedup();
    assert_eq!(states.len(), stored.len());
    assert!(whole.iter().all(|case| case["report"]["epochs"] == EPOCHS));
}
