//! The only place where the state changes: one arm an event, total, without failure.
//!
//! An event that names something the state does not hold changes nothing but the version; such a
//! log cannot come from [`decide`](crate::decide), and [`codec`](crate::codec) refuses damaged lines
//! before they get here.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::agent::Agent;
use crate::config::Config;
use crate::event::*;
use crate::ids::{AgentId, GoalId, TaskId};
use crate::limits::DAY_MS;
use crate::state::{Open, Recorded, State};
use crate::task::{Artifact, Goal, Lease, Task, TaskError, TaskState};

/// What an event touched: the rows that a store has to write.
#[derive(Debug, Default)]
pub struct Touched {
    /// Agents to write.
    pub agents: Vec<AgentId>,
    /// Tasks to write.
    pub tasks: Vec<TaskId>,
    /// Goals to write.
    pub goals: Vec<GoalId>,
}

/// Folds one event, decided at `at_ms` in the swarm `swarm`, into the state.
pub fn apply(state: &mut State, swarm: &str, at_ms: u64, event: &Event) -> Touched {
    let mut touched = Touched::default();
    state.at_ms = state.at_ms.max(at_ms);
    match event {
        Event::SwarmCreated(e) => swarm_created(state, swarm, e),
        Event::AgentSpawned(e) => agent_spawned(state, at_ms, e, &mut touched),
        Event::GoalPlanned(e) => goal_planned(state, at_ms, e, &mut touched),
        Event::TaskSubmitted(e) => task_submitted(state, at_ms, e, &mut touched),
        Event::TaskClaimed(e) => task_claimed(state, at_ms, e, &mut touched),
        Event::TaskHeartbeat(e) => task_heartbeat(state, at_ms, e, &mut touched),
        Event::TaskCompleted(e) => task_completed(state, at_ms, e, &mut touched),
        Event::TaskFailed(e) => task_failed(state, at_ms, e, &mut touched),
        Event::LeaseExpired(e) => lease_expired(state, at_ms, e, &mut touched),
        Event::TaskCancelled(e) => task_cancelled(state, at_ms, e, &mut touched),
        Event::GoalFinished(e) => goal_finished(state, at_ms, e, &mut touched),
        Event::ArtifactStored(e) => artifact_stored(state, at_ms, e),
        Event::CommandRecorded(e) => command_recorded(state, at_ms, e),
    }
    touched
}

fn swarm_created(state: &mut State, swarm: &str, e: &SwarmCreated) {
    state.config = Some(Config {
        swarm_id: swarm.to_string(),
        topology: e.topology.clone(),
        max_agents: e.max_agents,
        strategy: e.strategy.clone(),
        seed: e.seed,
    });
}

fn agent_spawned(state: &mut State, at_ms: u64, e: &AgentSpawned, touched: &mut Touched) {
    state.last_agent = state.last_agent.max(e.agent_id.0);
    state.index.active_agents += 1;
    state.agents.insert(Agent {
        id: e.agent_id,
        agent_type: e.agent_type.clone(),
        name: e.name.clone(),
        pattern: e.pattern.clone(),
        capabilities: e.capabilities.clone(),
        model: e.model.clone(),
        capacity: e.capacity,
        state: "idle".into(),
        created_at_ms: at_ms,
        last_seen_ms: at_ms,
        ..Agent::default()
    });
    touched.agents.push(e.agent_id);
}

fn goal_planned(state: &mut State, at_ms: u64, e: &GoalPlanned, touched: &mut Touched) {
    state.last_goal = state.last_goal.max(e.goal_id.0);
    state.index.open.insert(Open { id: e.goal_id, count: 0 });
    state.goals.insert(Goal {
        id: e.goal_id,
        task: e.task.clone(),
        kind: e.kind.clone(),
        strategy: e.strategy.clone(),
        state: "running".into(),
        dataset: e.dataset.clone(),
        plan: e.plan.clone(),
        created_at_ms: at_ms,
        ..Goal::default()
    });
    touched.goals.push(e.goal_id);
}

