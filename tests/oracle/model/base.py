"""The state of the model, its clock, and what can be read off it by looking at everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from model import resources
from model.nouns import DAY_MS, Agent, Goal, Json, Refused, Task

# What a tick can do, in the order in which it does it at the same time.
TIMERS = ("total", "run", "lease", "queue", "silence")

# Where jitter leaves a range, this says which time of it the core took: task, first, last.
Choose = Callable[[str, int, int], int]


def earliest(_task: str, first: int, _last: int) -> int:
    """The time that a wait without jitter ends."""
    return first


class Base:
    """Everything there is, and every rule that only looks."""

    def __init__(self, choose: Choose = earliest) -> None:
        self.choose = choose
        self.made: Json = {}
        self.paused = False
        self.now = 0
        self.last_at = 0
        self.sequence = 0
        self.loose_served = 0
        self.tasks: dict[str, Task] = {}
        self.agents: dict[str, Agent] = {}
        self.goals: dict[str, Goal] = {}
        self.events: list[Json] = []

    def emit(self, kind: str, **fields: Any) -> None:
        """Log an event; only what is given is compared."""
        self.sequence += 1
        self.last_at = self.now
        self.events.append({"kind": kind, **fields})

    # What is there.

    def task(self, request: Json, name: str = "taskId") -> Task:
        """The task that a request names."""
        found = self.tasks.get(request.get(name, ""))
        if found is None:
            raise Refused("not_found")
        return found

    def agent(self, request: Json, name: str = "agentId") -> Agent:
        """The agent that a request names."""
        found = self.agents.get(request.get(name, ""))
        if found is None:
            raise Refused("not_found")
        return found

    def goal(self, request: Json, name: str = "goalId") -> Goal:
        """The goal that a request names."""
        found = self.goals.get(request.get(name, ""))
        if found is None:
            raise Refused("not_found")
        return found

    def in_order(self, ids: Iterable[str]) -> list[Task]:
        """Tasks by number."""
        return sorted((self.tasks[id_] for id_ in ids), key=lambda task: task.number)

    def all_tasks(self) -> list[Task]:
        """Every task by number."""
        return self.in_order(self.tasks)

    def running_of(self, agent: Agent) -> list[Task]:
        """What an agent runs."""
        return [task for task in self.all_tasks() if task.holder == agent.id]

    def tasks_of(self, goal: Goal) -> list[Task]:
        """The tasks of a goal."""
        return [task for task in self.all_tasks() if task.goal == goal.id]

    # The graph.

    def waits_for(self, task: Task) -> list[str]:
        """Tasks that have not completed yet, of those that must."""
        return [id_ for id_ in task.depends if self.tasks[id_].phase != "completed"]

    def waits_for_failure_of(self, task: Task) -> list[str]:
        """Tasks that have not failed yet, of those that must."""
        return [id_ for id_ in task.after if self.tasks[id_].phase != "failed"]

    def can_never_end(self, depends: set[str], after: set[str]) -> bool:
        """True if one of the waits can never be over."""
        there = self.tasks.values()
        return any(
            (task.id in depends and task.phase in ("failed", "cancelled"))
            or (task.id in after and task.phase in ("completed", "cancelled"))
            for task in there
        )

    def reaches(self, start: set[str], goal: str) -> bool:
        """True if waiting for these tasks means to wait for `goal`; what has ended waits no more."""
        seen: set[str] = set()
        ahead = list(start)
        while ahead:
            id_ = ahead.pop()
            if id_ == goal:
                return True
            if id_ not in seen and id_ in self.tasks and not self.tasks[id_].ended:
                seen.add(id_)
                ahead += [*self.tasks[id_].depends, *self.tasks[id_].after]
        return False

    # States.

    def state(self, task: Task) -> str:
        """The state that the outside sees."""
        if task.phase != "waiting":
            return task.phase
        if task.held:
            return "paused"
        if self.waits_for(task) or self.waits_for_failure_of(task):
            return "blocked"
        return "ready"

    def agent_state(self, agent: Agent) -> str:
        """The state that the outside sees."""
        if agent.retired:
            return "retired"
        if agent.lost:
            return "lost"
        if agent.paused:
            return "paused"
        return "busy" if self.running_of(agent) else "idle"

    # Time.

    def queue_deadline(self, task: Task) -> int:
        """When a ready task has waited too long for a worker; 0 for never."""
        if not task.queue or self.state(task) != "ready":
            return 0
        return max(task.ready_at, task.not_before) + task.queue

    def run_deadline(self, task: Task) -> int:
        """When the attempt of a running task has taken too long; 0 for never."""
        return task.started + task.run if task.run and task.phase == "running" else 0

    def total_deadline(self, task: Task) -> int:
        """When a task has taken too long in all; 0 for never."""
        return task.created + task.total if task.total and not task.ended else 0

    def is_over(self, deadline: int) -> bool:
        """True if there is such a deadline and it has come."""
        return 0 < deadline <= self.now

    def timers(self) -> list[tuple[int, int, int, str]]:
        """Everything that a tick could do: time, place of its kind in TIMERS, number, id."""
        found = []
        for task in self.all_tasks():
            found += [
                (when, TIMERS.index(kind), task.number, task.id)
                for kind, when in (
                    ("total", self.total_deadline(task)),
                    ("run", self.run_deadline(task)),
                    ("lease", task.lease_end),
                    ("queue", self.queue_deadline(task)),
                )
            ]
        for agent in self.agents.values():
            if agent.silence and not agent.lost and not agent.retired:
                when = agent.last_seen + agent.silence
                found.append((when, TIMERS.index("silence"), agent.number, agent.id))
        return sorted(timer for timer in found if timer[0])

    def next_deadline(self) -> int:
        """When a tick has something to do; 0 if nothing waits."""
        return min((timer[0] for timer in self.timers()), default=0)

    # Who may run what.

    def counted(self, task: Task) -> int:
        """How many attempts count as tries."""
        return task.attempts - task.released

    def may_retry(self, task: Task, code: str) -> bool:
        """True if a failed attempt with this code is followed by another."""
        return self.counted(task) < task.max_retries + 1 and code not in task.non_retryable

    def retry_time(self, task: Task) -> int:
        """When the next attempt may begin."""
        most = task.max_backoff or DAY_MS
        wait = min(task.backoff << (self.counted(task) - 1), most)
        longest = min(wait + wait * task.jitter // 100, most)
        if longest == wait:
            return self.now + wait
        return self.choose(task.id, self.now + wait, self.now + longest)

    def blocked_by_resource(self, task: Task) -> bool:
        """True if a running task holds what this one needs."""
        for other in self.all_tasks():
            if other.phase != "running" or other is task:
                continue
            for key, mode in task.resources.items():
                for held, how in other.resources.items():
                    if resources.keys_meet(key, held) and "exclusive" in (mode, how):
                        return True
        return False

    def task_rule(self, task: Task) -> str:
        """The first rule that keeps any agent from the task; empty if there is none."""
        if task.ended:
            return "ended"
        if task.phase == "running":
            return "running"
        if task.held:
            return "paused"
        if self.waits_for(task):
            return "dependency"
        if self.waits_for_failure_of(task):
            return "after_failure"
        if task.not_before > self.now:
            return "backoff"
        if self.is_over(self.queue_deadline(task)) or self.is_over(self.total_deadline(task)):
            return "deadline"
        if task.goal and self.goals[task.goal].paused:
            return "goal_paused"
        if self.paused:
            return "swarm_paused"
        return "resource" if self.blocked_by_resource(task) else ""

    def agent_rule(self, task: Task, agent: Agent) -> str:
        """The first rule that keeps this agent from a task that another might run."""
        if task.assigned not in ("", agent.id):
            return "assigned"
        if not task.capabilities <= agent.capabilities | {agent.type}:
            return "capability"
        if agent.retired:
            return "agent_retired"
        if agent.paused:
            return "agent_paused"
        return "capacity" if len(self.running_of(agent)) >= agent.capacity else ""

    def rule(self, task: Task, agent: Agent) -> str:
        """The first rule that keeps this agent from the task; empty if it may start it."""
        return self.task_rule(task) or self.agent_rule(task, agent)

    def served(self, task: Task) -> int:
        """When the task's goal was served last, as an event's number."""
        return self.goals[task.goal].served if task.goal else self.loose_served

    def next_task(self, agent: Agent, but: Task | None = None) -> Task | None:
        """What a claim of this agent takes."""
        others = [task for task in self.all_tasks() if task is not but]
        may = [task for task in others if not self.rule(task, agent)]
        if not may:
            return None
        return min(may, key=lambda task: (-task.priority, self.served(task), task.number))
