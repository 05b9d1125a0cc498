//! Events in the making: what the end of one task means for the tasks and goals around it.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::config::FUSE;
use crate::event::*;
use crate::ids::{AgentId, GoalId, TaskId};
use crate::state::State;
use crate::table::{Numbered, Table};
use crate::task::{Task, TaskError, TaskState};

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
}

impl<'a> Draft<'a> {
    /// A draft without events.
    pub fn new(state: &'a State, now: u64) -> Self {
        Self { state, now, events: vec![], ended: Table::default() }
    }

    /// Adds an event that ends no task.
    pub fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The task is done; answers with the tasks that it lets start.
    pub fn complete(
        &mut self,
        task: &Task,
        agent_id: AgentId,
        epoch: u64,
        output: &str,
        artifact: &str,
    ) -> Vec<TaskId> {
        self.end(task.id, TaskState::Completed, artifact, None);
        self.events.push(Event::TaskCompleted(TaskCompleted {
            task_id: task.id,
            agent_id,
            epoch,
            output: output.into(),
            artifact: artifact.into(),
        }));
        let waits_only_for_it = |id: &&TaskId| self.state.index.waiting(**id) == 1;
        self.state.index.dependents(task.id).iter().filter(waits_only_for_it).copied().collect()
    }

    fn end(&mut self, id: TaskId, state: TaskState, artifact: &str, error: Option<TaskError>) {
        self.ended.insert(Ending { id, state, artifact: artifact.into(), error });
    }

    /// An attempt failed: the task is tried again if that is allowed and useful.
    pub fn fail(&mut self, task: &Task, agent_id: AgentId, epoch: u64, error: TaskError) {
        let retry = task.may_retry();
        let not_before_ms = if retry { task.retry_at(self.now) } else { 0 };
        self.events.push(Event::TaskFailed(TaskFailed {
            task_id: task.id,
            agent_id: Some(agent_id),
            epoch,
            error: error.clone(),
            retry,
            not_before_ms,
        }));
        if !retry {
            self.doom(task.id, error);
        }
    }

    /// A lease ran out.
    pub fn expire(&mut self, task: &Task) {
        let Some(lease) = &task.lease else { return };
        if task.cancel_requested {
            let reason = task.error.as_ref().map_or("cancelled", |error| error.message.as_str());
            self.cancel(task, reason);
            return;
        }
        let retry = task.may_retry();
        let not_before_ms = if retry { task.retry_at(self.now) } else { 0 };
        self.events.push(Event::LeaseExpired(LeaseExpired {
            task_id: task.id,
            agent_id: lease.agent_id,
            epoch: lease.epoch,
            retry,
            not_before_ms,
        }));
        if !retry {
            let message = format!("lease of {} ended without a heartbeat", lease.agent_id);
            self.doom(task.id, TaskError { code: "lease_expired".into(), message });
        }
    }

    /// The task has failed for good, and with it all that depend on it.
    fn doom(&mut self, id: TaskId, error: TaskError) {
        self.end(id, TaskState::Failed, "", Some(error));
        for dependent in self.open_dependents(id) {
            let error = TaskError { code: "dependency_failed".into(), message: format!("{id} failed") };
            self.events.push(Event::TaskFailed(TaskFailed {
                task_id: dependent,
                error: error.clone(),
                ..TaskFailed::default()
            }));
            self.end(dependent, TaskState::Failed, "", Some(error));
        }
    }

    /// The task is called off, and with it all that depend on it.
    pub fn cancel(&mut self, task: &Task, reason: &str) {
        self.cancel_one(task.id, reason);
        for dependent in self.open_dependents(task.id) {
            self.cancel_one(dependent, &format!("{} was cancelled", task.id));
        }
    }

    fn cancel_one(&mut self, id: TaskId, reason: &str) {
        if self.ended.get(id).is_some() {
            return;
        }
        let error = TaskError { code: "cancelled".into(), message: reason.into() };
        self.end(id, TaskState::Cancelled, "", Some(error));
        let reason = reason.into();
        self.events.push(Event::TaskCancelled(TaskCancelled { task_id: id, reason, requested: false }));
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

    fn open_dependents(&self, id: TaskId) -> Vec<TaskId> {
        let mut found: Vec<TaskId> = vec![];
        let mut frontier = vec![id];
        while let Some(next) = frontier.pop() {
            for dependent in self.state.index.dependents(next) {
                let open = self.state.tasks.get(dependent).is_some_and(|task| !task.state.is_final());
                if open && self.ended.get(dependent).is_none() && !found.contains(dependent) {
                    found.push(*dependent);
                    frontier.push(*dependent);
                }
            }
        }
        found.sort_unstable();
        found
    }

    /// All events, with the goals that end with the last of their tasks.
    pub fn close(mut self) -> Vec<Event> {
        let goal_of = |ending: &Ending| self.state.tasks.get(ending.id).and_then(|task| task.goal_id);
        let mut goals: Vec<GoalId> = self.ended.values().filter_map(goal_of).collect();
        goals.sort_unstable();
        for ended in goals.chunk_by(|a, b| a == b) {
            let Some(goal) = ended.first() else { continue };
            if self.state.index.open.get(goal).is_some_and(|open| open.count == ended.len()) {
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
            let task = self.state.tasks.get(id)?;
            let (state, error, artifact) = match self.ended.get(id) {
                Some(ending) => (ending.state, &ending.error, &ending.artifact),
                None => (task.state, &task.error, &task.artifact),
            };
            if task.kind == FUSE && state == TaskState::Completed {
                finished.model_hash.clone_from(artifact);
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
