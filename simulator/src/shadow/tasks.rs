//! Events of tasks.

use super::{Claim, End, Lease, Shadow, Task, DAY_MS};
use crate::line::Body;
use crate::violation::{ensure, Checked, Violation};

/// Who held a task, as an event of the end of its attempt says.
struct Attempt {
    id: u64,
    agent: u64,
    epoch: u64,
}

fn missing(what: &str) -> Violation {
    Violation { invariant: "line", message: format!("{what} is missing or unknown") }
}

fn numbers(ids: &[crate::line::TaskNo]) -> Vec<u64> {
    ids.iter().map(|id| id.0).collect()
}

impl Shadow {
    fn open_task(&mut self, body: &Body<'_>) -> Checked<(u64, &mut Task)> {
        let id = body.task_id.ok_or_else(|| missing("taskId"))?.0;
        let task = self.tasks.get_mut(&id).ok_or_else(|| missing("the task"))?;
        ensure!(task.end.is_none(), "final", "t{id} is {} for good", task.state());
        Ok((id, task))
    }

    pub(super) fn task_submitted(&mut self, body: &Body<'_>) -> Checked {
        let id = body.task_id.ok_or_else(|| missing("taskId"))?.0;
        ensure!(!self.tasks.contains_key(&id), "line", "t{id} was submitted before");
        let goal = body.goal_id.map(|goal| goal.0);
        let mut task = Task { goal, created: self.at, ..Task::default() };
        self.describe(&mut task, body);
        self.check_waits(id, &task)?;
        for needed in task.depends_on.iter().chain(&task.after_failure) {
            if let Some(needed) = self.tasks.get_mut(needed) {
                needed.dependents.push(id);
            }
        }
        task.waits = self.unmet(&task);
        if task.waits == 0 {
            task.ready_at = self.at;
        }
        if let Some(goal) = goal {
            let goal = self.goal_mut(goal).ok_or_else(|| missing("the goal"))?;
            ensure!(goal.end.is_none(), "goal", "t{id} joins a goal that has ended");
            goal.tasks.push(id);
            goal.open += 1;
        }
        self.open.insert(id);
        self.tasks.insert(id, task);
        Ok(())
    }

    fn describe(&mut self, task: &mut Task, body: &Body<'_>) {
        task.priority = body.priority.0;
        task.depends_on = numbers(&body.depends_on);
        task.after_failure = numbers(&body.after_failure);
        task.needs = self.bits(&body.capabilities);
        task.assigned_to = body.assigned_to.map(|agent| agent.0);
        let claim = |claim: &crate::line::Resource| (claim.key.clone(), claim.mode != "shared");
        task.resources = body.resources.iter().map(claim).collect();
        task.max_retries = body.max_retries;
        task.backoff = body.backoff_ms;
        task.max_backoff = if body.max_backoff_ms == 0 { DAY_MS } else { body.max_backoff_ms };
        task.jitter = body.jitter;
        task.non_retryable.clone_from(&body.non_retryable);
        task.queue = body.queue_ms;
        task.run = body.run_ms;
        task.total = body.total_ms;
    }

    /// Refuses waits that are unknown, go both ways, can never end or close a circle.
    fn check_waits(&self, id: u64, task: &Task) -> Checked {
        for (list, never) in [(&task.depends_on, End::Failed), (&task.after_failure, End::Completed)] {
            for needed in list {
                let Some(there) = self.tasks.get(needed) else {
                    ensure!(false, "graph", "t{id} waits for t{needed}, which is not there before it");
                    continue;
                };
                let hopeless = there.end == Some(never) || there.end == Some(End::Cancelled);
                ensure!(!hopeless, "graph", "t{id} waits for t{needed}, which is {}", there.state());
            }
        }
        let both = task.depends_on.iter().find(|needed| task.after_failure.contains(needed));
        ensure!(both.is_none(), "graph", "t{id} waits for completion and failure of t{both:?}");
        let mut frontier: Vec<u64> = task.depends_on.iter().chain(&task.after_failure).copied().collect();
        let mut seen = vec![];
        while let Some(next) = frontier.pop() {
            ensure!(next != id, "graph", "t{id} waits for itself");
            let Some(there) = self.tasks.get(&next).filter(|there| there.end.is_none()) else { continue };
            if !seen.contains(&next) {
                seen.push(next);
                frontier.extend(there.depends_on.iter().chain(&there.after_failure));
            }
        }
        Ok(())
    }

