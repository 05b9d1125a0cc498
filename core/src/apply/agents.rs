//! Events about agents.

use super::Fold;
use crate::agent::Agent;
use crate::agent::AgentState;
use crate::event::{AgentHeartbeat, AgentLost, AgentRetired, AgentSpawned};
use crate::ids::{AgentId, TaskId};

/// How an attempt of an agent ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Completed,
    Failed,
    Expired,
    Released,
    Cancelled,
}

impl Fold<'_> {
    pub(super) fn agent_spawned(&mut self, e: AgentSpawned) {
        let agent = Agent {
            id: e.agent_id,
            agent_type: e.agent_type,
            name: e.name,
            pattern: e.pattern,
            capabilities: e.capabilities,
            model: e.model,
            capacity: e.capacity,
            created_at_ms: self.at_ms,
            last_seen_ms: self.at_ms,
            silence_ms: e.silence_ms,
            ..Agent::default()
        };
        self.state.last_agent = self.state.last_agent.max(agent.id.0);
        self.state.index.add_agent(&agent);
        self.touch_agent(agent.id);
        self.state.agents.insert(agent);
    }

    /// Changes an agent with its timer.
    pub(super) fn change_agent(&mut self, id: AgentId, edit: impl FnOnce(&mut Agent)) {
        let Some(agent) = self.state.agents.get_mut(id) else { return };
        self.state.index.unwatch(agent);
        edit(agent);
        self.state.index.watch(agent);
        self.touch_agent(id);
    }

    /// The agent was heard of.
    pub(super) fn heard(&mut self, id: AgentId) {
        let at_ms = self.at_ms;
        self.change_agent(id, |agent| {
            agent.last_seen_ms = at_ms;
            agent.settle(true);
        });
    }

    /// An attempt of the agent begins.
    pub(super) fn attempt_begins(&mut self, id: AgentId) {
        let at_ms = self.at_ms;
        self.change_agent(id, |agent| {
            agent.last_seen_ms = at_ms;
            agent.running += 1;
            agent.claimed += 1;
            agent.settle(true);
        });
    }

    /// An attempt of the agent, begun at `started_at_ms`, ended; it was the agent that said so if `heard`.
    pub(super) fn attempt_ends(&mut self, id: AgentId, started_at_ms: u64, ending: Ending, heard: bool) {
        let at_ms = self.at_ms;
        self.change_agent(id, |agent| {
            if heard {
                agent.last_seen_ms = at_ms;
            }
            agent.running = agent.running.saturating_sub(1);
            let took = at_ms.saturating_sub(started_at_ms);
            agent.busy_ms = agent.busy_ms.saturating_add(took);
            agent.longest_ms = agent.longest_ms.max(took);
            match ending {
                Ending::Completed => agent.completed += 1,
                Ending::Failed => agent.failed += 1,
                Ending::Expired => {
                    agent.failed += 1;
                    agent.expired += 1;
                }
                Ending::Released => agent.released += 1,
                Ending::Cancelled => agent.cancelled += 1,
            }
            agent.settle(heard);
        });
    }

    pub(super) fn agent_heartbeat(&mut self, e: &AgentHeartbeat) {
        self.heard(e.agent_id);
    }

    pub(super) fn agent_lost(&mut self, e: &AgentLost) {
        self.change_agent(e.agent_id, |agent| agent.state = AgentState::Lost);
    }

    pub(super) fn agent_retired(&mut self, e: &AgentRetired) {
        if let Some(agent) = self.state.agents.get(e.agent_id).filter(|agent| agent.is_active()) {
            self.state.index.remove_agent(agent);
        }
        self.change_agent(e.agent_id, |agent| agent.state = AgentState::Retired);
        let Some(heir) = e.replaced_by else { return };
        let own = (e.agent_id, TaskId(0))..=(e.agent_id, TaskId(u64::MAX));
        while let Some((_, id)) = self.state.index.assigned.range(own.clone()).next().copied() {
            self.state.index.assigned.remove(&(e.agent_id, id));
            self.state.index.assigned.insert((heir, id));
            self.change(id, |task| task.assigned_to = Some(heir));
        }
    }
}
