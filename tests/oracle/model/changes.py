"""What happens to tasks: claims, ends of attempts, and what follows from an end."""

from __future__ import annotations

from typing import Any

from model.base import Base
from model.nouns import LEASE_MS, TIMEOUTS, Agent, Goal, Json, Refused, Task


class Changes(Base):
    """The rules that change something."""

    def heard_of(self, agent: Agent) -> None:
        """An agent gave a sign of life; one that was lost is back."""
        agent.last_seen = self.now
        agent.lost = False

    def lease_ms(self, request: Json) -> int:
        """The length of a lease that a request asks for."""
        length = int(request.get("leaseMs", LEASE_MS))
        if not 1000 <= length <= 86_400_000:
            raise Refused("invalid_argument")
        return length

    def note_ready(self, task: Task) -> None:
        """Call it when a task may just have become ready."""
        if self.state(task) == "ready":
            task.ready_at = self.now

    def start(self, task: Task, agent: Agent, length: int) -> None:
        """An agent claims a task."""
        task.attempts += 1
        task.phase = "running"
        task.holder = task.last_agent = agent.id
        task.lease_end = self.now + length
        task.started = self.now
        task.not_before = 0
        task.error = ""
        self.emit(
            "TaskClaimed",
            taskId=task.id,
            agentId=agent.id,
            epoch=task.attempts,
            expiresAtMs=task.lease_end,
        )
        self.heard_of(agent)
        if task.goal:
            self.goals[task.goal].served = self.sequence
        else:
            self.loose_served = self.sequence

    def end_attempt(self, task: Task, counter: str) -> None:
        """The attempt of a running task is over; `counter` says as what it counts."""
        agent = self.agents[task.holder]
        setattr(agent, counter, getattr(agent, counter) + 1)
        took = self.now - task.started
        agent.busy += took
        agent.longest = max(agent.longest, took)
        task.phase = "waiting"
        task.holder = ""
        task.lease_end = 0

    def end_as_cancelled(self, task: Task) -> None:
        """The attempt of a task that was called off is over, whatever ended it."""
        self.end_attempt(task, "cancelled")
        self.emit("TaskCancelled", taskId=task.id, requested=False)
        self.finish(task, "cancelled", "cancelled")

    def fail_attempt(
        self, task: Task, kind: str, code: str, final: bool = False, **more: Any
    ) -> None:
        """An attempt failed: the task is tried again or fails for good."""
        if task.stop:
            self.end_as_cancelled(task)
            return
        agent, again = self.agents[task.holder], not final and self.may_retry(task, code)
        when = self.retry_time(task) if again else 0
        self.end_attempt(task, "failed")
        if kind == "LeaseExpired":
            self.count_lost_lease(agent)
        names = {"taskId": task.id, "agentId": agent.id, "epoch": task.attempts}
        self.emit(kind, **names, retry=again, notBeforeMs=when, **more)
        task.error = code
        if again:
            task.not_before = when
            self.note_ready(task)
        else:
            self.finish(task, "failed", code)

    def count_lost_lease(self, agent: Agent) -> None:
        """One of the failed attempts lost its lease."""
        agent.expired += 1

    def give_back(self, task: Task) -> None:
        """An attempt ends without fault."""
        if task.stop:
            self.end_as_cancelled(task)
            return
        names = {"taskId": task.id, "agentId": task.holder, "epoch": task.attempts}
        self.end_attempt(task, "released")
        self.emit("TaskReleased", **names)
        self.count_released(task)
        self.note_ready(task)

    def count_released(self, task: Task) -> None:
        """A given-back attempt does not count as a try."""
        task.released += 1

    def expire(self, task: Task) -> None:
        """The lease of a running task is over."""
        self.fail_attempt(task, "LeaseExpired", "lease_expired")

    def time_out(self, task: Task, deadline: str) -> None:
        """A deadline of a task has passed; only that of one attempt may be followed by another."""
        code = TIMEOUTS[deadline]
        if task.phase == "running":
            self.fail_attempt(task, "TaskTimedOut", code, deadline != "run", deadline=deadline)
            return
        self.emit("TaskTimedOut", taskId=task.id, agentId="", deadline=deadline, retry=False)
        self.finish(task, "failed", code)

    def cancel(self, task: Task) -> None:
        """Call off a task that has not ended."""
        if task.phase != "running":
            self.emit("TaskCancelled", taskId=task.id, requested=False)
            self.finish(task, "cancelled", "cancelled")
        elif not task.stop:
            task.stop = True
            task.error = "cancelled"
            self.emit("TaskCancelled", taskId=task.id, requested=True)

    # What follows from an end.

    def finish(self, task: Task, phase: str, code: str = "") -> None:
        """A task has ended, and with it whatever can no longer run; breadth first."""
        self.end(task, phase, code)
        ahead = [task]
        while ahead:
            ahead += self.ended_by(ahead.pop(0))
        self.finish_goals()

    def end(self, task: Task, phase: str, code: str) -> None:
        """Put a task into its final state."""
        task.phase, task.error, task.finished = phase, code, self.now
        task.lease_end = task.not_before = 0

    def ended_by(self, ended: Task) -> list[Task]:
        """End the waiting tasks that one ended task ends, and free those that waited for it last."""
        found = []
        for other in self.all_tasks():
            if other.phase != "waiting" or ended.id not in other.depends | other.after:
                continue
            phase, code = self.fate(other, ended)
            if phase == "failed":
                self.emit("TaskFailed", taskId=other.id, agentId="", retry=False)
            elif phase == "cancelled":
                told = "" if code == "cancelled" else code
                self.emit("TaskCancelled", taskId=other.id, requested=False, code=told)
            if phase:
                self.end(other, phase, code)
                found.append(other)
            else:
                self.note_ready(other)
        return found

    def fate(self, other: Task, ended: Task) -> tuple[str, str]:
        """How one task that waits for another ends by its end, and with which code."""
        if ended.phase == "cancelled":
            return "cancelled", ended.error
        if ended.phase == "failed" and ended.id in other.depends:
            return "failed", "dependency_failed"
        if ended.phase == "completed" and ended.id in other.after:
            return "cancelled", "not_needed"
        return "", ""

    def finish_goals(self) -> None:
        """A goal ends with the last of its tasks."""
        for goal in self.goals.values():
            tasks = self.tasks_of(goal)
            if goal.state == "running" and all(task.ended for task in tasks):
                goal.state = self.outcome(tasks)
                goal.finished = self.now
                self.emit("GoalFinished", goalId=goal.id, state=goal.state)

    def outcome(self, tasks: list[Task]) -> str:
        """How a goal with these ended tasks has ended."""
        if any(task.phase == "failed" for task in tasks):
            return "failed"
        if any(task.phase == "cancelled" and task.error != "not_needed" for task in tasks):
            return "cancelled"
        return "completed"

    def running_goal(self, id_: str) -> Goal:
        """The goal that new tasks may belong to."""
        goal = self.goals.get(id_)
        if goal is None:
            raise Refused("not_found")
        if goal.state != "running":
            raise Refused("failed_precondition")
        return goal