    /// How many waits of a task are not over.
    pub(super) fn unmet(&self, task: &Task) -> usize {
        let open = |wanted: End| {
            move |id: &&u64| self.tasks.get(*id).is_none_or(|needed| needed.end != Some(wanted))
        };
        task.depends_on.iter().filter(open(End::Completed)).count()
            + task.after_failure.iter().filter(open(End::Failed)).count()
    }

    pub(super) fn task_updated(&mut self, body: &Body<'_>) -> Checked {
        let now = self.at;
        let (id, task) = self.open_task(body)?;
        ensure!(task.lease.is_none(), "final", "t{id} was changed while it ran");
        let was_blocked = task.waits > 0;
        let mut task = task.clone();
        let before: Vec<u64> = task.depends_on.iter().chain(&task.after_failure).copied().collect();
        self.describe(&mut task, body);
        self.check_waits(id, &task)?;
        for needed in &before {
            if let Some(needed) = self.tasks.get_mut(needed) {
                needed.dependents.retain(|dependent| *dependent != id);
            }
        }
        for needed in task.depends_on.iter().chain(&task.after_failure) {
            if let Some(needed) = self.tasks.get_mut(needed) {
                needed.dependents.push(id);
            }
        }
        task.waits = self.unmet(&task);
        task.last_wait = 0;
        // A retry that was granted stays granted when the policy becomes stricter.
        task.granted = task.attempts - task.released + 1;
        if was_blocked && task.waits == 0 && !task.held {
            task.ready_at = now;
        }
        self.tasks.insert(id, task);
        Ok(())
    }

    pub(super) fn task_claimed(&mut self, body: &Body<'_>, claim: Claim) -> Checked {
        let (now, seq) = (self.at, self.seq);
        let agent = body.agent_id.ok_or_else(|| missing("agentId"))?.0;
        let (id, task) = self.open_task(body)?;
        if let Some(lease) = task.lease {
            ensure!(false, "lease", "t{id} is held by a{} already", lease.agent);
        }
        ensure!(
            body.epoch == task.attempts + 1,
            "epoch",
            "t{id}: epoch {} after {} attempts",
            body.epoch,
            task.attempts
        );
        ensure!(body.expires_at_ms > now, "lease", "t{id}: the lease ends at {}", body.expires_at_ms);
        self.check_claim(id, agent, claim)?;
        let lease = Lease { agent, epoch: body.epoch, expires: body.expires_at_ms };
        let mut goal = None;
        if let Some(task) = self.tasks.get_mut(&id) {
            task.lease = Some(lease);
            task.attempts += 1;
            task.started = now;
            task.not_before = 0;
            goal = task.goal;
        }
        match goal {
            Some(goal) => self.goal_mut(goal).ok_or_else(|| missing("the goal"))?.served = seq,
            None => self.served_alone = seq,
        }
        self.running.insert(id);
        let agent = self.agent_mut(agent).ok_or_else(|| missing("the agent"))?;
        agent.running += 1;
        agent.claimed += 1;
        agent.heard(now);
        Ok(())
    }

    pub(super) fn task_heartbeat(&mut self, body: &Body<'_>) -> Checked {
        let now = self.at;
        let (id, task) = self.open_task(body)?;
        let Some(lease) = &mut task.lease else { return Err(missing(&format!("the lease of t{id}"))) };
        ensure!(
            body.expires_at_ms >= lease.expires,
            "lease",
            "t{id}: the lease shrank from {} to {}",
            lease.expires,
            body.expires_at_ms
        );
        lease.expires = body.expires_at_ms;
        let agent = lease.agent;
        self.agent_mut(agent).ok_or_else(|| missing("the agent"))?.heard(now);
        Ok(())
    }

    /// The attempt that an event names, which must be the live one.
    fn attempt(&mut self, body: &Body<'_>) -> Checked<Attempt> {
        let agent = body.agent_id.ok_or_else(|| missing("agentId"))?.0;
        let (id, task) = self.open_task(body)?;
        let named = (agent, body.epoch);
        let held = task.lease.map(|lease| (lease.agent, lease.epoch));
        ensure!(held == Some(named), "epoch", "t{id}: {named:?} ends an attempt of {held:?}");
        Ok(Attempt { id, agent, epoch: body.epoch })
    }

