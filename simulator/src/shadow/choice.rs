//! Who may run what, and what goes first: docs/ledger.md, read once more.

use std::cmp::Reverse;

use super::{Claim, Shadow, Task};
use crate::violation::{ensure, Checked};

/// What keeps an agent from a task, in the order in which it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the words of task_explain
pub enum Rule {
    Ended,
    Running,
    Paused,
    Waits,
    Backoff,
    Deadline,
    GoalPaused,
    SwarmPaused,
    Resource,
    Assigned,
    Capability,
    AgentRetired,
    AgentPaused,
    Capacity,
}

fn covers(key: &str, other: &str) -> bool {
    key == other || (key.ends_with('/') && other.starts_with(key))
}

fn conflict(ours: &[(String, bool)], theirs: &[(String, bool)]) -> bool {
    ours.iter().any(|(key, alone)| {
        theirs.iter().any(|(other, theirs)| (*alone || *theirs) && (covers(key, other) || covers(other, key)))
    })
}

impl Shadow {
    /// The running task that holds a resource which `task` needs.
    pub fn resource_holder(&self, id: u64, task: &Task) -> Option<u64> {
        if task.resources.is_empty() {
            return None;
        }
        let holds = |other: &&u64| {
            **other != id
                && self.tasks.get(*other).is_some_and(|other| conflict(&task.resources, &other.resources))
        };
        self.running.iter().find(holds).copied()
    }

    /// What keeps every agent from a task now, if anything does.
    pub fn held_back(&self, id: u64, task: &Task, now: u64) -> Option<Rule> {
        let over = |due: Option<u64>| due.is_some_and(|due| due <= now);
        if task.end.is_some() {
            Some(Rule::Ended)
        } else if task.lease.is_some() {
            Some(Rule::Running)
        } else if task.held {
            Some(Rule::Paused)
        } else if task.waits > 0 {
            Some(Rule::Waits)
        } else if task.not_before > now {
            Some(Rule::Backoff)
        } else if over(task.queue_due()) || over(task.total_due()) {
            Some(Rule::Deadline)
        } else if task.goal.and_then(|goal| self.goal(goal)).is_some_and(|goal| goal.paused) {
            Some(Rule::GoalPaused)
        } else if self.paused {
            Some(Rule::SwarmPaused)
        } else if self.resource_holder(id, task).is_some() {
            Some(Rule::Resource)
        } else {
            None
        }
    }

    /// What keeps `agent` from a task that nothing else holds back.
    fn unfit(&self, task: &Task, number: u64) -> Option<Rule> {
        let Some(agent) = self.agent(number) else { return Some(Rule::AgentRetired) };
        if task.assigned_to.is_some_and(|other| other != number) {
            Some(Rule::Assigned)
        } else if task.needs & !agent.can != 0 {
            Some(Rule::Capability)
        } else if agent.retired {
            Some(Rule::AgentRetired)
        } else if agent.paused {
            Some(Rule::AgentPaused)
        } else if agent.running >= agent.capacity {
            Some(Rule::Capacity)
        } else {
            None
        }
    }

    /// The first rule that keeps `agent` from task `id`.
    pub fn obstacle(&self, id: u64, agent: u64, now: u64) -> Option<Rule> {
        let Some(task) = self.tasks.get(&id) else { return Some(Rule::Ended) };
        self.held_back(id, task, now).or_else(|| self.unfit(task, agent))
    }

    /// The task that goes first for `agent`; `but` for the one that it has just reported.
    pub fn pick(&self, agent: u64, now: u64, but: Option<u64>) -> Option<u64> {
        let fits = |id: &&u64| {
            but != Some(**id)
                && self.tasks.get(*id).is_some_and(|task| {
                    self.unfit(task, agent).is_none() && self.held_back(**id, task, now).is_none()
                })
        };
        let order = |id: &u64| {
            let task = self.tasks.get(id);
            let goal = task.and_then(|task| task.goal).and_then(|goal| self.goal(goal));
            let served = goal.map_or(self.served_alone, |goal| goal.served);
            (Reverse(task.map_or(0, |task| task.priority)), served, *id)
        };
        self.open.iter().filter(fits).copied().min_by_key(order)
    }

    /// Checks that `agent` may start the task, and that it is the right one.
    pub(super) fn check_claim(&self, id: u64, agent: u64, claim: Claim) -> Checked {
        match self.obstacle(id, agent, self.at) {
            None => {}
            Some(Rule::Resource) => ensure!(false, "resources", "t{id} and a running task hold one thing"),
            Some(Rule::Capacity) => ensure!(false, "capacity", "a{agent} runs as many tasks as it can"),
            Some(Rule::AgentRetired) => ensure!(false, "agent", "a{agent} is retired and claims t{id}"),
            Some(rule) => ensure!(false, "eligibility", "a{agent} may not start t{id}: {rule:?}"),
        }
        if let Claim::Chosen(but) = claim {
            let first = self.pick(agent, self.at, but);
            ensure!(first == Some(id), "choice", "a{agent} was given t{id}, but {first:?} goes first");
        }
        Ok(())
    }

    /// True if some agent could do the task once it is free, back or resumed by itself.
    pub fn has_worker(&self, task: &Task) -> bool {
        (1..).zip(&self.agents).any(|(number, agent)| {
            let named = task.assigned_to.is_none_or(|only| only == number);
            named && !agent.retired && !agent.paused && task.needs & !agent.can == 0
        })
    }
}
