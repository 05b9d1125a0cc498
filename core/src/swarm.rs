//! The state machine that hosts drive: call, apply, query, snapshot.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

use crate::apply::{apply, Touched};
use crate::codec;
use crate::config::{is_neural, TRAIN};
use crate::decide::decide;
use crate::error::{Code, Error};
use crate::event::Event;
use crate::hash::Hash;
use crate::ids::{AgentId, GoalId, TaskId};
use crate::json;
use crate::limits::TIME_MS;
use crate::mutants::{self, Mutant};
use crate::operations;
use crate::query::{query, Attach};
use crate::snapshot;
use crate::state::{Chain, State};
use crate::task::TaskState;

/// The one schema file of the stores.
pub const SCHEMA_SQL: &str = include_str!("schema.sql");
/// `PRAGMA user_version` of the schema.
pub const SCHEMA_VERSION: u32 = 1;
/// `PRAGMA application_id` of a swarm's file: the letters RSW1.
pub const APPLICATION_ID: u32 = 0x5253_5731;

/// What a door says first when it trains on the bundled sample.
pub const SAMPLE_MESSAGE: &str =
    "no data was given: training on the bundled sample (iris, 150 flowers); name a file with --data";

/// What a call led to; nothing has changed yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// The response as JSON text.
    pub response: String,
    /// Canonical event lines to append, all or none.
    pub events: Vec<String>,
    /// What the host has to read and attach before it answers.
    pub attach: Option<Attach>,
}

/// A row of a projection; stores write it blindly, in the transaction of its event.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The table: agent, task or goal.
    pub table: &'static str,
    /// The key.
    pub id: String,
    /// The state word.
    pub state: String,
    /// The row's JSON.
    pub body: String,
    /// The number of the last event that touched it.
    pub seq: u64,
}

/// What an applied event was.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// Its number.
    pub seq: u64,
    /// Its time.
    pub at_ms: u64,
    /// Its kind.
    pub kind: &'static str,
    /// The chain's hash after it.
    pub chain: Hash,
}

/// A swarm's state machine. It holds no clock, file or thread.
#[derive(Clone, Debug, Default)]
pub struct Swarm {
    state: State,
    /// What has been applied since rows were taken last; no part of the state.
    touched: Touched,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Effect<'a> {
    id: String,
    kind: &'a str,
    goal_id: GoalId,
    task_id: TaskId,
    agent_id: AgentId,
    state: TaskState,
    payload: &'a str,
    dataset: &'a str,
    not_before_ms: u64,
    lease_expires_at_ms: u64,
}

impl Swarm {
    /// A machine before its first event.
    pub fn new() -> Self {
        Self::default()
    }

    /// A machine in the state that `snapshot` holds.
    pub fn restore(snapshot: &str) -> Result<Self, Error> {
        Ok(Self { state: snapshot::read(snapshot)?, touched: Touched::default() })
    }

    /// Decides a command or answers a query; changes nothing. `now_ms` is lifted to the last logged
    /// time. An empty `idempotency_key` is none.
    pub fn call(
        &self,
        operation: &str,
        request: &str,
        now_ms: u64,
        idempotency_key: &str,
    ) -> Result<Decision, Error> {
        let last = if mutants::on(Mutant::ClockGoesBack) { 0 } else { self.state.at_ms };
        let now = now_ms.min(TIME_MS).max(last);
        let Some(outcome) = decide(&self.state, operation, request, now, idempotency_key) else {
            return self.ask(operation, request, now);
        };
        let outcome = outcome?;
        let swarm = outcome.swarm_id.as_deref().unwrap_or_else(|| self.swarm_id());
        let first = self.state.version + 1;
        let line = |(seq, event)| codec::encode(swarm, seq, now, event);
        let events = (first..).zip(&outcome.events).map(line).collect();
        Ok(Decision { response: outcome.response, events, attach: None })
    }

    /// Answers a query as of the last logged time; a command is refused. Use [`Swarm::call`] to ask at
    /// another time.
    pub fn query(&self, operation: &str, request: &str) -> Result<Decision, Error> {
        self.ask(operation, request, self.state.at_ms)
    }

