//! agent_spawn.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

use super::swarm::in_range;
use super::Outcome;
use crate::agent::Agent;
use crate::apply::apply;
use crate::command;
use crate::config::{choose, is_neural, DEFAULT_MODEL, MODELS};
use crate::error::{Code, Error};
use crate::event::{AgentSpawned, Event};
use crate::ids::AgentId;
use crate::limits;
use crate::neural::plan::ALGORITHMS;
use crate::policy;
use crate::state::State;

#[derive(Serialize)]
struct AgentSpawnResponse {
    agents: Vec<Agent>,
}

/// Adds agents, all or none.
pub fn agent_spawn(state: &State, now: u64, request: &command::AgentSpawn) -> Result<Outcome, Error> {
    state.config()?;
    if request.agent_type.is_empty() {
        return Err(Error::invalid(
            "type",
            "type: missing; give neural, or a free word such as coder or tester",
        ));
    }
    check_word("type", &request.agent_type)?;
    check_name("name", &request.name)?;
    check_capabilities(&request.capabilities)?;
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
    let capacity = in_range("capacity", request.capacity, 1, 1, limits::CAPACITY)? as u32;
    let count = in_range("count", request.count, 1, 1, limits::BATCH as u64)?;
    check_room(state, count)?;

    let mut patterns: Vec<String> = vec![];
    let mut events = vec![];
    for i in 1..=count {
        let pattern = match request.pattern.as_str() {
            "" => policy::rarest_pattern(state, &patterns).into(),
            given => String::from(given),
        };
        patterns.push(pattern.clone());
        events.push(Event::AgentSpawned(AgentSpawned {
            agent_id: AgentId(state.last_agent + i),
            agent_type: request.agent_type.clone(),
            name: request.name.clone(),
            pattern,
            capabilities: request.capabilities.clone(),
            model: model.clone(),
            capacity,
        }));
    }
    let agents = preview(now, &events);
    Ok(Outcome::new(events, &AgentSpawnResponse { agents }))
}

/// The agents as they will be once `events` are applied.
fn preview(now: u64, events: &[Event]) -> Vec<Agent> {
    let mut scratch = State::default();
    for event in events {
        apply(&mut scratch, "", now, event);
    }
    scratch.agents.into_values()
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

/// Checks a free word: printable, without spaces around it.
pub fn check_word(field: &str, word: &str) -> Result<(), Error> {
    let printable = !word.chars().any(char::is_control) && word.trim() == word;
    if !word.is_empty() && word.chars().count() <= limits::WORD_CHARS && printable {
        return Ok(());
    }
    let message =
        format!("{field}: {word:?} is not a word of 1 to {} printable characters", limits::WORD_CHARS);
    Err(Error::invalid(field, message))
}

/// Checks a name for people; it may be empty.
pub fn check_name(field: &str, name: &str) -> Result<(), Error> {
    if name.chars().count() <= limits::NAME_CHARS && !name.chars().any(char::is_control) {
        return Ok(());
    }
    let message = format!("{field}: more than {} characters, or a control character", limits::NAME_CHARS);
    Err(Error::invalid(field, message))
}

/// Checks a list of capabilities.
pub fn check_capabilities(words: &[String]) -> Result<(), Error> {
    if words.len() > limits::CAPABILITIES {
        let message =
            format!("capabilities: {} words; at most {} are allowed", words.len(), limits::CAPABILITIES);
        return Err(Error::invalid("capabilities", message));
    }
    words.iter().try_for_each(|word| check_word("capabilities", word))
}
