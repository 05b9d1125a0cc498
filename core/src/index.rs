//! What decisions look up often: a function of the rest of the state, rebuilt on restore.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use crate::agent::Agent;
use crate::ids::{AgentId, GoalId, TaskId};
use crate::queue::Queue;
use crate::resource::Held;
use crate::table::{Numbered, Table};
use crate::task::{Task, TaskState};

/// Derived from the state.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// Ready tasks, in the order in which they are to start.
    pub queue: Queue,
    /// Ready tasks whose time has not come, by that time.
    pub later: BTreeSet<(u64, TaskId)>,
    /// What `tick` has to end, by time.
    pub timers: BTreeSet<Timer>,
    /// Resources that running tasks hold.
    pub held: Held,
    /// How tasks hang together.
    pub links: Table<Link>,
    /// How many tasks of each goal have not ended.
    pub open: Table<Open>,
    /// What each agent runs.
    pub holdings: Table<Holding>,
    /// Tasks that have not ended and are for one agent only.
    pub assigned: BTreeSet<(AgentId, TaskId)>,
    /// How many tasks are in each state, in the order of [`TaskState::ALL`].
    pub counts: [u64; 7],
    /// How many agents are not retired.
    pub active_agents: u64,
    /// How many agents that are not retired have each pattern.
    pub patterns: BTreeMap<String, u64>,
    /// Agents that are not retired by each word they can do, their type included.
    pub able: BTreeMap<String, BTreeSet<AgentId>>,
    /// Agents that are not retired by their name.
    pub names: BTreeMap<String, BTreeSet<AgentId>>,
    /// Keys of recorded answers, by the time they were given.
    pub recorded_at: VecDeque<(u64, String)>,
}

/// Something that ends when its time has come; the order of the fields is the order of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// When.
    pub at_ms: u64,
    /// What.
    pub kind: TimerKind,
    /// The number of the task, or of the agent.
    pub number: u64,
}

/// What a timer ends, in the order of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKind {
    /// A task's time in all.
    Total,
    /// A task's attempt.
    Run,
    /// A lease.
    Lease,
    /// A task's wait for a worker.
    Queue,
    /// The patience with a silent agent.
    Silence,
}

/// What a task waits for and what waits for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// The task.
    pub id: TaskId,
    /// Tasks that wait for it, by id; true for those that wait for its failure.
    pub dependents: Vec<Dependent>,
    /// How many tasks it still waits for.
    pub waiting: usize,
    /// Its lane in the queue while it is ready and its time has come.
    pub lane: Option<u32>,
}

/// How many tasks of a goal have not ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Open {
    /// The goal.
    pub id: GoalId,
    /// How many.
    pub count: usize,
}

/// What an agent runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holding {
    /// The agent.
    pub id: AgentId,
    /// The tasks, by id.
    pub tasks: Vec<TaskId>,
}

/// A task that waits for another one, and whether it waits for its failure.
pub type Dependent = (TaskId, bool);

/// What the index knew of a task before it changed.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    state: TaskState,
    holder: Option<AgentId>,
    timers: [Option<Timer>; 4],
}

/// Equal if they lead to the same decisions: numbers that the queue gives its lanes, and rows that
/// hold nothing any more, do not count.
impl PartialEq for Index {
    fn eq(&self, other: &Self) -> bool {
        let links = |index: &Index| -> Vec<Link> {
            let row = |link: &Link| Link { lane: link.lane.map(|_| 0), ..link.clone() };
            index.links.values().map(row).collect()
        };
        let holdings = |index: &Index| -> Vec<Holding> {
            index.holdings.values().filter(|holding| !holding.tasks.is_empty()).cloned().collect()
        };
        self.queue == other.queue
            && self.later == other.later
            && self.timers == other.timers
            && self.held == other.held
            && links(self) == links(other)
            && self.open == other.open
            && holdings(self) == holdings(other)
            && self.assigned == other.assigned
            && (self.counts, self.active_agents) == (other.counts, other.active_agents)
            && self.patterns == other.patterns
            && (&self.able, &self.names) == (&other.able, &other.names)
            && self.recorded_at == other.recorded_at
    }
}

macro_rules! numbered {
    ($($name:ident),*) => {$(impl Numbered for $name {
        fn number(&self) -> u64 {
            self.id.0
        }
    })*};
}

