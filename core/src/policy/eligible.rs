//! Who may start what, and what goes first: the rules of docs/ledger.md in their order.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

use crate::agent::{Agent, AgentState};
use crate::ids::{AgentId, TaskId};
use crate::json::is_default;
use crate::mutants::{self, Mutant};
use crate::queue::{place, Needs};
use crate::state::State;
use crate::task::{Task, TaskState};
use crate::time::clock;

/// What a decision in the making has led to already, ahead of the state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ahead<'a> {
    /// Tasks that it makes ready.
    pub ready: &'a [TaskId],
    /// The task whose attempt it ends: its resources are free again.
    pub ends: Option<TaskId>,
}

/// One rule that keeps a task from running.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The rule's word.
    pub rule: &'static str,
    /// The rule with what it is about.
    pub message: String,
    /// The task that it is about.
    #[serde(skip_serializing_if = "is_default")]
    pub task_id: Option<TaskId>,
    /// The agent that it is about.
    #[serde(skip_serializing_if = "is_default")]
    pub agent_id: Option<AgentId>,
    /// When it ends unless something else happens.
    #[serde(skip_serializing_if = "is_default")]
    pub until_ms: u64,
}

fn reason(rule: &'static str, message: impl Into<String>) -> Reason {
    Reason { rule, message: message.into(), ..Reason::default() }
}

/// The most urgent task that `agent` may start at `now`: highest priority, then the goal that was
/// served longest ago, then the oldest.
pub fn next_task(state: &State, agent: &Agent, now: u64, ahead: Ahead<'_>) -> Option<TaskId> {
    if (state.paused || agent.paused) && !mutants::on(Mutant::PausedStarts) {
        return None;
    }
    let held = &state.index.held;
    let fits = |needs: &Needs| {
        let free = held.conflict(&needs.resources, ahead.ends).is_none();
        agent.can(&needs.capabilities) && (free || mutants::on(Mutant::ResourceIgnored))
    };
    let in_time = |id: TaskId| state.tasks.get(id).is_some_and(|task| overdue(task, now).is_none());
    let queue = &state.index.queue;
    let queued = queue.first(agent, |goal| state.goes_on(goal), fits, in_time);
    let due = state.index.later.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id);
    let others = due.chain(ahead.ready.iter().copied()).filter_map(|id| state.tasks.get(id));
    let may = |task: &&Task| {
        task.assigned_to.is_none_or(|owner| owner == agent.id)
            && agent.can(&task.capabilities)
            && held.conflict(&task.resources, ahead.ends).is_none()
            && state.goes_on(task.goal_id)
            && task.not_before_ms <= now
            && overdue(task, now).is_none()
    };
    let others = others.filter(may).map(|task| place(task, state.served_at(task.goal_id)));
    queued.into_iter().chain(others).min().map(|(_, _, id)| id)
}

/// True if a task that has not ended is for this agent, now or later: nothing lasting stands between
/// them, as an assignment to another or a capability that the agent lacks.
pub fn has_work_for(state: &State, agent: &Agent) -> bool {
    let open = |task: &&Task| !task.state.is_final();
    let for_it = |task: &Task| task.assigned_to.is_none_or(|owner| owner == agent.id);
    let mut tasks = state.tasks.values().filter(open);
    agent.is_active() && tasks.any(|task| for_it(task) && agent.can(&task.capabilities))
}

/// The deadline of a waiting task that has passed: its word and its time.
fn overdue(task: &Task, now: u64) -> Option<(&'static str, u64)> {
    let total = task.total_deadline().map(|at| ("total", at));
    let queue = task.queue_deadline().map(|at| ("queue", at));
    [total, queue].into_iter().flatten().find(|(_, at)| *at <= now)
}

/// Why `agent` may not start `task` at `now`, by the first rule that forbids it.
pub fn obstacle(state: &State, agent: &Agent, task: &Task, now: u64) -> Option<Reason> {
    let own = task_reasons(state, task, now).into_iter().next();
    own.or_else(|| agent_reasons(agent, task).into_iter().next())
}

