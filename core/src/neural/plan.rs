//! Training plans: everything a member's training depends on, resolved once and kept in the event log.
//!
//! A plan names no pattern's rule: its recipes hold every hyper-parameter, so that a re-run years later never
//! reads the pattern table again.

use super::activation;
use super::data::Summary;
use super::pattern;
use super::prepare::split_seed;
use super::schema::Task;
use crate::error::{Code, Error};
use crate::hash::{hex, parse_hex, sha256, Hash};
use crate::json::{readable, Read};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ruv_swarm_neural::{Activation, FloatState};
use serde::{Deserialize, Serialize};

/// The arithmetic of this release: it changes when the same recipe would give other bits.
pub const ENGINE_VERSION: u32 = 2;
/// Most members of a plan.
pub const MAX_MEMBERS: usize = 100;
/// The algorithm words: a closed list for agents of type neural.
pub const ALGORITHMS: &[&str] =
    &["rprop", "batch", "incremental", "quickprop", "sarprop", "adam", "cascade-correlation"];

/// One member that a strategy asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberRequest {
    /// A cognitive pattern.
    pub pattern: String,
    /// The algorithms it may choose from; none means all.
    #[serde(default)]
    pub algorithms: Vec<String>,
}

/// What part of the data a member sees.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// `all`, `subset` (random features), `products` (all and random products of two), `components` (principal).
    pub kind: String,
    /// How many features, products or components.
    #[serde(default)]
    pub count: u32,
    /// Whether the training rows are a bootstrap sample (drawn with replacement).
    #[serde(default)]
    pub bootstrap: bool,
}

readable!(strict View { kind, count, bootstrap });

/// Every hyper-parameter of one member.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipe {
    /// [`ENGINE_VERSION`] of the release that made the plan.
    pub engine: u32,
    /// The cognitive pattern it came from; a label only.
    pub pattern: String,
    /// One of [`ALGORITHMS`].
    pub algorithm: String,
    /// Units of each hidden layer; none for cascade-correlation.
    pub hidden: Vec<u32>,
    /// Activation of the hidden units.
    pub activation: String,
    /// Activation of the outputs.
    pub output_activation: String,
    /// `squared` or `cross-entropy`; what training lowers. Reports always state the squared error.
    pub loss: String,
    /// Most epochs.
    pub max_epochs: u32,
    /// Epochs without a lower validation loss after which training stops.
    pub patience: u32,
    /// Step size (batch, incremental, adam), or the first step of rprop and sarprop.
    pub learning_rate: f64,
    /// Momentum of batch.
    pub momentum: f64,
    /// Rows of an update of adam; 0 means all rows.
    pub batch_rows: u32,
    /// Weight decay on all weights but the biases.
    pub l2: f64,
    /// Share of hidden units dropped in each training pass.
    pub dropout: f64,
    /// Half width of the uniform noise added to the scaled inputs in each training pass.
    pub noise: f64,
    /// Most hidden units of cascade-correlation.
    pub max_units: u32,
    /// Candidates trained for each of them.
    pub candidates: u32,
    /// What part of the data it sees.
    pub view: View,
}

readable!(strict Recipe { engine, pattern, algorithm, hidden, activation, output_activation, loss, max_epochs, patience, learning_rate, momentum, batch_rows, l2, dropout, noise, max_units, candidates, view });

/// One member: its recipe and the seed that all its randomness comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberPlan {
    /// Its index, from 0.
    pub member: u32,
    /// SHA-256 of swarm seed, dataset hash, recipe and index, in hexadecimal.
    pub seed: String,
    /// Every hyper-parameter.
    pub recipe: Recipe,
}

readable!(strict MemberPlan { member, seed, recipe });

/// A whole training job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingPlan {
    /// SHA-256 of the dataset's bytes.
    pub dataset: String,
    /// `csv`, `fann`, `proben1` or `array`.
    pub format: String,
    /// The target column.
    pub target: String,
    /// `classification` or `regression`.
    pub task: String,
    /// Seed of the split into training, validation and test rows, in hexadecimal.
    pub split_seed: String,
    /// Shares of training, validation and test rows, in percent.
    pub split: [u32; 3],
    /// How members are weighed: `inverse-validation-loss` or `mean`.
    pub fusion: String,
    /// The members.
    pub members: Vec<MemberPlan>,
}

readable!(strict TrainingPlan { dataset, format, target, task, split_seed, split, fusion, members });

/// Resolves what a strategy asks for into explicit recipes.
///
/// `summary_json` is the answer of [`super::inspect_data`].
pub fn resolve_plan(
    summary_json: &str,
    swarm_seed: u64,
    members: &[MemberRequest],
) -> Result<TrainingPlan, Error> {
    let _settings = FloatState::hold();
    let summary =
        Summary::read(summary_json).map_err(|why| Error::invalid("dataset", format!("dataset: {why}")))?;
    if parse_hex(&summary.hash).is_none() {
        return Err(Error::invalid("dataset", "dataset: hash must be 64 hexadecimal digits"));
    }
    let task = Task::parse(&summary.task)?.unwrap_or(Task::Classification);
    if members.is_empty() || members.len() > MAX_MEMBERS {
        return Err(Error::invalid(
            "members",
            format!("members: {} asked for; allowed: 1 to {MAX_MEMBERS}", members.len()),
        ));
    }
    let seed = swarm_seed.to_string();
    let split_seed = hex(&split_seed(swarm_seed, &summary.hash));
    let mut plans = Vec::with_capacity(members.len());
    for (index, request) in members.iter().enumerate() {
        check_algorithms(&request.algorithms)?;
        let recipe = pattern::recipe(&request.pattern, &request.algorithms, &summary, task)?;
        let member = index as u32;
        let seed = hex(&member_seed(&seed, &summary.hash, &recipe, member)?);
        plans.push(MemberPlan { member, seed, recipe });
    }
    Ok(TrainingPlan {
        dataset: summary.hash,
        format: summary.format,
        target: summary.target,
        task: task.as_str().to_string(),
        split_seed,
        split: [60, 20, 20],
        fusion: "inverse-validation-loss".to_string(),
        members: plans,
    })
}

