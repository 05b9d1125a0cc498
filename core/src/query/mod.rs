//! Answers that change nothing.

mod events;
mod results;
mod tasks;

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

use crate::agent::{Agent, AgentState};
use crate::artifact::Artifact;
use crate::command;
use crate::config::choose;
use crate::decide::base64_encode;
use crate::error::Error;
use crate::goal::Goal;
use crate::hash::{hex, parse_hex};
use crate::ids::AgentId;
use crate::json::{self, is_default};
use crate::limits;
use crate::snapshot;
use crate::state::State;
use tasks::{brief, view, TaskView};

/// What a host has to read from its store and hand back before the answer is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attach {
    /// Events with `after < seq`, at most `limit` of them: see [`attach_events`].
    Events {
        /// The number before the first event.
        after: u64,
        /// How many at most.
        limit: u64,
        /// Which of them the answer holds; to be handed back to [`attach_events`].
        filter: String,
    },
    /// The bytes of an artifact: see [`attach_artifact`].
    Artifact {
        /// SHA-256 of the bytes, in hex.
        hash: String,
    },
}

type Answer = Result<(String, Option<Attach>), Error>;

/// Answers `operation` at `now`. `None` if it is no query of the catalogue.
pub fn query(state: &State, operation: &str, request: &str, now: u64) -> Option<Answer> {
    Some(match operation {
        "agent_list" => json::decode(request).and_then(|request| agent_list(state, &request)),
        "agent_metrics" => json::decode(request).and_then(|request| agent_metrics(state, &request)),
        "task_status" => json::decode(request).and_then(|request| tasks::task_status(state, now, &request)),
        "task_list" => json::decode(request).and_then(|request| tasks::task_list(state, now, &request)),
        "task_explain" => json::decode(request).and_then(|request| tasks::task_explain(state, now, &request)),
        "task_results" => json::decode(request).and_then(|request| results::task_results(state, &request)),
        "swarm_status" => json::decode(request).and_then(|request| swarm_status(state, &request)),
        "swarm_query" => json::decode(request).and_then(|request| swarm_query(state, now, &request)),
        "swarm_monitor" => json::decode(request).and_then(|request| swarm_monitor(state, &request)),
        "artifact_get" => json::decode(request).and_then(|request| artifact_get(state, &request)),
        _ => return None,
    })
}

fn plain<T: Serialize>(response: &T) -> Answer {
    Ok((json::encode(response), None))
}

#[derive(Serialize)]
struct AgentListResponse<'a> {
    agents: Vec<&'a Agent>,
}

fn agent_list(state: &State, request: &command::AgentList) -> Answer {
    state.config()?;
    let filter = choose(
        "filter",
        &request.filter,
        "all",
        &["all", "active", "idle", "busy", "paused", "lost", "retired"],
    )?;
    let wanted = |agent: &&Agent| match filter.as_str() {
        "all" => true,
        "active" => agent.is_active(),
        word => agent.state.as_str() == word,
    };
    plain(&AgentListResponse { agents: state.agents.values().filter(wanted).collect() })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AgentMetric {
    agent_id: AgentId,
    state: AgentState,
    running: u32,
    claimed: u64,
    completed: u64,
    failed: u64,
    expired: u64,
    released: u64,
    cancelled: u64,
    busy_ms: u64,
    mean_ms: u64,
    longest_ms: u64,
    last_seen_ms: u64,
}

#[derive(Serialize)]
struct AgentMetricsResponse {
    agents: Vec<AgentMetric>,
}

fn agent_metrics(state: &State, request: &command::AgentMetrics) -> Answer {
    state.config()?;
    let metric = |agent: &Agent| {
        let ended = agent.claimed.saturating_sub(u64::from(agent.running));
        AgentMetric {
            agent_id: agent.id,
            state: agent.state,
            running: agent.running,
            claimed: agent.claimed,
            completed: agent.completed,
            failed: agent.failed,
            expired: agent.expired,
            released: agent.released,
            cancelled: agent.cancelled,
            busy_ms: agent.busy_ms,
            mean_ms: agent.busy_ms.checked_div(ended).unwrap_or(0),
            longest_ms: agent.longest_ms,
            last_seen_ms: agent.last_seen_ms,
        }
    };
    let agents = match request.agent_id.as_str() {
        "" => state.agents.values().map(metric).collect(),
        id => vec![metric(state.agent("agentId", id)?)],
    };
    plain(&AgentMetricsResponse { agents })
}

#[derive(Serialize)]
struct TaskCounts {
    blocked: u64,
    ready: u64,
    running: u64,
    paused: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SwarmStatusResponse<'a> {
    swarm_id: &'a str,
    topology: &'a str,
    strategy: &'a str,
    agents: u64,
    max_agents: u32,
    tasks: TaskCounts,
    version: u64,
    state_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_list: Option<Vec<&'a Agent>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goals: Option<Vec<Goal>>,
    #[serde(skip_serializing_if = "is_default")]
    paused: bool,
}

fn status<'a>(state: &'a State, request: &command::SwarmStatus) -> Result<SwarmStatusResponse<'a>, Error> {
    let config = state.config()?;
    let [blocked, ready, running_now, paused, completed, failed, cancelled] = state.index.counts;
    let running = || state.goals.values().filter(|goal| goal.is_running()).map(brief);
    Ok(SwarmStatusResponse {
        swarm_id: &config.swarm_id,
        topology: &config.topology,
        strategy: &config.strategy,
        agents: state.index.active_agents,
        max_agents: config.max_agents,
        tasks: TaskCounts { blocked, ready, running: running_now, paused, completed, failed, cancelled },
        version: state.version,
        state_hash: hex(&snapshot::hash(state)),
        agent_list: request.verbose.then(|| state.agents.values().collect()),
        goals: request.verbose.then(|| running().collect()),
        paused: state.paused,
    })
}

