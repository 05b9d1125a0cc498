//! Events in the making: what the end of one task means for the tasks and goals around it.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::event::*;
use crate::ids::{GoalId, TaskId};
use crate::mutants::{self, Mutant};
use crate::rng;
use crate::state::State;
use crate::table::{Numbered, Table};
use crate::task::{Deadline, Kind, Lease, Task, TaskError, TaskState};

/// The code of a task that waited for a failure which did not come.
const NOT_NEEDED: &str = "not_needed";

struct Ending {
    id: TaskId,
    state: TaskState,
    artifact: String,
    error: Option<TaskError>,
}

impl Numbered for Ending {
    fn number(&self) -> u64 {
        self.id.0
    }
}

/// Collects events of one decision and knows which tasks they end.
pub struct Draft<'a> {
    state: &'a State,
    now: u64,
    events: Vec<Event>,
    ended: Table<Ending>,
    /// How many waits of a task this draft has ended.
    met: BTreeMap<TaskId, usize>,
}

impl<'a> Draft<'a> {
    /// A draft without events.
    pub fn new(state: &'a State, now: u64) -> Self {
        Self { state, now, events: vec![], ended: Table::default(), met: BTreeMap::new() }
    }

    /// Adds an event that ends no task.
    pub fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    /// If its holder was told to stop, the task is cancelled whatever else would have become of it.
    pub fn stop_if_told(&mut self, task: &mut Task) -> bool {
        if !task.cancel_requested {
            return false;
        }
        if let Some(agent_id) = task.lease.as_ref().map(|lease| lease.agent_id) {
            // the cancellation does not say that the holder was heard of
            self.events.push(Event::AgentHeartbeat(AgentHeartbeat { agent_id }));
        }
        self.stop(task);
        true
    }

    fn stop(&mut self, task: &mut Task) {
        let reason = task.error.as_ref().map_or("cancelled", |error| error.message.as_str());
        let reason = String::from(reason);
        self.cancel(task.id, &reason);
        task.cancel("", &reason, false, self.now);
    }

    /// The task is done.
    pub fn complete(&mut self, task: &mut Task, lease: &Lease, output: &str, artifact: &str) {
        self.events.push(Event::TaskCompleted(TaskCompleted {
            task_id: task.id,
            agent_id: lease.agent_id,
            epoch: lease.epoch,
            output: output.into(),
            artifact: artifact.into(),
        }));
        task.complete(output.into(), artifact.into(), self.now);
        self.end(task.id, TaskState::Completed, artifact, None);
    }

    /// The attempt is given back.
    pub fn release(&mut self, task: &mut Task, lease: &Lease) {
        self.events.push(Event::TaskReleased(TaskReleased {
            task_id: task.id,
            agent_id: lease.agent_id,
            epoch: lease.epoch,
        }));
        task.release(self.now);
    }

    /// When the next attempt after one that failed with `code` may begin; `None` if there is none.
    fn retry_at(&self, task: &Task, code: &str) -> Option<u64> {
        if !task.may_retry(code) {
            return None;
        }
        let seed = self.state.config.as_ref().map_or(0, |config| config.seed);
        let draw = |below: u64| {
            let (id, attempt) = (task.id.0.to_le_bytes(), task.attempts.to_le_bytes());
            rng::derived(&[b"backoff", &seed.to_le_bytes(), &id, &attempt]).below(below)
        };
        Some(self.now.saturating_add(task.backoff(draw)))
    }

    /// An attempt failed: the task is tried again if that is allowed.
    pub fn fail(&mut self, task: &mut Task, lease: &Lease, error: TaskError) {
        let retry_at = self.retry_at(task, &error.code);
        self.events.push(Event::TaskFailed(TaskFailed {
            task_id: task.id,
            agent_id: Some(lease.agent_id),
            epoch: lease.epoch,
            error: error.clone(),
            retry: retry_at.is_some(),
            not_before_ms: retry_at.unwrap_or(0),
        }));
        task.fail(error.clone(), retry_at, self.now);
        if retry_at.is_none() {
            self.end(task.id, TaskState::Failed, "", Some(error));
        }
    }

