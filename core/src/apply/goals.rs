//! Events about the swarm, goals, artifacts and answers.

use alloc::string::ToString;

use super::Fold;
use crate::artifact::Artifact;
use crate::config::Config;
use crate::event::{
    ArtifactStored, CommandRecorded, GoalFinished, GoalPlanned, Paused, Resumed, SwarmCreated,
};
use crate::goal::{Goal, RUNNING};
use crate::ids::{AgentId, GoalId, TaskId};
use crate::index::Open;
use crate::limits::DAY_MS;
use crate::state::{Recorded, Served};

impl Fold<'_> {
    pub(super) fn swarm_created(&mut self, swarm: &str, e: SwarmCreated) {
        self.state.config = Some(Config {
            swarm_id: swarm.to_string(),
            topology: e.topology,
            max_agents: e.max_agents,
            strategy: e.strategy,
            seed: e.seed,
        });
    }

    pub(super) fn goal_planned(&mut self, e: GoalPlanned) {
        let id = e.goal_id;
        self.state.last_goal = self.state.last_goal.max(id.0);
        self.state.index.open.insert(Open { id, count: 0 });
        self.state.served.insert(Served { id, seq: self.seq });
        self.state.goals.insert(Goal {
            id,
            task: e.task,
            kind: e.kind,
            strategy: e.strategy,
            state: RUNNING.into(),
            dataset: e.dataset,
            plan: e.plan,
            created_at_ms: self.at_ms,
            ..Goal::default()
        });
        self.touch_goal(id);
    }

    pub(super) fn goal_finished(&mut self, e: GoalFinished) {
        let Some(goal) = self.state.goals.get_mut(e.goal_id) else { return };
        goal.state = e.state;
        goal.model_hash = e.model_hash;
        goal.error = e.error;
        goal.finished_at_ms = self.at_ms;
        self.touch_goal(e.goal_id);
    }

    pub(super) fn paused(&mut self, e: &Paused) {
        self.hold_back((e.task_id, e.goal_id, e.agent_id), true);
    }

    pub(super) fn resumed(&mut self, e: &Resumed) {
        self.hold_back((e.task_id, e.goal_id, e.agent_id), false);
    }

    fn hold_back(&mut self, what: (Option<TaskId>, Option<GoalId>, Option<AgentId>), held: bool) {
        match what {
            (Some(id), _, _) => {
                let (at_ms, waits) = (self.at_ms, self.state.index.waiting(id) > 0);
                self.change(id, |task| {
                    task.held = held;
                    if task.lease.is_none() && !task.state.is_final() {
                        task.wait(waits, at_ms);
                    }
                });
            }
            (None, Some(id), _) => {
                if let Some(goal) = self.state.goals.get_mut(id) {
                    goal.paused = held;
                    self.touch_goal(id);
                }
            }
            (None, None, Some(id)) => self.change_agent(id, |agent| {
                agent.paused = held;
                agent.settle(false);
            }),
            (None, None, None) => self.state.paused = held,
        }
    }

    pub(super) fn artifact_stored(&mut self, e: ArtifactStored) {
        let created_at_ms = self.at_ms;
        self.state.artifacts.entry(e.hash.clone()).or_insert_with(|| Artifact {
            hash: e.hash,
            name: e.name,
            media_type: e.media_type,
            size: e.size,
            created_at_ms,
        });
    }

    pub(super) fn command_recorded(&mut self, e: CommandRecorded) {
        let state = &mut *self.state;
        let old = |(at, _): &(u64, _)| at.saturating_add(DAY_MS) <= self.at_ms;
        while state.index.recorded_at.front().is_some_and(old) {
            if let Some((_, key)) = state.index.recorded_at.pop_front() {
                state.recorded.remove(&key);
            }
        }
        let answer = Recorded { request_hash: e.request_hash, response: e.response, at_ms: self.at_ms };
        state.index.record(self.at_ms, &e.key);
        state.recorded.insert(e.key, answer);
    }
}
