//! task_orchestrate: a goal becomes tasks.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

use super::agents::check_room;
use super::checks::{check_text, check_words, in_range, priority};
use super::Outcome;
use crate::agent::Agent;
use crate::command;
use crate::config::{choose, is_neural, DEFAULT_MODEL, STRATEGIES, TRAIN, WORK};
use crate::error::{Code, Error};
use crate::event::{AgentSpawned, Event, GoalPlanned, TaskSubmitted};
use crate::ids::{AgentId, GoalId, TaskId};
use crate::json;
use crate::limits;
use crate::neural::plan::{resolve_plan, MemberRequest, ALGORITHMS};
use crate::policy::{self, cast, plan_work};
use crate::state::State;
use crate::task::Kind;

/// Retries of the engine's own tasks: a host that is killed again and again all night still finishes.
const TRAINING_RETRIES: u32 = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskOrchestrateResponse {
    goal_id: GoalId,
    state: &'static str,
    strategy: String,
    task_ids: Vec<TaskId>,
    used: Vec<AgentId>,
    spawned: Vec<AgentId>,
    message: String,
}

/// One who takes part: an agent that is there or one that this decision spawns.
struct Member {
    id: AgentId,
    pattern: String,
    capabilities: Vec<String>,
}

/// Plans a goal; with a dataset, the training of an ensemble.
pub fn task_orchestrate(
    state: &State,
    now: u64,
    request: &command::TaskOrchestrate,
) -> Result<Outcome, Error> {
    let config = state.config()?;
    let strategy = choose("strategy", &request.strategy, &config.strategy, STRATEGIES)?;
    let text = request.task.trim();
    check_text("task", text, limits::TEXT_BYTES)?;
    check_words("capabilities", &request.capabilities)?;
    let priority = priority(&request.priority.0, limits::PRIORITY_DEFAULT)?;
    let most = in_range("maxAgents", request.max_agents, limits::AGENTS, 1, limits::AGENTS)? as usize;
    let training = request.dataset.is_some();
    for name in &request.agents {
        policy::check_named(state, name, training)?;
    }
    if !training && text.is_empty() {
        return Err(Error::invalid(
            "task",
            "task: missing; say what is to be done, or give a dataset to train on",
        ));
    }
    if !training && text == TRAIN {
        return Err(Error::invalid("dataset", "dataset: missing; the word train alone trains on a dataset"));
    }
    let cast = cast(state, &strategy, &request.agents, training, most);
    check_room(state, cast.missing.len() as u64)?;
    let mut draft =
        Plan { state, events: vec![], goal: GoalId(state.last_goal + 1), priority, tasks: vec![] };
    let mut members: Vec<Member> = cast.used.iter().map(|agent| member(agent)).collect();
    let spawned = draft.spawn(&cast.missing, training, &mut members);
    let used = cast.used.iter().map(|agent| agent.id).collect();
    let message = match &request.dataset {
        Some(dataset) => {
            draft.training(text, &strategy, dataset, config.seed, &members)?;
            String::new()
        }
        None => {
            draft.work(text, &strategy, &request.capabilities, &members);
            no_worker(state, now, &request.capabilities, &draft.assignees())
        }
    };
    let response = TaskOrchestrateResponse {
        goal_id: draft.goal,
        state: "running",
        strategy,
        task_ids: draft.tasks.clone(),
        used,
        spawned,
        message,
    };
    Ok(Outcome::new(draft.events, &response))
}

fn member(agent: &Agent) -> Member {
    Member { id: agent.id, pattern: agent.pattern.clone(), capabilities: agent.capabilities.clone() }
}

/// What to tell if nobody has worked lately: a plan alone does nothing.
fn no_worker(state: &State, now: u64, capabilities: &[String], assignees: &[AgentId]) -> String {
    let recently = |agent: &Agent| {
        let able = assignees.is_empty() && agent.can(capabilities) || assignees.contains(&agent.id);
        let heard = agent.claimed > 0 && agent.last_seen_ms.saturating_add(60_000) > now;
        !is_neural(&agent.agent_type) && agent.is_active() && able && heard
    };
    if state.agents.values().any(recently) {
        return String::new();
    }
    let more = match (assignees, capabilities) {
        ([], []) => String::new(),
        ([], words) => format!(" --capabilities {}", words.join(",")),
        ([only], _) => format!(" --agent {only}"),
        ([first, others @ ..], _) => {
            let others: Vec<String> = others.iter().map(AgentId::to_string).collect();
            format!(" --agent {first} (and so for {})", others.join(", "))
        }
    };
    format!(
        "no worker serves these tasks yet; start one with: ruv-swarm work --exec 'PROGRAM'{more}; \
         or connect a coding agent with: ruv-swarm mcp start"
    )
}

struct Plan<'a> {
    state: &'a State,
    events: Vec<Event>,
    goal: GoalId,
    priority: u32,
    tasks: Vec<TaskId>,
}