numbered!(Link, Open, Holding);

/// The row of `id`, made if it is not there.
macro_rules! row {
    ($table:expr, $kind:ident, $id:expr) => {
        $table.get_or_insert($id, || $kind { id: $id, ..$kind::default() })
    };
}

impl Index {
    /// Enters a task that is not in the index yet; `waiting` counts what it still waits for.
    pub fn add_task(&mut self, task: &Task, waiting: usize, served: u64, now: u64) {
        if let Some(link) = row!(self.links, Link, task.id) {
            link.waiting = waiting;
        }
        self.add_edges(task);
        if let (Some(agent), false) = (task.assigned_to, task.state.is_final()) {
            self.assigned.insert((agent, task.id));
        }
        *self.count(task.state) += 1;
        self.enter_ready(task, served, now);
        self.timers.extend(timers(task).into_iter().flatten());
        if let (TaskState::Running, Some(lease)) = (task.state, &task.lease) {
            self.hold(lease.agent_id, task);
        }
    }

    /// Notes the task with those that it waits for.
    pub fn add_edges(&mut self, task: &Task) {
        let edges = task.depends_on.iter().map(|id| (*id, false));
        for (needed, on_failure) in edges.chain(task.after_failure.iter().map(|id| (*id, true))) {
            if let Some(link) = row!(self.links, Link, needed) {
                let place = link.dependents.partition_point(|(id, _)| *id < task.id);
                link.dependents.insert(place, (task.id, on_failure));
            }
        }
    }

    /// Takes the task from those that it waits for.
    pub fn remove_edges(&mut self, task: &Task) {
        for needed in task.depends_on.iter().chain(&task.after_failure) {
            if let Some(link) = self.links.get_mut(*needed) {
                link.dependents.retain(|(id, _)| *id != task.id);
            }
        }
    }

    /// Tasks that wait for `id`; true for those that wait for its failure.
    pub fn dependents(&self, id: TaskId) -> &[Dependent] {
        self.links.get(id).map_or(&[], |link| &link.dependents)
    }

    /// How many tasks a task still waits for.
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

    /// Enters a ready task where it waits; `served` is when its goal was served last.
    fn enter_ready(&mut self, task: &Task, served: u64, now: u64) {
        if task.state == TaskState::Ready {
            if task.not_before_ms > now {
                self.later.insert((task.not_before_ms, task.id));
            } else {
                self.line_up(task, served);
            }
        }
    }

    /// Takes a task that is about to change from where it waits; [`Index::settle`] does the rest.
    pub fn leave(&mut self, task: &Task) -> Before {
        if task.state == TaskState::Ready {
            let lane = self.links.get_mut(task.id).and_then(|link| link.lane.take());
            match lane {
                Some(lane) => self.queue.remove(task, lane),
                None => {
                    self.later.remove(&(task.not_before_ms, task.id));
                }
            }
        }
        let holder = task.lease.as_ref().map(|lease| lease.agent_id);
        Before { state: task.state, holder, timers: timers(task) }
    }

    /// Enters a task that has changed where it belongs now; what is as it was `before` is left alone.
    pub fn settle(&mut self, task: &Task, before: &Before, served: u64, now: u64) {
        self.enter_ready(task, served, now);
        for (old, new) in before.timers.into_iter().zip(timers(task)) {
            if old != new {
                old.map(|timer| self.timers.remove(&timer));
                new.map(|timer| self.timers.insert(timer));
            }
        }
        if before.state != task.state {
            let left = self.count(before.state);
            *left = left.saturating_sub(1);
            *self.count(task.state) += 1;
            if task.state.is_final() {
                self.ended(task);
            }
        }
        let holds = task.lease.as_ref().map(|lease| lease.agent_id);
        if before.holder != holds {
            if let Some(agent) = before.holder {
                self.let_go(agent, task);
            }
            if let Some(agent) = holds {
                self.hold(agent, task);
            }
        }
    }

    fn ended(&mut self, task: &Task) {
        if let Some(link) = self.links.get_mut(task.id) {
            link.waiting = 0;
        }
        if let Some(open) = task.goal_id.and_then(|goal| self.open.get_mut(goal)) {
            open.count = open.count.saturating_sub(1);
        }
        if let Some(agent) = task.assigned_to {
            self.assigned.remove(&(agent, task.id));
        }
    }

