//! The state of a swarm: what the log folds to. Only [`apply`](mod@crate::apply) changes it.

use alloc::collections::BTreeMap;
use alloc::string::String;
use serde::{Serialize, Serializer};

use crate::agent::Agent;
use crate::artifact::Artifact;
use crate::config::Config;
use crate::error::{Code, Error};
use crate::goal::Goal;
use crate::hash::{hex, parse_hex, Hash};
use crate::ids::{AgentId, GoalId, TaskId};
use crate::index::{Index, Open};
use crate::json::{self, is_default, readable, Read};
use crate::table::{Numbered, Table};
use crate::task::{Task, TaskState};

/// The answer of a command that came with an idempotency key.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// SHA-256 of the operation and the canonical request.
    pub request_hash: String,
    /// The response.
    pub response: String,
    /// When it was given.
    pub at_ms: u64,
}

readable!(Recorded { request_hash, response, at_ms });

/// The chain's hash; in a snapshot hexadecimal, and empty before the first event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain(pub Hash);

impl Serialize for Chain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == Chain::default() {
            return serializer.serialize_str("");
        }
        serializer.serialize_str(&hex(&self.0))
    }
}

impl Read for Chain {
    fn read(raw: &str) -> Result<Self, json::Trouble> {
        let text = String::read(raw)?;
        if text.is_empty() {
            return Ok(Chain::default());
        }
        parse_hex(&text).map(Chain).ok_or_else(|| "expected 64 hexadecimal digits".into())
    }
}

/// When a goal was served last: goals take turns by it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Served {
    /// The goal.
    pub id: GoalId,
    /// The number of the event that planned it or started a task of it.
    pub seq: u64,
}

readable!(Served { id, seq });

impl Numbered for Served {
    fn number(&self) -> u64 {
        self.id.0
    }
}

/// Everything that a snapshot holds, and indices that are derived from it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// What the swarm was created with; `None` before that.
    pub config: Option<Config>,
    /// The number of the last event.
    pub version: u64,
    /// The time of the last event.
    pub at_ms: u64,
    /// The chain's hash after the last event.
    pub chain: Chain,
    /// True while nothing new starts.
    #[serde(skip_serializing_if = "is_default")]
    pub paused: bool,
    /// The next numbers of agents, tasks and goals are one more than these.
    pub last_agent: u64,
    /// See `last_agent`.
    pub last_task: u64,
    /// See `last_agent`.
    pub last_goal: u64,
    /// The number of the event that last started a task without a goal.
    #[serde(skip_serializing_if = "is_default")]
    pub served_loose: u64,
    /// When each goal was served last.
    pub served: Table<Served>,
    /// All agents, by id.
    pub agents: Table<Agent>,
    /// All goals, by id.
    pub goals: Table<Goal>,
    /// All tasks, by id.
    pub tasks: Table<Task>,
    /// All artifacts, by hash.
    pub artifacts: BTreeMap<String, Artifact>,
    /// Answers of keyed commands of the last day, by key.
    pub recorded: BTreeMap<String, Recorded>,
    /// Derived, rebuilt on restore; no part of the snapshot.
    #[serde(skip)]
    pub index: Index,
}

impl Read for State {
    fn read(raw: &str) -> Result<Self, json::Trouble> {
        let mut state = State::default();
        for (key, raw) in json::fields(raw)? {
            match &*key {
                "config" => json::set(&mut state.config, &key, raw)?,
                "version" => json::set(&mut state.version, &key, raw)?,
                "atMs" => json::set(&mut state.at_ms, &key, raw)?,
                "chain" => json::set(&mut state.chain, &key, raw)?,
                "paused" => json::set(&mut state.paused, &key, raw)?,
                "lastAgent" => json::set(&mut state.last_agent, &key, raw)?,
                "lastTask" => json::set(&mut state.last_task, &key, raw)?,
                "lastGoal" => json::set(&mut state.last_goal, &key, raw)?,
                "servedLoose" => json::set(&mut state.served_loose, &key, raw)?,
                "served" => json::set(&mut state.served, &key, raw)?,
                "agents" => json::set(&mut state.agents, &key, raw)?,
                "goals" => json::set(&mut state.goals, &key, raw)?,
                "tasks" => json::set(&mut state.tasks, &key, raw)?,
                "artifacts" => state.artifacts = by_key(raw)?,
                "recorded" => state.recorded = by_key(raw)?,
                _ => return Err(alloc::format!("{key} is no part of a snapshot")),
            }
        }
        Ok(state)
    }
}