impl Plan<'_> {
    fn spawn(&mut self, missing: &[String], training: bool, members: &mut Vec<Member>) -> Vec<AgentId> {
        let mut spawned = vec![];
        for pattern in missing {
            let id = AgentId(self.state.last_agent + 1 + spawned.len() as u64);
            self.events.push(Event::AgentSpawned(AgentSpawned {
                agent_id: id,
                agent_type: if training { "neural".into() } else { "general".into() },
                pattern: pattern.clone(),
                model: if training { DEFAULT_MODEL.into() } else { String::new() },
                capacity: 1,
                ..AgentSpawned::default()
            }));
            spawned.push(id);
            members.push(Member { id, pattern: pattern.clone(), capabilities: vec![] });
        }
        spawned
    }

    fn training(
        &mut self,
        text: &str,
        strategy: &str,
        dataset: &command::Dataset,
        seed: u64,
        members: &[Member],
    ) -> Result<(), Error> {
        if !self.state.artifacts.contains_key(&dataset.hash) {
            let message = format!(
                "dataset.hash: no artifact {:?}; store the bytes with artifact_put first",
                dataset.hash
            );
            return Err(Error::new(Code::NotFound, "dataset", message));
        }
        let requests: Vec<MemberRequest> = members
            .iter()
            .map(|member| MemberRequest {
                pattern: member.pattern.clone(),
                algorithms: algorithms(strategy, &member.capabilities),
            })
            .collect();
        let plan = resolve_plan(&dataset.summary, seed, &requests)?;
        if plan.dataset != dataset.hash {
            let message = format!("dataset.summary: it describes {:?}, not {:?}", plan.dataset, dataset.hash);
            return Err(Error::invalid("dataset", message));
        }
        self.events.push(Event::GoalPlanned(GoalPlanned {
            goal_id: self.goal,
            task: if text.is_empty() { TRAIN.into() } else { text.into() },
            kind: TRAIN.into(),
            strategy: strategy.into(),
            dataset: dataset.hash.clone(),
            plan: json::encode(&plan),
        }));
        for (i, member) in members.iter().enumerate() {
            let task = TaskSubmitted {
                name: format!("train {}", member.pattern),
                kind: Kind::Train,
                assigned_to: Some(member.id),
                payload: format!("{{\"member\":{i}}}"),
                max_retries: TRAINING_RETRIES,
                ..TaskSubmitted::default()
            };
            self.submit(task);
        }
        let fuse = TaskSubmitted {
            name: "fuse".into(),
            kind: Kind::Fuse,
            depends_on: self.tasks.clone(),
            assigned_to: members.first().map(|member| member.id),
            max_retries: TRAINING_RETRIES,
            ..TaskSubmitted::default()
        };
        self.submit(fuse);
        Ok(())
    }

    fn work(&mut self, text: &str, strategy: &str, capabilities: &[String], members: &[Member]) {
        self.events.push(Event::GoalPlanned(GoalPlanned {
            goal_id: self.goal,
            task: text.into(),
            kind: WORK.into(),
            strategy: strategy.into(),
            ..GoalPlanned::default()
        }));
        let patterns: Vec<String> = members.iter().map(|member| member.pattern.clone()).collect();
        for planned in plan_work(strategy, &patterns) {
            let task = TaskSubmitted {
                name: planned.name,
                description: text.to_string(),
                depends_on: planned
                    .after
                    .iter()
                    .filter_map(|place| self.tasks.get(*place))
                    .copied()
                    .collect(),
                capabilities: capabilities.to_vec(),
                assigned_to: planned.member.and_then(|place| members.get(place)).map(|member| member.id),
                max_retries: limits::RETRIES_DEFAULT as u32,
                backoff_ms: limits::BACKOFF_DEFAULT_MS,
                ..TaskSubmitted::default()
            };
            self.submit(task);
        }
    }

    /// Agents that tasks of the plan are for, each once.
    fn assignees(&self) -> Vec<AgentId> {
        let mut ids: Vec<AgentId> = vec![];
        for event in &self.events {
            if let Event::TaskSubmitted(TaskSubmitted { assigned_to: Some(id), .. }) = event {
                if !ids.contains(id) {
                    ids.push(*id);
                }
            }
        }
        ids
    }

    fn submit(&mut self, task: TaskSubmitted) {
        let task_id = TaskId(self.state.last_task + 1 + self.tasks.len() as u64);
        self.tasks.push(task_id);
        let (goal_id, priority) = (Some(self.goal), self.priority);
        self.events.push(Event::TaskSubmitted(TaskSubmitted { task_id, goal_id, priority, ..task }));
    }
}

/// The algorithm words among the capabilities; the cascade strategy asks those for
/// cascade-correlation whose words allow it.
fn algorithms(strategy: &str, capabilities: &[String]) -> Vec<String> {
    let words: Vec<String> =
        capabilities.iter().filter(|word| ALGORITHMS.contains(&word.as_str())).cloned().collect();
    let growing = String::from("cascade-correlation");
    if strategy == "cascade" && (words.is_empty() || words.contains(&growing)) {
        return vec![growing];
    }
    words
}
