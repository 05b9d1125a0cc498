//! How a goal becomes tasks, and who takes part.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use crate::agent::Agent;
use crate::cognition::{DEFAULT_PATTERNS, PATTERNS};
use crate::config::is_neural;
use crate::error::{Code, Error};
use crate::ids::AgentId;
use crate::state::State;

/// The pattern of a new agent that named none: the one that the fewest agents have, in list order.
pub fn rarest_pattern(state: &State, new: &[String]) -> &'static str {
    let users = |pattern: &str| {
        let there = state.index.patterns.get(pattern).copied().unwrap_or(0);
        there + new.iter().filter(|word| *word == pattern).count() as u64
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
        .filter(|agent| agent.is_active() && is_neural(&agent.agent_type) == neural)
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
pub fn check_named(state: &State, name: &str, neural: bool) -> Result<(), Error> {
    if AgentId::parse(name).is_none() {
        return check_pattern("agents", name);
    }
    let agent = state.agent("agents", name)?;
    if !agent.is_active() || is_neural(&agent.agent_type) != neural {
        let message = format!(
            "agents: {name} is {} of type {:?} and cannot take part",
            agent.state.as_str(),
            agent.agent_type
        );
        return Err(Error::new(Code::FailedPrecondition, "agents", message));
    }
    Ok(())
}

/// Checks a list of patterns.
pub fn check_pattern(field: &str, pattern: &str) -> Result<(), Error> {
    if PATTERNS.contains(&pattern) {
        return Ok(());
    }
    Err(Error::not_one_of(field, pattern, PATTERNS))
}