/// Refuses an algorithm word that is not in the closed list.
pub fn check_algorithms(words: &[String]) -> Result<(), Error> {
    match words.iter().find(|word| !ALGORITHMS.contains(&word.as_str())) {
        Some(word) => Err(Error::not_one_of("capabilities", word, ALGORITHMS)),
        None => Ok(()),
    }
}

fn member_seed(seed: &str, dataset: &str, recipe: &Recipe, member: u32) -> Result<Hash, Error> {
    let recipe = to_json(recipe)?;
    let member = member.to_string();
    Ok(sha256(&[
        b"member\n",
        seed.as_bytes(),
        b"\n",
        dataset.as_bytes(),
        b"\n",
        recipe.as_bytes(),
        b"\n",
        member.as_bytes(),
    ]))
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::new(Code::Internal, "", format!("json: {error}")))
}

/// Parses and checks a plan.
pub(crate) fn parse_plan(plan_json: &str) -> Result<TrainingPlan, Error> {
    let plan = TrainingPlan::read(plan_json).map_err(|why| Error::invalid("plan", format!("plan: {why}")))?;
    for member in &plan.members {
        check_recipe(&member.recipe)?;
    }
    let shares: u32 = plan.split.iter().fold(0, |sum, share| sum.saturating_add(*share));
    if shares != 100 || plan.split.contains(&0) {
        return Err(Error::invalid("split", "split: the three shares must be at least 1 and add up to 100"));
    }
    if !["inverse-validation-loss", "mean"].contains(&plan.fusion.as_str()) {
        return Err(Error::not_one_of("fusion", &plan.fusion, &["inverse-validation-loss", "mean"]));
    }
    Ok(plan)
}

fn check_recipe(recipe: &Recipe) -> Result<(), Error> {
    if recipe.engine != ENGINE_VERSION {
        return Err(Error::new(
            Code::UnsupportedVersion,
            "engine",
            format!("engine: the plan needs engine {}, this release has {ENGINE_VERSION}", recipe.engine),
        ));
    }
    check_algorithms(core::slice::from_ref(&recipe.algorithm))?;
    let hidden = activation::parse("activation", &recipe.activation)?;
    let output = activation::parse("outputActivation", &recipe.output_activation)?;
    if hidden == Activation::Softmax {
        return Err(Error::invalid("activation", "activation: softmax is for outputs only"));
    }
    for (field, activation) in [("activation", hidden), ("outputActivation", output)] {
        if !activation.has_slope() {
            return Err(Error::invalid(
                field,
                format!("{field}: {} has no slope to train by", activation.word()),
            ));
        }
    }
    match recipe.loss.as_str() {
        "squared" => {}
        "cross-entropy" if output == Activation::Softmax => {}
        "cross-entropy" => {
            return Err(Error::invalid("loss", "loss: cross-entropy needs the output activation softmax"));
        }
        _ => return Err(Error::not_one_of("loss", &recipe.loss, &["squared", "cross-entropy"])),
    }
    let limits: [(&str, f64, f64, f64); 7] = [
        ("maxEpochs", f64::from(recipe.max_epochs), 1.0, 1e6),
        ("patience", f64::from(recipe.patience), 1.0, 1e6),
        ("learningRate", recipe.learning_rate, 1e-9, 1e3),
        ("momentum", recipe.momentum, 0.0, 0.999_999),
        ("l2", recipe.l2, 0.0, 1e3),
        ("dropout", recipe.dropout, 0.0, 0.95),
        ("noise", recipe.noise, 0.0, 1e3),
    ];
    for (field, value, low, high) in limits {
        if !(low..=high).contains(&value) {
            return Err(Error::invalid(field, format!("{field}: {value}; allowed: {low} to {high}")));
        }
    }
    check_sizes(recipe)
}

fn check_sizes(recipe: &Recipe) -> Result<(), Error> {
    let cascade = recipe.algorithm == "cascade-correlation";
    if recipe.hidden.len() > 16 || recipe.hidden.iter().any(|units| *units == 0 || *units > 4096) {
        return Err(Error::invalid("hidden", "hidden: at most 16 layers of 1 to 4096 units"));
    }
    if cascade != recipe.hidden.is_empty() {
        return Err(Error::invalid(
            "hidden",
            "hidden: none for cascade-correlation, at least one layer otherwise",
        ));
    }
    if cascade && !((1..=256).contains(&recipe.max_units) && (1..=64).contains(&recipe.candidates)) {
        return Err(Error::invalid("maxUnits", "maxUnits: 1 to 256 units and 1 to 64 candidates"));
    }
    if !["all", "subset", "products", "components"].contains(&recipe.view.kind.as_str()) {
        return Err(Error::not_one_of(
            "view",
            &recipe.view.kind,
            &["all", "subset", "products", "components"],
        ));
    }
    if recipe.view.kind != "all" && !(1..=10_000).contains(&recipe.view.count) {
        return Err(Error::invalid("count", "count: 1 to 10000 features of the view"));
    }
    Ok(())
}
