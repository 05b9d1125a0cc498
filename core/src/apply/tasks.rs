//! Events about tasks.

use core::mem::take;

use super::agents::Ending;
use super::Fold;
use crate::event::{
    LeaseExpired, TaskCancelled, TaskClaimed, TaskCompleted, TaskFailed, TaskHeartbeat, TaskReleased,
    TaskSubmitted, TaskTimedOut, TaskUpdated,
};
use crate::ids::TaskId;
use crate::mutants::{self, Mutant};
use crate::state::Served;
use crate::task::{Deadline, Lease, Task, TaskError};

impl Fold<'_> {
    pub(super) fn task_submitted(&mut self, e: &mut TaskSubmitted) {
        let mut task = Task {
            id: e.task_id,
            goal_id: e.goal_id,
            name: take(&mut e.name),
            description: take(&mut e.description),
            kind: e.kind,
            priority: e.priority,
            depends_on: take(&mut e.depends_on),
            after_failure: take(&mut e.after_failure),
            capabilities: take(&mut e.capabilities),
            assigned_to: e.assigned_to,
            resources: take(&mut e.resources),
            labels: take(&mut e.labels),
            payload: take(&mut e.payload),
            payload_artifact: take(&mut e.payload_artifact),
            max_retries: e.max_retries,
            backoff_ms: e.backoff_ms,
            max_backoff_ms: e.max_backoff_ms,
            jitter: e.jitter,
            non_retryable: take(&mut e.non_retryable),
            queue_ms: e.queue_ms,
            run_ms: e.run_ms,
            total_ms: e.total_ms,
            created_at_ms: self.at_ms,
            ..Task::default()
        };
        let waiting = self.state.unmet(&task);
        let waits = waiting > 0 && !mutants::on(Mutant::DependencyNotAwaited);
        task.wait(waits, self.at_ms);
        self.state.last_task = self.state.last_task.max(task.id.0);
        if let Some(goal) = task.goal_id.and_then(|id| self.state.goals.get_mut(id)) {
            goal.task_ids.push(task.id);
            let id = goal.id;
            if let Some(open) = self.state.index.open.get_mut(id) {
                open.count += 1;
            }
            self.touch_goal(id);
        }
        let served = self.state.served_at(task.goal_id);
        self.state.index.add_task(&task, waiting, served, self.state.at_ms);
        self.touch_task(task.id);
        self.state.tasks.insert(task);
    }

    pub(super) fn task_updated(&mut self, e: &mut TaskUpdated) {
        let id = e.task_id;
        let Some(task) = self.state.tasks.get(id) else { return };
        self.state.index.remove_edges(task);
        if let Some(agent) = task.assigned_to {
            self.state.index.assigned.remove(&(agent, id));
        }
        if let Some(agent) = e.assigned_to {
            self.state.index.assigned.insert((agent, id));
        }
        let edges = Task {
            id,
            depends_on: e.depends_on.clone(),
            after_failure: e.after_failure.clone(),
            ..Task::default()
        };
        let (waiting, at_ms) = (self.state.unmet(&edges), self.at_ms);
        self.change(id, |task| {
            task.name = take(&mut e.name);
            task.description = take(&mut e.description);
            task.priority = e.priority;
            task.depends_on = take(&mut e.depends_on);
            task.after_failure = take(&mut e.after_failure);
            task.capabilities = take(&mut e.capabilities);
            task.assigned_to = e.assigned_to;
            task.resources = take(&mut e.resources);
            task.labels = take(&mut e.labels);
            task.payload = take(&mut e.payload);
            task.payload_artifact = take(&mut e.payload_artifact);
            task.max_retries = e.max_retries;
            task.backoff_ms = e.backoff_ms;
            task.max_backoff_ms = e.max_backoff_ms;
            task.jitter = e.jitter;
            task.non_retryable = take(&mut e.non_retryable);
            task.queue_ms = e.queue_ms;
            task.run_ms = e.run_ms;
            task.total_ms = e.total_ms;
            task.wait(waiting > 0, at_ms);
        });
        self.state.index.add_edges(&edges);
        if let Some(link) = self.state.index.links.get_mut(id) {
            link.waiting = waiting;
        }
    }

    pub(super) fn task_claimed(&mut self, e: &TaskClaimed) {
        let lease = Lease { agent_id: e.agent_id, epoch: e.epoch, expires_at_ms: e.expires_at_ms };
        let at_ms = self.at_ms;
        self.change(e.task_id, |task| task.begin(lease, at_ms));
        self.attempt_begins(e.agent_id);
        let Some(task) = self.state.tasks.get(e.task_id) else { return };
        match task.goal_id {
            None => self.state.served_loose = self.seq,
            Some(id) => self.state.served.insert(Served { id, seq: self.seq }),
        }
        self.state.index.queue.serve(task.goal_id, self.seq);
    }

    pub(super) fn task_heartbeat(&mut self, e: TaskHeartbeat) {
        let lease = self.state.tasks.get(e.task_id).and_then(|task| task.lease.as_ref());
        if let Some(agent) = lease.map(|lease| lease.agent_id) {
            self.heard(agent);
        }
        self.change(e.task_id, |task| {
            if let Some(lease) = &mut task.lease {
                lease.expires_at_ms = e.expires_at_ms;
            }
            if e.progress.is_some() {
                task.progress = e.progress;
            }
        });
    }

    /// Counts the end of the attempt that runs, if one does; `heard` if its holder said so.
    fn count_ending(&mut self, id: TaskId, ending: Ending, heard: bool) {
        let Some(task) = self.state.tasks.get(id) else { return };
        if let Some(agent) = task.lease.as_ref().map(|lease| lease.agent_id) {
            let started_at_ms = task.started_at_ms;
            self.attempt_ends(agent, started_at_ms, ending, heard);
        }
    }

    pub(super) fn task_completed(&mut self, e: TaskCompleted) {
        let at_ms = self.at_ms;
        self.count_ending(e.task_id, Ending::Completed, true);
        self.change(e.task_id, |task| task.complete(e.output, e.artifact, at_ms));
        self.meet(e.task_id, false);
    }

    fn fail(&mut self, id: TaskId, error: TaskError, retry_at: Option<u64>) {
        let at_ms = self.at_ms;
        self.change(id, |task| task.fail(error, retry_at, at_ms));
        if retry_at.is_none() {
            self.meet(id, true);
        }
    }

    pub(super) fn task_failed(&mut self, e: TaskFailed) {
        self.count_ending(e.task_id, Ending::Failed, true);
        self.fail(e.task_id, e.error, e.retry.then_some(e.not_before_ms));
    }

    pub(super) fn lease_expired(&mut self, e: &LeaseExpired) {
        self.count_ending(e.task_id, Ending::Expired, false);
        self.fail(e.task_id, TaskError::lease_expired(e.agent_id), e.retry.then_some(e.not_before_ms));
    }

    pub(super) fn task_timed_out(&mut self, e: &TaskTimedOut) {
        let Some(task) = self.state.tasks.get(e.task_id) else { return };
        let error = task.timeout(Deadline::parse(&e.deadline).unwrap_or(Deadline::Total));
        self.count_ending(e.task_id, Ending::Failed, false);
        self.fail(e.task_id, error, e.retry.then_some(e.not_before_ms));
    }

    pub(super) fn task_released(&mut self, e: &TaskReleased) {
        let at_ms = self.at_ms;
        // an agent that was retired does not give back by itself
        let heard = self.state.agents.get(e.agent_id).is_some_and(|agent| agent.is_active());
        self.count_ending(e.task_id, Ending::Released, heard);
        self.change(e.task_id, |task| task.release(at_ms));
    }

    pub(super) fn task_cancelled(&mut self, e: &TaskCancelled) {
        if !e.requested {
            self.count_ending(e.task_id, Ending::Cancelled, false);
        }
        let at_ms = self.at_ms;
        self.change(e.task_id, |task| task.cancel(&e.code, &e.reason, e.requested, at_ms));
    }
}
