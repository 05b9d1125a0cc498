//! Proben1 (Prechelt, technical report 21/94, table 10): networks without shortcuts, stopped early.

use ruv_swarm_core::rng::derived;
use serde_json::{json, Value};

use crate::training::{laid, Job};
use crate::wanted::{Failure, Wanted};

/// A set, its hidden layers, and whether its outputs are sigmoid units too.
pub const SETS: &[(&str, &[u32], bool)] = &[
    ("cancer1", &[4, 2], false),
    ("cancer2", &[8, 4], false),
    ("cancer3", &[16, 8], false),
    ("diabetes1", &[32], false),
    ("diabetes2", &[16, 8], false),
    ("diabetes3", &[32], false),
    ("gene1", &[4, 2], false),
    ("gene2", &[4, 2], true),
    ("gene3", &[4, 2], true),
    ("soybean1", &[16, 8], false),
    ("soybean2", &[32], false),
    ("soybean3", &[16], false),
    ("thyroid1", &[16, 8], false),
    ("thyroid2", &[8, 4], false),
    ("thyroid3", &[16, 8], false),
    ("building1", &[16], false),
    ("building2", &[16, 8], false),
    ("building3", &[16, 8], true),
    ("hearta1", &[32], false),
    ("hearta2", &[16], false),
    ("hearta3", &[32], false),
];

/// RPROP as Riedmiller and Braun published it in 1993, and the three others.
pub const RULES: &[&str] = &["rprop+", "rprop-", "irprop+", "irprop-"];

/// Half widths of the first weights, which the report does not state.
const RANGES: &[f64] = &[0.01, 0.1, 0.2, 0.3, 0.5];

/// The one with the least validation error over all sets; `docs/papers.md` has the figures.
pub const RANGE: f64 = 0.2;

/// The network and its first weights.
pub fn start(hidden: &[u32], sigmoid: bool, range: f64, seed: u64) -> Value {
    json!({
        "format": "proben1", "hidden": hidden, "activation": "elliott-symmetric",
        "outputActivation": if sigmoid { "elliott-symmetric" } else { "linear" },
        "loss": "squared", "init": "uniform", "initRange": range, "patience": 0, "seed": seed,
    })
}

/// Every set with every rule and seed, and the first rule from other weights too.
pub fn jobs(wanted: &Wanted) -> Result<Vec<Job>, Failure> {
    let others = RANGES.iter().filter(|range| **range != RANGE).map(|range| (RULES[0], *range));
    let variants: Vec<(&str, f64)> = RULES.iter().map(|rule| (*rule, RANGE)).chain(others).collect();
    let mut jobs = Vec::new();
    for (set, hidden, sigmoid) in SETS.iter().filter(|(set, ..)| wanted.wants(set)) {
        let data = wanted.read(set)?;
        let constant = constant(&data);
        for (rule, range) in &variants {
            for seed in 1..=wanted.seeds {
                jobs.push(Job {
                    line: json!({
                        "set": set, "rule": rule, "range": range, "seed": seed, "constant": constant,
                    }),
                    data: data.clone(),
                    options: laid(&start(hidden, *sigmoid, *range, seed), &training(set, rule, seed)),
                    marks: &[],
                });
            }
        }
    }
    Ok(jobs)
}

/// The rule and when it stops. The first step is drawn for each run, the same for all of its weights.
fn training(set: &str, rule: &str, seed: u64) -> Value {
    let draw = derived(&[b"papers\n", set.as_bytes(), b"\n", seed.to_string().as_bytes()]).unit_f32();
    json!({
        "algorithm": rule, "increase": 1.2, "decrease": 0.5, "stepMin": 1e-12, "stepMax": 50.0,
        "stepStart": 0.005 + 0.015 * f64::from(draw),
        "epochs": 3000, "gl": 5.0, "progress": 0.1, "strip": 5, "validateEvery": 5,
    })
}

/// The mean squared error on the training rows of the best constant answer: what a network has that has learned
/// nothing yet.
fn constant(bytes: &[u8]) -> f64 {
    let text = String::from_utf8_lossy(bytes);
    let (mut counts, mut rows) = (Vec::new(), Vec::<Vec<f64>>::new());
    for line in text.lines() {
        match line.split_once('=') {
            Some((_, count)) => counts.push(count.trim().parse::<usize>().unwrap_or(0)),
            None => rows.push(line.split_whitespace().filter_map(|word| word.parse().ok()).collect()),
        }
    }
    let [bool_in, real_in, _, _, train, ..] = counts[..] else { return f64::NAN };
    rows.retain(|row| !row.is_empty());
    rows.truncate(train);
    let outputs = bool_in + real_in..rows.first().map_or(0, Vec::len);
    let spread = |place: usize| {
        let mean = rows.iter().map(|row| row[place]).sum::<f64>() / rows.len() as f64;
        rows.iter().map(|row| (row[place] - mean).powi(2)).sum::<f64>() / rows.len() as f64
    };
    outputs.clone().map(spread).sum::<f64>() / outputs.len() as f64
}