/// Why a task does not run at `now`, the rule that bites first at the beginning; with an agent, also
/// what keeps that agent from it. The last one is `worker` if only a claim is missing.
pub fn reasons(state: &State, task: &Task, agent: Option<&Agent>, now: u64) -> Vec<Reason> {
    let mut found = task_reasons(state, task, now);
    if task.state.is_final() || task.state == TaskState::Running {
        return found;
    }
    match agent {
        Some(agent) => found.extend(agent_reasons(agent, task)),
        None => found.extend(worker_reasons(state, task)),
    }
    if found.is_empty() {
        found.push(match agent {
            Some(agent) => about(agent, reason("worker", format!("waits for {} to claim it", agent.id))),
            None => reason("worker", waiting_for(state, task)),
        });
    }
    found
}

/// Why a task waits, in words; empty if it runs or has ended.
pub fn waits_for(state: &State, task: &Task, now: u64) -> String {
    if task.state.is_final() || task.state == TaskState::Running {
        return String::new();
    }
    let messages: Vec<String> =
        reasons(state, task, None, now).into_iter().map(|reason| reason.message).collect();
    messages.join("; ")
}

fn about(agent: &Agent, reason: Reason) -> Reason {
    Reason { agent_id: Some(agent.id), ..reason }
}

/// The rules that look at the task alone: the first five.
fn task_reasons(state: &State, task: &Task, now: u64) -> Vec<Reason> {
    let mut found = match task.state {
        TaskState::Completed | TaskState::Failed | TaskState::Cancelled => return vec![ended(task, now)],
        TaskState::Running => return vec![runs(task, now)],
        TaskState::Paused => vec![reason("paused", "held back until it is resumed")],
        TaskState::Blocked | TaskState::Ready => vec![],
    };
    if task.state != TaskState::Ready {
        found.extend(waits(state, task));
    }
    if task.not_before_ms > now {
        let message = format!("next attempt at {}", clock(task.not_before_ms, now));
        found.push(Reason { until_ms: task.not_before_ms, ..reason("backoff", message) });
    }
    if let Some((word, at)) = overdue(task, now) {
        found.push(reason("deadline", format!("its {word} deadline passed at {}", clock(at, now))));
    }
    if !state.goes_on(task.goal_id) {
        let goal = task.goal_id.map(|id| id.to_string()).unwrap_or_default();
        found.push(reason("goal_paused", format!("goal {goal} is paused")));
    }
    if state.paused {
        found.push(reason("swarm_paused", "the swarm is paused"));
    }
    found.extend(resource(state, task, now));
    found
}

fn ended(task: &Task, now: u64) -> Reason {
    let at = clock(task.finished_at_ms, now);
    let why = task.error.as_ref().map_or("", |error| error.message.as_str());
    let message = match (task.state, task.last_agent_id) {
        (TaskState::Completed, Some(agent)) => format!("completed by {agent} at {at}"),
        (state, _) => format!("{} at {at}: {why}", state.as_str()),
    };
    reason("ended", message)
}

fn runs(task: &Task, now: u64) -> Reason {
    let Some(lease) = &task.lease else { return reason("running", "it runs") };
    let until = clock(lease.expires_at_ms, now);
    let stop = if task.cancel_requested { " and was told to stop" } else { "" };
    let message = format!("{} runs it, with a lease until {until}{stop}", lease.agent_id);
    Reason { agent_id: Some(lease.agent_id), until_ms: lease.expires_at_ms, ..reason("running", message) }
}

fn waits(state: &State, task: &Task) -> Vec<Reason> {
    let open = |id: &&TaskId, wanted: TaskState| state.tasks.get(**id).is_some_and(|t| t.state != wanted);
    let needed = task.depends_on.iter().filter(|id| open(id, TaskState::Completed));
    let feared = task.after_failure.iter().filter(|id| open(id, TaskState::Failed));
    let on = |id: &TaskId, rule, more: &str| Reason {
        task_id: Some(*id),
        ..reason(rule, format!("waits for {id}{more}"))
    };
    let needed = needed.map(|id| on(id, "dependency", ""));
    needed.chain(feared.map(|id| on(id, "after_failure", " to fail"))).collect()
}

