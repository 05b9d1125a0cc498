//! task_results: what came of a task or a goal.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::Serialize;

use super::tasks::{target, tasks_of, Target};
use super::{plain, Answer};
use crate::command;
use crate::config::TRAIN;
use crate::error::{Code, Error};
use crate::hash::hex;
use crate::ids::{AgentId, GoalId, TaskId};
use crate::json::{is_default, readable, Read};
use crate::snapshot;
use crate::state::State;
use crate::task::{Kind, Task, TaskState};

/// What the engine reports of one member; see [`crate::neural`].
#[derive(Default)]
struct MemberReport {
    pattern: String,
    algorithm: String,
    network: String,
    validation_loss: f64,
    validation_accuracy: Option<f64>,
    epochs: u64,
}

readable!(MemberReport { pattern, algorithm, network, validation_loss, validation_accuracy, epochs });

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    #[serde(skip)]
    task_id: TaskId,
    agent_id: Option<AgentId>,
    pattern: String,
    algorithm: String,
    network: String,
    validation_loss: f64,
    validation_accuracy: Option<f64>,
    epochs: u64,
    duration_ms: u64,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ensemble {
    test_loss: f64,
    test_accuracy: Option<f64>,
    mean_member_loss: f64,
    ambiguity: f64,
}

readable!(Ensemble { test_loss, test_accuracy, mean_member_loss, ambiguity });

#[derive(Default)]
struct FuseReport {
    ensemble: Ensemble,
}

readable!(FuseReport { ensemble });

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TrainingResults {
    goal_id: GoalId,
    state: String,
    #[serde(skip_serializing_if = "is_default")]
    model_hash: String,
    members: Vec<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ensemble: Option<Ensemble>,
    state_hash: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WorkResults<'a> {
    goal_id: GoalId,
    state: String,
    tasks: Vec<&'a Task>,
    state_hash: String,
}

#[derive(Serialize)]
struct OneResult<'a> {
    task: &'a Task,
}

pub(super) fn task_results(state: &State, request: &command::TaskOrGoal) -> Answer {
    let goal = match target(state, request)? {
        Target::Task(task) if task.state.is_final() => return plain(&OneResult { task }),
        Target::Task(task) => {
            let message = format!("taskId: {} is {}; it has no result yet", task.id, task.state.as_str());
            return Err(Error::new(Code::FailedPrecondition, "taskId", message));
        }
        Target::Goal(goal) => goal,
    };
    let state_hash = hex(&snapshot::hash(state));
    if goal.kind != TRAIN {
        let tasks = tasks_of(state, goal).collect();
        return plain(&WorkResults { goal_id: goal.id, state: goal.state.clone(), tasks, state_hash });
    }
    let done = || tasks_of(state, goal).filter(|task| task.state == TaskState::Completed);
    let mut members: Vec<Member> =
        done().filter(|task| task.kind == Kind::Train).filter_map(member).collect();
    members.sort_unstable_by(|a, b| {
        a.validation_loss.total_cmp(&b.validation_loss).then(a.task_id.cmp(&b.task_id))
    });
    let fused = done().find(|task| task.kind == Kind::Fuse);
    let ensemble = fused.and_then(|task| FuseReport::read(&task.output).ok());
    plain(&TrainingResults {
        goal_id: goal.id,
        state: goal.state.clone(),
        model_hash: goal.model_hash.clone(),
        members,
        ensemble: ensemble.map(|report| report.ensemble),
        state_hash,
    })
}

fn member(task: &Task) -> Option<Member> {
    let report = MemberReport::read(&task.output).ok()?;
    Some(Member {
        task_id: task.id,
        agent_id: task.last_agent_id,
        pattern: report.pattern,
        algorithm: report.algorithm,
        network: report.network,
        validation_loss: report.validation_loss,
        validation_accuracy: report.validation_accuracy,
        epochs: report.epochs,
        duration_ms: task.finished_at_ms.saturating_sub(task.started_at_ms),
    })
}
