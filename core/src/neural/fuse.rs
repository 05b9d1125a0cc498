//! The ensemble: a convex mean of the members, measured on rows that nobody trained or chose on.

use super::codec;
use super::model::{fused, score, Member, Model};
use super::plan::{parse_plan, to_json};
use super::prepare::prepare;
use super::schema::Task;
use super::trainer::{gather, report, MemberReport};
use crate::error::Error;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use ruv_swarm_neural::FloatState;
use serde::Serialize;

/// A fused model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FuseResult {
    /// The model file.
    pub model: Vec<u8>,
    /// The report: figures of the ensemble on the test rows and of each member on the validation rows.
    pub report_json: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    ensemble: EnsembleReport,
    members: Vec<MemberReport>,
}

/// Krogh and Vedelsby (1995): for a convex mean under squared error, `testLoss = meanMemberLoss - ambiguity`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EnsembleReport {
    test_loss: f64,
    test_accuracy: Option<f64>,
    mean_member_loss: f64,
    ambiguity: f64,
    weights: Vec<f64>,
    test_rows: usize,
}

/// Fuses the members of a plan (all of them, in order, as [`super::Trainer`] finished them) into one model.
pub fn fuse(bytes: &[u8], plan_json: &str, member_models: &[Vec<u8>]) -> Result<FuseResult, Error> {
    let _settings = FloatState::hold();
    let plan = parse_plan(plan_json)?;
    if member_models.len() != plan.members.len() {
        return Err(Error::invalid(
            "members",
            format!(
                "members: {} models given; the plan has {} members",
                member_models.len(),
                plan.members.len()
            ),
        ));
    }
    let data = prepare(bytes, &plan)?;
    let mut members: Vec<Member> = Vec::with_capacity(member_models.len());
    for (index, bytes) in member_models.iter().enumerate() {
        let model = Model::load(bytes)?;
        let mut found = model.members.into_iter();
        match (found.next(), found.next()) {
            (Some(member), None) if model.schema == data.schema => members.push(member),
            _ => {
                return Err(Error::invalid(
                    "members",
                    format!("members: model {index} is not of this plan and dataset"),
                ));
            }
        }
    }
    let reports: Vec<MemberReport> =
        members.iter().enumerate().map(|(index, member)| report(&data, member, index as u32)).collect();
    let weights = weigh(&plan.fusion, &reports);
    for (member, weight) in members.iter_mut().zip(&weights) {
        member.weight = *weight;
    }
    let (rows, targets) = gather(&data, &data.test);
    let outputs: Vec<Vec<f32>> = members.iter().map(|member| member.outputs(&data.schema, &rows)).collect();
    let width = data.schema.outputs();
    let mean = fused(&weights, &outputs);
    let whole = score(&mean, &targets, width);
    let (mut member_loss, mut ambiguity) = (0.0, 0.0);
    for (weight, values) in weights.iter().zip(&outputs) {
        let wide: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
        member_loss += weight * score(&wide, &targets, width).loss;
        ambiguity += weight * distance(&wide, &mean);
    }
    let ensemble = EnsembleReport {
        test_loss: whole.loss,
        test_accuracy: (data.schema.task == Task::Classification).then_some(whole.accuracy),
        mean_member_loss: member_loss,
        ambiguity,
        weights,
        test_rows: data.test.len(),
    };
    let model = codec::write("", &data.schema, &members);
    Ok(FuseResult { model, report_json: to_json(&Report { ensemble, members: reports })? })
}

/// Convex weights: equal, or in proportion to 1 / validation loss with a floor so that no member takes all.
fn weigh(rule: &str, reports: &[MemberReport]) -> Vec<f64> {
    let mean = reports.iter().fold(0.0, |sum, report| sum + report.validation_loss) / reports.len() as f64;
    let merit = |report: &MemberReport| {
        if rule == "mean" || mean <= 0.0 {
            1.0
        } else {
            1.0 / (report.validation_loss + 0.1 * mean)
        }
    };
    let merits: Vec<f64> = reports.iter().map(merit).collect();
    let sum = merits.iter().fold(0.0, |sum, merit| sum + merit);
    merits.iter().map(|merit| merit / sum).collect()
}

/// Mean squared distance.
fn distance(values: &[f64], mean: &[f64]) -> f64 {
    let squares =
        values.iter().zip(mean).fold(0.0, |sum, (value, mean)| sum + (value - mean) * (value - mean));
    squares / values.len().max(1) as f64
}