fn resource(state: &State, task: &Task, now: u64) -> Option<Reason> {
    let found = state.index.held.conflict(&task.resources, None)?;
    let until_ms = state.tasks.get(found.holder).and_then(|holder| holder.lease.as_ref());
    let until_ms = until_ms.map_or(0, |lease| lease.expires_at_ms);
    let by = if found.held == found.wanted { String::new() } else { format!(" as {}", found.held) };
    let message =
        format!("resource {} is held by {}{by} until {}", found.wanted, found.holder, clock(until_ms, now));
    Some(Reason { task_id: Some(found.holder), until_ms, ..reason("resource", message) })
}

/// What keeps this agent from the task: the last three rules.
fn agent_reasons(agent: &Agent, task: &Task) -> Vec<Reason> {
    let mut found = vec![];
    if let Some(owner) = task.assigned_to.filter(|owner| *owner != agent.id) {
        found.push(Reason {
            agent_id: Some(owner),
            ..reason("assigned", format!("it is assigned to {owner}"))
        });
    }
    let lacks = |word: &&String| !agent.can(core::slice::from_ref(*word));
    for word in task.capabilities.iter().filter(lacks) {
        let message = format!("needs capability {word}, which {} lacks", agent.id);
        found.push(about(agent, reason("capability", message)));
    }
    found.extend(unfit(agent));
    found
}

/// Why an agent starts nothing at all.
fn unfit(agent: &Agent) -> Option<Reason> {
    let id = agent.id;
    let found = if !agent.is_active() {
        reason("agent_retired", format!("{id} is retired"))
    } else if agent.paused {
        reason("agent_paused", format!("{id} is paused"))
    } else if agent.running >= agent.capacity {
        let message = format!("{id} runs {} of at most {} tasks", agent.running, agent.capacity);
        reason("capacity", message)
    } else {
        return None;
    };
    Some(about(agent, found))
}

/// What keeps every worker from the task.
fn worker_reasons(state: &State, task: &Task) -> Vec<Reason> {
    if let Some(agent) = task.assigned_to.and_then(|id| state.agents.get(id)) {
        let own = agent_reasons(agent, task).into_iter().chain(lost(agent));
        return own
            .map(|found| Reason { message: format!("assigned to {}: {}", agent.id, found.message), ..found })
            .collect();
    }
    let words: Vec<&String> =
        task.capabilities.iter().filter(|word| !state.index.able.contains_key(*word)).collect();
    if let Some(word) = words.first() {
        return vec![reason("capability", format!("needs capability {word}, which no agent has"))];
    }
    if state.index.active_agents == 0 {
        return vec![reason("no_agent", "no agent is in the swarm")];
    }
    let able = able(state, task);
    if able.is_empty() && !task.capabilities.is_empty() {
        let message = format!("needs capabilities {}, which no one agent has", task.capabilities.join(", "));
        return vec![reason("capability", message)];
    }
    let fit = |agent: &&&Agent| unfit(agent).is_none() && lost(agent).is_none();
    if able.iter().any(|agent| fit(&agent)) {
        return vec![];
    }
    able.iter().take(SHOWN).filter_map(|agent| unfit(agent).or_else(|| lost(agent))).collect()
}

/// How many agents an explanation goes through.
const SHOWN: usize = 10;

fn lost(agent: &Agent) -> Option<Reason> {
    let is_lost = agent.state == AgentState::Lost;
    is_lost.then(|| about(agent, reason("agent_lost", format!("{} was not heard of for too long", agent.id))))
}

/// Agents that have all that the task names, by id; at most as many as an explanation could use.
fn able<'a>(state: &'a State, task: &Task) -> Vec<&'a Agent> {
    let sets = task.capabilities.iter().filter_map(|word| state.index.able.get(word));
    let fits = |agent: &&Agent| agent.is_active() && agent.can(&task.capabilities);
    match sets.min_by_key(|ids| ids.len()) {
        Some(ids) => ids.iter().filter_map(|id| state.agents.get(*id)).filter(fits).collect(),
        None => state.agents.values().filter(fits).collect(),
    }
}

fn waiting_for(state: &State, task: &Task) -> String {
    if let Some(agent) = task.assigned_to {
        return format!("waits for {agent} to claim it");
    }
    let able = able(state, task);
    match able.as_slice() {
        [one] => format!("waits for {} to claim it", one.id),
        many => format!("waits for one of {} able agents to claim it", many.len()),
    }
}