    fn ask(&self, operation: &str, request: &str, now: u64) -> Result<Decision, Error> {
        match query(&self.state, operation, request, now) {
            Some(answer) => answer.map(|(response, attach)| Decision { response, events: vec![], attach }),
            None => Err(operations::unknown(operation)),
        }
    }

    /// Folds the next event line of this log into the state. Text that is not the next event of this
    /// log is `corrupt` and changes nothing. [`Swarm::take_rows`] tells what a store has to write.
    pub fn apply(&mut self, line: &str) -> Result<Applied, Error> {
        self.touched.wanted = true;
        self.fold(line)
    }

    /// As [`Swarm::apply`], but for a log whose projections are stored already: no rows come of it.
    pub fn replay(&mut self, line: &str) -> Result<Applied, Error> {
        self.touched.wanted = false;
        self.fold(line)
    }

    fn fold(&mut self, line: &str) -> Result<Applied, Error> {
        let mut event = Event::default();
        let codec::Head { swarm, seq, at_ms } = codec::decode_into(line, &mut event)?;
        let corrupt = |message: String| Err(Error::new(Code::Corrupt, "", message));
        let state = &mut self.state;
        if seq != state.version + 1 {
            return corrupt(format!("event {seq} follows event {}", state.version));
        }
        match &state.config {
            Some(config) if config.swarm_id != swarm => {
                return corrupt(format!("event {seq} belongs to swarm {swarm:?}, not {:?}", config.swarm_id));
            }
            None if event.kind() != "SwarmCreated" => {
                return corrupt(format!("event 1 is {}, not SwarmCreated", event.kind()));
            }
            _ => {}
        }
        if at_ms < state.at_ms {
            return corrupt(format!("event {seq} goes back in time"));
        }
        let chain = codec::link(&state.chain.0, line);
        let kind = event.kind();
        apply(state, &mut self.touched, swarm, seq, at_ms, &mut event);
        state.chain = Chain(chain);
        Ok(Applied { seq, at_ms, kind, chain })
    }

    /// The projection rows that events applied since the last call have touched, each once, as they
    /// stand now: agents, tasks, goals, by id.
    pub fn take_rows(&mut self) -> Vec<Row> {
        rows(&self.state, core::mem::take(&mut self.touched))
    }

    /// Work that a host should run, as a JSON array: training tasks that are ready or running. Each
    /// is leased by task_claim, so that of several hosts one runs it.
    pub fn pending_effects(&self) -> String {
        let state = &self.state;
        let goals = state.goals.values().filter(|goal| goal.is_running() && goal.kind == TRAIN);
        let mut ids: Vec<TaskId> = goals.flat_map(|goal| &goal.task_ids).copied().collect();
        ids.sort_unstable();
        let effects: Vec<Effect> = ids.iter().filter_map(|id| self.effect(*id)).collect();
        json::encode(&effects)
    }