    /// A lease ran out.
    pub fn expire(&mut self, task: &mut Task) {
        let Some(lease) = task.lease.clone() else { return };
        if task.cancel_requested {
            return self.stop(task);
        }
        let error = TaskError::lease_expired(lease.agent_id);
        let retry_at = self.retry_at(task, &error.code);
        self.events.push(Event::LeaseExpired(LeaseExpired {
            task_id: task.id,
            agent_id: lease.agent_id,
            epoch: lease.epoch,
            retry: retry_at.is_some(),
            not_before_ms: retry_at.unwrap_or(0),
        }));
        task.fail(error.clone(), retry_at, self.now);
        if retry_at.is_none() {
            self.end(task.id, TaskState::Failed, "", Some(error));
        }
    }

    /// A deadline passed.
    pub fn time_out(&mut self, task: &mut Task, deadline: Deadline) {
        if task.cancel_requested {
            return self.stop(task);
        }
        let error = task.timeout(deadline);
        let retry_at = match deadline {
            Deadline::Run => self.retry_at(task, &error.code),
            Deadline::Queue | Deadline::Total => None,
        };
        let lease = task.lease.as_ref();
        self.events.push(Event::TaskTimedOut(TaskTimedOut {
            task_id: task.id,
            agent_id: lease.map(|lease| lease.agent_id),
            epoch: lease.map_or(0, |lease| lease.epoch),
            deadline: deadline.as_str().into(),
            retry: retry_at.is_some(),
            not_before_ms: retry_at.unwrap_or(0),
        }));
        task.fail(error.clone(), retry_at, self.now);
        if retry_at.is_none() {
            self.end(task.id, TaskState::Failed, "", Some(error));
        }
    }

    /// What a retired agent held is ready again, or cancelled if its holder was told to stop.
    pub fn give_back(&mut self, task: &Task) -> bool {
        let Some(lease) = &task.lease else { return false };
        if task.cancel_requested {
            self.stop(&mut task.clone());
            return false;
        }
        self.release(&mut task.clone(), lease);
        true
    }

    /// The task is called off.
    pub fn cancel(&mut self, id: TaskId, reason: &str) {
        self.call_off(id, "", reason);
        self.spread(id);
    }

    fn call_off(&mut self, id: TaskId, code: &str, reason: &str) {
        let shown = if code.is_empty() { "cancelled" } else { code };
        self.note(id, TaskState::Cancelled, "", Some(TaskError::new(shown, reason)));
        let (reason, code) = (reason.into(), code.into());
        self.events.push(Event::TaskCancelled(TaskCancelled { task_id: id, reason, requested: false, code }));
    }

    fn note(&mut self, id: TaskId, state: TaskState, artifact: &str, error: Option<TaskError>) {
        self.ended.insert(Ending { id, state, artifact: artifact.into(), error });
    }

    fn end(&mut self, id: TaskId, state: TaskState, artifact: &str, error: Option<TaskError>) {
        self.note(id, state, artifact, error);
        self.spread(id);
    }

