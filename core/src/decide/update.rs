//! task_update: a waiting task is edited.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

use super::checks::{
    awaited, check_artifact, check_count, check_edges, check_name, check_text, check_words, in_range,
    priority, resources,
};
use super::submit::assignee;
use super::Outcome;
use crate::command;
use crate::error::{Code, Error};
use crate::event::{Event, TaskUpdated};
use crate::ids::TaskId;
use crate::limits;
use crate::resource::ResourceClaim;
use crate::state::State;
use crate::task::{Task, TaskState};

#[derive(Serialize)]
struct TaskUpdateResponse {
    task: Task,
}

/// Changes a task that is blocked, ready or paused; what is absent stays as it is.
pub fn task_update(state: &State, now: u64, request: &command::TaskUpdate) -> Result<Outcome, Error> {
    state.config()?;
    let task = state.task("taskId", &request.task_id)?;
    match task.state {
        TaskState::Blocked | TaskState::Ready | TaskState::Paused => {}
        TaskState::Running | TaskState::Completed | TaskState::Failed | TaskState::Cancelled => {
            let message = format!(
                "taskId: {} is {}; only a task that is blocked, ready or paused can be changed",
                task.id,
                task.state.as_str()
            );
            return Err(Error::new(Code::FailedPrecondition, "taskId", message));
        }
    }
    let changed = edited(state, task, request)?;
    if changed == as_event(task) {
        return Ok(Outcome::new(vec![], &TaskUpdateResponse { task: task.clone() }));
    }
    let after = preview(state, task, &changed, now);
    Ok(Outcome::new(vec![Event::TaskUpdated(changed)], &TaskUpdateResponse { task: after }))
}

/// What can be changed of a task, as it is.
fn as_event(task: &Task) -> TaskUpdated {
    TaskUpdated {
        task_id: task.id,
        name: task.name.clone(),
        description: task.description.clone(),
        priority: task.priority,
        depends_on: task.depends_on.clone(),
        after_failure: task.after_failure.clone(),
        capabilities: task.capabilities.clone(),
        assigned_to: task.assigned_to,
        resources: task.resources.clone(),
        labels: task.labels.clone(),
        payload: task.payload.clone(),
        payload_artifact: task.payload_artifact.clone(),
        max_retries: task.max_retries,
        backoff_ms: task.backoff_ms,
        max_backoff_ms: task.max_backoff_ms,
        jitter: task.jitter,
        non_retryable: task.non_retryable.clone(),
        queue_ms: task.queue_ms,
        run_ms: task.run_ms,
        total_ms: task.total_ms,
    }
}

fn edited(state: &State, task: &Task, request: &command::TaskUpdate) -> Result<TaskUpdated, Error> {
    let mut new = as_event(task);
    if let Some(name) = &request.name {
        check_name("name", name)?;
        new.name.clone_from(name);
    }
    if let Some(text) = &request.description {
        check_text("description", text, limits::TEXT_BYTES)?;
        new.description.clone_from(text);
    }
    if let Some(text) = &request.payload {
        check_text("payload", text, limits::PAYLOAD_BYTES)?;
        new.payload.clone_from(text);
    }
    if let Some(hash) = &request.payload_artifact {
        new.payload_artifact = check_artifact(state, "payloadArtifact", hash)?;
    }
    if let Some(id) = &request.assigned_to {
        new.assigned_to = assignee(state, id)?;
    }
    new.priority = priority(&request.priority.0, task.priority)?;
    let retries = u64::from(task.max_retries);
    new.max_retries = in_range("maxRetries", request.max_retries, retries, 0, limits::RETRIES)? as u32;
    new.backoff_ms = in_range("backoffMs", request.backoff_ms, task.backoff_ms, 0, limits::DAY_MS)?;
    new.max_backoff_ms =
        in_range("maxBackoffMs", request.max_backoff_ms, task.max_backoff_ms, 0, limits::DAY_MS)?;
    new.jitter = in_range("jitter", request.jitter, u64::from(task.jitter), 0, 100)? as u32;
    new.queue_ms = in_range("queueMs", request.queue_ms, task.queue_ms, 0, limits::DEADLINE_MS)?;
    new.run_ms = in_range("runMs", request.run_ms, task.run_ms, 0, limits::DEADLINE_MS)?;
    new.total_ms = in_range("totalMs", request.total_ms, task.total_ms, 0, limits::DEADLINE_MS)?;
    words("Capabilities", &mut new.capabilities, &request.add_capabilities, &request.remove_capabilities)?;
    words("Labels", &mut new.labels, &request.add_labels, &request.remove_labels)?;
    claims(&mut new.resources, &request.add_resources, &request.remove_resources)?;
    edit_edges(state, &mut new, request)?;
    Ok(new)
}