fn task_submitted(state: &mut State, at_ms: u64, e: &TaskSubmitted, touched: &mut Touched) {
    state.last_task = state.last_task.max(e.task_id.0);
    let done = |id: &TaskId| state.tasks.get(id).is_some_and(|needed| needed.state == TaskState::Completed);
    let ready = e.depends_on.iter().all(done);
    let task = Task {
        id: e.task_id,
        goal_id: e.goal_id,
        name: e.name.clone(),
        description: e.description.clone(),
        kind: e.kind.clone(),
        state: if ready { TaskState::Ready } else { TaskState::Blocked },
        priority: e.priority,
        depends_on: e.depends_on.clone(),
        capabilities: e.capabilities.clone(),
        assigned_to: e.assigned_to,
        payload: e.payload.clone(),
        max_retries: e.max_retries,
        backoff_ms: e.backoff_ms,
        created_at_ms: at_ms,
        ..Task::default()
    };
    if let Some(goal) = e.goal_id.and_then(|id| state.goals.get_mut(id)) {
        goal.task_ids.push(e.task_id);
        if let Some(open) = state.index.open.get_mut(goal.id) {
            open.count += 1;
        }
        touched.goals.push(goal.id);
    }
    state.index.add(&task, &state.tasks);
    state.tasks.insert(task);
    touched.tasks.push(e.task_id);
}

/// Changes a task with its place in the indices; frees its agent when the lease goes.
fn change(state: &mut State, id: TaskId, at_ms: u64, touched: &mut Touched, edit: impl FnOnce(&mut Task)) {
    let Some(task) = state.tasks.get_mut(id) else { return };
    state.index.leave(task);
    let (before, holder_before) = (task.state, task.lease.as_ref().map(|lease| lease.agent_id));
    edit(task);
    if task.state.is_final() && task.finished_at_ms == 0 {
        task.finished_at_ms = at_ms;
    }
    state.index.enter(task);
    let (after, holder_after) = (task.state, task.lease.as_ref().map(|lease| lease.agent_id));
    if before != after {
        let left = state.index.count(before);
        *left = left.saturating_sub(1);
        *state.index.count(after) += 1;
        if let Some(link) = state.index.links.get_mut(id) {
            link.waiting = 0;
        }
        if after.is_final() && !before.is_final() {
            if let Some(open) = task.goal_id.and_then(|goal| state.index.open.get_mut(goal)) {
                open.count = open.count.saturating_sub(1);
            }
        }
    }
    touched.tasks.push(id);
    if holder_before != holder_after {
        for (holder, gained) in [(holder_before, false), (holder_after, true)] {
            if let Some(agent) = holder.and_then(|id| state.agents.get_mut(id)) {
                agent.running = if gained { agent.running + 1 } else { agent.running.saturating_sub(1) };
                agent.settle();
                touched.agents.push(agent.id);
            }
        }
    }
}

/// Notes that an agent was heard of, and counts a completed or failed attempt of it.
fn seen(state: &mut State, id: AgentId, at_ms: Option<u64>, completed: u64, failed: u64) {
    if let Some(agent) = state.agents.get_mut(id) {
        agent.last_seen_ms = at_ms.unwrap_or(agent.last_seen_ms);
        agent.completed += completed;
        agent.failed += failed;
    }
}

fn task_claimed(state: &mut State, at_ms: u64, e: &TaskClaimed, touched: &mut Touched) {
    seen(state, e.agent_id, Some(at_ms), 0, 0);
    change(state, e.task_id, at_ms, touched, |task| {
        task.state = TaskState::Running;
        task.attempts += 1;
        task.lease = Some(Lease { agent_id: e.agent_id, epoch: e.epoch, expires_at_ms: e.expires_at_ms });
        task.last_agent_id = Some(e.agent_id);
        task.started_at_ms = at_ms;
        task.progress = None;
        task.error = None;
        task.not_before_ms = 0;
    });
}