    /// What the end of `first` means for those that wait for it, and their end for others: breadth
    /// first, those of one task by their ids.
    fn spread(&mut self, first: TaskId) {
        let mut round = VecDeque::from([first]);
        while let Some(id) = round.pop_front() {
            let Some(ending) = self.ended.get(id) else { continue };
            let state = ending.state;
            let code = ending.error.as_ref().map_or("", |error| error.code.as_str());
            let code: String = if code == NOT_NEEDED { NOT_NEEDED.into() } else { String::new() };
            for (dependent, on_failure) in self.state.index.dependents(id) {
                let open = self.state.tasks.get(*dependent).is_some_and(|task| !task.state.is_final());
                if !open || self.ends(*dependent) {
                    continue;
                }
                match (state, on_failure) {
                    (TaskState::Completed, false) | (TaskState::Failed, true) => {
                        *self.met.entry(*dependent).or_default() += 1;
                        continue;
                    }
                    (TaskState::Completed, true) if mutants::on(Mutant::FailureMetByCompletion) => continue,
                    (TaskState::Completed, true) => {
                        self.call_off(*dependent, NOT_NEEDED, &format!("{id} completed"));
                    }
                    (TaskState::Failed, false) => self.fail_dependent(*dependent, id),
                    _ => self.call_off(*dependent, &code, &format!("{id} was cancelled")),
                }
                round.push_back(*dependent);
            }
        }
    }

    fn fail_dependent(&mut self, id: TaskId, needed: TaskId) {
        let error = TaskError::new("dependency_failed", format!("{needed} failed"));
        self.events.push(Event::TaskFailed(TaskFailed {
            task_id: id,
            error: error.clone(),
            ..TaskFailed::default()
        }));
        self.note(id, TaskState::Failed, "", Some(error));
    }

    /// True if this draft ends the task.
    pub fn ends(&self, id: TaskId) -> bool {
        self.ended.get(id).is_some()
    }

    /// Ids of the tasks that are cancelled by this draft, in order of the ids.
    pub fn cancelled(&self) -> Vec<TaskId> {
        let cancelled = |ending: &&Ending| ending.state == TaskState::Cancelled;
        self.ended.values().filter(cancelled).map(|ending| ending.id).collect()
    }

    /// Tasks that this draft makes ready, by id.
    pub fn unblocked(&self) -> Vec<TaskId> {
        let blocked = |id: TaskId| self.state.tasks.get(id).is_some_and(|t| t.state == TaskState::Blocked);
        let free = |(id, met): (&TaskId, &usize)| {
            (self.state.index.waiting(*id) == *met && blocked(*id) && !self.ends(*id)).then_some(*id)
        };
        self.met.iter().filter_map(free).collect()
    }

    /// All events, with the goals that end with the last of their tasks.
    pub fn close(mut self) -> Vec<Event> {
        let goal_of = |ending: &Ending| self.state.tasks.get(ending.id).and_then(|task| task.goal_id);
        let mut goals: Vec<GoalId> = self.ended.values().filter_map(goal_of).collect();
        goals.sort_unstable();
        for ended in goals.chunk_by(|a, b| a == b) {
            let Some(goal) = ended.first() else { continue };
            if self.state.index.open.get(*goal).is_some_and(|open| open.count == ended.len()) {
                if let Some(finished) = self.finish(*goal) {
                    self.events.push(Event::GoalFinished(finished));
                }
            }
        }
        self.events
    }

    fn finish(&self, goal_id: GoalId) -> Option<GoalFinished> {
        let goal = self.state.goals.get(goal_id)?;
        let mut finished = GoalFinished { goal_id, state: "completed".into(), ..GoalFinished::default() };
        for id in &goal.task_ids {
            let task = self.state.tasks.get(*id)?;
            let (state, error, artifact) = match self.ended.get(*id) {
                Some(ending) => (ending.state, &ending.error, &ending.artifact),
                None => (task.state, &task.error, &task.artifact),
            };
            if task.kind == Kind::Fuse && state == TaskState::Completed {
                finished.model_hash.clone_from(artifact);
            }
            if state == TaskState::Cancelled && error.as_ref().is_some_and(|error| error.code == NOT_NEEDED) {
                continue;
            }
            let failed = state == TaskState::Failed && finished.state != "failed";
            let cancelled = state == TaskState::Cancelled && finished.state == "completed";
            if failed || cancelled {
                finished.state = state.as_str().into();
                let error = error.clone().unwrap_or_default();
                finished.error = Some(TaskError { message: format!("{id}: {}", error.message), ..error });
            }
        }
        Some(finished)
    }
}
