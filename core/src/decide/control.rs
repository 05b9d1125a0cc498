//! task_cancel, swarm_pause, swarm_resume.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

use super::checks::check_text;
use super::draft::Draft;
use super::Outcome;
use crate::command;
use crate::error::{Code, Error};
use crate::event::{Event, Paused, Resumed, TaskCancelled};
use crate::ids::{AgentId, GoalId, TaskId};
use crate::json::is_default;
use crate::limits;
use crate::mutants::{self, Mutant};
use crate::state::State;
use crate::task::TaskState;

#[derive(Serialize)]
struct TaskCancelResponse {
    cancelled: Vec<TaskId>,
    stopping: Vec<TaskId>,
}

/// Calls off a task or a goal; what has ended stays as it is.
pub fn task_cancel(state: &State, now: u64, request: &command::TaskCancel) -> Result<Outcome, Error> {
    state.config()?;
    check_text("reason", &request.reason, limits::TEXT_BYTES)?;
    let targets: Vec<TaskId> = match (request.task_id.as_str(), request.goal_id.as_str()) {
        ("", "") => return Err(Error::invalid("taskId", "taskId: missing; give taskId or goalId")),
        (id, "") => vec![state.task("taskId", id)?.id],
        ("", id) => state.goal("goalId", id)?.task_ids.clone(),
        _ => return Err(Error::invalid("taskId", "taskId: give taskId or goalId, not both")),
    };
    let reason = if request.reason.is_empty() { "cancelled" } else { &request.reason };
    let mut draft = Draft::new(state, now);
    let mut stopping = vec![];
    for task in targets.iter().filter_map(|id| state.tasks.get(*id)) {
        let completed = task.state == TaskState::Completed && mutants::on(Mutant::CompletedCancelled);
        if (task.state.is_final() && !completed) || draft.ends(task.id) {
            continue;
        }
        if task.lease.is_none() {
            draft.cancel(task.id, reason);
            continue;
        }
        stopping.push(task.id);
        if !task.cancel_requested {
            let (reason, code) = (reason.into(), String::new());
            draft.push(Event::TaskCancelled(TaskCancelled {
                task_id: task.id,
                reason,
                requested: true,
                code,
            }));
        }
    }
    let cancelled = draft.cancelled();
    Ok(Outcome::new(draft.close(), &TaskCancelResponse { cancelled, stopping }))
}

/// What a pause or its end is about.
#[derive(Debug)]
enum Target {
    Task(TaskId),
    Goal(GoalId),
    Agent(AgentId),
    Swarm,
}

/// Names what is meant; refuses what has ended or left.
fn target(state: &State, task: &str, goal: &str, agent: &str) -> Result<Target, Error> {
    state.config()?;
    let over = |field: &str, id: &str, state: &str| {
        Err(Error::new(Code::FailedPrecondition, field, format!("{field}: {id} is {state}")))
    };
    match (task, goal, agent) {
        ("", "", "") => Ok(Target::Swarm),
        (id, "", "") => {
            let task = state.task("taskId", id)?;
            if task.state.is_final() {
                return over("taskId", id, task.state.as_str());
            }
            Ok(Target::Task(task.id))
        }
        ("", id, "") => {
            let goal = state.goal("goalId", id)?;
            if !goal.is_running() {
                return over("goalId", id, &goal.state);
            }
            Ok(Target::Goal(goal.id))
        }
        ("", "", id) => Ok(Target::Agent(state.active_agent("agentId", id)?.id)),
        _ => {
            let message = "taskId: give one of taskId, goalId and agentId, or none for the whole swarm";
            Err(Error::invalid("taskId", message))
        }
    }
}

impl Target {
    fn is_held(&self, state: &State) -> bool {
        match self {
            Target::Task(id) => state.tasks.get(*id).is_some_and(|task| task.held),
            Target::Goal(id) => state.goals.get(*id).is_some_and(|goal| goal.paused),
            Target::Agent(id) => state.agents.get(*id).is_some_and(|agent| agent.paused),
            Target::Swarm => state.paused,
        }
    }

    fn name(&self, state: &State) -> String {
        match self {
            Target::Task(id) => id.to_string(),
            Target::Goal(id) => id.to_string(),
            Target::Agent(id) => id.to_string(),
            Target::Swarm => state.config.as_ref().map_or("", |config| &config.swarm_id).to_string(),
        }
    }

    fn ids(&self) -> (Option<TaskId>, Option<GoalId>, Option<AgentId>) {
        match self {
            Target::Task(id) => (Some(*id), None, None),
            Target::Goal(id) => (None, Some(*id), None),
            Target::Agent(id) => (None, None, Some(*id)),
            Target::Swarm => (None, None, None),
        }
    }

    /// Tasks of it that run.
    fn running(&self, state: &State) -> Vec<TaskId> {
        let runs = |id: &TaskId| state.tasks.get(*id).is_some_and(|task| task.lease.is_some());
        match self {
            Target::Task(id) => [*id].into_iter().filter(|id| runs(id)).collect(),
            Target::Goal(id) => {
                let ids = state.goals.get(*id).map_or(&[][..], |goal| &goal.task_ids);
                ids.iter().copied().filter(|id| runs(id)).collect()
            }
            Target::Agent(id) => state.index.held_by(*id).to_vec(),
            Target::Swarm => state.agents.values().flat_map(|a| state.index.held_by(a.id)).copied().collect(),
        }
    }
}

#[derive(Serialize)]
struct SwarmPauseResponse {
    paused: String,
    changed: bool,
    #[serde(skip_serializing_if = "is_default")]
    running: Vec<TaskId>,
}

/// Holds back a task, a goal, an agent or the swarm.
pub fn swarm_pause(state: &State, _now: u64, request: &command::SwarmPause) -> Result<Outcome, Error> {
    check_text("reason", &request.reason, limits::TEXT_BYTES)?;
    let target = target(state, &request.task_id, &request.goal_id, &request.agent_id)?;
    let changed = !target.is_held(state);
    let (task_id, goal_id, agent_id) = target.ids();
    let reason = request.reason.clone();
    let event = Event::Paused(Paused { task_id, goal_id, agent_id, reason });
    let mut running = target.running(state);
    running.sort_unstable();
    let response = SwarmPauseResponse { paused: target.name(state), changed, running };
    Ok(Outcome::new(if changed { vec![event] } else { vec![] }, &response))
}

#[derive(Serialize)]
struct SwarmResumeResponse {
    resumed: String,
    changed: bool,
}

/// Lets go on what was held back.
pub fn swarm_resume(state: &State, _now: u64, request: &command::SwarmResume) -> Result<Outcome, Error> {
    let target = target(state, &request.task_id, &request.goal_id, &request.agent_id)?;
    let changed = target.is_held(state);
    let (task_id, goal_id, agent_id) = target.ids();
    let event = Event::Resumed(Resumed { task_id, goal_id, agent_id });
    let response = SwarmResumeResponse { resumed: target.name(state), changed };
    Ok(Outcome::new(if changed { vec![event] } else { vec![] }, &response))
}
