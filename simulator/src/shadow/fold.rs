//! One line of the log: what must hold for every kind, and where it goes.

use super::{Claim, Shadow};
use crate::line::Line;
use crate::violation::{ensure, Checked};

impl Shadow {
    /// Begins the next command; its events follow by [`Shadow::fold`], then [`Shadow::settle`].
    pub fn begin(&mut self) {
        self.command += 1;
        self.ended.clear();
        self.gone.clear();
        self.heirs.clear();
    }

    /// Folds one line and checks that it was allowed.
    pub fn fold(&mut self, line: &Line<'_>, claim: Claim) -> Checked {
        ensure!(line.v == 1, "line", "version {} of event {}", line.v, line.seq);
        ensure!(line.seq == self.seq + 1, "sequence", "event {} follows event {}", line.seq, self.seq);
        ensure!(line.at_ms >= self.at, "time", "event {} at {} is before {}", line.seq, line.at_ms, self.at);
        ensure!(
            self.seq == 0 || line.swarm == self.swarm,
            "line",
            "event {} is of swarm {}",
            line.seq,
            line.swarm
        );
        ensure!(
            (self.seq == 0) == (line.kind == "SwarmCreated"),
            "line",
            "event {} is {}",
            line.seq,
            line.kind
        );
        self.seq = line.seq;
        self.at = line.at_ms;
        self.dispatch(line, claim).map_err(|mut violation| {
            violation.message =
                format!("event {} at {}, {}: {}", line.seq, line.at_ms, line.kind, violation.message);
            violation
        })
    }

    fn dispatch(&mut self, line: &Line<'_>, claim: Claim) -> Checked {
        let body = &line.body;
        match &*line.kind {
            "SwarmCreated" => {
                self.swarm = line.swarm.clone().into_owned();
                self.max_agents = body.max_agents;
                Ok(())
            }
            "AgentSpawned" => self.agent_spawned(body),
            "AgentHeartbeat" => self.agent_heartbeat(body),
            "AgentLost" => self.agent_lost(body),
            "AgentRetired" => self.agent_retired(body),
            "GoalPlanned" => self.goal_planned(body),
            "GoalFinished" => self.goal_finished(body),
            "TaskSubmitted" => self.task_submitted(body),
            "TaskUpdated" => self.task_updated(body),
            "TaskClaimed" => self.task_claimed(body, claim),
            "TaskHeartbeat" => self.task_heartbeat(body),
            "TaskCompleted" => self.task_completed(body),
            "TaskFailed" => self.task_failed(body),
            "LeaseExpired" => self.lease_expired(body),
            "TaskReleased" => self.task_released(body),
            "TaskTimedOut" => self.task_timed_out(body),
            "TaskCancelled" => self.task_cancelled(body),
            "Paused" => self.pause(body, true),
            "Resumed" => self.pause(body, false),
            "ArtifactStored" | "CommandRecorded" => Ok(()),
            kind => {
                ensure!(false, "line", "the simulator does not know the kind {kind}");
                Ok(())
            }
        }
    }
}
