//! What time ends: leases, deadlines, silence.

use super::{Agent, Shadow, Task};

/// Something that a tick has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The lease or a deadline of a task.
    Task(u64),
    /// The silence of an agent.
    Agent(u64),
}

impl Task {
    /// When it has waited for a worker for too long.
    pub fn queue_due(&self) -> Option<u64> {
        let ready = self.end.is_none() && self.lease.is_none() && !self.held && self.waits == 0;
        (self.queue > 0 && ready).then(|| self.ready_at.max(self.not_before) + self.queue)
    }

    /// When its attempt has run for too long.
    pub fn run_due(&self) -> Option<u64> {
        (self.run > 0 && self.lease.is_some()).then(|| self.started + self.run)
    }

    /// When it has taken too long in all.
    pub fn total_due(&self) -> Option<u64> {
        (self.total > 0 && self.end.is_none()).then(|| self.created + self.total)
    }

    /// The first of all that time does to it.
    pub fn due(&self) -> Option<u64> {
        let lease = self.lease.map(|lease| lease.expires);
        [lease, self.queue_due(), self.run_due(), self.total_due()].into_iter().flatten().min()
    }
}

impl Agent {
    /// When it counts as lost.
    pub fn silence_due(&self) -> Option<u64> {
        (self.silence > 0 && !self.lost && !self.retired).then(|| self.last_seen + self.silence)
    }
}

impl Shadow {
    /// Everything that time does, with its moment.
    pub fn timers(&self) -> impl Iterator<Item = (u64, Timer)> + '_ {
        let tasks = self.open.iter().filter_map(|id| {
            let due = self.tasks.get(id)?.due()?;
            Some((due, Timer::Task(*id)))
        });
        let agents = (1..).zip(&self.agents).filter_map(|(id, agent)| {
            let due = agent.silence_due()?;
            Some((due, Timer::Agent(id)))
        });
        tasks.chain(agents)
    }

    /// When tick has something to do.
    pub fn next_deadline(&self) -> Option<u64> {
        self.timers().map(|(due, _)| due).min()
    }
}