fn swarm_status(state: &State, request: &command::SwarmStatus) -> Answer {
    plain(&status(state, request)?)
}

#[derive(Default, Serialize)]
struct SwarmQueryResponse<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a Agent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<&'a Goal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<String>>,
}

fn read_limit(limit: Option<u64>) -> Result<u64, Error> {
    let limit = limit.unwrap_or(limits::EVENTS_DEFAULT);
    if (1..=limits::EVENTS).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::invalid("limit", format!("limit: {limit} is not from 1 to {}", limits::EVENTS)))
}

fn swarm_query(state: &State, now: u64, request: &command::SwarmQuery) -> Answer {
    state.config()?;
    let mut response = SwarmQueryResponse::default();
    let limit = read_limit(request.limit)?;
    let ids = [&request.agent_id, &request.task_id, &request.goal_id];
    let given = ids.iter().filter(|id| !id.is_empty()).count() + usize::from(request.events.is_some());
    if given != 1 {
        return Err(Error::invalid(
            "",
            format!("give one of agentId, taskId, goalId and events, not {given} of them"),
        ));
    }
    match (request.agent_id.as_str(), request.task_id.as_str(), request.goal_id.as_str(), request.events) {
        (_, _, _, Some(first)) => {
            if first == 0 {
                return Err(Error::invalid("events", "events: 0 is not an event's number; the first is 1"));
            }
            response.events = Some(vec![]);
            return Ok((
                json::encode(&response),
                Some(Attach::Events { after: first - 1, limit, filter: String::new() }),
            ));
        }
        ("", "", id, _) => response.goal = Some(state.goal("goalId", id)?),
        ("", id, _, _) => response.task = Some(view(state, state.task("taskId", id)?, now)),
        (id, _, _, _) => response.agent = Some(state.agent("agentId", id)?),
    }
    plain(&response)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SwarmMonitorResponse<'a> {
    status: SwarmStatusResponse<'a>,
    events: Vec<String>,
    next_after: u64,
}

fn swarm_monitor(state: &State, request: &command::SwarmMonitor) -> Answer {
    let status = status(state, &command::SwarmStatus::default())?;
    let limit = read_limit(request.limit)?;
    let next_after =
        request.after.saturating_add(limit).min(state.version).max(request.after.min(state.version));
    let response = SwarmMonitorResponse { status, events: vec![], next_after };
    let filter = events::Filter::of(state, request)?;
    Ok((json::encode(&response), Some(Attach::Events { after: request.after, limit, filter })))
}

#[derive(Serialize)]
struct ArtifactGetResponse<'a> {
    artifact: &'a Artifact,
    content: &'a str,
}

fn artifact_get(state: &State, request: &command::ArtifactGet) -> Answer {
    state.config()?;
    if parse_hex(&request.hash).is_none() {
        let message = format!("hash: {:?} is not 64 hexadecimal digits", request.hash);
        return Err(Error::invalid("hash", message));
    }
    let hash = request.hash.to_ascii_lowercase();
    let artifact =
        state.artifacts.get(&hash).ok_or_else(|| Error::unknown_id("hash", "artifact", &request.hash))?;
    let response = json::encode(&ArtifactGetResponse { artifact, content: "" });
    Ok((response, Some(Attach::Artifact { hash })))
}

/// The whole answer, once the host has read the event lines that [`Attach::Events`] asked for; `filter`
/// is its own.
pub fn attach_events(response: &str, lines: &[&str], filter: &str) -> String {
    let list = json::encode(&events::passing(lines, filter));
    response.replacen("\"events\":[]", &format!("\"events\":{list}"), 1)
}

/// The whole answer, once the host has read the bytes that [`Attach::Artifact`] asked for.
pub fn attach_artifact(response: &str, bytes: &[u8]) -> String {
    // The empty content is the last field of the answer, so no text of a caller can stand for it.
    match response.strip_suffix("\"content\":\"\"}") {
        Some(head) => format!("{head}\"content\":\"{}\"}}", base64_encode(bytes)),
        None => response.into(),
    }
}
