//! Events of agents and goals, and pauses.

use super::{Agent, End, Goal, Shadow};
use crate::line::Body;
use crate::violation::{ensure, Checked, Violation};

fn missing(what: &str) -> Violation {
    Violation { invariant: "line", message: format!("{what} is missing or unknown") }
}

impl Agent {
    /// It was heard of; one that counted as lost is back.
    pub(super) fn heard(&mut self, now: u64) {
        self.last_seen = now;
        self.lost = false;
    }
}

impl Shadow {
    fn live_agent(&mut self, body: &Body<'_>) -> Checked<(u64, &mut Agent)> {
        let id = body.agent_id.ok_or_else(|| missing("agentId"))?.0;
        let agent = self.agent_mut(id).ok_or_else(|| missing("the agent"))?;
        ensure!(!agent.retired, "agent", "a{id} is retired");
        Ok((id, agent))
    }

    pub(super) fn agent_spawned(&mut self, body: &Body<'_>) -> Checked {
        let id = body.agent_id.ok_or_else(|| missing("agentId"))?.0;
        ensure!(id == self.agents.len() as u64 + 1, "line", "a{id} follows a{}", self.agents.len());
        let can = self.bits(&body.capabilities) | self.word(&body.agent_type);
        let (capacity, silence, last_seen) = (body.capacity, body.silence_ms, self.at);
        self.agents.push(Agent { can, capacity, silence, last_seen, ..Agent::default() });
        Ok(())
    }

    pub(super) fn agent_heartbeat(&mut self, body: &Body<'_>) -> Checked {
        let now = self.at;
        self.live_agent(body)?.1.heard(now);
        Ok(())
    }

    pub(super) fn agent_lost(&mut self, body: &Body<'_>) -> Checked {
        let now = self.at;
        let (id, agent) = self.live_agent(body)?;
        let due = agent.silence_due();
        ensure!(due.is_some_and(|due| due <= now), "agent", "a{id} is lost, but may be silent until {due:?}");
        agent.lost = true;
        self.gone.push(id);
        Ok(())
    }

    pub(super) fn agent_retired(&mut self, body: &Body<'_>) -> Checked {
        let (id, agent) = self.live_agent(body)?;
        agent.retired = true;
        agent.lost = false;
        if let Some(heir) = body.replaced_by {
            self.heirs.push(heir.0);
            for task in &self.open {
                if let Some(task) = self.tasks.get_mut(task).filter(|task| task.assigned_to == Some(id)) {
                    task.assigned_to = Some(heir.0);
                }
            }
        }
        self.gone.push(id);
        Ok(())
    }

    pub(super) fn goal_planned(&mut self, body: &Body<'_>) -> Checked {
        let id = body.goal_id.ok_or_else(|| missing("goalId"))?.0;
        ensure!(id == self.goals.len() as u64 + 1, "line", "g{id} follows g{}", self.goals.len());
        self.goals.push(Goal { served: self.seq, ..Goal::default() });
        Ok(())
    }

    pub(super) fn goal_finished(&mut self, body: &Body<'_>) -> Checked {
        let id = body.goal_id.ok_or_else(|| missing("goalId"))?.0;
        let goal = self.goal(id).ok_or_else(|| missing("the goal"))?;
        ensure!(goal.end.is_none(), "final", "g{id} has ended before");
        ensure!(goal.open == 0, "goal", "g{id} ends with {} open tasks", goal.open);
        let tasks = || goal.tasks.iter().filter_map(|task| self.tasks.get(task));
        let end = if tasks().any(|task| task.end == Some(End::Failed)) {
            End::Failed
        } else if tasks().any(|task| task.end == Some(End::Cancelled) && !task.not_needed) {
            End::Cancelled
        } else {
            End::Completed
        };
        ensure!(body.state == end.as_str(), "goal", "g{id} is {}, not {}", body.state, end.as_str());
        if let Some(goal) = self.goal_mut(id) {
            goal.end = Some(end);
        }
        Ok(())
    }

    pub(super) fn pause(&mut self, body: &Body<'_>, on: bool) -> Checked {
        let now = self.at;
        let was = if let Some(id) = body.task_id {
            let task = self.tasks.get_mut(&id.0).ok_or_else(|| missing("the task"))?;
            ensure!(task.end.is_none(), "final", "t{} has ended and is paused or resumed", id.0);
            if task.lease.is_none() && task.waits == 0 {
                task.ready_at = if on { 0 } else { now };
            }
            std::mem::replace(&mut task.held, on)
        } else if let Some(id) = body.goal_id {
            let goal = self.goal_mut(id.0).ok_or_else(|| missing("the goal"))?;
            ensure!(goal.end.is_none(), "final", "g{} has ended and is paused or resumed", id.0);
            std::mem::replace(&mut goal.paused, on)
        } else if body.agent_id.is_some() {
            std::mem::replace(&mut self.live_agent(body)?.1.paused, on)
        } else {
            std::mem::replace(&mut self.paused, on)
        };
        ensure!(was != on, "pause", "it was so before");
        Ok(())
    }
}
