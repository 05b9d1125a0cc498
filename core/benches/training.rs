//! Speed of training: epochs and GFLOP a second of full-batch RPROP, per kernel level.
//!
//! `cargo bench -p ruv-swarm-core`. One line per case; the best of several rounds, since machines are shared.

#![allow(clippy::disallowed_types)] // a bench measures time; the core does not

use ruv_swarm_core::neural::{encode_arrays, inspect_data, resolve_plan, MemberRequest, Task, Trainer};
use std::time::Instant;

struct Case {
    name: &'static str,
    rows: usize,
    inputs: usize,
    hidden: &'static [u32],
    classes: usize,
    algorithm: &'static str,
}

const CASES: &[Case] = &[
    Case { name: "small 4-8-3", rows: 150, inputs: 4, hidden: &[8], classes: 3, algorithm: "rprop" },
    Case { name: "gene64 120-64-3", rows: 1588, inputs: 120, hidden: &[64], classes: 3, algorithm: "rprop" },
    Case {
        name: "mushroom 125-32-2",
        rows: 4062,
        inputs: 125,
        hidden: &[32],
        classes: 2,
        algorithm: "rprop",
    },
    Case {
        name: "synth 64-256-256-10",
        rows: 4096,
        inputs: 64,
        hidden: &[256, 256],
        classes: 10,
        algorithm: "rprop",
    },
    Case { name: "synth, adam", rows: 4096, inputs: 64, hidden: &[256, 256], classes: 10, algorithm: "adam" },
    Case {
        name: "synth, incremental",
        rows: 4096,
        inputs: 64,
        hidden: &[256, 256],
        classes: 10,
        algorithm: "incremental",
    },
];

/// Values in [-1, 1) from a linear congruence; the class is the largest sum over groups of inputs.
fn data(case: &Case) -> Vec<u8> {
    let mut state = 12345u32;
    let mut next = || {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    let inputs: Vec<f32> = (0..case.rows * case.inputs).map(|_| next()).collect();
    let group = case.inputs / case.classes;
    let class = |row: &[f32]| {
        let sums: Vec<f32> = row.chunks(group).take(case.classes).map(|part| part.iter().sum()).collect();
        (0..sums.len()).fold(0, |best, index| if sums[index] > sums[best] { index } else { best }) as f32
    };
    let targets: Vec<f32> = inputs.chunks(case.inputs).map(class).collect();
    encode_arrays(&inputs, case.rows, case.inputs, &targets, 1, Some(Task::Classification))
}

fn plan(case: &Case, bytes: &[u8]) -> String {
    let summary = inspect_data(bytes, "").expect("the data is sound");
    let request = MemberRequest { pattern: "convergent".into(), algorithms: vec![case.algorithm.into()] };
    let mut plan = resolve_plan(&summary, 1, &[request]).expect("the pattern exists");
    plan.split = [98, 1, 1];
    let recipe = &mut plan.members[0].recipe;
    recipe.hidden = case.hidden.to_vec();
    recipe.activation = "logistic".into();
    recipe.max_epochs = 1_000_000;
    recipe.patience = 1_000_000;
    serde_json::to_string(&plan).expect("a plan is JSON")
}

/// Operations of one epoch: 6 per weight and row, less the first layer's backward product.
fn operations(case: &Case) -> f64 {
    let mut sizes = vec![case.inputs as u64];
    sizes.extend(case.hidden.iter().map(|units| u64::from(*units)));
    sizes.push(case.classes as u64);
    let weights: u64 = sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
    (case.rows as u64 * 98 / 100 * (6 * weights - 2 * sizes[0] * sizes[1])) as f64
}

fn rate(trainer: &mut Trainer, rounds: u32) -> f64 {
    let mut best = 0.0f64;
    let mut epochs = 1;
    for _ in 0..rounds {
        let start = Instant::now();
        trainer.run(epochs).expect("training stays finite");
        let seconds = start.elapsed().as_secs_f64();
        best = best.max(f64::from(epochs) / seconds);
        epochs = ((best * 0.1) as u32).max(1);
    }
    best
}

fn main() {
    for case in CASES {
        let bytes = data(case);
        let plan = plan(case, &bytes);
        let wide = rate(&mut Trainer::new(&bytes, &plan, 0).expect("the plan is sound"), 6);
        let plain = rate(&mut Trainer::new_baseline(&bytes, &plan, 0).expect("the plan is sound"), 6);
        let giga = operations(case) / 1e9;
        println!(
            "{:<22} {:<12} detected {:>9.1} epochs/s {:>6.1} GFLOP/s   baseline {:>9.1} epochs/s {:>6.1} GFLOP/s",
            case.name, case.algorithm, wide, wide * giga, plain, plain * giga
        );
    }
}
