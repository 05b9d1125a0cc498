//! task_submit: tasks enter the graph.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

use super::checks::{
    awaited, check_artifact, check_count, check_edges, check_name, check_text, check_words, in_range,
    priority, resources,
};
use super::Outcome;
use crate::command;
use crate::config::{TRAIN, WORK};
use crate::error::{Code, Error};
use crate::event::{Event, GoalPlanned, TaskSubmitted};
use crate::ids::{AgentId, GoalId, TaskId};
use crate::json::is_default;
use crate::limits;
use crate::mutants::{self, Mutant};
use crate::state::State;
use crate::task::Kind;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskSubmitResponse {
    task_ids: Vec<TaskId>,
    #[serde(skip_serializing_if = "is_default")]
    goal_id: Option<GoalId>,
}

/// Adds tasks, all or none.
pub fn task_submit(state: &State, _now: u64, request: &command::TaskSubmit) -> Result<Outcome, Error> {
    let config = state.config()?;
    let count = request.tasks.len();
    if count == 0 || count > limits::BATCH {
        let message = format!("tasks: {count} tasks; from 1 to {} are allowed", limits::BATCH);
        return Err(Error::invalid("tasks", message));
    }
    check_text("goal", &request.goal, limits::TEXT_BYTES)?;
    let new_goal = Some(GoalId(state.last_goal + 1)).filter(|_| !request.goal.is_empty());
    let by_name = names(state, &request.tasks)?;
    let mut submitted = vec![];
    for (i, task) in request.tasks.iter().enumerate() {
        let at = |error: Error| {
            let field = format!("tasks[{i}].{}", error.field);
            Error { message: format!("tasks[{i}].{}", error.message), field, ..error }
        };
        submitted.push(new_task(state, i, task, &by_name, new_goal).map_err(at)?);
    }
    let task_ids = submitted.iter().map(|task| task.task_id).collect();
    let ordered = in_dependency_order(submitted)?.into_iter().map(Event::TaskSubmitted);
    let goal = new_goal.map(|goal_id| {
        Event::GoalPlanned(GoalPlanned {
            goal_id,
            task: request.goal.clone(),
            kind: WORK.into(),
            strategy: config.strategy.clone(),
            ..GoalPlanned::default()
        })
    });
    let events = goal.into_iter().chain(ordered).collect();
    Ok(Outcome::new(events, &TaskSubmitResponse { task_ids, goal_id: new_goal }))
}

fn new_task(
    state: &State,
    place: usize,
    task: &command::NewTask,
    by_name: &[(&str, TaskId)],
    new_goal: Option<GoalId>,
) -> Result<TaskSubmitted, Error> {
    check_name("name", &task.name)?;
    check_text("description", &task.description, limits::TEXT_BYTES)?;
    check_text("payload", &task.payload, limits::PAYLOAD_BYTES)?;
    check_words("capabilities", &task.capabilities)?;
    check_words("labels", &task.labels)?;
    check_words("nonRetryable", &task.non_retryable)?;
    let depends_on = edges(state, "dependsOn", &task.depends_on, by_name)?;
    let after_failure = edges(state, "afterFailure", &task.after_failure, by_name)?;
    check_edges(&depends_on, &after_failure)?;
    Ok(TaskSubmitted {
        task_id: TaskId(state.last_task + 1 + place as u64),
        goal_id: goal_of(state, &task.goal_id, new_goal)?,
        name: task.name.clone(),
        description: task.description.clone(),
        kind: Kind::Work,
        priority: priority(&task.priority.0, limits::PRIORITY_DEFAULT)?,
        depends_on,
        after_failure,
        capabilities: task.capabilities.clone(),
        assigned_to: assignee(state, &task.assigned_to)?,
        resources: resources("resources", &task.resources)?,
        labels: task.labels.clone(),
        payload: task.payload.clone(),
        payload_artifact: check_artifact(state, "payloadArtifact", &task.payload_artifact)?,
        max_retries: in_range("maxRetries", task.max_retries, limits::RETRIES_DEFAULT, 0, limits::RETRIES)?
            as u32,
        backoff_ms: in_range("backoffMs", task.backoff_ms, limits::BACKOFF_DEFAULT_MS, 0, limits::DAY_MS)?,
        max_backoff_ms: in_range("maxBackoffMs", task.max_backoff_ms, 0, 1, limits::DAY_MS)?,
        jitter: in_range("jitter", task.jitter, 0, 0, 100)? as u32,
        non_retryable: task.non_retryable.clone(),
        queue_ms: in_range("queueMs", task.queue_ms, 0, 1, limits::DEADLINE_MS)?,
        run_ms: in_range("runMs", task.run_ms, 0, 1, limits::DEADLINE_MS)?,
        total_ms: in_range("totalMs", task.total_ms, 0, 1, limits::DEADLINE_MS)?,
    })
}

