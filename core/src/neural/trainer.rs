//! Training one member of a plan, in slices of epochs: a slice's length never changes a bit.

use super::cascade_trainer::CascadeTrainer;
use super::codec;
use super::learner::{self, Learner as LayersLearner};
use super::model::{fused, score, shape_text, Member};
use super::plan::{parse_plan, to_json, Recipe};
use super::prepare::{prepare, Prepared};
use super::schema::Task;
use super::view::{self, View};
use crate::error::{Code, Error};
use crate::hash::parse_hex;
use crate::rng::Rng;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use ruv_swarm_neural::{FloatState, Level};
use serde::Serialize;

/// How far a member is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Its index in the plan.
    pub member: u32,
    /// Epochs done.
    pub epoch: u32,
    /// Most epochs.
    pub max_epochs: u32,
    /// Mean squared error of the last epoch on the training rows, as the member saw them.
    pub training_loss: f64,
    /// Mean squared error on the validation rows.
    pub validation_loss: f64,
    /// The least of them, whose weights are kept.
    pub best_validation_loss: f64,
    /// Whether training is over.
    pub done: bool,
}

impl Progress {
    /// The JSON object.
    pub fn to_json(&self) -> String {
        to_json(self).unwrap_or_default()
    }
}

/// A trained member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberResult {
    /// A model file with this one member.
    pub model: Vec<u8>,
    /// Its report.
    pub report_json: String,
}

/// What a member's report says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberReport {
    pub member: u32,
    pub pattern: String,
    pub algorithm: String,
    pub network: String,
    pub validation_loss: f64,
    pub validation_accuracy: Option<f64>,
    pub epochs: u32,
}

/// One way of learning; a step is an epoch.
enum Learner {
    Layers(Box<LayersLearner>),
    Cascade(Box<CascadeTrainer>),
}

/// Training of one member.
pub struct Trainer {
    data: Prepared,
    recipe: Recipe,
    view: View,
    learner: Learner,
    progress: Progress,
    since_best: u32,
}

impl Trainer {
    /// A trainer of member `member` of the plan, on the bytes that the plan was made for.
    pub fn new(bytes: &[u8], plan_json: &str, member: usize) -> Result<Trainer, Error> {
        Trainer::with_level(bytes, plan_json, member, Level::detect())
    }

    /// As [`Trainer::new`] with the plainest kernels: same bits, for tests and comparisons.
    pub fn new_baseline(bytes: &[u8], plan_json: &str, member: usize) -> Result<Trainer, Error> {
        Trainer::with_level(bytes, plan_json, member, Level::Baseline)
    }

    fn with_level(bytes: &[u8], plan_json: &str, member: usize, level: Level) -> Result<Trainer, Error> {
        let _settings = FloatState::hold();
        let plan = parse_plan(plan_json)?;
        let chosen = plan.members.get(member).cloned().ok_or_else(|| {
            Error::invalid(
                "member",
                format!("member: {member}; the plan has {} members, from 0", plan.members.len()),
            )
        })?;
        let seed = parse_hex(&chosen.seed)
            .ok_or_else(|| Error::invalid("seed", "seed: must be 64 hexadecimal digits"))?;
        let data = prepare(bytes, &plan)?;
        let mut rng = Rng::from_hash(&seed);
        let recipe = chosen.recipe;
        let view = view::make(&recipe.view, &data, &mut rng);
        let mut rows = data.train.clone();
        if recipe.view.bootstrap {
            let count = rows.len() as u64;
            let draw = |_| data.train.get(rng.below(count) as usize).copied().unwrap_or(0);
            rows = (0..count).map(draw).collect();
        }
        let width = view.width(data.schema.inputs());
        let see = |row: &[f32], out: &mut [f32]| view.apply(row, out);
        let learner = if recipe.algorithm == "cascade-correlation" {
            let cascade = CascadeTrainer::new(level, &recipe, &data, &rows, width, see, rng)?;
            Learner::Cascade(Box::new(cascade))
        } else {
            let network = learner::member_network(&recipe, width, data.schema.outputs(), &mut rng)?;
            let settings = learner::member_settings(&recipe);
            let train = learner::rows_of(&data, &rows, width, false, see);
            let validation = learner::rows_of(&data, &data.validation, width, false, see);
            Learner::Layers(Box::new(LayersLearner::new(level, network, settings, train, validation, rng)?))
        };
        let progress = Progress {
            member: member as u32,
            epoch: 0,
            max_epochs: recipe.max_epochs,
            training_loss: 0.0,
            validation_loss: 0.0,
            best_validation_loss: f64::MAX,
            done: false,
        };
        Ok(Trainer { data, recipe, view, learner, progress, since_best: 0 })
    }

