//! The end of a world: no more faults, and everything that can end ends.

use crate::client::{roll, WORDS};
use crate::line;
use crate::request::Request;
use crate::shadow::Rule;
use crate::violation::{ensure, Checked};
use crate::world::World;

impl World {
    /// Ends the faults, lets workers finish, and demands that what is left waits for a person; then does
    /// what that person would, and demands that all ends.
    pub(crate) fn drain(&mut self) -> Checked {
        self.hosts.truncate(1);
        self.hosts[0].up = true;
        self.hosts[0].skew = 0;
        self.hosts[0].naive = false;
        self.reload(0)?;
        self.finish()?;
        self.check_waits()?;
        self.let_go()?;
        self.finish()?;
        let shadow = &self.checker.shadow;
        let left: Vec<String> = shadow
            .open
            .iter()
            .filter_map(|id| Some(format!("t{id} is {}", shadow.tasks.get(id)?.state())))
            .collect();
        ensure!(left.is_empty(), "liveness", "nothing forbids it, but {}", left.join(", "));
        let open = shadow.goals.iter().position(|goal| goal.end.is_none() && !goal.tasks.is_empty());
        ensure!(open.is_none(), "liveness", "goal number {open:?} has not ended");
        self.check_whole(0, true)
    }

    /// Workers claim and complete until nothing moves; time goes from one deadline to the next.
    fn finish(&mut self) -> Checked {
        let shadow = &self.checker.shadow;
        let live = shadow.agents.len() + shadow.open.len();
        let bound = self.checker.tally.commands + 100 + 60 * live as u64;
        loop {
            let mut moved = false;
            for id in self.checker.shadow.running.clone() {
                // Some leases are of workers that are gone for good: they run out.
                if !roll(&mut self.rng, 3_000) {
                    moved |= self.complete(id)?;
                }
            }
            for agent in 1..=self.checker.shadow.agents.len() as u64 {
                while let Some(task) = self.claim(agent)? {
                    moved = true;
                    self.complete(task)?;
                }
            }
            let commands = self.checker.tally.commands;
            ensure!(commands < bound, "liveness", "{commands} commands, and the world still moves");
            if !moved && !self.pass_time()? {
                return Ok(());
            }
        }
    }

    fn claim(&mut self, agent: u64) -> Checked<Option<u64>> {
        if self.checker.shadow.agent(agent).is_none_or(|agent| agent.retired) {
            return Ok(None);
        }
        let request = Request::new().text("agentId", format_args!("a{agent}")).done();
        let answer = self.direct("task_claim", request)?;
        let task = answer.ok().and_then(|decision| line::answer(&decision.response).task);
        Ok(task.map(|task| task.id.0))
    }

    fn complete(&mut self, id: u64) -> Checked<bool> {
        let Some(lease) = self.checker.shadow.tasks.get(&id).and_then(|task| task.lease) else {
            return Ok(false);
        };
        let request = Request::new()
            .text("taskId", format_args!("t{id}"))
            .text("agentId", format_args!("a{}", lease.agent))
            .raw("epoch", lease.epoch)
            .text("outcome", "completed");
        Ok(self.direct("task_report", request.done())?.is_ok())
    }

    /// Goes to the next moment at which something may happen by itself; false if there is none.
    fn pass_time(&mut self) -> Checked<bool> {
        let now = self.hosts[0].now(self.time).max(self.checker.shadow.at);
        let shadow = &self.checker.shadow;
        let waits = shadow.open.iter().filter_map(|id| shadow.tasks.get(id)).map(|task| task.not_before);
        let next = waits.filter(|time| *time > now).chain(shadow.next_deadline()).min();
        let Some(next) = next else { return Ok(false) };
        self.time += next.saturating_sub(now);
        let tick = self.direct("tick", "{}".into())?;
        ensure!(tick.is_ok(), "liveness", "a tick is refused: {tick:?}");
        Ok(true)
    }

    /// Every task that is left waits for something that no time and no worker brings.
    fn check_waits(&mut self) -> Checked {
        let now = self.checker.shadow.at;
        for id in self.checker.shadow.open.clone() {
            let shadow = &self.checker.shadow;
            let Some(task) = shadow.tasks.get(&id) else { continue };
            let reason = shadow.held_back(id, task, now);
            let holds = match reason {
                Some(Rule::Paused | Rule::Waits | Rule::GoalPaused | Rule::SwarmPaused) => true,
                Some(_) => false,
                None => !shadow.has_worker(task),
            };
            ensure!(holds, "liveness", "t{id} is {} and nobody runs it: {reason:?}", task.state());
            let explain = Request::new().text("taskId", format_args!("t{id}")).done();
            if let Ok(decision) = self.direct("task_explain", explain)? {
                let claimable = line::answer(&decision.response).claimable;
                ensure!(!claimable, "explain", "{reason:?}, but: {}", decision.response);
            }
        }
        Ok(())
    }

    /// Resumes all, hires somebody who can do anything, and assigns nothing to anyone.
    fn let_go(&mut self) -> Checked {
        let shadow = &self.checker.shadow;
        let mut wishes = vec![];
        let named = |field: &str, id: String| Request::new().text(field, id).done();
        if shadow.paused {
            wishes.push(("swarm_resume", "{}".to_string()));
        }
        for (number, goal) in (1..).zip(&shadow.goals) {
            if goal.paused && goal.end.is_none() {
                wishes.push(("swarm_resume", named("goalId", format!("g{number}"))));
            }
        }
        let mut there: Vec<u64> = vec![];
        for (number, agent) in (1u64..).zip(&shadow.agents).filter(|(_, agent)| !agent.retired) {
            there.push(number);
            if agent.paused {
                wishes.push(("swarm_resume", named("agentId", format!("a{number}"))));
            }
        }
        if there.len() as u64 >= shadow.max_agents {
            wishes.push(("agent_retire", named("agentId", format!("a{}", there[0]))));
        }
        for (id, task) in shadow.open.iter().filter_map(|id| Some((id, shadow.tasks.get(id)?))) {
            if task.held {
                wishes.push(("swarm_resume", named("taskId", format!("t{id}"))));
            }
            if task.assigned_to.is_some() {
                let request = Request::new().text("taskId", format_args!("t{id}")).text("assignedTo", "");
                wishes.push(("task_update", request.done()));
            }
        }
        let helper = Request::new().text("type", "helper").texts("capabilities", WORDS).raw("capacity", 4);
        wishes.push(("agent_spawn", helper.done()));
        for (operation, request) in wishes {
            let answer = self.direct(operation, request.clone())?;
            ensure!(answer.is_ok(), "liveness", "{operation} {request} is refused: {answer:?}");
        }
        Ok(())
    }
}
