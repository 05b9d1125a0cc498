//! swarm_init.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use serde::Serialize;

use super::checks::in_range;
use super::Outcome;
use crate::command;
use crate::config::{choose, STRATEGIES, TOPOLOGIES};
use crate::error::{Code, Error};
use crate::event::{Event, SwarmCreated};
use crate::limits;
use crate::state::State;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SwarmInitResponse<'a> {
    swarm_id: &'a str,
    topology: &'a str,
    max_agents: u32,
    strategy: &'a str,
    seed: u64,
    created: bool,
}

/// Creates the swarm, or joins it if what is given equals what is there.
pub fn swarm_init(state: &State, _now: u64, request: &command::SwarmInit) -> Result<Outcome, Error> {
    let topology = choose("topology", &request.topology, "mesh", TOPOLOGIES)?;
    let strategy = choose("strategy", &request.strategy, "balanced", STRATEGIES)?;
    let max_agents =
        in_range("maxAgents", request.max_agents, u64::from(limits::DEFAULT_AGENTS), 1, limits::AGENTS)?;
    if !request.swarm_id.is_empty() {
        check_swarm_id(&request.swarm_id)?;
    }
    if let Some(config) = &state.config {
        let same = |field: &str, given: bool, asked: &str, there: &str| match given && asked != there {
            true => {
                let message = format!("{field}: this swarm has {there:?}, not {asked:?}; leave it out to join, or use another file");
                Err(Error::new(Code::Conflict, field, message))
            }
            false => Ok(()),
        };
        same("swarmId", !request.swarm_id.is_empty(), &request.swarm_id, &config.swarm_id)?;
        same("topology", !request.topology.is_empty(), &topology, &config.topology)?;
        same("strategy", !request.strategy.is_empty(), &strategy, &config.strategy)?;
        let (asked, there) = (max_agents.to_string(), config.max_agents.to_string());
        same("maxAgents", request.max_agents.is_some(), &asked, &there)?;
        let (asked, there) = (request.seed.unwrap_or(0).to_string(), config.seed.to_string());
        same("seed", request.seed.is_some(), &asked, &there)?;
        let response = SwarmInitResponse {
            swarm_id: &config.swarm_id,
            topology: &config.topology,
            max_agents: config.max_agents,
            strategy: &config.strategy,
            seed: config.seed,
            created: false,
        };
        return Ok(Outcome::new(vec![], &response));
    }
    check_swarm_id(&request.swarm_id)?;
    let Some(seed) = request.seed else {
        return Err(Error::invalid("seed", "seed: missing; the host has to draw one"));
    };
    let created = SwarmCreated {
        topology: topology.clone(),
        max_agents: max_agents as u32,
        strategy: strategy.clone(),
        seed,
    };
    let response = SwarmInitResponse {
        swarm_id: &request.swarm_id,
        topology: &topology,
        max_agents: created.max_agents,
        strategy: &strategy,
        seed,
        created: true,
    };
    let mut outcome = Outcome::new(vec![Event::SwarmCreated(created)], &response);
    outcome.swarm_id = Some(request.swarm_id.clone());
    Ok(outcome)
}

fn check_swarm_id(id: &str) -> Result<(), Error> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=64).contains(&id.len()) && id.chars().all(word) {
        return Ok(());
    }
    let message = format!("swarmId: {id:?} is not 1 to 64 characters of a-z, A-Z, 0-9, - and _");
    Err(Error::invalid("swarmId", message))
}