fn by_key<T: Read>(raw: &str) -> Result<BTreeMap<String, T>, json::Trouble> {
    let mut map = BTreeMap::new();
    for (key, raw) in json::fields(raw)? {
        map.insert(key.into_owned(), T::read(raw)?);
    }
    Ok(map)
}

impl State {
    /// The settings, or the error that says how to make a swarm.
    pub fn config(&self) -> Result<&Config, Error> {
        self.config.as_ref().ok_or_else(|| {
            Error::new(
                Code::FailedPrecondition,
                "",
                "no swarm yet; create one with swarm_init (ruv-swarm init)",
            )
        })
    }

    /// The agent that `id` names.
    pub fn agent(&self, field: &str, id: &str) -> Result<&Agent, Error> {
        AgentId::parse(id)
            .and_then(|key| self.agents.get(key))
            .ok_or_else(|| Error::unknown_id(field, AgentId::NOUN, id))
    }

    /// The agent that `id` names, unless it has left for good.
    pub fn active_agent(&self, field: &str, id: &str) -> Result<&Agent, Error> {
        let agent = self.agent(field, id)?;
        if !agent.is_active() {
            return Err(Error::new(
                Code::FailedPrecondition,
                field,
                alloc::format!("{field}: {id} is retired"),
            ));
        }
        Ok(agent)
    }

    /// The task that `id` names.
    pub fn task(&self, field: &str, id: &str) -> Result<&Task, Error> {
        TaskId::parse(id)
            .and_then(|key| self.tasks.get(key))
            .ok_or_else(|| Error::unknown_id(field, TaskId::NOUN, id))
    }

    /// The goal that `id` names.
    pub fn goal(&self, field: &str, id: &str) -> Result<&Goal, Error> {
        GoalId::parse(id)
            .and_then(|key| self.goals.get(key))
            .ok_or_else(|| Error::unknown_id(field, GoalId::NOUN, id))
    }

    /// The number of the event that last served a goal, or the tasks without one.
    pub fn served_at(&self, goal: Option<GoalId>) -> u64 {
        match goal {
            None => self.served_loose,
            Some(id) => self.served.get(id).map_or(0, |served| served.seq),
        }
    }

    /// True if the goal (or no goal) does not keep its tasks from starting.
    pub fn goes_on(&self, goal: Option<GoalId>) -> bool {
        goal.and_then(|id| self.goals.get(id)).is_none_or(|goal| !goal.paused)
    }

    /// How many of those that `task` waits for have not ended as it needs.
    pub fn unmet(&self, task: &Task) -> usize {
        let ended = |id: &TaskId, wanted: TaskState| self.tasks.get(*id).is_some_and(|t| t.state == wanted);
        let open = task.depends_on.iter().filter(|id| !ended(id, TaskState::Completed)).count();
        open + task.after_failure.iter().filter(|id| !ended(id, TaskState::Failed)).count()
    }

    /// Builds the indices from the rest of the state.
    pub fn reindex(&mut self) {
        self.index = Index::default();
        for agent in self.agents.values().filter(|agent| agent.is_active()) {
            self.index.add_agent(agent);
        }
        for task in self.tasks.values() {
            let waiting = if task.state.is_final() { 0 } else { self.unmet(task) };
            let served = self.served_at(task.goal_id);
            self.index.add_task(task, waiting, served, self.at_ms);
        }
        for goal in self.goals.values() {
            let open = goal
                .task_ids
                .iter()
                .filter_map(|id| self.tasks.get(*id))
                .filter(|task| !task.state.is_final());
            self.index.open.insert(Open { id: goal.id, count: open.count() });
        }
        for (key, answer) in &self.recorded {
            self.index.record(answer.at_ms, key);
        }
    }
}
