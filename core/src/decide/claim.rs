//! task_claim, task_heartbeat, task_report: a worker and its leases.

use alloc::format;
use alloc::vec;
use serde::Serialize;

use super::checks::{check_artifact, check_name, check_text, in_range};
use super::draft::Draft;
use super::Outcome;
use crate::agent::Agent;
use crate::command;
use crate::config::choose;
use crate::error::{Code, Error};
use crate::event::{self, Event};
use crate::ids::TaskId;
use crate::json::is_default;
use crate::limits;
use crate::mutants::{self, Mutant};
use crate::policy::{self, Ahead};
use crate::state::State;
use crate::task::{Lease, Task, TaskError, TaskState};

#[derive(Serialize)]
struct TaskClaimResponse {
    #[serde(skip_serializing_if = "is_default")]
    task: Option<Task>,
}

fn lease_ms(value: Option<u64>) -> Result<u64, Error> {
    in_range("leaseMs", value, limits::LEASE_DEFAULT_MS, limits::LEASE_MIN_MS, limits::DAY_MS)
}

/// The event of a claim, and the task as it will be.
fn claimed(task: &Task, agent: &Agent, now: u64, lease_ms: u64) -> (Event, Task) {
    let lease = Lease {
        agent_id: agent.id,
        epoch: u64::from(task.attempts) + 1,
        expires_at_ms: now.saturating_add(lease_ms),
    };
    let event = Event::TaskClaimed(event::TaskClaimed {
        task_id: task.id,
        agent_id: agent.id,
        epoch: lease.epoch,
        expires_at_ms: lease.expires_at_ms,
    });
    let mut after = task.clone();
    if after.state == TaskState::Blocked {
        // the report of this very decision has set it free
        after.wait(false, now);
    }
    after.begin(lease, now);
    (event, after)
}

/// Picks a task and leases it in one decision.
pub fn task_claim(state: &State, now: u64, request: &command::TaskClaim) -> Result<Outcome, Error> {
    state.config()?;
    let agent = state.active_agent("agentId", &request.agent_id)?;
    let lease_ms = lease_ms(request.lease_ms)?;
    let task = if request.task_id.is_empty() {
        let free = agent.running < agent.capacity || mutants::on(Mutant::CapacityIgnored);
        let next = if free { policy::next_task(state, agent, now, Ahead::default()) } else { None };
        next.and_then(|id| state.tasks.get(id))
    } else {
        let task = state.task("taskId", &request.task_id)?;
        if let Some(reason) = policy::obstacle(state, agent, task, now) {
            let message =
                format!("taskId: {} cannot be claimed by {}: {}", task.id, agent.id, reason.message);
            return Err(Error::new(Code::FailedPrecondition, "taskId", message));
        }
        Some(task)
    };
    let Some(task) = task else {
        return Ok(Outcome::new(vec![], &TaskClaimResponse { task: None }));
    };
    let (event, task) = claimed(task, agent, now, lease_ms);
    Ok(Outcome::new(vec![event], &TaskClaimResponse { task: Some(task) }))
}

/// The running task of a holder, or the error that says why the call comes too late.
fn held<'a>(
    state: &'a State,
    task_id: &str,
    agent_id: &str,
    epoch: u64,
) -> Result<(&'a Task, &'a Lease, &'a Agent), Error> {
    let task = state.task("taskId", task_id)?;
    let agent = state.agent("agentId", agent_id)?;
    let Some(lease) = &task.lease else {
        let message =
            format!("taskId: {task_id} is {}, and no lease of {agent_id} is live", task.state.as_str());
        return Err(Error::new(Code::StaleEpoch, "taskId", message));
    };
    let stale = lease.epoch != epoch && !mutants::on(Mutant::OldEpochAccepted);
    if lease.agent_id != agent.id || stale {
        let message = format!(
            "epoch: {agent_id} with epoch {epoch} does not hold {task_id}; {} with epoch {} does",
            lease.agent_id, lease.epoch
        );
        return Err(Error::new(Code::StaleEpoch, "epoch", message));
    }
    Ok((task, lease, agent))
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
    let (task, lease, _) = held(state, &request.task_id, &request.agent_id, request.epoch)?;
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
    task: Task,
    #[serde(skip_serializing_if = "is_default")]
    next: Option<Task>,
}

/// Ends an attempt, and claims the next task in the same decision if asked.
pub fn task_report(state: &State, now: u64, request: &command::TaskReport) -> Result<Outcome, Error> {
    state.config()?;
    let (task, lease, agent) = held(state, &request.task_id, &request.agent_id, request.epoch)?;
    check_text("output", &request.output, limits::PAYLOAD_BYTES)?;
    let lease_ms = lease_ms(request.lease_ms)?;
    let outcome = choose("outcome", &request.outcome, "", &["completed", "failed", "released"])?;
    let artifact = check_artifact(state, "artifact", &request.artifact)?;
    let mut draft = Draft::new(state, now);
    let mut reported = task.clone();
    match outcome.as_str() {
        "" => {
            let message = "outcome: missing; allowed: completed, failed, released";
            return Err(Error::invalid("outcome", message));
        }
        "failed" => {
            let error = failure(request)?;
            if !draft.stop_if_told(&mut reported) {
                draft.fail(&mut reported, lease, error);
            }
        }
        _ if draft.stop_if_told(&mut reported) => {}
        "released" => draft.release(&mut reported, lease),
        _ => draft.complete(&mut reported, lease, &request.output, &artifact),
    }
    let ready = draft.unblocked();
    let mut events = draft.close();
    let mut next = None;
    if request.claim_next && agent.running <= agent.capacity {
        let ahead = Ahead { ready: &ready, ends: Some(task.id) };
        if let Some(following) = next_after(state, agent, now, ahead) {
            let (event, task) = claimed(following, agent, now, lease_ms);
            events.push(event);
            next = Some(task);
        }
    }
    Ok(Outcome::new(events, &TaskReportResponse { task: reported, next }))
}

fn next_after<'a>(state: &'a State, agent: &Agent, now: u64, ahead: Ahead<'_>) -> Option<&'a Task> {
    let id: TaskId = policy::next_task(state, agent, now, ahead)?;
    state.tasks.get(id)
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
