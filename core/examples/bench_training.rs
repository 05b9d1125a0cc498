//! Training of fixed cases, to be timed natively and in WebAssembly on the very same files.
//!
//! `bench_training write FOLDER` writes each case's dataset and plan; `bench_training run FOLDER
//! [baseline]` trains them and prints a JSON line each. `baseline` is the 128-bit path. The model's
//! hash stands beside the time: a figure for other bits would mean nothing.

#![allow(clippy::disallowed_types, reason = "a bench reads the clock; the core itself does not")]

use std::fs;
use std::path::Path;
use std::time::Instant;

use ruv_swarm_core::hash::{hex, sha256};
use ruv_swarm_core::neural::{encode_arrays, inspect_data, resolve_plan, MemberRequest, Task, Trainer};
use serde_json::{json, Value};

/// Name, rows, inputs, hidden layers, classes, epochs.
type Case = (&'static str, usize, usize, &'static [u32], usize, u32);

const CASES: &[Case] = &[
    ("spirals", 194, 2, &[16, 16], 2, 2000),
    ("thyroid", 3600, 21, &[16, 8], 3, 100),
    ("gene64", 1588, 120, &[64], 3, 60),
    ("mushroom", 4062, 125, &[32], 2, 40),
    ("synth", 4096, 64, &[256, 256], 10, 12),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["write", folder] => write(Path::new(folder)),
        ["run", folder] => run(Path::new(folder), false),
        ["run", folder, "baseline"] => run(Path::new(folder), true),
        _ => Err("bench_training write FOLDER | run FOLDER [baseline]".into()),
    }
}

fn write(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut list = Vec::new();
    for (name, rows, inputs, hidden, classes, epochs) in CASES {
        let bytes = dataset(*rows, *inputs, *classes);
        let summary = inspect_data(&bytes, "")?;
        let request = MemberRequest { pattern: "convergent".into(), algorithms: vec!["rprop".into()] };
        let mut plan = resolve_plan(&summary, 1, &[request])?;
        plan.split = [98, 1, 1];
        for member in &mut plan.members {
            member.recipe.hidden = hidden.to_vec();
            member.recipe.activation = "logistic".into();
            member.recipe.max_epochs = 1_000_000;
            member.recipe.patience = 1_000_000;
        }
        fs::write(folder.join(format!("{name}.data")), &bytes)?;
        fs::write(folder.join(format!("{name}.plan")), serde_json::to_string(&plan)?)?;
        list.push(json!({ "name": name, "epochs": epochs }));
    }
    fs::write(folder.join("cases.json"), Value::Array(list).to_string())?;
    Ok(())
}

fn run(folder: &Path, baseline: bool) -> Result<(), Box<dyn std::error::Error>> {
    let list: Value = serde_json::from_slice(&fs::read(folder.join("cases.json"))?)?;
    for case in list.as_array().ok_or("cases.json is no list")? {
        let name = case["name"].as_str().ok_or("a case has no name")?;
        let epochs =
            case["epochs"].as_u64().and_then(|n| u32::try_from(n).ok()).ok_or("a case has no epochs")?;
        let bytes = fs::read(folder.join(format!("{name}.data")))?;
        let plan = fs::read_to_string(folder.join(format!("{name}.plan")))?;
        let make = if baseline { Trainer::new_baseline } else { Trainer::new };
        let mut trainer = make(&bytes, &plan, 0)?;
        trainer.run(1)?;
        let started = Instant::now();
        trainer.run(epochs)?;
        let seconds = started.elapsed().as_secs_f64();
        let hash = hex(&sha256(&[&trainer.finish()?.model]));
        println!("{}", json!({ "case": name, "epochs": epochs, "seconds": seconds, "hash": hash }));
    }
    Ok(())
}

/// Values in [-1, 1) from a linear congruence; the class is the largest sum over groups of inputs.
fn dataset(rows: usize, inputs: usize, classes: usize) -> Vec<u8> {
    let mut state = 12345u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    let values: Vec<f32> = (0..rows * inputs).map(|_| next()).collect();
    let class = |row: &[f32]| {
        let sums: Vec<f32> =
            row.chunks(inputs / classes).take(classes).map(|part| part.iter().sum()).collect();
        (0..sums.len()).fold(0, |best, i| if sums[i] > sums[best] { i } else { best }) as f32
    };
    let targets: Vec<f32> = values.chunks(inputs).map(class).collect();
    encode_arrays(&values, rows, inputs, &targets, 1, Some(Task::Classification))
}