    fn effect(&self, id: TaskId) -> Option<Effect<'_>> {
        let task = self.state.tasks.get(id)?;
        let goal = self.state.goals.get(task.goal_id?)?;
        if !matches!(task.state, TaskState::Ready | TaskState::Running) {
            return None;
        }
        Some(Effect {
            id: format!("e{}", id.0),
            kind: task.kind.as_str(),
            goal_id: goal.id,
            task_id: id,
            agent_id: task.assigned_to?,
            state: task.state,
            payload: &task.payload,
            dataset: &goal.dataset,
            not_before_ms: task.not_before_ms,
            lease_expires_at_ms: task.lease.as_ref().map_or(0, |lease| lease.expires_at_ms),
        })
    }

    /// What `orchestrate` means by `text`, with or without data: `train` on the data, train on the
    /// bundled `sample`, or plan a `goal` for workers. One rule for every door.
    pub fn orchestrate_intent(&self, text: &str, has_data: bool) -> Result<&'static str, Error> {
        self.state.config()?;
        let neural = |agent: &crate::agent::Agent| agent.is_active() && is_neural(&agent.agent_type);
        match text.trim() {
            _ if has_data => Ok("train"),
            "train" => Ok("sample"),
            "" if self.state.agents.values().any(neural) => Ok("sample"),
            "" => Err(Error::invalid(
                "task",
                "task: missing; say what is to be done, give data to train on, or spawn neural agents first",
            )),
            _ => Ok("goal"),
        }
    }

    /// When tick has something to do, in ms.
    pub fn next_deadline(&self) -> Option<u64> {
        self.state.index.timers.first().map(|timer| timer.at_ms)
    }

    /// When something changes next by time alone, in ms: tick has something to do, or a back-off that
    /// is not over at `now_ms` ends. A worker that found nothing to claim need not ask before, unless
    /// there are news.
    pub fn next_change(&self, now_ms: u64) -> Option<u64> {
        let ends = self.state.index.later.range((now_ms.saturating_add(1), TaskId(0))..).next();
        [self.next_deadline(), ends.map(|(at_ms, _)| *at_ms)].into_iter().flatten().min()
    }

    /// Whether a task that has not ended is for this agent, now or later: a worker that is to stop when
    /// nothing is left asks it.
    pub fn has_work_for(&self, agent_id: &str) -> Result<bool, Error> {
        let agent = self.state.agent("agentId", agent_id)?;
        Ok(crate::policy::has_work_for(&self.state, agent))
    }

    /// The canonical snapshot.
    pub fn snapshot(&self) -> String {
        snapshot::write(&self.state)
    }

    /// SHA-256 of the canonical snapshot.
    pub fn state_hash(&self) -> Hash {
        snapshot::hash(&self.state)
    }

    /// The chain's hash after the last event; zero before the first.
    pub fn chain_head(&self) -> Hash {
        self.state.chain.0
    }

    /// The number of the last event.
    pub fn version(&self) -> u64 {
        self.state.version
    }

    /// The time of the last event.
    pub fn last_at_ms(&self) -> u64 {
        self.state.at_ms
    }

    /// The swarm's id; empty before the first event.
    pub fn swarm_id(&self) -> &str {
        self.state.config.as_ref().map_or("", |config| &config.swarm_id)
    }

    /// What the swarm was created with, as JSON text; empty before the first event.
    pub fn config_json(&self) -> String {
        self.state.config.as_ref().map(json::encode).unwrap_or_default()
    }

    /// Every projection row of the state: what a rebuilt store holds.
    pub fn all_rows(&self) -> Vec<Row> {
        let seq = self.state.version;
        let touched = Touched {
            wanted: true,
            agents: self.state.agents.values().map(|agent| (agent.id, seq)).collect(),
            tasks: self.state.tasks.values().map(|task| (task.id, seq)).collect(),
            goals: self.state.goals.values().map(|goal| (goal.id, seq)).collect(),
        };
        rows(&self.state, touched)
    }

    /// The state, for reading.
    pub fn state(&self) -> &State {
        &self.state
    }
}

/// Each id once, with the last event that touched it.
fn once<T: Copy + Ord>(mut touched: Vec<(T, u64)>) -> Vec<(T, u64)> {
    touched.sort_unstable_by(|(a, first), (b, second)| a.cmp(b).then(second.cmp(first)));
    touched.dedup_by_key(|(id, _)| *id);
    touched
}

fn rows(state: &State, touched: Touched) -> Vec<Row> {
    let mut rows = vec![];
    for (id, seq) in once(touched.agents) {
        if let Some(agent) = state.agents.get(id) {
            let (id, state) = (id.to_string(), agent.state.as_str().into());
            rows.push(Row { table: "agent", id, state, body: json::encode(agent), seq });
        }
    }
    for (id, seq) in once(touched.tasks) {
        if let Some(task) = state.tasks.get(id) {
            let (id, state) = (id.to_string(), task.state.as_str().into());
            rows.push(Row { table: "task", id, state, body: json::encode(task), seq });
        }
    }
    for (id, seq) in once(touched.goals) {
        if let Some(goal) = state.goals.get(id) {
            let (id, state) = (id.to_string(), goal.state.clone());
            rows.push(Row { table: "goal", id, state, body: json::encode(goal), seq });
        }
    }
    rows
}
