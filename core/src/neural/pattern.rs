//! Cognitive patterns: how each one turns into a network, an algorithm, a regularisation and a view of the data.
//!
//! The table is read once, when a training is planned; from then on the plan's recipes stand alone.
//! `docs/cognitive-patterns.md` states the same table for people.

use super::data::Summary;
use super::plan::{Recipe, View, ENGINE_VERSION};
use super::schema::Task;
use crate::cognition::PATTERNS;
use crate::error::Error;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// One row of the table.
struct Pattern {
    /// First choice first.
    algorithms: [&'static str; 7],
    activation: &'static str,
    /// Hidden layers as multiples of the base width, in quarters.
    layers: &'static [u32],
    loss: &'static str,
    l2: f64,
    dropout: f64,
    noise: f64,
    view: &'static str,
    /// Share of features (subset, components) or products per feature, in percent.
    view_share: u32,
    bootstrap: bool,
}

const RPROP: &str = "rprop";
const BATCH: &str = "batch";
const STEP: &str = "incremental";
const QUICK: &str = "quickprop";
const SAR: &str = "sarprop";
const ADAM: &str = "adam";
const CASCADE: &str = "cascade-correlation";

fn pattern(name: &str) -> Result<Pattern, Error> {
    Ok(match name {
        "convergent" => Pattern {
            algorithms: [RPROP, QUICK, ADAM, SAR, BATCH, STEP, CASCADE],
            activation: "tanh",
            layers: &[4],
            loss: "cross-entropy",
            l2: 3e-4,
            dropout: 0.0,
            noise: 0.0,
            view: "all",
            view_share: 100,
            bootstrap: false,
        },
        "divergent" => Pattern {
            algorithms: [ADAM, STEP, BATCH, SAR, RPROP, QUICK, CASCADE],
            activation: "relu",
            layers: &[12],
            loss: "cross-entropy",
            l2: 1e-4,
            dropout: 0.2,
            noise: 0.0,
            view: "all",
            view_share: 100,
            bootstrap: true,
        },
        "lateral" => Pattern {
            algorithms: [STEP, ADAM, RPROP, BATCH, SAR, QUICK, CASCADE],
            activation: "gaussian",
            layers: &[8],
            loss: "cross-entropy",
            l2: 3e-4,
            dropout: 0.0,
            noise: 0.1,
            view: "subset",
            view_share: 80,
            bootstrap: false,
        },
        "systems" => Pattern {
            algorithms: [CASCADE, RPROP, SAR, ADAM, QUICK, BATCH, STEP],
            activation: "elliott-symmetric",
            layers: &[6, 3],
            loss: "cross-entropy",
            l2: 1e-3,
            dropout: 0.0,
            noise: 0.0,
            view: "products",
            view_share: 50,
            bootstrap: false,
        },
        "critical" => Pattern {
            algorithms: [SAR, RPROP, BATCH, QUICK, ADAM, STEP, CASCADE],
            activation: "logistic",
            layers: &[3],
            loss: "squared",
            l2: 2e-3,
            dropout: 0.0,
            noise: 0.0,
            view: "all",
            view_share: 100,
            bootstrap: true,
        },
        "abstract" => Pattern {
            algorithms: [QUICK, RPROP, ADAM, BATCH, SAR, STEP, CASCADE],
            activation: "sine",
            layers: &[4, 2],
            loss: "cross-entropy",
            l2: 1e-3,
            dropout: 0.0,
            noise: 0.0,
            view: "components",
            view_share: 50,
            bootstrap: false,
        },
        _ => return Err(Error::not_one_of("pattern", name, PATTERNS)),
    })
}

/// The explicit recipe of `name` for this dataset, with the pattern's best algorithm among `allowed` (none: all).
pub(crate) fn recipe(name: &str, allowed: &[String], summary: &Summary, task: Task) -> Result<Recipe, Error> {
    let pattern = pattern(name)?;
    let algorithm = pattern
        .algorithms
        .iter()
        .copied()
        .find(|word| allowed.is_empty() || allowed.iter().any(|known| known == word))
        .unwrap_or(RPROP);
    let classification = task == Task::Classification;
    let hidden: Vec<u32> = if algorithm == CASCADE { Vec::new() } else { layers(pattern.layers, summary) };
    // steps that compare one epoch's slope with the last one's need the same function in each epoch
    let steady = matches!(algorithm, RPROP | QUICK | SAR | CASCADE);
    let schedule = schedule(algorithm, summary.rows);
    Ok(Recipe {
        engine: ENGINE_VERSION,
        pattern: name.to_string(),
        algorithm: algorithm.to_string(),
        hidden,
        activation: pattern.activation.to_string(),
        output_activation: if classification { "softmax" } else { "linear" }.to_string(),
        loss: if classification { pattern.loss } else { "squared" }.to_string(),
        max_epochs: schedule.max_epochs,
        patience: schedule.patience,
        learning_rate: schedule.learning_rate,
        momentum: schedule.momentum,
        batch_rows: schedule.batch_rows,
        l2: pattern.l2,
        dropout: if steady { 0.0 } else { pattern.dropout },
        noise: if steady { 0.0 } else { pattern.noise },
        max_units: if algorithm == CASCADE { 16 } else { 0 },
        candidates: if algorithm == CASCADE { 6 } else { 0 },
        view: view(&pattern, summary.inputs),
    })
}

/// The base width grows with the square root of inputs times outputs, within 6 and 64 units.
fn layers(quarters: &[u32], summary: &Summary) -> Vec<u32> {
    let product = summary.inputs.saturating_mul(summary.outputs);
    let base = (6..64).find(|width: &u64| width * width >= product).unwrap_or(64) as u32;
    quarters.iter().map(|share| (base * share / 4).max(2)).collect()
}

struct Schedule {
    max_epochs: u32,
    patience: u32,
    learning_rate: f64,
    momentum: f64,
    batch_rows: u32,
}

fn schedule(algorithm: &str, rows: u64) -> Schedule {
    let fixed = |max_epochs, patience, learning_rate, momentum, batch_rows| Schedule {
        max_epochs,
        patience,
        learning_rate,
        momentum,
        batch_rows,
    };
    match algorithm {
        BATCH => fixed(2000, 200, 0.1, 0.9, 0),
        STEP => fixed(300, 40, 0.01, 0.0, 1),
        ADAM => fixed(500, 60, 0.005, 0.0, if rows < 400 { 16 } else { 64 }),
        QUICK => fixed(800, 80, 0.02, 0.0, 0),
        SAR => fixed(800, 100, 0.05, 0.0, 0),
        CASCADE => fixed(3000, 40, 0.02, 0.0, 0),
        _ => fixed(800, 80, 0.02, 0.0, 0),
    }
}

fn view(pattern: &Pattern, inputs: u64) -> View {
    let inputs = u32::try_from(inputs).unwrap_or(u32::MAX);
    let share = inputs.saturating_mul(pattern.view_share).div_ceil(100).max(1);
    let count = match pattern.view {
        "subset" => share.max(2).min(inputs),
        // a pair needs two inputs
        "products" if inputs > 1 => share.min(32),
        "components" => share.max(2).min(inputs).min(16),
        _ => 0,
    };
    let kind = if count == 0 { "all" } else { pattern.view };
    View { kind: kind.to_string(), count, bootstrap: pattern.bootstrap }
}
