//! Answers that change nothing.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

use crate::agent::Agent;
use crate::command;
use crate::config::{choose, FUSE, TRAIN};
use crate::decide::base64_encode;
use crate::error::{Code, Error};
use crate::hash::{hex, parse_hex};
use crate::ids::{AgentId, GoalId, TaskId};
use crate::json::{self, is_default, readable, Read};
use crate::limits;
use crate::policy;
use crate::snapshot;
use crate::state::State;
use crate::task::{Artifact, Goal, Task, TaskState};

/// What a host has to read from its store and hand back before the answer is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attach {
    /// Events with `after < seq`, at most `limit` of them: see [`attach_events`].
    Events {
        /// The number before the first event.
        after: u64,
        /// How many at most.
        limit: u64,
    },
    /// The bytes of an artifact: see [`attach_artifact`].
    Artifact {
        /// SHA-256 of the bytes, in hex.
        hash: String,
    },
}

type Answer = Result<(String, Option<Attach>), Error>;

/// Answers `operation`. `None` if it is no query of the catalogue.
pub fn query(state: &State, operation: &str, request: &str) -> Option<Answer> {
    Some(match operation {
        "agent_list" => json::decode(request).and_then(|request| agent_list(state, &request)),
        "task_status" => json::decode(request).and_then(|request| task_status(state, &request)),
        "task_results" => json::decode(request).and_then(|request| task_results(state, &request)),
        "swarm_status" => json::decode(request).and_then(|request| swarm_status(state, &request)),
        "swarm_query" => json::decode(request).and_then(|request| swarm_query(state, &request)),
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
    let filter = choose("filter", &request.filter, "all", &["all", "active", "idle", "busy", "retired"])?;
    let wanted = |agent: &&Agent| match filter.as_str() {
        "all" => true,
        "active" => agent.state != "retired",
        word => agent.state == word,
    };
    plain(&AgentListResponse { agents: state.agents.values().filter(wanted).collect() })
}

/// A task with the reason why it waits.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskView<'a> {
    #[serde(flatten)]
    task: &'a Task,
    #[serde(skip_serializing_if = "is_default")]
    waits_for: String,
}

fn view<'a>(state: &State, task: &'a Task) -> TaskView<'a> {
    TaskView { task, waits_for: policy::waits_for(state, task, state.at_ms) }
}

fn tasks_of<'a>(state: &'a State, goal: &'a Goal) -> impl Iterator<Item = &'a Task> {
    goal.task_ids.iter().filter_map(|id| state.tasks.get(id))
}

fn brief(goal: &Goal) -> Goal {
    Goal { plan: String::new(), ..goal.clone() }
}

enum Target<'a> {
    Task(&'a Task),
    Goal(&'a Goal),
}

fn target<'a>(state: &'a State, request: &command::TaskOrGoal) -> Result<Target<'a>, Error> {
    state.config()?;
    match (request.task_id.as_str(), request.goal_id.as_str()) {
        ("", "") => Err(Error::invalid("taskId", "taskId: missing; give taskId or goalId")),
        (id, "") => Ok(Target::Task(state.task("taskId", id)?)),
        ("", id) => Ok(Target::Goal(state.goal("goalId", id)?)),
        _ => Err(Error::invalid("taskId", "taskId: give taskId or goalId, not both")),
    }
}

#[derive(Default, Serialize)]
struct TaskStatusResponse<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<Goal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<Vec<TaskView<'a>>>,
}

fn task_status(state: &State, request: &command::TaskOrGoal) -> Answer {
    let response = match target(state, request)? {
        Target::Task(task) => TaskStatusResponse { task: Some(view(state, task)), ..Default::default() },
        Target::Goal(goal) => TaskStatusResponse {
            task: None,
            goal: Some(brief(goal)),
            tasks: Some(tasks_of(state, goal).map(|task| view(state, task)).collect()),
        },
    };
    plain(&response)
}

/// What the engine reports of one member; see [`crate::neural`].
#[derive(Default)]
struct MemberReport {
    pattern: String,
    algorithm: String,
    network: String,
    validation_loss: f64,
    validation_accuracy: Option<f64>,
    epochs: u64,
}

