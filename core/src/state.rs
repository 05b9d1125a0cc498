//! The state of a swarm: what the log folds to. Only [`apply`](mod@crate::apply) changes it.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::config::Config;
use crate::error::{Code, Error};
use crate::ids::{AgentId, GoalId, TaskId};
use crate::json::{self, readable, Read};
use crate::table::{Numbered, Table};
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
            let raw = raw.get();
            match &*key {
                "config" => json::set(&mut state.config, &key, raw)?,
                "version" => json::set(&mut state.version, &key, raw)?,
                "atMs" => json::set(&mut state.at_ms, &key, raw)?,
                "chain" => json::set(&mut state.chain, &key, raw)?,
                "lastAgent" => json::set(&mut state.last_agent, &key, raw)?,
                "lastTask" => json::set(&mut state.last_task, &key, raw)?,
                "lastGoal" => json::set(&mut state.last_goal, &key, raw)?,
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
        map.insert(key.into_owned(), T::read(raw.get())?);
    }
    Ok(map)
}

/// What decisions look up often; a function of the rest of the state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    /// Ready tasks: the number of the agent they are assigned to (0: any), how little urgent, the task.
    pub ready: Queue,
    /// Running tasks: the end of their lease, 0, the task.
    pub leases: Queue,
    /// How tasks hang together.
    pub links: Table<Link>,
    /// How many tasks of each goal have not ended.
    pub open: Table<Open>,
    /// How many tasks are in each state, in the order of [`TaskState::ALL`].
    pub counts: [u64; 7],
    /// How many agents are not retired.
    pub active_agents: u64,
    /// Keys of recorded answers, by the time they were given.
    pub recorded_at: VecDeque<(u64, String)>,
}

/// Tasks in an order: two words to sort by, then the task's number.
pub type Queue = BTreeSet<(u64, u32, u64)>;

/// What a task waits for and what waits for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// The task.
    pub id: TaskId,
    /// Tasks that wait for it, by id.
    pub dependents: Vec<TaskId>,
    /// How many tasks it still waits for while it is blocked.
    pub waiting: usize,
}

/// How many tasks of a goal have not ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Open {
    /// The goal.
    pub id: GoalId,
    /// How many.
    pub count: usize,
}

impl Numbered for Link {
    fn number(&self) -> u64 {
        self.id.0
    }
}

impl Numbered for Open {
    fn number(&self) -> u64 {
        self.id.0
    }
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
            index.open.insert(Open { id: goal.id, count: open.count() });
        }
        index.active_agents = self.agents.values().filter(|agent| agent.state != "retired").count() as u64;
        for (key, answer) in &self.recorded {
            index.record(answer.at_ms, key);
        }
        self.index = index;
    }
}

impl Index {
    /// Enters a task that is not in the index yet.
    pub fn add(&mut self, task: &Task, tasks: &Table<Task>) {
        for needed in &task.depends_on {
            self.edit_link(*needed, |link| {
                let place = link.dependents.partition_point(|id| *id < task.id);
                link.dependents.insert(place, task.id);
            });
        }
        let waits = |id: &&TaskId| tasks.get(*id).is_none_or(|needed| needed.state != TaskState::Completed);
        let blocked = task.state == TaskState::Blocked;
        let waiting = if blocked { task.depends_on.iter().filter(waits).count() } else { 0 };
        self.edit_link(task.id, |link| link.waiting = waiting);
        *self.count(task.state) += 1;
        self.enter(task);
    }

    fn edit_link(&mut self, id: TaskId, edit: impl FnOnce(&mut Link)) {
        match self.links.get_mut(id) {
            Some(link) => edit(link),
            None => {
                let mut link = Link { id, ..Link::default() };
                edit(&mut link);
                self.links.insert(link);
            }
        }
    }

    /// Tasks that wait for `id`.
    pub fn dependents(&self, id: TaskId) -> &[TaskId] {
        self.links.get(id).map_or(&[], |link| &link.dependents)
    }

    /// How many tasks a blocked task still waits for.
    pub fn waiting(&self, id: TaskId) -> usize {
        self.links.get(id).map_or(0, |link| link.waiting)
    }

    /// How many tasks are in `state`.
    pub fn count(&mut self, state: TaskState) -> &mut u64 {
        let [blocked, ready, running, paused, completed, failed, cancelled] = &mut self.counts;
        match state {
            TaskState::Blocked => blocked,
            TaskState::Ready => ready,
            TaskState::Running => running,
            TaskState::Paused => paused,
            TaskState::Completed => completed,
            TaskState::Failed => failed,
            TaskState::Cancelled => cancelled,
        }
    }

    /// Notes that an answer was recorded under `key`.
    pub fn record(&mut self, at_ms: u64, key: &str) {
        let place = self.recorded_at.partition_point(|(at, other)| (*at, other.as_str()) < (at_ms, key));
        self.recorded_at.insert(place, (at_ms, key.into()));
    }

    /// Enters a task into the queues of its state.
    pub fn enter(&mut self, task: &Task) {
        if task.state == TaskState::Ready {
            self.ready.insert(queued(task));
        }
        if let (TaskState::Running, Some(lease)) = (task.state, &task.lease) {
            self.leases.insert((lease.expires_at_ms, 0, task.id.0));
        }
    }

    /// Takes a task out of the queues of its state.
    pub fn leave(&mut self, task: &Task) {
        if task.state == TaskState::Ready {
            self.ready.remove(&queued(task));
        }
        if let Some(lease) = &task.lease {
            self.leases.remove(&(lease.expires_at_ms, 0, task.id.0));
        }
    }
}

fn queued(task: &Task) -> (u64, u32, u64) {
    (task.assigned_to.map_or(0, |agent| agent.0), 100 - task.priority.min(100), task.id.0)
}