    /// The lease is over: the agent is free again, and its time is counted.
    fn free(&mut self, id: u64, count: impl FnOnce(&mut super::Agent)) -> Checked {
        let (now, command) = (self.at, self.command);
        self.running.remove(&id);
        let task = self.tasks.get_mut(&id).ok_or_else(|| missing("the task"))?;
        let lease = task.lease.take().ok_or_else(|| missing("the lease"))?;
        task.touched_in = command;
        let took = now - task.started;
        let agent = self.agent_mut(lease.agent).ok_or_else(|| missing("the agent"))?;
        agent.running = agent.running.saturating_sub(1);
        agent.busy_ms += took;
        agent.longest_ms = agent.longest_ms.max(took);
        count(agent);
        Ok(())
    }

    fn refuse_after_cancel(&self, id: u64) -> Checked {
        let asked = self.tasks.get(&id).is_some_and(|task| task.cancel_requested);
        ensure!(!asked, "cancel", "t{id} was called off and must end in cancelled");
        Ok(())
    }

    pub(super) fn task_completed(&mut self, body: &Body<'_>) -> Checked {
        let now = self.at;
        let attempt = self.attempt(body)?;
        self.refuse_after_cancel(attempt.id)?;
        self.free(attempt.id, |agent| {
            agent.completed += 1;
            agent.heard(now);
        })?;
        self.end(attempt.id, End::Completed)
    }

    pub(super) fn task_failed(&mut self, body: &Body<'_>) -> Checked {
        let now = self.at;
        if body.agent_id.is_none() {
            let (id, task) = self.open_task(body)?;
            ensure!(task.lease.is_none(), "graph", "t{id} runs and fails without a report");
            ensure!(!body.retry, "graph", "t{id}: a failed dependency is no attempt");
            let depends_on = task.depends_on.clone();
            let failed = |id: &u64| self.tasks.get(id).is_some_and(|needed| needed.end == Some(End::Failed));
            ensure!(depends_on.iter().any(failed), "graph", "t{id}: no dependency of it failed");
            return self.end(id, End::Failed);
        }
        let attempt = self.attempt(body)?;
        self.refuse_after_cancel(attempt.id)?;
        let code = body.error.as_ref().map_or("", |error| &error.code).to_string();
        self.free(attempt.id, |agent| {
            agent.failed += 1;
            agent.heard(now);
        })?;
        self.again(&attempt, &code, body)
    }

    pub(super) fn lease_expired(&mut self, body: &Body<'_>) -> Checked {
        let now = self.at;
        let attempt = self.attempt(body)?;
        self.refuse_after_cancel(attempt.id)?;
        let over = self.holds(attempt.id, attempt.agent, attempt.epoch).is_some_and(|l| l.expires <= now);
        let lost = self.agent(attempt.agent).is_some_and(|agent| agent.lost);
        ensure!(over || lost, "lease", "t{} has a lease that has not run out", attempt.id);
        self.free(attempt.id, |agent| {
            agent.failed += 1;
            agent.expired += 1;
        })?;
        self.again(&attempt, "lease_expired", body)
    }

    pub(super) fn task_released(&mut self, body: &Body<'_>) -> Checked {
        let now = self.at;
        let attempt = self.attempt(body)?;
        self.refuse_after_cancel(attempt.id)?;
        self.free(attempt.id, |agent| {
            agent.released += 1;
            // What a retired agent held comes back without a word from it.
            if !agent.retired {
                agent.heard(now);
            }
        })?;
        let (_, task) = self.open_task(body)?;
        task.released += 1;
        task.ready_at = if task.held { 0 } else { now };
        Ok(())
    }

    pub(super) fn task_timed_out(&mut self, body: &Body<'_>) -> Checked {
        let now = self.at;
        let (id, task) = self.open_task(body)?;
        let due = match &*body.deadline {
            "queue" => task.queue_due(),
            "run" => task.run_due(),
            "total" => task.total_due(),
            _ => None,
        };
        ensure!(due.is_some_and(|due| due <= now), "deadline", "t{id}: {} is due at {due:?}", body.deadline);
        let runs = task.lease.is_some();
        if runs {
            let attempt = self.attempt(body)?;
            self.refuse_after_cancel(attempt.id)?;
            self.free(id, |agent| agent.failed += 1)?;
            if body.deadline == "run" {
                return self.again(&attempt, "run_timeout", body);
            }
        }
        ensure!(!body.retry, "deadline", "t{id}: a {} deadline ends the task", body.deadline);
        self.end(id, End::Failed)
    }