fn task_heartbeat(state: &mut State, at_ms: u64, e: &TaskHeartbeat, touched: &mut Touched) {
    let holder = state.tasks.get(e.task_id).and_then(|task| task.lease.as_ref()).map(|lease| lease.agent_id);
    if let Some(agent) = holder {
        seen(state, agent, Some(at_ms), 0, 0);
        touched.agents.push(agent);
    }
    change(state, e.task_id, at_ms, touched, |task| {
        if let Some(lease) = &mut task.lease {
            lease.expires_at_ms = e.expires_at_ms;
        }
        if e.progress.is_some() {
            task.progress.clone_from(&e.progress);
        }
    });
}

fn task_completed(state: &mut State, at_ms: u64, e: &TaskCompleted, touched: &mut Touched) {
    seen(state, e.agent_id, Some(at_ms), 1, 0);
    change(state, e.task_id, at_ms, touched, |task| {
        task.state = TaskState::Completed;
        task.lease = None;
        task.output.clone_from(&e.output);
        task.artifact.clone_from(&e.artifact);
    });
    for id in state.index.dependents(e.task_id).to_vec() {
        let Some(link) = state.index.links.get_mut(id) else { continue };
        if link.waiting == 0 {
            continue;
        }
        link.waiting -= 1;
        if link.waiting == 0 {
            change(state, id, at_ms, touched, |task| task.state = TaskState::Ready);
        }
    }
}

fn end_attempt(task: &mut Task, error: TaskError, retry: bool, not_before_ms: u64) {
    task.state = if retry { TaskState::Ready } else { TaskState::Failed };
    task.lease = None;
    task.error = Some(error);
    task.not_before_ms = not_before_ms;
}

fn task_failed(state: &mut State, at_ms: u64, e: &TaskFailed, touched: &mut Touched) {
    if let Some(agent) = e.agent_id {
        seen(state, agent, Some(at_ms), 0, 1);
    }
    change(state, e.task_id, at_ms, touched, |task| {
        end_attempt(task, e.error.clone(), e.retry, e.not_before_ms)
    });
}

fn lease_expired(state: &mut State, at_ms: u64, e: &LeaseExpired, touched: &mut Touched) {
    seen(state, e.agent_id, None, 0, 1);
    let message = format!("lease of {} ended without a heartbeat", e.agent_id);
    let error = TaskError { code: "lease_expired".into(), message };
    change(state, e.task_id, at_ms, touched, |task| end_attempt(task, error, e.retry, e.not_before_ms));
}

fn task_cancelled(state: &mut State, at_ms: u64, e: &TaskCancelled, touched: &mut Touched) {
    change(state, e.task_id, at_ms, touched, |task| {
        task.cancel_requested = true;
        if !e.requested {
            task.state = TaskState::Cancelled;
            task.lease = None;
        }
        let reason: String = if e.reason.is_empty() { "cancelled".into() } else { e.reason.clone() };
        task.error = Some(TaskError { code: "cancelled".into(), message: reason });
    });
}

fn goal_finished(state: &mut State, at_ms: u64, e: &GoalFinished, touched: &mut Touched) {
    if let Some(goal) = state.goals.get_mut(e.goal_id) {
        goal.state.clone_from(&e.state);
        goal.model_hash.clone_from(&e.model_hash);
        goal.error.clone_from(&e.error);
        goal.finished_at_ms = at_ms;
        touched.goals.push(goal.id);
    }
}

fn artifact_stored(state: &mut State, at_ms: u64, e: &ArtifactStored) {
    state.artifacts.entry(e.hash.clone()).or_insert_with(|| Artifact {
        hash: e.hash.clone(),
        name: e.name.clone(),
        media_type: e.media_type.clone(),
        size: e.size,
        created_at_ms: at_ms,
    });
}

fn command_recorded(state: &mut State, at_ms: u64, e: &CommandRecorded) {
    while state.index.recorded_at.front().is_some_and(|(at, _)| at.saturating_add(DAY_MS) <= at_ms) {
        if let Some((_, key)) = state.index.recorded_at.pop_front() {
            state.recorded.remove(&key);
        }
    }
    let answer = Recorded { request_hash: e.request_hash.clone(), response: e.response.clone(), at_ms };
    state.index.record(at_ms, &e.key);
    state.recorded.insert(e.key.clone(), answer);
}
