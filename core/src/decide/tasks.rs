//! task_submit, task_claim, task_heartbeat, task_report, task_cancel.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

use super::agents::{check_capabilities, check_name};
use super::draft::Draft;
use super::swarm::in_range;
use super::Outcome;
use crate::agent::Agent;
use crate::apply::apply;
use crate::command;
use crate::config::{choose, WORK};
use crate::error::{Code, Error};
use crate::event::{self, Event};
use crate::ids::{AgentId, TaskId};
use crate::json::is_default;
use crate::limits;
use crate::policy;
use crate::state::State;
use crate::task::{Lease, Task, TaskError, TaskState};

/// Checks a text against a limit in bytes.
pub fn check_text(field: &str, text: &str, most: usize) -> Result<(), Error> {
    if text.len() <= most {
        return Ok(());
    }
    let message =
        format!("{field}: {} bytes; at most {most} are allowed; store more with artifact_put", text.len());
    Err(Error::new(Code::LimitExceeded, field, message))
}

/// A priority from its word or number.
pub fn priority(word: &str) -> Result<u32, Error> {
    match word {
        "" | "medium" => Ok(50),
        "low" => Ok(25),
        "high" => Ok(75),
        "critical" => Ok(100),
        number => number.parse().ok().filter(|value| *value <= 100).ok_or_else(|| {
            let message = format!(
                "priority: unknown value {word:?}; allowed: low, medium, high, critical, or 0 to 100"
            );
            Error::invalid("priority", message)
        }),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskSubmitResponse {
    task_ids: Vec<TaskId>,
}

/// Adds tasks, all or none.
pub fn task_submit(state: &State, _now: u64, request: &command::TaskSubmit) -> Result<Outcome, Error> {
    state.config()?;
    let count = request.tasks.len();
    if count == 0 || count > limits::BATCH {
        let message = format!("tasks: {count} tasks; from 1 to {} are allowed", limits::BATCH);
        return Err(Error::invalid("tasks", message));
    }
    let by_name = names(state, &request.tasks)?;
    let mut submitted = vec![];
    for (i, task) in request.tasks.iter().enumerate() {
        let at = |error: Error| {
            let field = format!("tasks[{i}].{}", error.field);
            Error { message: format!("tasks[{i}].{}", error.message), field, ..error }
        };
        submitted.push(new_task(state, i, task, &by_name).map_err(at)?);
    }
    let task_ids = submitted.iter().map(|task| task.task_id).collect();
    let ordered = in_dependency_order(submitted)?.into_iter().map(Event::TaskSubmitted).collect();
    Ok(Outcome::new(ordered, &TaskSubmitResponse { task_ids }))
}

fn new_task(
    state: &State,
    place: usize,
    task: &command::NewTask,
    by_name: &[(&str, TaskId)],
) -> Result<event::TaskSubmitted, Error> {
    check_name("name", &task.name)?;
    check_text("description", &task.description, limits::TEXT_BYTES)?;
    check_text("payload", &task.payload, limits::PAYLOAD_BYTES)?;
    check_capabilities(&task.capabilities)?;
    if task.depends_on.len() > limits::DEPENDENCIES {
        let message = format!(
            "dependsOn: {} tasks; at most {} are allowed",
            task.depends_on.len(),
            limits::DEPENDENCIES
        );
        return Err(Error::invalid("dependsOn", message));
    }
    let mut depends_on: Vec<TaskId> = vec![];
    for needed in &task.depends_on {
        let named = by_name.binary_search_by_key(&needed.as_str(), |(name, _)| *name).ok();
        let id = match named.and_then(|place| by_name.get(place)) {
            Some((_, id)) => *id,
            None => open_dependency(state, needed)?,
        };
        if !depends_on.contains(&id) {
            depends_on.push(id);
        }
    }
    let assigned_to = match task.assigned_to.as_str() {
        "" => None,
        id => Some(state.agent("assignedTo", id)?.id),
    };
    let task_id = TaskId(state.last_task + 1 + place as u64);
    Ok(event::TaskSubmitted {
        task_id,
        goal_id: None,
        name: if task.name.is_empty() { task_id.to_string() } else { task.name.clone() },
        description: task.description.clone(),
        kind: WORK.into(),
        priority: priority(&task.priority.0)?,
        depends_on,
        capabilities: task.capabilities.clone(),
        assigned_to,
        payload: task.payload.clone(),
        max_retries: in_range(
            "maxRetries",
            task.max_retries,
            u64::from(limits::RETRIES_DEFAULT),
            0,
            limits::RETRIES,
        )? as u32,
        backoff_ms: in_range("backoffMs", task.backoff_ms, limits::BACKOFF_DEFAULT_MS, 0, limits::DAY_MS)?,
    })
}

fn open_dependency(state: &State, id: &str) -> Result<TaskId, Error> {
    let task = state.task("dependsOn", id)?;
    if matches!(task.state, TaskState::Failed | TaskState::Cancelled) {
        let message =
            format!("dependsOn: {id} is {}; a task that waits for it would never run", task.state.as_str());
        return Err(Error::new(Code::FailedPrecondition, "dependsOn", message));
    }
    Ok(task.id)
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
fn in_dependency_order(tasks: Vec<event::TaskSubmitted>) -> Result<Vec<event::TaskSubmitted>, Error> {
    let first = tasks.first().map_or(0, |task| task.task_id.0);
    let place = |id: &TaskId| id.0.checked_sub(first).map(|place| place as usize);
    let mut waiting: Vec<usize> = vec![0; tasks.len()];
    let mut dependents: Vec<Vec<usize>> = vec![vec![]; tasks.len()];
    for (i, (task, waits)) in tasks.iter().zip(&mut waiting).enumerate() {
        for needed in task.depends_on.iter().filter_map(place) {
            if let Some(list) = dependents.get_mut(needed) {
                list.push(i);
                *waits += 1;
            }
        }
    }
    let mut rest: Vec<Option<event::TaskSubmitted>> = tasks.into_iter().map(Some).collect();
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
    if left.is_empty() {
        return Ok(ordered);
    }
    let message = format!("tasks: the dependencies of {} form a cycle", left.join(", "));
    Err(Error::invalid("tasks", message))
}

#[derive(Serialize)]
struct TaskClaimResponse {
    #[serde(skip_serializing_if = "is_default")]
    task: Option<Task>,
}

fn lease_ms(value: Option<u64>) -> Result<u64, Error> {
    in_range("leaseMs", value, limits::LEASE_DEFAULT_MS, limits::LEASE_MIN_MS, limits::DAY_MS)
}

fn claim_event(task: &Task, agent: AgentId, now: u64, lease_ms: u64) -> Event {
    Event::TaskClaimed(event::TaskClaimed {
        task_id: task.id,
        agent_id: agent,
        epoch: u64::from(task.attempts) + 1,
        expires_at_ms: now.saturating_add(lease_ms),
    })
}

fn active_agent<'a>(state: &'a State, id: &str) -> Result<&'a Agent, Error> {
    let agent = state.agent("agentId", id)?;
    if agent.state == "retired" {
        return Err(Error::new(Code::FailedPrecondition, "agentId", format!("agentId: {id} is retired")));
    }
    Ok(agent)
}

/// Picks a task and leases it in one decision.
pub fn task_claim(state: &State, now: u64, request: &command::TaskClaim) -> Result<Outcome, Error> {
    state.config()?;
    let agent = active_agent(state, &request.agent_id)?;
    let lease_ms = lease_ms(request.lease_ms)?;
    let full = agent.running >= agent.capacity;
    let id = if request.task_id.is_empty() {
        if full {
            None
        } else {
            policy::next_task(state, agent, now, &[])
        }
    } else {
        let task = state.task("taskId", &request.task_id)?;
        let reason = if full {
            Some(format!(
                "{} runs {} tasks already and its capacity is {}",
                agent.id, agent.running, agent.capacity
            ))
        } else {
            policy::obstacle(agent, task, now, &[])
        };
        if let Some(reason) = reason {
            let message = format!("taskId: {} cannot be claimed by {}: {reason}", task.id, agent.id);
            return Err(Error::new(Code::FailedPrecondition, "taskId", message));
        }
        Some(task.id)
    };
    let Some(task) = id.and_then(|id| state.tasks.get(id)) else {
        return Ok(Outcome::new(vec![], &TaskClaimResponse { task: None }));
    };
    let events = vec![claim_event(task, agent.id, now, lease_ms)];
    let task = preview(state, now, &events, task.id);
    Ok(Outcome::new(events, &TaskClaimResponse { task }))
}

/// One task as it will be once `events` are applied; only it and its agents are looked at.
fn preview(state: &State, now: u64, events: &[Event], id: TaskId) -> Option<Task> {
    let mut scratch = State::default();
    scratch.tasks.insert(state.tasks.get(id)?.clone());
    for event in events {
        apply(&mut scratch, "", now, event);
    }
    scratch.tasks.into_values().pop()
}

/// The running task of a holder, or the error that says why the call comes too late.
fn held<'a>(
    state: &'a State,
    task_id: &str,
    agent_id: &str,
    epoch: u64,
) -> Result<(&'a Task, &'a Lease), Error> {
    let task = state.task("taskId", task_id)?;
    let agent = active_agent(state, agent_id)?;
    let Some(lease) = &task.lease else {
        let message =
            format!("taskId: {task_id} is {}, and no lease of {agent_id} is live", task.state.as_str());
        let code = if epoch < u64::from(task.attempts) || epoch == 0 || !task.state.is_final() {
            Code::StaleEpoch
        } else {
            Code::FailedPrecondition
        };
        return Err(Error::new(code, "taskId", message));
    };
    if lease.agent_id != agent.id || lease.epoch != epoch {
        let message = format!(
            "epoch: {agent_id} with epoch {epoch} does not hold {task_id}; {} with epoch {} does",
            lease.agent_id, lease.epoch
        );
        return Err(Error::new(Code::StaleEpoch, "epoch", message));
    }
    Ok((task, lease))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskHeartbeatResponse {
    lease: Lease,
    cancel_requested: bool,
}

/// Extends a lease and notes progress.
pub fn task_heartbeat(state: &State, now: u64, request: &command::TaskHeartbeat) -> Result<Outcome, Error> {
    state.config()?;
    let (task, lease) = held(state, &request.task_id, &request.agent_id, request.epoch)?;
    let expires_at_ms = lease.expires_at_ms.max(now.saturating_add(lease_ms(request.lease_ms)?));
    if let Some(progress) = &request.progress {
        check_text("progress.note", &progress.note, limits::TEXT_BYTES)?;
    }
    let event = Event::TaskHeartbeat(event::TaskHeartbeat {
        task_id: task.id,
        expires_at_ms,
        progress: request.progress.clone(),
    });
    let lease = Lease { expires_at_ms, ..lease.clone() };
    let response = TaskHeartbeatResponse { lease, cancel_requested: task.cancel_requested };
    Ok(Outcome::new(vec![event], &response))
}

#[derive(Serialize)]
struct TaskReportResponse {
    task: Option<Task>,
    #[serde(skip_serializing_if = "is_default")]
    next: Option<Task>,
}

/// Ends an attempt, and claims the next task in the same decision if asked.
pub fn task_report(state: &State, now: u64, request: &command::TaskReport) -> Result<Outcome, Error> {
    state.config()?;
    let (task, lease) = held(state, &request.task_id, &request.agent_id, request.epoch)?;
    check_text("output", &request.output, limits::PAYLOAD_BYTES)?;
    let lease_ms = lease_ms(request.lease_ms)?;
    let outcome = choose("outcome", &request.outcome, "", &["completed", "failed"])?;
    let mut draft = Draft::new(state, now);
    let mut unblocked = vec![];
    match outcome.as_str() {
        "completed" => {
            if !request.artifact.is_empty() && !state.artifacts.contains_key(&request.artifact) {
                return Err(Error::unknown_id("artifact", "artifact", &request.artifact));
            }
            if task.cancel_requested {
                cancel_running(&mut draft, task);
            } else {
                unblocked =
                    draft.complete(task, lease.agent_id, lease.epoch, &request.output, &request.artifact);
            }
        }
        "failed" => {
            let error = failure(request)?;
            if task.cancel_requested {
                cancel_running(&mut draft, task);
            } else {
                draft.fail(task, lease.agent_id, lease.epoch, error);
            }
        }
        _ => return Err(Error::invalid("outcome", "outcome: missing; allowed: completed, failed")),
    }
    let mut events = draft.close();
    let reported = preview(state, now, &events, task.id);
    let next = match state.agents.get(lease.agent_id) {
        Some(agent) if request.claim_next && agent.running <= agent.capacity => {
            policy::next_task(state, agent, now, &unblocked).and_then(|id| state.tasks.get(id))
        }
        _ => None,
    };
    let next = next.and_then(|next| {
        events.push(claim_event(next, lease.agent_id, now, lease_ms));
        preview(state, now, &events, next.id)
    });
    Ok(Outcome::new(events, &TaskReportResponse { task: reported, next }))
}

fn cancel_running(draft: &mut Draft, task: &Task) {
    let reason = task.error.as_ref().map_or("cancelled", |error| error.message.as_str());
    draft.cancel(task, reason);
}

fn failure(request: &command::TaskReport) -> Result<TaskError, Error> {
    let error = request.error.clone().unwrap_or_default();
    if error.message.is_empty() {
        return Err(Error::invalid("error", "error: missing; a failed outcome needs error.message"));
    }
    check_text("error.message", &error.message, limits::TEXT_BYTES)?;
    let code = if error.code.is_empty() { "failed".into() } else { error.code };
    check_name("error.code", &code)?;
    Ok(TaskError { code, message: error.message })
}

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
    for task in targets.iter().filter_map(|id| state.tasks.get(id)) {
        if task.state.is_final() || draft.ends(task.id) {
            continue;
        }
        if task.lease.is_none() {
            draft.cancel(task, reason);
            continue;
        }
        stopping.push(task.id);
        if !task.cancel_requested {
            let reason = reason.into();
            draft.push(Event::TaskCancelled(event::TaskCancelled {
                task_id: task.id,
                reason,
                requested: true,
            }));
        }
    }
    let cancelled = draft.cancelled();
    Ok(Outcome::new(draft.close(), &TaskCancelResponse { cancelled, stopping }))
}
