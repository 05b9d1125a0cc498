//! task_status, task_list, task_explain.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::Serialize;

use super::{plain, Answer};
use crate::command;
use crate::error::Error;
use crate::goal::Goal;
use crate::ids::{AgentId, GoalId, TaskId};
use crate::json::is_default;
use crate::limits;
use crate::policy::{self, Reason};
use crate::state::State;
use crate::task::{Task, TaskState};

/// A task with the reason why it waits.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskView<'a> {
    #[serde(flatten)]
    task: Cow<'a, Task>,
    #[serde(skip_serializing_if = "is_default")]
    waits_for: String,
}

/// The task as callers see it at `now`.
pub(super) fn view<'a>(state: &State, task: &'a Task, now: u64) -> TaskView<'a> {
    TaskView { task: Cow::Borrowed(task), waits_for: policy::waits_for(state, task, now) }
}

pub(super) fn tasks_of<'a>(state: &'a State, goal: &'a Goal) -> impl Iterator<Item = &'a Task> {
    goal.task_ids.iter().filter_map(|id| state.tasks.get(*id))
}

pub(super) fn brief(goal: &Goal) -> Goal {
    Goal { plan: String::new(), ..goal.clone() }
}

pub(super) enum Target<'a> {
    Task(&'a Task),
    Goal(&'a Goal),
}

pub(super) fn target<'a>(state: &'a State, request: &command::TaskOrGoal) -> Result<Target<'a>, Error> {
    state.config()?;
    match (request.task_id.as_str(), request.goal_id.as_str()) {
        ("", "") => Err(Error::invalid("taskId", "taskId: missing; give taskId or goalId")),
        (id, "") => Ok(Target::Task(state.task("taskId", id)?)),
        ("", id) => Ok(Target::Goal(state.goal("goalId", id)?)),
        _ => Err(Error::invalid("taskId", "taskId: give taskId or goalId, not both")),
    }
}

#[derive(Default, Serialize)]
struct TaskStatusResponse<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<Goal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<Vec<TaskView<'a>>>,
}

pub(super) fn task_status(state: &State, now: u64, request: &command::TaskOrGoal) -> Answer {
    let response = match target(state, request)? {
        Target::Task(task) => TaskStatusResponse { task: Some(view(state, task, now)), ..Default::default() },
        Target::Goal(goal) => TaskStatusResponse {
            task: None,
            goal: Some(brief(goal)),
            tasks: Some(tasks_of(state, goal).map(|task| view(state, task, now)).collect()),
        },
    };
    plain(&response)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskListResponse<'a> {
    tasks: Vec<TaskView<'a>>,
    #[serde(skip_serializing_if = "is_default")]
    next_after: String,
}

/// What a list of tasks is narrowed to.
struct Filter<'a> {
    state: Option<TaskState>,
    goal: Option<GoalId>,
    agent: Option<AgentId>,
    label: &'a str,
}

impl Filter<'_> {
    fn passes(&self, task: &Task) -> bool {
        let holder = task.lease.as_ref().map(|lease| lease.agent_id).or(task.last_agent_id);
        self.state.is_none_or(|state| task.state == state)
            && self.goal.is_none_or(|goal| task.goal_id == Some(goal))
            && self.agent.is_none_or(|agent| holder == Some(agent))
            && (self.label.is_empty() || task.labels.iter().any(|label| label == self.label))
    }
}

/// Lists tasks by id, a page at a time.
pub(super) fn task_list(state: &State, now: u64, request: &command::TaskList) -> Answer {
    state.config()?;
    let words: Vec<&str> = TaskState::ALL.iter().map(|state| state.as_str()).collect();
    let known = TaskState::ALL.iter().copied().find(|state| state.as_str() == request.state);
    if known.is_none() && !request.state.is_empty() {
        return Err(Error::not_one_of("state", &request.state, &words));
    }
    let limit = request.limit.unwrap_or(limits::LIST_DEFAULT);
    if !(1..=limits::LIST).contains(&limit) {
        return Err(Error::invalid("limit", format!("limit: {limit} is not from 1 to {}", limits::LIST)));
    }
    let filter = Filter {
        state: known,
        goal: named(&request.goal_id, |id| state.goal("goalId", id).map(|goal| goal.id))?,
        agent: named(&request.agent_id, |id| state.agent("agentId", id).map(|agent| agent.id))?,
        label: &request.label,
    };
    let after = named(&request.after, |id| state.task("after", id).map(|task| task.id))?;
    let mut tasks = state
        .tasks
        .after(after.map_or(0, |id| id.0))
        .filter(|task| filter.passes(task))
        .map(|task| brief_view(state, task, now));
    let page: Vec<TaskView<'_>> = tasks.by_ref().take(limit as usize).collect();
    let last = page.last().map(|view| view.task.id.to_string()).unwrap_or_default();
    let next_after = if tasks.next().is_some() { last } else { String::new() };
    plain(&TaskListResponse { tasks: page, next_after })
}

fn named<T>(id: &str, find: impl Fn(&str) -> Result<T, Error>) -> Result<Option<T>, Error> {
    if id.is_empty() {
        return Ok(None);
    }
    find(id).map(Some)
}

/// A task without its long texts: a list of a thousand would be too large with them.
fn brief_view<'a>(state: &State, task: &'a Task, now: u64) -> TaskView<'a> {
    let waits_for = policy::waits_for(state, task, now);
    if task.description.is_empty() && task.payload.is_empty() && task.output.is_empty() {
        return TaskView { task: Cow::Borrowed(task), waits_for };
    }
    let brief =
        Task { description: String::new(), payload: String::new(), output: String::new(), ..task.clone() };
    TaskView { task: Cow::Owned(brief), waits_for }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskExplainResponse {
    task_id: TaskId,
    state: TaskState,
    claimable: bool,
    reasons: Vec<Reason>,
}

/// Tells why a task does not run, by the exact rule.
pub(super) fn task_explain(state: &State, now: u64, request: &command::TaskExplain) -> Answer {
    state.config()?;
    let task = state.task("taskId", &request.task_id)?;
    let agent = match request.agent_id.as_str() {
        "" => None,
        id => Some(state.agent("agentId", id)?),
    };
    let reasons = policy::reasons(state, task, agent, now);
    let claimable = reasons.iter().all(|reason| reason.rule == "worker");
    plain(&TaskExplainResponse { task_id: task.id, state: task.state, claimable, reasons })
}
