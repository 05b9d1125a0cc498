//! Which events a reader wants to see.

use alloc::string::String;
use alloc::vec::Vec;
use serde::Serialize;

use crate::codec;
use crate::command;
use crate::error::Error;
use crate::event::Event;
use crate::ids::{AgentId, GoalId, TaskId};
use crate::json::{self, is_default, readable, Read};
use crate::state::State;

/// A filter on its way through a host, which keeps it as text.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Filter {
    #[serde(skip_serializing_if = "is_default")]
    kinds: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    agent: Option<AgentId>,
    #[serde(skip_serializing_if = "is_default")]
    goal: Option<GoalId>,
    /// The task that was asked for, or those of the goal; empty for any.
    #[serde(skip_serializing_if = "is_default")]
    tasks: Vec<TaskId>,
    /// True if an event must be about one of `tasks`, or about `goal`.
    #[serde(skip_serializing_if = "is_default")]
    narrow: bool,
}

readable!(Filter { kinds, agent, goal, tasks, narrow });

impl Filter {
    /// The text of the filter of a request; empty if everything passes.
    pub(super) fn of(state: &State, request: &command::SwarmMonitor) -> Result<String, Error> {
        for kind in &request.kinds {
            if !Event::KINDS.contains(&kind.as_str()) {
                return Err(Error::not_one_of("kinds", kind, Event::KINDS));
            }
        }
        let mut filter = Filter { kinds: request.kinds.clone(), ..Filter::default() };
        if !request.agent_id.is_empty() {
            filter.agent = Some(state.agent("agentId", &request.agent_id)?.id);
        }
        if !request.goal_id.is_empty() {
            let goal = state.goal("goalId", &request.goal_id)?;
            filter.goal = Some(goal.id);
            filter.tasks = goal.task_ids.clone();
            filter.tasks.sort_unstable();
            filter.narrow = true;
        }
        if !request.task_id.is_empty() {
            let id = state.task("taskId", &request.task_id)?.id;
            let of_goal = filter.goal.is_none() || filter.tasks.contains(&id);
            filter.tasks = [id].into_iter().filter(|_| of_goal).collect();
            filter.goal = None;
            filter.narrow = true;
        }
        Ok(if filter == Filter::default() { String::new() } else { json::encode(&filter) })
    }

    fn passes(&self, event: &Event) -> bool {
        let about = subject(event);
        let kind = self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == event.kind());
        let agent = self.agent.is_none() || about.agents.contains(&self.agent);
        let task = about.task.is_some_and(|id| self.tasks.binary_search(&id).is_ok());
        let goal = self.goal.is_some() && about.goal == self.goal;
        kind && agent && (!self.narrow || task || goal)
    }
}

/// The lines that pass; all of them if the filter is empty.
pub(super) fn passing<'a>(lines: &[&'a str], filter: &str) -> Vec<&'a str> {
    if filter.is_empty() {
        return lines.to_vec();
    }
    let filter = Filter::read(filter).unwrap_or_default();
    let passes = |line: &&&str| codec::decode(line).is_ok_and(|read| filter.passes(&read.event));
    lines.iter().filter(passes).copied().collect()
}

/// What an event is about.
#[derive(Default)]
struct Subject {
    agents: [Option<AgentId>; 2],
    task: Option<TaskId>,
    goal: Option<GoalId>,
}

fn subject(event: &Event) -> Subject {
    let agent = |id: Option<AgentId>| Subject { agents: [id, None], ..Subject::default() };
    let task = |id: TaskId, by: Option<AgentId>| Subject { task: Some(id), ..agent(by) };
    let goal = |id: Option<GoalId>| Subject { goal: id, ..Subject::default() };
    match event {
        Event::SwarmCreated(_) | Event::ArtifactStored(_) | Event::CommandRecorded(_) => Subject::default(),
        Event::AgentSpawned(e) => agent(Some(e.agent_id)),
        Event::AgentHeartbeat(e) => agent(Some(e.agent_id)),
        Event::AgentLost(e) => agent(Some(e.agent_id)),
        Event::AgentRetired(e) => Subject { agents: [Some(e.agent_id), e.replaced_by], ..Subject::default() },
        Event::GoalPlanned(e) => goal(Some(e.goal_id)),
        Event::GoalFinished(e) => goal(Some(e.goal_id)),
        Event::TaskSubmitted(e) => Subject { goal: e.goal_id, ..task(e.task_id, e.assigned_to) },
        Event::TaskUpdated(e) => task(e.task_id, e.assigned_to),
        Event::TaskClaimed(e) => task(e.task_id, Some(e.agent_id)),
        Event::TaskHeartbeat(e) => task(e.task_id, None),
        Event::TaskCompleted(e) => task(e.task_id, Some(e.agent_id)),
        Event::TaskFailed(e) => task(e.task_id, e.agent_id),
        Event::LeaseExpired(e) => task(e.task_id, Some(e.agent_id)),
        Event::TaskReleased(e) => task(e.task_id, Some(e.agent_id)),
        Event::TaskTimedOut(e) => task(e.task_id, e.agent_id),
        Event::TaskCancelled(e) => task(e.task_id, None),
        Event::Paused(e) => Subject { task: e.task_id, goal: e.goal_id, ..agent(e.agent_id) },
        Event::Resumed(e) => Subject { task: e.task_id, goal: e.goal_id, ..agent(e.agent_id) },
    }
}