    /// Trains for at most `epochs` more epochs.
    ///
    /// An error means that the numbers ran away; the member cannot be finished then.
    pub fn run(&mut self, epochs: u32) -> Result<Progress, Error> {
        let _settings = FloatState::hold();
        for _ in 0..epochs {
            if self.progress.done {
                break;
            }
            self.epoch()?;
        }
        Ok(self.progress.clone())
    }

    fn epoch(&mut self) -> Result<(), Error> {
        let losses = match &mut self.learner {
            Learner::Layers(learner) => learner.epoch(true),
            Learner::Cascade(learner) => learner.epoch()?,
        };
        let validation = losses.validation.unwrap_or(losses.training);
        let progress = &mut self.progress;
        progress.epoch += 1;
        if losses.broken.is_some() {
            return Err(Error::new(
                Code::WorkFailed,
                "",
                format!(
                    "training: member {} ({}, {}) left the finite numbers in epoch {}; scale the data or lower the learning rate",
                    progress.member, self.recipe.pattern, self.recipe.algorithm, progress.epoch
                ),
            ));
        }
        progress.training_loss = losses.training;
        progress.validation_loss = validation;
        self.since_best += 1;
        if validation < progress.best_validation_loss {
            progress.best_validation_loss = validation;
            self.since_best = 0;
            match &mut self.learner {
                Learner::Layers(learner) => learner.keep_best(),
                Learner::Cascade(learner) => learner.keep_best(),
            }
        }
        let stopped = match &self.learner {
            Learner::Layers(_) => self.since_best >= self.recipe.patience,
            Learner::Cascade(learner) => learner.finished(),
        };
        progress.done = stopped || progress.epoch >= progress.max_epochs;
        Ok(())
    }

    /// How far it is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether training is over.
    pub fn done(&self) -> bool {
        self.progress.done
    }

    /// The member with the weights of its best epoch; training may have been ended early.
    pub fn finish(self) -> Result<MemberResult, Error> {
        let _settings = FloatState::hold();
        if self.progress.epoch == 0 {
            return Err(Error::new(Code::FailedPrecondition, "", "training: no epoch has run yet"));
        }
        let network = match self.learner {
            Learner::Layers(learner) => learner.into_best(),
            Learner::Cascade(learner) => learner.into_best(),
        };
        let member = Member {
            pattern: self.recipe.pattern,
            algorithm: self.recipe.algorithm,
            epochs: self.progress.epoch,
            weight: 1.0,
            view: self.view,
            network,
        };
        let report = report(&self.data, &member, self.progress.member);
        let model = codec::write("", &self.data.schema, core::slice::from_ref(&member));
        Ok(MemberResult { model, report_json: to_json(&report)? })
    }
}

/// A member's figures on the validation rows.
pub(crate) fn report(data: &Prepared, member: &Member, index: u32) -> MemberReport {
    let (rows, targets) = gather(data, &data.validation);
    let outputs = member.outputs(&data.schema, &rows);
    let score = score(&fused(&[1.0], &[outputs]), &targets, data.schema.outputs());
    MemberReport {
        member: index,
        pattern: member.pattern.clone(),
        algorithm: member.algorithm.clone(),
        network: shape_text(&member.network),
        validation_loss: score.loss,
        validation_accuracy: (data.schema.task == Task::Classification).then_some(score.accuracy),
        epochs: member.epochs,
    }
}

/// Standardised inputs and targets of the chosen rows, one after the other.
pub(crate) fn gather(data: &Prepared, rows: &[u32]) -> (Vec<f32>, Vec<f32>) {
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for row in rows {
        inputs.extend_from_slice(data.row(*row));
        targets.extend_from_slice(data.target(*row));
    }
    (inputs, targets)
}