    /// A failed attempt: whether it is tried again and when is what the policy says.
    fn again(&mut self, attempt: &Attempt, code: &str, body: &Body<'_>) -> Checked {
        let (now, id) = (self.at, attempt.id);
        let (_, task) = self.open_task(body)?;
        let counted = task.attempts - task.released;
        ensure!(
            counted <= (task.max_retries + 1).max(task.granted),
            "retries",
            "t{id}: {counted} attempts with {} retries",
            task.max_retries
        );
        let may = counted <= task.max_retries && !task.non_retryable.iter().any(|word| word == code);
        ensure!(
            may == body.retry,
            "retries",
            "t{id}: retry {} after {counted} attempts of {} + 1, code {code}",
            body.retry,
            task.max_retries
        );
        if !body.retry {
            return self.end(id, End::Failed);
        }
        let doublings = 1u64 << (counted - 1).min(32);
        let least = task.backoff.saturating_mul(doublings).min(task.max_backoff);
        let most = least.saturating_add(least.saturating_mul(task.jitter) / 100).min(task.max_backoff);
        let wait = body.not_before_ms.saturating_sub(now);
        ensure!(
            (least..=most.max(least)).contains(&wait) && body.not_before_ms >= now,
            "backoff",
            "t{id}: waits {wait} ms, not {least} to {most}"
        );
        ensure!(wait >= task.last_wait, "backoff", "t{id}: waits {wait} ms after {} ms", task.last_wait);
        task.last_wait = wait;
        task.not_before = body.not_before_ms;
        task.ready_at = if task.held { 0 } else { now };
        Ok(())
    }

    pub(super) fn task_cancelled(&mut self, body: &Body<'_>) -> Checked {
        let (id, task) = self.open_task(body)?;
        let (runs, asked) = (task.lease.is_some(), task.cancel_requested);
        if body.requested {
            ensure!(runs && !asked, "cancel", "t{id} is {} and asked to stop", task.state());
            task.cancel_requested = true;
            return Ok(());
        }
        ensure!(runs == asked, "cancel", "t{id} is {} and ends without being asked", task.state());
        task.not_needed = body.code == "not_needed";
        task.cancel_requested = true;
        if runs {
            self.free(id, |agent| agent.cancelled += 1)?;
        } else if body.code == "not_needed" {
            self.check_not_needed(id)?;
        }
        self.end(id, End::Cancelled)
    }

    fn check_not_needed(&self, id: u64) -> Checked {
        let Some(task) = self.tasks.get(&id) else { return Ok(()) };
        let done = |id: &u64| self.tasks.get(id).is_some_and(|other| other.end == Some(End::Completed));
        let useless = |id: &u64| self.tasks.get(id).is_some_and(|other| other.not_needed);
        let waits = || task.depends_on.iter().chain(&task.after_failure);
        let holds = task.after_failure.iter().any(done) || waits().any(useless);
        ensure!(holds, "graph", "t{id} is not needed, but no failure it waits for is ruled out");
        Ok(())
    }

    /// The task has ended: those that wait for it wait for one less, or for ever.
    fn end(&mut self, id: u64, end: End) -> Checked {
        let (now, command) = (self.at, self.command);
        let task = self.tasks.get_mut(&id).ok_or_else(|| missing("the task"))?;
        task.end = Some(end);
        task.touched_in = command;
        let (goal, dependents) = (task.goal, task.dependents.clone());
        self.open.remove(&id);
        self.ended.push(id);
        if let Some(goal) = goal.and_then(|goal| self.goal_mut(goal)) {
            goal.open = goal.open.saturating_sub(1);
        }
        for dependent in dependents {
            let Some(task) = self.tasks.get(&dependent) else { continue };
            let waits = self.unmet(task);
            if let Some(task) = self.tasks.get_mut(&dependent).filter(|task| task.end.is_none()) {
                if task.waits > 0 && waits == 0 && !task.held {
                    task.ready_at = now;
                }
                task.waits = waits;
            }
        }
        Ok(())
    }
}
