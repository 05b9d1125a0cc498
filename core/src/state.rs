//! The state of a swarm: what the log folds to. Only [`apply`](mod@crate::apply) changes it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::config::Config;
use crate::error::{Code, Error};
use crate::ids::{AgentId, GoalId, TaskId};
use crate::json::{self, readable, Read};
use crate::task::{Artifact, Goal, Task, TaskState};

/// The answer of a command that came with an idempotency key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Recorded {
    /// SHA-256 of the operation and the canonical request.
    pub request_hash: String,
    /// The response.
    pub response: String,
    /// When it was given.
    pub at_ms: u64,
}

readable!(Recorded { request_hash, response, at_ms });

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
    /// The chain's hash after the last event, in hex; empty before the first.
    pub chain: String,
    /// The next numbers of agents, tasks and goals are one more than these.
    pub last_agent: u64,
    /// See `last_agent`.
    pub last_task: u64,
    /// See `last_agent`.
    pub last_goal: u64,
    /// All agents, by id.
    #[serde(serialize_with = "by_id::serialize")]
    pub agents: BTreeMap<AgentId, Agent>,
    /// All goals, by id.
    #[serde(serialize_with = "by_id::serialize")]
    pub goals: BTreeMap<GoalId, Goal>,
    /// All tasks, by id.
    #[serde(serialize_with = "by_id::serialize")]
    pub tasks: BTreeMap<TaskId, Task>,
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
            let raw = raw.get();
            match &*key {
                "config" => json::set(&mut state.config, &key, raw)?,
                "version" => json::set(&mut state.version, &key, raw)?,
                "atMs" => json::set(&mut state.at_ms, &key, raw)?,
                "chain" => json::set(&mut state.chain, &key, raw)?,
                "lastAgent" => json::set(&mut state.last_agent, &key, raw)?,
                "lastTask" => json::set(&mut state.last_task, &key, raw)?,
                "lastGoal" => json::set(&mut state.last_goal, &key, raw)?,
                "agents" => state.agents = by_id::read(raw)?,
                "goals" => state.goals = by_id::read(raw)?,
                "tasks" => state.tasks = by_id::read(raw)?,
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
        map.insert(key.into_owned(), T::read(raw.get())?);
    }
    Ok(map)
}

/// What decisions look up often; a function of the rest of the state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    /// Ready tasks by the agent they are assigned to (`None`: any), most urgent first.
    pub ready: BTreeMap<Option<AgentId>, BTreeSet<(u32, TaskId)>>,
    /// Running tasks by the end of their lease.
    pub leases: BTreeSet<(u64, TaskId)>,
    /// Tasks that wait for a task.
    pub dependents: BTreeMap<TaskId, Vec<TaskId>>,
    /// How many tasks a blocked task still waits for.
    pub waiting: BTreeMap<TaskId, usize>,
    /// How many tasks of a goal have not ended.
    pub open: BTreeMap<GoalId, usize>,
    /// How many tasks are in each state.
    pub counts: BTreeMap<TaskState, u64>,
    /// How many agents are not retired.
    pub active_agents: u64,
    /// Keys of recorded answers by the time they were given.
    pub recorded_at: BTreeSet<(u64, String)>,
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
            .and_then(|key| self.agents.get(&key))
            .ok_or_else(|| Error::unknown_id(field, AgentId::NOUN, id))
    }

    /// The task that `id` names.
    pub fn task(&self, field: &str, id: &str) -> Result<&Task, Error> {
        TaskId::parse(id)
            .and_then(|key| self.tasks.get(&key))
            .ok_or_else(|| Error::unknown_id(field, TaskId::NOUN, id))
    }

    /// The goal that `id` names.
    pub fn goal(&self, field: &str, id: &str) -> Result<&Goal, Error> {
        GoalId::parse(id)
            .and_then(|key| self.goals.get(&key))
            .ok_or_else(|| Error::unknown_id(field, GoalId::NOUN, id))
    }

    /// Builds the indices from the rest of the state.
    pub fn reindex(&mut self) {
        let mut index = Index::default();
        for task in self.tasks.values() {
            index.add(task, &self.tasks);
        }
        for goal in self.goals.values() {
            let open = goal
                .task_ids
                .iter()
                .filter_map(|id| self.tasks.get(id))
                .filter(|task| !task.state.is_final());
            index.open.insert(goal.id, open.count());
        }
        index.active_agents = self.agents.values().filter(|agent| agent.state != "retired").count() as u64;
        index.recorded_at = self.recorded.iter().map(|(key, answer)| (answer.at_ms, key.clone())).collect();
        self.index = index;
    }
}

impl Index {
    /// Enters a task that is not in the index yet.
    pub fn add(&mut self, task: &Task, tasks: &BTreeMap<TaskId, Task>) {
        for needed in &task.depends_on {
            self.dependents.entry(*needed).or_default().push(task.id);
        }
        if task.state == TaskState::Blocked {
            let waits =
                |id: &&TaskId| tasks.get(id).is_none_or(|needed| needed.state != TaskState::Completed);
            self.waiting.insert(task.id, task.depends_on.iter().filter(waits).count());
        }
        *self.counts.entry(task.state).or_default() += 1;
        self.enter(task);
    }

    /// Enters a task into the queues of its state.
    pub fn enter(&mut self, task: &Task) {
        if task.state == TaskState::Ready {
            self.ready.entry(task.assigned_to).or_default().insert((100 - task.priority.min(100), task.id));
        }
        if let (TaskState::Running, Some(lease)) = (task.state, &task.lease) {
            self.leases.insert((lease.expires_at_ms, task.id));
        }
    }

    /// Takes a task out of the queues of its state.
    pub fn leave(&mut self, task: &Task) {
        if task.state == TaskState::Ready {
            if let Some(queue) = self.ready.get_mut(&task.assigned_to) {
                queue.remove(&(100 - task.priority.min(100), task.id));
                if queue.is_empty() {
                    self.ready.remove(&task.assigned_to);
                }
            }
        }
        if let Some(lease) = &task.lease {
            self.leases.remove(&(lease.expires_at_ms, task.id));
        }
    }
}

/// Maps of things that carry their own id are written as plain lists, in the order of the ids.
mod by_id {
    use super::*;
    use serde::Serializer;

    /// A thing that knows its id.
    pub trait Identified {
        /// The type of the id.
        type Id: Ord;
        /// The id.
        fn id(&self) -> Self::Id;
    }
    impl Identified for Agent {
        type Id = AgentId;
        fn id(&self) -> AgentId {
            self.id
        }
    }
    impl Identified for Goal {
        type Id = GoalId;
        fn id(&self) -> GoalId {
            self.id
        }
    }
    impl Identified for Task {
        type Id = TaskId;
        fn id(&self) -> TaskId {
            self.id
        }
    }

    pub fn serialize<K, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.values())
    }

    pub fn read<V: Identified + Read>(raw: &str) -> Result<BTreeMap<V::Id, V>, json::Trouble> {
        let mut map = BTreeMap::new();
        for item in json::items(raw)? {
            let thing = V::read(item.get())?;
            map.insert(thing.id(), thing);
        }
        Ok(map)
    }
}
