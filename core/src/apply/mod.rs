//! The only place where the state changes: one arm an event, total, without failure.
//!
//! An event that names something the state does not hold changes nothing but the version; such a
//! log cannot come from [`decide`](crate::decide), and [`codec`](crate::codec) refuses damaged lines
//! before they get here.

mod agents;
mod goals;
mod tasks;

use alloc::vec::Vec;
use core::mem::take;

use crate::event::Event;
use crate::ids::{AgentId, GoalId, TaskId};
use crate::mutants::{self, Mutant};
use crate::state::State;
use crate::task::{Task, TaskState};

/// What events touched, each with the number of the event: the rows that a store has to write.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// False while nobody asks for rows.
    pub wanted: bool,
    /// Agents to write.
    pub agents: Vec<(AgentId, u64)>,
    /// Tasks to write.
    pub tasks: Vec<(TaskId, u64)>,
    /// Goals to write.
    pub goals: Vec<(GoalId, u64)>,
}

/// One event in the fold.
pub(crate) struct Fold<'a> {
    state: &'a mut State,
    touched: &'a mut Touched,
    seq: u64,
    at_ms: u64,
}

/// Folds event `seq`, decided at `at_ms` in the swarm `swarm`, into the state, which takes its texts.
pub fn apply(state: &mut State, touched: &mut Touched, swarm: &str, seq: u64, at_ms: u64, event: &mut Event) {
    state.version = seq;
    state.at_ms = state.at_ms.max(at_ms);
    let mut fold = Fold { state, touched, seq, at_ms };
    fold.let_time_pass();
    match event {
        Event::SwarmCreated(e) => fold.swarm_created(swarm, take(e)),
        Event::AgentSpawned(e) => fold.agent_spawned(take(e)),
        Event::AgentHeartbeat(e) => fold.agent_heartbeat(e),
        Event::AgentLost(e) => fold.agent_lost(e),
        Event::AgentRetired(e) => fold.agent_retired(e),
        Event::GoalPlanned(e) => fold.goal_planned(take(e)),
        Event::TaskSubmitted(e) => fold.task_submitted(e),
        Event::TaskUpdated(e) => fold.task_updated(e),
        Event::TaskClaimed(e) => fold.task_claimed(e),
        Event::TaskHeartbeat(e) => fold.task_heartbeat(take(e)),
        Event::TaskCompleted(e) => fold.task_completed(take(e)),
        Event::TaskFailed(e) => fold.task_failed(take(e)),
        Event::LeaseExpired(e) => fold.lease_expired(e),
        Event::TaskReleased(e) => fold.task_released(e),
        Event::TaskTimedOut(e) => fold.task_timed_out(e),
        Event::TaskCancelled(e) => fold.task_cancelled(e),
        Event::Paused(e) => fold.paused(e),
        Event::Resumed(e) => fold.resumed(e),
        Event::GoalFinished(e) => fold.goal_finished(take(e)),
        Event::ArtifactStored(e) => fold.artifact_stored(take(e)),
        Event::CommandRecorded(e) => fold.command_recorded(take(e)),
    }
}

impl Fold<'_> {
    fn touch_task(&mut self, id: TaskId) {
        if self.touched.wanted {
            self.touched.tasks.push((id, self.seq));
        }
    }

    fn touch_agent(&mut self, id: AgentId) {
        if self.touched.wanted {
            self.touched.agents.push((id, self.seq));
        }
    }

    fn touch_goal(&mut self, id: GoalId) {
        if self.touched.wanted {
            self.touched.goals.push((id, self.seq));
        }
    }

    /// Ready tasks whose back-off is over by now go into the queue.
    fn let_time_pass(&mut self) {
        let state = &mut *self.state;
        while let Some((_, id)) = state.index.later.first().copied().filter(|(at, _)| *at <= state.at_ms) {
            state.index.later.pop_first();
            if let Some(task) = state.tasks.get(id) {
                let served = match task.goal_id {
                    None => state.served_loose,
                    Some(goal) => state.served.get(goal).map_or(0, |served| served.seq),
                };
                state.index.line_up(task, served);
            }
        }
    }

    /// Changes a task with its place in the indices.
    fn change(&mut self, id: TaskId, edit: impl FnOnce(&mut Task)) {
        let state = &mut *self.state;
        let Some(task) = state.tasks.get_mut(id) else { return };
        let before = state.index.leave(task);
        edit(task);
        let served = match task.goal_id {
            None => state.served_loose,
            Some(goal) => state.served.get(goal).map_or(0, |served| served.seq),
        };
        state.index.settle(task, &before, served, state.at_ms);
        self.touch_task(id);
    }

    /// One wait of each task that waited for `id` to complete (or to fail) is over.
    fn meet(&mut self, id: TaskId, failed: bool) {
        let mut place = 0;
        while let Some((dependent, on_failure)) = self.state.index.dependents(id).get(place).copied() {
            place += 1;
            if on_failure != failed && !mutants::on(Mutant::FailureMetByCompletion) {
                continue;
            }
            let Some(link) = self.state.index.links.get_mut(dependent) else { continue };
            link.waiting = link.waiting.saturating_sub(1);
            let blocked =
                self.state.tasks.get(dependent).is_some_and(|task| task.state == TaskState::Blocked);
            if link.waiting == 0 && blocked {
                let at_ms = self.at_ms;
                self.change(dependent, |task| task.wait(false, at_ms));
            }
        }
    }
}