/// Adds and removes words; one that is there is not added twice, one that is not there is an error.
fn words(field: &str, list: &mut Vec<String>, add: &[String], remove: &[String]) -> Result<(), Error> {
    let (add_field, remove_field) = (format!("add{field}"), format!("remove{field}"));
    check_words(&add_field, add)?;
    for word in remove {
        let place = list.iter().position(|there| there == word);
        list.remove(place.ok_or_else(|| not_there(&remove_field, word))?);
    }
    for word in add {
        if !list.contains(word) {
            list.push(word.clone());
        }
    }
    check_count(&add_field, list.len(), limits::WORDS, "words")
}

fn not_there(field: &str, what: &str) -> Error {
    Error::new(Code::NotFound, field, format!("{field}: {what:?} is not there to be removed"))
}

fn claims(list: &mut Vec<ResourceClaim>, add: &[ResourceClaim], remove: &[String]) -> Result<(), Error> {
    for key in remove {
        let place = list.iter().position(|there| there.key == *key);
        list.remove(place.ok_or_else(|| not_there("removeResources", key))?);
    }
    for claim in resources("addResources", add)? {
        match list.iter_mut().find(|there| there.key == claim.key) {
            Some(there) => *there = claim,
            None => list.push(claim),
        }
    }
    check_count("addResources", list.len(), limits::RESOURCES, "resources")
}

fn edit_edges(state: &State, new: &mut TaskUpdated, request: &command::TaskUpdate) -> Result<(), Error> {
    let id = new.task_id;
    for (list, remove, add, name) in [
        (&mut new.depends_on, &request.remove_depends_on, &request.add_depends_on, "DependsOn"),
        (&mut new.after_failure, &request.remove_after_failure, &request.add_after_failure, "AfterFailure"),
    ] {
        let (add_field, remove_field) = (format!("add{name}"), format!("remove{name}"));
        for other in remove {
            let other = state.task(&remove_field, other)?.id;
            let place = list.iter().position(|there| *there == other);
            list.remove(place.ok_or_else(|| not_there(&remove_field, &format!("{other}")))?);
        }
        for other in add {
            let other = awaited(state, &add_field, other, name == "AfterFailure")?;
            if waits_for(state, other, id) {
                let message = format!("{add_field}: {id} and {other} would wait for each other: a cycle");
                return Err(Error::invalid(&add_field, message));
            }
            if !list.contains(&other) {
                list.push(other);
            }
        }
        check_count(&add_field, list.len(), limits::DEPENDENCIES, "tasks")?;
    }
    check_edges(&new.depends_on, &new.after_failure)
}

/// True if `from` is `target` or waits for it, whatever lies between.
fn waits_for(state: &State, from: TaskId, target: TaskId) -> bool {
    // from the target upwards: only tasks that wait can be on a cycle
    let mut seen = BTreeSet::from([target]);
    let mut open = vec![target];
    while let Some(id) = open.pop() {
        if id == from {
            return true;
        }
        for (dependent, _) in state.index.dependents(id) {
            let waits = state.tasks.get(*dependent).is_some_and(|task| !task.state.is_final());
            if waits && seen.insert(*dependent) {
                open.push(*dependent);
            }
        }
    }
    false
}

fn preview(state: &State, task: &Task, new: &TaskUpdated, now: u64) -> Task {
    let mut after = Task {
        name: new.name.clone(),
        description: new.description.clone(),
        priority: new.priority,
        depends_on: new.depends_on.clone(),
        after_failure: new.after_failure.clone(),
        capabilities: new.capabilities.clone(),
        assigned_to: new.assigned_to,
        resources: new.resources.clone(),
        labels: new.labels.clone(),
        payload: new.payload.clone(),
        payload_artifact: new.payload_artifact.clone(),
        max_retries: new.max_retries,
        backoff_ms: new.backoff_ms,
        max_backoff_ms: new.max_backoff_ms,
        jitter: new.jitter,
        queue_ms: new.queue_ms,
        run_ms: new.run_ms,
        total_ms: new.total_ms,
        ..task.clone()
    };
    let waits = state.unmet(&after) > 0;
    after.wait(waits, now);
    after
}