/// The only agent that may claim a task; an empty id is none.
pub fn assignee(state: &State, id: &str) -> Result<Option<AgentId>, Error> {
    if id.is_empty() {
        return Ok(None);
    }
    state.active_agent("assignedTo", id).map(|agent| Some(agent.id))
}

fn goal_of(state: &State, id: &str, new_goal: Option<GoalId>) -> Result<Option<GoalId>, Error> {
    if id.is_empty() {
        return Ok(new_goal);
    }
    if new_goal.is_some() {
        return Err(Error::invalid(
            "goalId",
            "goalId: the request makes a goal of its own; give one of them",
        ));
    }
    let goal = state.goal("goalId", id)?;
    let refused =
        |why: &str| Err(Error::new(Code::FailedPrecondition, "goalId", format!("goalId: {id} {why}")));
    if !goal.is_running() {
        return refused(&format!("is {}; give a goal that runs, or make a new one", goal.state));
    }
    if goal.kind == TRAIN {
        return refused("is a training goal, whose tasks are planned");
    }
    Ok(Some(goal.id))
}

/// The tasks that a list of ids, or of names of the same request, stands for; each once.
fn edges(
    state: &State,
    field: &str,
    named: &[String],
    by_name: &[(&str, TaskId)],
) -> Result<Vec<TaskId>, Error> {
    check_count(field, named.len(), limits::DEPENDENCIES, "tasks")?;
    let mut ids: Vec<TaskId> = vec![];
    for name in named {
        let place = by_name.binary_search_by_key(&name.as_str(), |(known, _)| *known).ok();
        let id = match place.and_then(|place| by_name.get(place)) {
            Some((_, id)) => *id,
            None => awaited(state, field, name, field == "afterFailure")?,
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// The tasks of a request by their names, sorted; two of one name are refused.
fn names<'a>(state: &State, tasks: &'a [command::NewTask]) -> Result<Vec<(&'a str, TaskId)>, Error> {
    let mut names: Vec<(&str, TaskId)> = (state.last_task + 1..)
        .zip(tasks)
        .filter(|(_, task)| !task.name.is_empty())
        .map(|(id, task)| (task.name.as_str(), TaskId(id)))
        .collect();
    names.sort_unstable();
    let second = |pair: &[(&str, TaskId)]| match pair {
        [(first, _), (second, id)] if first == second => Some(*id),
        _ => None,
    };
    let Some(id) = names.windows(2).filter_map(second).min() else { return Ok(names) };
    let place = id.0 - state.last_task - 1;
    let name = tasks.get(place as usize).map_or("", |task| task.name.as_str());
    let message = format!("tasks[{place}].name: {name:?} is the name of another task of this request");
    Err(Error::invalid("tasks", message))
}

/// A stable order in which every task follows those that it depends on: rounds of tasks that wait
/// for nothing more (Kahn 1962). What is left over forms a cycle and is refused; only tasks of one
/// request can form one, since those before it cannot name later ones.
fn in_dependency_order(tasks: Vec<TaskSubmitted>) -> Result<Vec<TaskSubmitted>, Error> {
    if tasks.iter().all(|task| task.depends_on.is_empty() && task.after_failure.is_empty()) {
        return Ok(tasks);
    }
    let first = tasks.first().map_or(0, |task| task.task_id.0);
    let place = |id: &TaskId| id.0.checked_sub(first).map(|place| place as usize);
    let mut waiting: Vec<usize> = vec![0; tasks.len()];
    let mut dependents: Vec<Vec<usize>> = vec![vec![]; tasks.len()];
    for (i, (task, waits)) in tasks.iter().zip(&mut waiting).enumerate() {
        for needed in task.depends_on.iter().chain(&task.after_failure).filter_map(place) {
            if let Some(list) = dependents.get_mut(needed) {
                list.push(i);
                *waits += 1;
            }
        }
    }
    let mut rest: Vec<Option<TaskSubmitted>> = tasks.into_iter().map(Some).collect();
    let mut round: Vec<usize> = (0..rest.len()).filter(|i| waiting.get(*i) == Some(&0)).collect();
    let mut ordered = vec![];
    while !round.is_empty() {
        let mut next = vec![];
        for i in round {
            ordered.extend(rest.get_mut(i).and_then(Option::take));
            for dependent in dependents.get(i).into_iter().flatten() {
                if let Some(waits) = waiting.get_mut(*dependent) {
                    *waits -= 1;
                    if *waits == 0 {
                        next.push(*dependent);
                    }
                }
            }
        }
        next.sort_unstable();
        round = next;
    }
    let left: Vec<String> = rest.iter().flatten().take(10).map(|task| format!("{:?}", task.name)).collect();
    if mutants::on(Mutant::CycleAllowed) {
        ordered.extend(rest.into_iter().flatten());
        return Ok(ordered);
    }
    if left.is_empty() {
        return Ok(ordered);
    }
    let message = format!("tasks: the dependencies of {} form a cycle", left.join(", "));
    Err(Error::invalid("tasks", message))
}
