//! The N-M-N encoders of Riedmiller and Braun (ICNN 1993): epochs until every output is right.

use std::sync::Arc;

use ruv_swarm_core::neural::encode_arrays;
use serde_json::{json, Value};

use crate::training::{laid, Job};
use crate::wanted::Wanted;

/// A rule with the constants that the paper found best, or the usual ones.
struct Setting {
    name: &'static str,
    algorithm: &'static str,
    /// Of the sum over the patterns, as the paper counts; the engine's is of the mean.
    rate: f64,
    growth: f64,
    step_start: f64,
}

const fn resilient(name: &'static str, algorithm: &'static str, step_start: f64) -> Setting {
    Setting { name, algorithm, rate: 0.1, growth: 1.75, step_start }
}

const fn plain(rate: f64) -> Setting {
    Setting { name: "BP", algorithm: "batch", rate, growth: 1.75, step_start: 0.1 }
}

const fn quick(rate: f64, growth: f64) -> Setting {
    Setting { name: "Quickprop", algorithm: "quickprop", rate, growth, step_start: 0.1 }
}

/// Patterns, hidden units, and the settings.
const ENCODERS: &[(usize, u32, &[Setting])] = &[
    (
        10,
        5,
        &[
            plain(1.9),
            quick(1.5, 1.75),
            resilient("RPROP", "rprop+", 2.0),
            resilient("RPROP, usual", "rprop+", 0.1),
            resilient("iRPROP-, usual", "irprop-", 0.1),
        ],
    ),
    (
        12,
        2,
        &[
            plain(1.0),
            quick(0.05, 1.3),
            resilient("RPROP", "rprop+", 1.0),
            resilient("RPROP, usual", "rprop+", 0.1),
            resilient("iRPROP-, usual", "irprop-", 0.1),
        ],
    ),
];

/// Every encoder with every setting and seed.
pub fn jobs(wanted: &Wanted) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (patterns, hidden, settings) in ENCODERS {
        let set = format!("{patterns}-{hidden}-{patterns}");
        if !wanted.wants(&set) {
            continue;
        }
        let data = Arc::new(unit_vectors(*patterns));
        for setting in *settings {
            for seed in 1..=wanted.seeds {
                jobs.push(Job {
                    line: json!({ "set": set, "rule": setting.name, "seed": seed }),
                    data: data.clone(),
                    options: options(*patterns, *hidden, setting, seed),
                    marks: &[],
                });
            }
        }
    }
    jobs
}

fn options(patterns: usize, hidden: u32, setting: &Setting, seed: u64) -> Value {
    let network = json!({
        "format": "array", "task": "regression", "scaling": "none", "targetScaling": "none",
        "split": [100, 0, 0], "splitBy": "ordered", "hidden": [hidden], "activation": "logistic",
        "outputActivation": "logistic", "loss": "squared", "init": "uniform", "initRange": 1.0, "seed": seed,
    });
    let training = json!({
        "algorithm": setting.algorithm, "learningRate": setting.rate * patterns as f64, "momentum": 0.0,
        "growth": setting.growth, "decay": 0.0, "stepStart": setting.step_start, "stepMax": 50.0,
        "epochs": 15_000, "bitFail": 0, "bitFailLimit": 0.4, "patience": 0,
    });
    laid(&network, &training)
}

/// Each unit vector, to be answered by itself.
fn unit_vectors(count: usize) -> Vec<u8> {
    let values: Vec<f32> =
        (0..count * count).map(|place| f32::from(u8::from(place % (count + 1) == 0))).collect();
    encode_arrays(&values, count, count, &values, count, None)
}