    /// Puts a ready task whose time has come into the queue.
    pub fn line_up(&mut self, task: &Task, served: u64) {
        let lane = self.queue.insert(task, served);
        if let Some(link) = self.links.get_mut(task.id) {
            link.lane = Some(lane);
        }
    }

    /// An agent holds a task from now on, and the task its resources.
    pub fn hold(&mut self, agent: AgentId, task: &Task) {
        if let Some(holding) = row!(self.holdings, Holding, agent) {
            let place = holding.tasks.partition_point(|id| *id < task.id);
            holding.tasks.insert(place, task.id);
        }
        self.held.take(task.id, &task.resources);
    }

    /// An agent holds a task no longer.
    pub fn let_go(&mut self, agent: AgentId, task: &Task) {
        if let Some(holding) = self.holdings.get_mut(agent) {
            holding.tasks.retain(|id| *id != task.id);
        }
        self.held.give_back(task.id, &task.resources);
    }

    /// The tasks that an agent runs, by id.
    pub fn held_by(&self, agent: AgentId) -> &[TaskId] {
        self.holdings.get(agent).map_or(&[], |holding| &holding.tasks)
    }

    /// Enters an agent that is not retired.
    pub fn add_agent(&mut self, agent: &Agent) {
        self.active_agents += 1;
        match self.patterns.get_mut(&agent.pattern) {
            Some(users) => *users += 1,
            None => {
                self.patterns.insert(agent.pattern.clone(), 1);
            }
        }
        for word in agent.capabilities.iter().chain([&agent.agent_type]) {
            insert_word(&mut self.able, word, agent.id);
        }
        if !agent.name.is_empty() {
            insert_word(&mut self.names, &agent.name, agent.id);
        }
        self.watch(agent);
    }

    /// Takes out an agent that leaves for good; call it before its state changes.
    pub fn remove_agent(&mut self, agent: &Agent) {
        self.active_agents = self.active_agents.saturating_sub(1);
        if let Some(users) = self.patterns.get_mut(&agent.pattern) {
            *users = users.saturating_sub(1);
            if *users == 0 {
                self.patterns.remove(&agent.pattern);
            }
        }
        for word in agent.capabilities.iter().chain([&agent.agent_type]) {
            remove_word(&mut self.able, word, agent.id);
        }
        remove_word(&mut self.names, &agent.name, agent.id);
        self.unwatch(agent);
    }

    /// Waits for an agent to fall silent, if that is asked of it.
    pub fn watch(&mut self, agent: &Agent) {
        if let Some(at_ms) = agent.silent_at() {
            self.timers.insert(Timer { at_ms, kind: TimerKind::Silence, number: agent.id.0 });
        }
    }

    /// Waits no longer; call it before the agent changes.
    pub fn unwatch(&mut self, agent: &Agent) {
        if let Some(at_ms) = agent.silent_at() {
            self.timers.remove(&Timer { at_ms, kind: TimerKind::Silence, number: agent.id.0 });
        }
    }
}

fn insert_word(map: &mut BTreeMap<String, BTreeSet<AgentId>>, word: &str, id: AgentId) {
    match map.get_mut(word) {
        Some(ids) => {
            ids.insert(id);
        }
        None => {
            map.insert(word.into(), BTreeSet::from([id]));
        }
    }
}

fn remove_word(map: &mut BTreeMap<String, BTreeSet<AgentId>>, word: &str, id: AgentId) {
    if let Some(ids) = map.get_mut(word) {
        ids.remove(&id);
        if ids.is_empty() {
            map.remove(word);
        }
    }
}

/// What `tick` has to end of a task, if nothing else happens to it.
pub fn timers(task: &Task) -> [Option<Timer>; 4] {
    let at = |kind| move |at_ms| Timer { at_ms, kind, number: task.id.0 };
    let lease = task.lease.as_ref().filter(|_| task.state == TaskState::Running);
    [
        task.total_deadline().map(at(TimerKind::Total)),
        task.run_deadline().map(at(TimerKind::Run)),
        lease.map(|lease| lease.expires_at_ms).map(at(TimerKind::Lease)),
        task.queue_deadline().map(at(TimerKind::Queue)),
    ]
}
