//! The shared vectors: same data, seed and patterns give the same plan, members and model on every target.
//!
//! `RUV_SWARM_BLESS=1 cargo test -p ruv-swarm-core --test neural_vectors` writes them anew; that is right only
//! together with a new engine version, since every stored plan stands on these bits.

use ruv_swarm_core::hash::{hex, sha256};
use ruv_swarm_core::neural::{
    activate, fuse, inspect_data, resolve_plan, Activation, Level, MemberRequest, Session, Trainer,
    ENGINE_VERSION,
};
use serde_json::{json, Value};
use std::path::PathBuf;

const PATTERNS: [&str; 6] = ["convergent", "divergent", "lateral", "systems", "critical", "abstract"];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

fn compare(name: &str, found: &Value) {
    let file = path("vectors/neural").join(name);
    if std::env::var_os("RUV_SWARM_BLESS").is_some() {
        let text = serde_json::to_string_pretty(found).unwrap() + "\n";
        std::fs::write(&file, text).unwrap();
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let wanted: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found, &wanted, "{name}");
}

fn training(data: &str, seed: u64, algorithms: &[&str]) -> Value {
    let bytes = std::fs::read(path("data").join(data)).unwrap();
    let summary = inspect_data(&bytes, "").unwrap();
    let words: Vec<String> = algorithms.iter().map(|word| word.to_string()).collect();
    let members: Vec<MemberRequest> = PATTERNS
        .iter()
        .map(|pattern| MemberRequest { pattern: pattern.to_string(), algorithms: words.clone() })
        .collect();
    let plan = serde_json::to_string(&resolve_plan(&summary, seed, &members).unwrap()).unwrap();
    let mut models = Vec::new();
    for member in 0..members.len() {
        let mut trainer = Trainer::new(&bytes, &plan, member).unwrap();
        while !trainer.done() {
            trainer.run(64).unwrap();
        }
        models.push(trainer.finish().unwrap().model);
    }
    let fused = fuse(&bytes, &plan, &models).unwrap();
    let hashes: Vec<String> = models.iter().map(|model| hex(&sha256(&[model]))).collect();
    json!({
        "data": data,
        "swarmSeed": seed,
        "members": members,
        "summary": serde_json::from_str::<Value>(&summary).unwrap(),
        "planHash": hex(&sha256(&[plan.as_bytes()])),
        "memberHashes": hashes,
        "modelHash": hex(&sha256(&[&fused.model])),
        "report": serde_json::from_str::<Value>(&fused.report_json).unwrap(),
    })
}

#[test]
fn training_gives_the_stored_hashes() {
    let cases = [
        training("iris.csv", 7, &[]),
        training("wdbc.csv", 7, &["rprop", "batch"]),
        training("wdbc.csv", 1, &[]),
        training("sunspots.csv", 7, &[]),
    ];
    compare("training.json", &json!({ "engine": ENGINE_VERSION, "cases": cases }));
}

/// One network: its checkpoint after 20 epochs, and its model at the end.
fn session(data: &str, options: &Value) -> Value {
    let bytes = std::fs::read(path("data").join(data)).unwrap();
    let options = options.to_string();
    let found = |level: Level, slice: u32| {
        let mut session = Session::with_level(&bytes, &options, level).unwrap();
        session.run(20).unwrap();
        let checkpoint = session.checkpoint();
        while !session.done() {
            session.run(slice).unwrap();
        }
        let trained = session.finish().unwrap();
        json!({
            "data": data,
            "options": options,
            "checkpointHash": hex(&sha256(&[&checkpoint])),
            "modelHash": hex(&sha256(&[&trained.model])),
            "report": serde_json::from_str::<Value>(&trained.report_json).unwrap(),
        })
    };
    let first = found(Level::detect(), 1000);
    for level in Level::available() {
        assert_eq!(found(level, 7), first, "{}", level.word());
    }
    first
}

#[test]
fn sessions_give_the_stored_hashes() {
    let mut cases = Vec::new();
    for algorithm in
        ["batch", "incremental", "rprop+", "rprop-", "irprop+", "irprop-", "sarprop", "quickprop", "adam"]
    {
        cases.push(session("iris.csv", &json!({"algorithm": algorithm, "epochs": 1000, "patience": 0})));
        let shape = json!({
            "algorithm": algorithm, "hidden": [9, 4], "activation": ["elliott", "sine"], "steepness": [1, 0.5, 1],
            "shortcut": true, "connectionRate": 0.7, "init": "glorot", "loss": "huber", "epochs": 60, "seed": 7,
        });
        cases.push(session("sunspots.csv", &shape));
    }
    for options in [
        json!({"activation": "relu", "init": "he", "algorithm": "adam", "dropout": 0.2, "noise": 0.1, "epochs": 40}),
        json!({"activation": "logistic", "init": "nguyen-widrow", "algorithm": "batch", "batchRows": 50,
            "outputActivation": "logistic", "l1": 0.0001, "l2": 0.001, "classWeights": "balanced", "epochs": 40}),
        json!({"activation": "elliott-symmetric", "init": "uniform", "gl": 5, "progress": 0.1, "epochs": 3000,
            "hidden": [4, 2], "loss": "squared", "outputActivation": "linear"}),
    ] {
        cases.push(session("wdbc.csv", &options));
    }
    compare("session.json", &json!({ "engine": ENGINE_VERSION, "cases": cases }));
}

#[test]
fn activations_give_the_stored_bits() {
    let inputs: Vec<f32> =
        [0.0f32, 1e-30, 1e-4, 0.1, 0.5, 0.624, 0.626, 1.0, 1.7, 3.1, 7.9, 20.5, 87.0, 88.5, 1e4, 3e38]
            .iter()
            .flat_map(|value| [*value, -*value])
            .collect();
    let bits =
        |values: &[f32]| values.iter().map(|value| format!("{:08x}", value.to_bits())).collect::<Vec<_>>();
    let mut functions = serde_json::Map::new();
    for activation in Activation::ALL.iter().filter(|known| **known != Activation::Softmax) {
        let name = activation.word();
        let mut values = inputs.clone();
        activate(name, &mut values).unwrap();
        assert!(values.iter().all(|value| value.is_finite()), "{name}");
        functions.insert(name.to_string(), json!(bits(&values)));
    }
    compare("activations.json", &json!({ "inputs": bits(&inputs), "outputs": functions }));
    assert!(activate("softmax", &mut [0.0]).is_err());
}
