//! Choices of a decision that are no bookkeeping: who may run what, and how a goal becomes tasks.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use crate::agent::Agent;
use crate::cognition::{DEFAULT_PATTERNS, PATTERNS};
use crate::config::is_neural;
use crate::ids::{AgentId, TaskId};
use crate::state::State;
use crate::task::{Task, TaskState};

/// Why `agent` may not start `task` at `now`, or `None` if it may. `unblocked` tasks count as ready.
pub fn obstacle(agent: &Agent, task: &Task, now: u64, unblocked: &[TaskId]) -> Option<String> {
    let ready = task.state == TaskState::Ready || unblocked.contains(&task.id);
    if !ready {
        return Some(format!("it is {}", task.state.as_str()));
    }
    if let Some(other) = task.assigned_to.filter(|other| *other != agent.id) {
        return Some(format!("it is assigned to {other}"));
    }
    if task.not_before_ms > now {
        return Some(format!("its next attempt begins in {} ms", task.not_before_ms - now));
    }
    if !agent.can(&task.capabilities) {
        let lacks = task.capabilities.iter().find(|word| !agent.can(core::slice::from_ref(word)));
        return Some(format!("it needs capability {:?}", lacks.map_or("", String::as_str)));
    }
    None
}

/// The most urgent task that `agent` may start: highest priority first, then the oldest.
pub fn next_task(state: &State, agent: &Agent, now: u64, unblocked: &[TaskId]) -> Option<TaskId> {
    let may =
        |id: TaskId| state.tasks.get(id).is_some_and(|task| obstacle(agent, task, now, unblocked).is_none());
    let first = |owner: u64| {
        let queue = state.index.ready.range((owner, 0, 0)..=(owner, u32::MAX, u64::MAX));
        queue.map(|(_, urgency, id)| (*urgency, TaskId(*id))).find(|(_, id)| may(*id))
    };
    let new = unblocked
        .iter()
        .filter(|id| may(**id))
        .filter_map(|id| state.tasks.get(id).map(|task| (100 - task.priority.min(100), *id)));
    [first(agent.id.0), first(0)].into_iter().flatten().chain(new).min().map(|(_, id)| id)
}

/// Why a task does not run, in words; empty if it runs or has ended.
pub fn waits_for(state: &State, task: &Task, now: u64) -> String {
    match task.state {
        TaskState::Blocked => {
            let open = |id: &&TaskId| state.tasks.get(*id).is_some_and(|t| t.state != TaskState::Completed);
            let names: Vec<String> = task.depends_on.iter().filter(open).map(TaskId::to_string).collect();
            format!("waits for {}", names.join(", "))
        }
        TaskState::Paused => "paused".into(),
        TaskState::Ready => waits_for_worker(state, task, now),
        TaskState::Running | TaskState::Completed | TaskState::Failed | TaskState::Cancelled => String::new(),
    }
}

fn waits_for_worker(state: &State, task: &Task, now: u64) -> String {
    if task.not_before_ms > now {
        return format!("next attempt in {} ms", task.not_before_ms - now);
    }
    if let Some(agent) = task.assigned_to {
        return format!("waits for {agent} to claim it");
    }
    let able =
        state.agents.values().filter(|agent| agent.state != "retired" && agent.can(&task.capabilities));
    match able.count() {
        0 if task.capabilities.is_empty() => "no agent in the swarm".into(),
        0 => format!("no agent has capability {}", task.capabilities.join(", ")),
        n => format!("waits for one of {n} able agents to claim it"),
    }
}

/// The pattern of a new agent that named none: the one that the fewest agents have, in list order.
pub fn rarest_pattern(state: &State, new: &[String]) -> &'static str {
    let users = |pattern: &str| {
        let there = state.agents.values().filter(|a| a.state != "retired" && a.pattern == pattern).count();
        there + new.iter().filter(|word| *word == pattern).count()
    };
    DEFAULT_PATTERNS.iter().copied().min_by_key(|pattern| users(pattern)).unwrap_or("convergent")
}

