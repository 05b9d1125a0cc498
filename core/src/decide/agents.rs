//! agent_spawn, agent_heartbeat, agent_retire.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

use super::checks::{check_name, check_text, check_word, check_words, in_range};
use super::draft::Draft;
use super::Outcome;
use crate::agent::{Agent, AgentState};
use crate::command;
use crate::config::{choose, is_neural, DEFAULT_MODEL, MODELS};
use crate::error::{Code, Error};
use crate::event::{AgentHeartbeat, AgentRetired, AgentSpawned, Event};
use crate::ids::{AgentId, TaskId};
use crate::json::is_default;
use crate::limits;
use crate::mutants::{self, Mutant};
use crate::neural::plan::ALGORITHMS;
use crate::policy;
use crate::state::State;

#[derive(Serialize)]
struct AgentSpawnResponse {
    agents: Vec<Agent>,
    #[serde(skip_serializing_if = "is_default")]
    joined: bool,
}

/// Adds agents, all or none; or joins the one of this name.
pub fn agent_spawn(state: &State, now: u64, request: &command::AgentSpawn) -> Result<Outcome, Error> {
    state.config()?;
    let kind = described(request)?;
    let count = in_range("count", request.count, 1, 1, limits::BATCH as u64)?;
    if request.join {
        check_join(request)?;
        if let Some(agent) = named(state, &request.name) {
            return join(agent, now, request, &kind);
        }
    }
    check_room(state, count)?;
    let mut patterns: Vec<String> = vec![];
    let mut events = vec![];
    let mut agents = vec![];
    for i in 1..=count {
        let pattern = match request.pattern.as_str() {
            "" => policy::rarest_pattern(state, &patterns).into(),
            given => String::from(given),
        };
        patterns.push(pattern.clone());
        let spawned = AgentSpawned { agent_id: AgentId(state.last_agent + i), pattern, ..kind.clone() };
        agents.push(as_spawned(&spawned, now));
        events.push(Event::AgentSpawned(spawned));
    }
    Ok(Outcome::new(events, &AgentSpawnResponse { agents, joined: false }))
}

/// What the request says of each of its agents, with the defaults.
fn described(request: &command::AgentSpawn) -> Result<AgentSpawned, Error> {
    if request.agent_type.is_empty() {
        return Err(Error::invalid(
            "type",
            "type: missing; give neural, or a free word such as coder or tester",
        ));
    }
    check_word("type", &request.agent_type)?;
    check_name("name", &request.name)?;
    check_words("capabilities", &request.capabilities)?;
    let neural = is_neural(&request.agent_type);
    let model = choose("model", &request.model, if neural { DEFAULT_MODEL } else { "" }, MODELS)?;
    if neural {
        for word in &request.capabilities {
            choose("capabilities", word, "", ALGORITHMS)?;
        }
    }
    if !request.pattern.is_empty() {
        policy::check_pattern("pattern", &request.pattern)?;
    }
    Ok(AgentSpawned {
        agent_type: request.agent_type.clone(),
        name: request.name.clone(),
        pattern: request.pattern.clone(),
        capabilities: request.capabilities.clone(),
        model,
        capacity: in_range("capacity", request.capacity, 1, 1, limits::CAPACITY)? as u32,
        silence_ms: in_range("silenceMs", request.silence_ms, 0, limits::LEASE_MIN_MS, limits::DAY_MS)?,
        ..AgentSpawned::default()
    })
}

/// The agent as the event makes it.
fn as_spawned(e: &AgentSpawned, now: u64) -> Agent {
    Agent {
        id: e.agent_id,
        agent_type: e.agent_type.clone(),
        name: e.name.clone(),
        pattern: e.pattern.clone(),
        capabilities: e.capabilities.clone(),
        model: e.model.clone(),
        capacity: e.capacity,
        silence_ms: e.silence_ms,
        created_at_ms: now,
        last_seen_ms: now,
        ..Agent::default()
    }
}

fn check_join(request: &command::AgentSpawn) -> Result<(), Error> {
    if request.name.is_empty() {
        return Err(Error::invalid("name", "name: missing; an agent is joined by its name"));
    }
    if request.count.is_some_and(|count| count != 1) {
        return Err(Error::invalid("count", "count: only one agent can be joined; leave it out"));
    }
    Ok(())
}

/// The oldest agent of this name that has not left.
fn named<'a>(state: &'a State, name: &str) -> Option<&'a Agent> {
    let id = state.index.names.get(name)?.first()?;
    state.agents.get(*id)
}

