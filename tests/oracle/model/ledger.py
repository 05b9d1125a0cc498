"""The model's operations: what each answers, and what it does."""

from __future__ import annotations

from model.base import TIMERS
from model.graph import Graph
from model.nouns import Agent, Answer, Goal, Json, Refused, Task, none_refused

# A tick stops after so many timers.
MOST_TIMERS = 1000


class Ledger(Graph):
    """The model: `step` takes a request and tells what must come of it."""

    def step(self, operation: str, request: Json, now: int) -> Answer:
        """Carry out one request at a reading of the clock."""
        self.now = max(now, self.last_at)
        self.events = []
        try:
            if operation != "swarm_init" and not self.made:
                raise Refused("failed_precondition")
            fields: Json = getattr(self, operation)(request)
        except Refused as refused:
            assert not self.events, "a refusal comes before the first change"
            return Answer(codes=refused.codes)
        return Answer(fields=fields, events=self.events)

    def swarm_init(self, request: Json) -> Json:
        """Create the swarm, or join it."""
        if self.made:
            if any(self.made.get(name, value) != value for name, value in request.items()):
                raise Refused("conflict")
            return {"created": False}
        if not request.get("swarmId"):
            raise Refused("invalid_argument")
        self.made = {"maxAgents": 100, **request}
        self.emit("SwarmCreated")
        return {"created": True}

    def agent_heartbeat(self, request: Json) -> Json:
        """Tell that an agent is there."""
        self.check_active(request)
        agent = self.agent(request)
        self.emit("AgentHeartbeat", agentId=agent.id)
        self.heard_of(agent)
        return {"agent": agent.id}

    def agent_retire(self, request: Json) -> Json:
        """Take an agent out for good."""
        self.check_active(request)
        agent = self.agent(request)
        heir_id = f"a{len(self.agents) + 1}" if request.get("replace") else ""
        self.emit("AgentRetired", agentId=agent.id, replacedBy=heir_id)
        agent.retired = True
        heir = self.heir(agent) if heir_id else None
        for task in self.all_tasks():
            if heir and not task.ended and task.assigned == agent.id:
                task.assigned = heir.id
        released: list[str] = []
        cancelled: list[str] = []
        for task in self.running_of(agent):
            self.give_back(task)
            (cancelled if task.ended else released).append(task.id)
        answer = {"agent": agent.id, "released": released, "cancelled": cancelled}
        return {**answer, "replacement": heir.id if heir else ""}

    def heir(self, agent: Agent) -> Agent:
        """An agent of the same kind."""
        return self.add_agent(
            type=agent.type,
            name=agent.name,
            capabilities=set(agent.capabilities),
            capacity=agent.capacity,
            silence=agent.silence,
        )

    def agent_metrics(self, request: Json) -> Json:
        """Which agents are counted; the counts are compared with everything else."""
        return {"metrics": [self.agent(request).id] if request else list(self.agents)}

    def task_claim(self, request: Json) -> Json:
        """Take a task under a lease."""
        named = bool(request.get("taskId"))
        none_refused(
            lambda: self.check_active(request),
            lambda: self.lease_ms(request),
            lambda: self.task(request) if named else None,
        )
        agent, length = self.agent(request), self.lease_ms(request)
        task = self.task(request) if named else self.next_task(agent)
        if named and task and self.rule(task, agent):
            raise Refused("failed_precondition")
        if task:
            self.start(task, agent, length)
        return {"task": task.id if task else ""}

    def held_task(self, request: Json) -> Task:
        """The running task whose live lease a request names."""
        task, agent = self.task(request), self.agent(request)
        epoch = int(request.get("epoch", 0))
        if task.holder == agent.id and task.attempts == epoch:
            return task
        # Of a task that has ended the core may say that, or that the epoch is over; both are right.
        raise Refused("stale_epoch", *(["failed_precondition"] if task.ended else []))

    def task_heartbeat(self, request: Json) -> Json:
        """Extend a lease."""
        none_refused(lambda: self.held_task(request), lambda: self.lease_ms(request))
        task, length = self.held_task(request), self.lease_ms(request)
        task.lease_end = max(task.lease_end, self.now + length)
        self.emit("TaskHeartbeat", taskId=task.id, expiresAtMs=task.lease_end)
        self.heard_of(self.agents[task.holder])
        lease = {"agentId": task.holder, "epoch": task.attempts, "expiresAtMs": task.lease_end}
        return {"lease": lease, "cancelRequested": task.stop}

    def task_report(self, request: Json) -> Json:
        """End the attempt of a running task, and claim the next one if that was asked for."""
        none_refused(
            lambda: self.held_task(request),
            lambda: self.lease_ms(request),
            lambda: self.check_outcome(request),
        )
        task, length = self.held_task(request), self.lease_ms(request)
        outcome, error = request["outcome"], request.get("error", {})
        agent = self.agents[task.holder]
        self.heard_of(agent)
        if task.stop:
            # The event that ends it does not name the agent.
            self.emit("AgentHeartbeat", agentId=agent.id)
        if outcome == "released":
            self.give_back(task)
        elif outcome == "failed":
            self.fail_attempt(task, "TaskFailed", error.get("code") or "failed")
        elif task.stop:
            self.end_as_cancelled(task)
        else:
            self.end_attempt(task, "completed")
            self.emit("TaskCompleted", taskId=task.id, agentId=agent.id, epoch=task.attempts)
            self.finish(task, "completed")
        following = self.next_after(task, agent) if request.get("claimNext") else None
        if following:
            self.start(following, agent, length)
        return {"task": task.id, "next": following.id if following else ""}

    def check_active(self, request: Json) -> None:
        """Refuse an agent that is not there, or has retired."""
        if self.agent(request).retired:
            raise Refused("failed_precondition")

    def check_outcome(self, request: Json) -> None:
        """Refuse a report that does not say how the attempt ended, or not why it failed."""
        outcome, error = request.get("outcome"), request.get("error", {})
        if outcome not in ("completed", "failed", "released"):
            raise Refused("invalid_argument")
        if outcome == "failed" and not error.get("message"):
            raise Refused("invalid_argument")

    def next_after(self, reported: Task, agent: Agent) -> Task | None:
        """What the same agent claims in the decision in which it reported a task: another one."""
        return self.next_task(agent, but=reported)

    def task_cancel(self, request: Json) -> Json:
        """Call off a task, or a goal with all its tasks."""
        self.one_of(request, "taskId", "goalId")
        if not request:
            raise Refused("invalid_argument")
        tasks = [self.task(request)] if "taskId" in request else self.tasks_of(self.goal(request))
        before = {task.id for task in self.all_tasks() if task.ended}
        for task in tasks:
            if not task.ended:
                self.cancel(task)
        ended = [task.id for task in self.all_tasks() if task.ended and task.id not in before]
        return {"cancelled": ended, "stopping": [task.id for task in tasks if task.holder]}

    def one_of(self, request: Json, *names: str) -> None:
        """Refuse a request that names more than one thing."""
        if sum(name in request for name in names) > 1:
            raise Refused("invalid_argument")

    def task_list(self, request: Json) -> Json:
        """Tasks that pass the filters, a page of them."""
        limit = request.get("limit", 100)
        start = self.task(request, "after").number if request.get("after") else 0
        found = [
            task.id
            for task in self.all_tasks()
            if task.number > start
            and request.get("state", self.state(task)) == self.state(task)
            and request.get("goalId", task.goal) == task.goal
            and request.get("agentId", task.last_agent) == task.last_agent
            and ("label" not in request or request["label"] in task.labels)
        ]
        page = found[:limit]
        return {"tasks": page, "nextAfter": page[-1] if len(found) > limit else ""}

    def task_explain(self, request: Json) -> Json:
        """The first rule that keeps a task from running; None if it is about agents at large."""
        task = self.task(request)
        rule: str | None = self.task_rule(task)
        if request.get("agentId"):
            agent = self.agent(request)
            rule = rule or self.agent_rule(task, agent)
            claimable = not rule
        else:
            there = [agent for agent in self.active() if not agent.lost]
            claimable = any(not self.rule(task, agent) for agent in there)
            rule = rule or None
        return {"state": self.state(task), "claimable": claimable, "rule": rule}

    def target(self, request: Json) -> Task | Goal | Agent | None:
        """What a pause or a resume names; None for the whole swarm."""
        self.one_of(request, "taskId", "goalId", "agentId")
        if "taskId" in request:
            return self.task(request)
        if "goalId" in request:
            return self.goal(request)
        return self.agent(request) if "agentId" in request else None

    def has_ended(self, target: Task | Goal | Agent | None) -> bool:
        """True if nothing of it can start any more."""
        if isinstance(target, Task):
            return target.ended
        if isinstance(target, Goal):
            return target.state != "running"
        return isinstance(target, Agent) and target.retired

    def set_paused(self, target: Task | Goal | Agent | None, value: bool) -> bool:
        """Hold something back or let it go; tell whether that changed anything."""
        if isinstance(target, Task):
            before, target.held = target.held, value
        elif target is None:
            before, self.paused = self.paused, value
        else:
            before, target.paused = target.paused, value
        return before != value

    def swarm_pause(self, request: Json) -> Json:
        """Hold something back."""
        target = self.target(request)
        if self.has_ended(target):
            raise Refused("failed_precondition")
        changed = self.set_paused(target, True)
        if changed:
            self.emit("Paused", **request)
        running = [task.id for task in self.all_tasks() if task.holder]
        if target:
            running = [id_ for id_ in running if self.belongs(self.tasks[id_], target)]
        return {"paused": target.id if target else None, "changed": changed, "running": running}

    def belongs(self, task: Task, target: Task | Goal | Agent) -> bool:
        """True if a task is, is part of, or is held by the target."""
        return target.id in (task.id, task.goal, task.holder)

    def swarm_resume(self, request: Json) -> Json:
        """Let go on what was held back."""
        target = self.target(request)
        if self.has_ended(target):
            raise Refused("failed_precondition")
        changed = self.set_paused(target, False)
        if changed:
            self.emit("Resumed", **request)
            if isinstance(target, Task):
                self.note_ready(target)
        return {"resumed": target.id if target else None, "changed": changed}

    def tick(self, _: Json) -> Json:
        """Let time pass: what is due is handled in its order, a task once."""
        handled: set[str] = set()
        answer: Json = {"expired": [], "timedOut": [], "lost": []}
        due = [timer for timer in self.timers() if self.is_over(timer[0])][:MOST_TIMERS]
        for _when, kind, _number, id_ in due:
            if TIMERS[kind] == "silence":
                self.lose(self.agents[id_], handled, answer)
            elif id_ not in handled and not self.tasks[id_].ended:
                handled.add(id_)
                if TIMERS[kind] == "lease":
                    self.expire(self.tasks[id_])
                    answer["expired"].append(id_)
                else:
                    self.time_out(self.tasks[id_], TIMERS[kind])
                    answer["timedOut"].append(id_)
        return answer

    def lose(self, agent: Agent, handled: set[str], answer: Json) -> None:
        """An agent was silent for too long; what it holds comes back."""
        self.emit("AgentLost", agentId=agent.id)
        agent.lost = True
        answer["lost"].append(agent.id)
        for task in self.running_of(agent):
            handled.add(task.id)
            self.expire(task)
            answer["expired"].append(task.id)