/// Who takes part in a goal: agents that are there, and patterns for which one must be spawned.
#[derive(Debug, Default, PartialEq)]
pub struct Cast<'a> {
    /// Agents that are there, in the order of the patterns, then by id.
    pub used: Vec<&'a Agent>,
    /// Patterns that no agent has.
    pub missing: Vec<String>,
}

/// True for the strategies whose members are fixed by cognitive patterns.
pub fn by_pattern(strategy: &str) -> bool {
    ["cognitive-diversity", "neuro-divergent", "fusion"].contains(&strategy)
}

/// The cast of a training goal (`neural`) or of a goal for workers.
pub fn cast<'a>(state: &'a State, strategy: &str, named: &[String], neural: bool, most: usize) -> Cast<'a> {
    let there: Vec<&Agent> = state
        .agents
        .values()
        .filter(|agent| agent.state != "retired" && is_neural(&agent.agent_type) == neural)
        .collect();
    let patterns: Vec<String> = if !named.is_empty() {
        named.to_vec()
    } else if by_pattern(strategy) || (neural && there.is_empty()) {
        DEFAULT_PATTERNS.iter().map(ToString::to_string).collect()
    } else {
        return Cast { used: there.into_iter().take(most).collect(), missing: vec![] };
    };
    let mut cast = Cast::default();
    for pattern in patterns.iter().take(most) {
        if let Some(agent) = AgentId::parse(pattern).and_then(|id| there.iter().find(|agent| agent.id == id))
        {
            cast.used.push(agent);
            continue;
        }
        let mut found = there.iter().filter(|agent| agent.pattern == *pattern).peekable();
        if found.peek().is_none() {
            cast.missing.push(pattern.clone());
        }
        cast.used.extend(found);
    }
    cast.used.truncate(most.saturating_sub(cast.missing.len()));
    cast
}

/// A task of a plan for workers.
#[derive(Debug, PartialEq)]
pub struct PlannedTask {
    /// A name for people.
    pub name: String,
    /// Its place in the cast, if it is for one agent only.
    pub member: Option<usize>,
    /// Places in the plan of the tasks that come first.
    pub after: Vec<usize>,
}

/// Plans a goal for workers: by pattern one task a member and one that combines them; parallel one a
/// member; sequential a chain; anything else one task for any worker.
pub fn plan_work(strategy: &str, members: &[String]) -> Vec<PlannedTask> {
    let each = |chain: bool| {
        let task = |i: usize| PlannedTask {
            name: format!("part {} of {}", i + 1, members.len()),
            member: Some(i),
            after: if chain && i > 0 { vec![i - 1] } else { vec![] },
        };
        (0..members.len()).map(task).collect::<Vec<_>>()
    };
    if members.is_empty() {
        return vec![PlannedTask { name: "goal".into(), member: None, after: vec![] }];
    }
    match strategy {
        "parallel" => each(false),
        "sequential" => each(true),
        _ if by_pattern(strategy) => {
            let mut tasks = each(false);
            for (task, pattern) in tasks.iter_mut().zip(members) {
                task.name = format!("{pattern} view");
            }
            tasks.push(PlannedTask {
                name: "combine".into(),
                member: None,
                after: (0..members.len()).collect(),
            });
            tasks
        }
        _ => vec![PlannedTask { name: "goal".into(), member: None, after: vec![] }],
    }
}

/// Refuses what is neither a cognitive pattern nor the id of an agent that can take part.
pub fn check_named(state: &State, name: &str, neural: bool) -> Result<(), crate::error::Error> {
    if AgentId::parse(name).is_none() {
        return check_pattern("agents", name);
    }
    let agent = state.agent("agents", name)?;
    if agent.state == "retired" || is_neural(&agent.agent_type) != neural {
        let message = alloc::format!(
            "agents: {name} is {} of type {:?} and cannot take part",
            agent.state,
            agent.agent_type
        );
        return Err(crate::error::Error::new(crate::error::Code::FailedPrecondition, "agents", message));
    }
    Ok(())
}

/// Checks a list of patterns.
pub fn check_pattern(field: &str, pattern: &str) -> Result<(), crate::error::Error> {
    if PATTERNS.contains(&pattern) {
        return Ok(());
    }
    Err(crate::error::Error::not_one_of(field, pattern, PATTERNS))
}