fn join(
    agent: &Agent,
    now: u64,
    request: &command::AgentSpawn,
    kind: &AgentSpawned,
) -> Result<Outcome, Error> {
    let same = |field: &str, given: bool, asked: &str, there: &str| match given && asked != there {
        true => {
            let id = agent.id;
            let message = format!(
                "{field}: {id} of this name has {there:?}, not {asked:?}; leave it out or take another name"
            );
            Err(Error::new(Code::Conflict, field, message))
        }
        false => Ok(()),
    };
    same("type", true, &kind.agent_type, &agent.agent_type)?;
    same("pattern", !request.pattern.is_empty(), &kind.pattern, &agent.pattern)?;
    let listed = |words: &[String]| words.join(", ");
    let given = !request.capabilities.is_empty();
    same("capabilities", given, &listed(&kind.capabilities), &listed(&agent.capabilities))?;
    same("model", !request.model.is_empty(), &kind.model, &agent.model)?;
    let numbers = [
        ("capacity", request.capacity, u64::from(agent.capacity)),
        ("silenceMs", request.silence_ms, agent.silence_ms),
    ];
    for (field, asked, there) in numbers {
        same(field, asked.is_some(), &asked.unwrap_or(0).to_string(), &there.to_string())?;
    }
    let (event, agent) = heard(agent, now);
    Ok(Outcome::new(vec![event], &AgentSpawnResponse { agents: vec![agent], joined: true }))
}

fn heard(agent: &Agent, now: u64) -> (Event, Agent) {
    let mut after = agent.clone();
    after.last_seen_ms = now;
    after.settle(true);
    (Event::AgentHeartbeat(AgentHeartbeat { agent_id: agent.id }), after)
}

#[derive(Serialize)]
struct AgentHeartbeatResponse {
    agent: Agent,
}

/// Notes that an agent is there.
pub fn agent_heartbeat(state: &State, now: u64, request: &command::AgentHeartbeat) -> Result<Outcome, Error> {
    state.config()?;
    let agent = state.active_agent("agentId", &request.agent_id)?;
    let (event, agent) = heard(agent, now);
    Ok(Outcome::new(vec![event], &AgentHeartbeatResponse { agent }))
}

#[derive(Serialize)]
struct AgentRetireResponse {
    agent: Agent,
    #[serde(skip_serializing_if = "is_default")]
    replacement: Option<Agent>,
    released: Vec<TaskId>,
    #[serde(skip_serializing_if = "is_default")]
    cancelled: Vec<TaskId>,
}

/// Takes an agent out for good; what it held comes back.
pub fn agent_retire(state: &State, now: u64, request: &command::AgentRetire) -> Result<Outcome, Error> {
    state.config()?;
    check_text("reason", &request.reason, limits::TEXT_BYTES)?;
    let agent = state.active_agent("agentId", &request.agent_id)?;
    let spawned = request.replace.then(|| AgentSpawned {
        agent_id: AgentId(state.last_agent + 1),
        agent_type: agent.agent_type.clone(),
        name: agent.name.clone(),
        pattern: agent.pattern.clone(),
        capabilities: agent.capabilities.clone(),
        model: agent.model.clone(),
        capacity: agent.capacity,
        silence_ms: agent.silence_ms,
    });
    let replacement = spawned.as_ref().map(|spawned| as_spawned(spawned, now));
    let mut draft = Draft::new(state, now);
    draft.push(Event::AgentRetired(AgentRetired {
        agent_id: agent.id,
        reason: request.reason.clone(),
        replaced_by: spawned.as_ref().map(|spawned| spawned.agent_id),
    }));
    if let Some(spawned) = spawned {
        draft.push(Event::AgentSpawned(spawned));
    }
    let held = state.index.held_by(agent.id).iter().filter_map(|id| state.tasks.get(*id));
    let mut after = agent.clone();
    let (mut released, mut cancelled) = (vec![], vec![]);
    for task in held.filter(|_| !mutants::on(Mutant::RetiredKeeps)) {
        let took = now.saturating_sub(task.started_at_ms);
        after.busy_ms = after.busy_ms.saturating_add(took);
        after.longest_ms = after.longest_ms.max(took);
        if draft.give_back(task) {
            after.released += 1;
            released.push(task.id);
        } else {
            after.cancelled += 1;
            cancelled.push(task.id);
        }
    }
    after.running = 0;
    after.state = AgentState::Retired;
    Ok(Outcome::new(draft.close(), &AgentRetireResponse { agent: after, replacement, released, cancelled }))
}

/// Refuses `count` more agents than the swarm may have.
pub fn check_room(state: &State, count: u64) -> Result<(), Error> {
    let config = state.config()?;
    let there = state.index.active_agents;
    if there + count > u64::from(config.max_agents) {
        let message = format!(
            "maxAgents: {there} agents are there and {count} more were asked for; at most {} are allowed",
            config.max_agents
        );
        return Err(Error::new(Code::LimitExceeded, "maxAgents", message));
    }
    Ok(())
}
