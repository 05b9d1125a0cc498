//! What must hold between two commands, looked at where something changed.

use super::{End, Shadow, Timer};
use crate::violation::{ensure, Checked};

impl Shadow {
    /// Checks what the events of one command have left behind.
    pub fn settle(&self) -> Checked {
        for id in &self.ended {
            self.check_dependents(*id)?;
        }
        for heir in &self.heirs {
            let there = self.agent(*heir).is_some_and(|heir| !heir.retired);
            ensure!(there, "agent", "a{heir} takes over and is not there");
        }
        for id in &self.gone {
            let Some(agent) = self.agent(*id) else { continue };
            ensure!(
                !agent.retired && !agent.lost || agent.running == 0,
                "agent",
                "a{id} is {} and holds {} tasks",
                agent.state(),
                agent.running
            );
        }
        Ok(())
    }

    fn check_dependents(&self, id: u64) -> Checked {
        let Some(task) = self.tasks.get(&id) else { return Ok(()) };
        for dependent in &task.dependents {
            let Some(waiting) = self.tasks.get(dependent).filter(|waiting| waiting.end.is_none()) else {
                continue;
            };
            let hopeless = match task.end {
                Some(End::Completed) => waiting.after_failure.contains(&id),
                Some(End::Failed) => waiting.depends_on.contains(&id),
                Some(End::Cancelled) => true,
                None => false,
            };
            ensure!(!hopeless, "graph", "t{dependent} waits for t{id}, which is {}", task.state());
        }
        if let Some((number, goal)) = task.goal.and_then(|number| Some((number, self.goal(number)?))) {
            ensure!(
                goal.open > 0 || goal.end.is_some(),
                "goal",
                "all tasks of g{number} have ended, it has not"
            );
        }
        Ok(())
    }

    /// Checks after a tick that nothing is overdue but what it has handled.
    pub fn check_tick(&self, now: u64) -> Checked {
        for (due, timer) in self.timers().filter(|(due, _)| *due <= now) {
            let handled = match timer {
                Timer::Task(id) => self.tasks.get(&id).is_some_and(|task| task.touched_in == self.command),
                Timer::Agent(_) => false,
            };
            ensure!(handled, "deadline", "{timer:?} was due at {due} and is left by a tick at {now}");
        }
        Ok(())
    }

    /// Checks all counters against a count from scratch.
    pub fn check_counts(&self) -> Checked {
        for (number, agent) in (1..).zip(&self.agents) {
            let held = |id: &&u64| {
                let lease = self.tasks.get(*id).and_then(|task| task.lease);
                lease.is_some_and(|lease| lease.agent == number)
            };
            let leases = self.running.iter().filter(held).count() as u64;
            ensure!(agent.running == leases, "capacity", "a{number} runs {}, holds {leases}", agent.running);
            ensure!(leases <= agent.capacity, "capacity", "a{number} holds {leases} of {}", agent.capacity);
            let ended = agent.completed + agent.failed + agent.released + agent.cancelled;
            ensure!(
                agent.claimed == agent.running + ended,
                "metrics",
                "a{number} claimed {}, runs {} and ended {ended}",
                agent.claimed,
                agent.running
            );
        }
        Ok(())
    }
}