readable!(MemberReport { pattern, algorithm, network, validation_loss, validation_accuracy, epochs });

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    #[serde(skip)]
    task_id: TaskId,
    agent_id: Option<AgentId>,
    pattern: String,
    algorithm: String,
    network: String,
    validation_loss: f64,
    validation_accuracy: Option<f64>,
    epochs: u64,
    duration_ms: u64,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ensemble {
    test_loss: f64,
    test_accuracy: Option<f64>,
    mean_member_loss: f64,
    ambiguity: f64,
}

readable!(Ensemble { test_loss, test_accuracy, mean_member_loss, ambiguity });

#[derive(Default)]
struct FuseReport {
    ensemble: Ensemble,
}

readable!(FuseReport { ensemble });

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TrainingResults {
    goal_id: GoalId,
    state: String,
    #[serde(skip_serializing_if = "is_default")]
    model_hash: String,
    members: Vec<Member>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ensemble: Option<Ensemble>,
    state_hash: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WorkResults<'a> {
    goal_id: GoalId,
    state: String,
    tasks: Vec<&'a Task>,
    state_hash: String,
}

#[derive(Serialize)]
struct OneResult<'a> {
    task: &'a Task,
}

fn task_results(state: &State, request: &command::TaskOrGoal) -> Answer {
    let goal = match target(state, request)? {
        Target::Task(task) if task.state.is_final() => return plain(&OneResult { task }),
        Target::Task(task) => {
            let message = format!("taskId: {} is {}; it has no result yet", task.id, task.state.as_str());
            return Err(Error::new(Code::FailedPrecondition, "taskId", message));
        }
        Target::Goal(goal) => goal,
    };
    let state_hash = hex(&snapshot::hash(state));
    if goal.kind != TRAIN {
        let tasks = tasks_of(state, goal).collect();
        return plain(&WorkResults { goal_id: goal.id, state: goal.state.clone(), tasks, state_hash });
    }
    let done = || tasks_of(state, goal).filter(|task| task.state == TaskState::Completed);
    let mut members: Vec<Member> = done().filter(|task| task.kind == TRAIN).filter_map(member).collect();
    members.sort_unstable_by(|a, b| {
        a.validation_loss.total_cmp(&b.validation_loss).then(a.task_id.cmp(&b.task_id))
    });
    let fused = done().find(|task| task.kind == FUSE);
    let ensemble = fused.and_then(|task| FuseReport::read(&task.output).ok());
    plain(&TrainingResults {
        goal_id: goal.id,
        state: goal.state.clone(),
        model_hash: goal.model_hash.clone(),
        members,
        ensemble: ensemble.map(|report| report.ensemble),
        state_hash,
    })
}

fn member(task: &Task) -> Option<Member> {
    let report = MemberReport::read(&task.output).ok()?;
    Some(Member {
        task_id: task.id,
        agent_id: task.last_agent_id,
        pattern: report.pattern,
        algorithm: report.algorithm,
        network: report.network,
        validation_loss: report.validation_loss,
        validation_accuracy: report.validation_accuracy,
        epochs: report.epochs,
        duration_ms: task.finished_at_ms.saturating_sub(task.started_at_ms),
    })
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
}

fn status<'a>(state: &'a State, request: &command::SwarmStatus) -> Result<SwarmStatusResponse<'a>, Error> {
    let config = state.config()?;
    let [blocked, ready, running_now, paused, completed, failed, cancelled] = state.index.counts;
    let running = || state.goals.values().filter(|goal| goal.state == "running").map(brief);
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

fn swarm_query(state: &State, request: &command::SwarmQuery) -> Answer {
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
            return Ok((json::encode(&response), Some(Attach::Events { after: first - 1, limit })));
        }
        ("", "", id, _) => response.goal = Some(state.goal("goalId", id)?),
        ("", id, _, _) => response.task = Some(view(state, state.task("taskId", id)?)),
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
    Ok((json::encode(&response), Some(Attach::Events { after: request.after, limit })))
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

/// The whole answer, once the host has read the event lines that [`Attach::Events`] asked for.
pub fn attach_events(response: &str, lines: &[&str]) -> String {
    let list = json::encode(&lines);
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
