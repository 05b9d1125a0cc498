"""Small mistakes, each made in the model on purpose: the lists must find every one of them."""

from __future__ import annotations

from model import Agent, Answer, Json, Ledger, Task
from model.nouns import DAY_MS


class Unfair(Ledger):
    """Goals do not take turns."""

    def served(self, task: Task) -> int:
        return 0


class LooseTasksApart(Ledger):
    """Tasks without a goal are not served as one."""

    def served(self, task: Task) -> int:
        return super().served(task) if task.goal else 0


class CountsReleased(Ledger):
    """An attempt that was given back counts as a try."""

    def counted(self, task: Task) -> int:
        return task.attempts


class NoJitter(Ledger):
    """Waits are never longer than they must be."""

    def retry_time(self, task: Task) -> int:
        wait = task.backoff << (self.counted(task) - 1)
        return self.now + min(wait, task.max_backoff or DAY_MS)


class NoDoubling(Ledger):
    """Every wait is as long as the first."""

    def retry_time(self, task: Task) -> int:
        attempts, task.attempts = task.attempts, task.released + 1
        when = super().retry_time(task)
        task.attempts = attempts
        return when


class LateDeadline(Ledger):
    """Leases and deadlines end a millisecond later."""

    def is_over(self, deadline: int) -> bool:
        return 0 < deadline < self.now


class QueueDuringBackoff(Ledger):
    """The queue deadline runs while a task waits for its back-off."""

    def queue_deadline(self, task: Task) -> int:
        waits = task.queue and self.state(task) == "ready"
        return task.ready_at + task.queue if waits else 0


class CancelSatisfiesAfterFailure(Ledger):
    """A cancelled task counts as a failed one for those that wait for its failure."""

    def fate(self, other: Task, ended: Task) -> tuple[str, str]:
        if ended.phase == "cancelled" and ended.id in other.after:
            return "", ""
        return super().fate(other, ended)

    def waits_for_failure_of(self, task: Task) -> list[str]:
        waits = super().waits_for_failure_of(task)
        return [id_ for id_ in waits if self.tasks[id_].phase != "cancelled"]


class NotNeededIsForgotten(Ledger):
    """Behind a task that was not needed the others are merely cancelled."""

    def fate(self, other: Task, ended: Task) -> tuple[str, str]:
        phase, code = super().fate(other, ended)
        return phase, "cancelled" if ended.phase == "cancelled" else code


class KeysMeetOnlyIfEqual(Ledger):
    """A folder does not stand for what is in it."""

    def blocked_by_resource(self, task: Task) -> bool:
        others = [other for other in self.all_tasks() if other.phase == "running"]
        return any(
            key in other.resources and "exclusive" in (mode, other.resources[key])
            for other in others
            for key, mode in task.resources.items()
        )


class SharedConflicts(Ledger):
    """Two shared claims conflict as well."""

    def blocked_by_resource(self, task: Task) -> bool:
        modes = [(each, dict(each.resources)) for each in self.all_tasks()]
        for each, _ in modes:
            each.resources = dict.fromkeys(each.resources, "exclusive")
        found = super().blocked_by_resource(task)
        for each, was in modes:
            each.resources = was
        return found


class ClaimNextSeesOldResources(Ledger):
    """A report's next claim still minds what the reported task held."""

    freed: Task | None = None

    def end_attempt(self, task: Task, counter: str) -> None:
        super().end_attempt(task, counter)
        self.freed = task

    def step(self, operation: str, request: Json, now: int) -> Answer:
        self.freed = None
        return super().step(operation, request, now)

    def blocked_by_resource(self, task: Task) -> bool:
        if self.freed is None or self.freed is task:
            return super().blocked_by_resource(task)
        phase, self.freed.phase = self.freed.phase, "running"
        found = super().blocked_by_resource(task)
        self.freed.phase = phase
        return found


class LostLeaseNotCounted(Ledger):
    """A lost lease is a failure like any other."""

    def count_lost_lease(self, agent: Agent) -> None:
        pass


class LostAgentsStayLost(Ledger):
    """An agent that is heard of again still counts as lost."""

    def heard_of(self, agent: Agent) -> None:
        agent.last_seen = self.now


class HeldTasksForgetIt(Ledger):
    """A task that was paused while it ran is ready when its attempt ends."""

    def end_attempt(self, task: Task, counter: str) -> None:
        super().end_attempt(task, counter)
        task.held = False


class NonRetryableIgnored(Ledger):
    """Every failure is tried again while tries are left."""

    def may_retry(self, task: Task, code: str) -> bool:
        return self.counted(task) < task.max_retries + 1


class OneTryTooMany(Ledger):
    """A task has one more attempt than it may have."""

    def may_retry(self, task: Task, code: str) -> bool:
        return self.counted(task) < task.max_retries + 2 and code not in task.non_retryable


class OldestFirst(Ledger):
    """Priority does not count."""

    def next_task(self, agent: Agent, but: Task | None = None) -> Task | None:
        others = [task for task in self.all_tasks() if task is not but]
        may = [task for task in others if not self.rule(task, agent)]
        return min(may, key=lambda task: (self.served(task), task.number), default=None)


class TypeIsNoCapability(Ledger):
    """An agent's type does not count as a capability."""

    def agent_rule(self, task: Task, agent: Agent) -> str:
        rule = super().agent_rule(task, agent)
        return rule if rule or task.capabilities <= agent.capabilities else "capability"


class NotNeededCancelsGoals(Ledger):
    """A goal is cancelled even if only what was not needed was."""

    def outcome(self, tasks: list[Task]) -> str:
        for state in ("failed", "cancelled"):
            if any(task.phase == state for task in tasks):
                return state
        return "completed"


ALL: list[type[Ledger]] = [
    Unfair,
    LooseTasksApart,
    CountsReleased,
    NoJitter,
    NoDoubling,
    LateDeadline,
    QueueDuringBackoff,
    CancelSatisfiesAfterFailure,
    NotNeededIsForgotten,
    KeysMeetOnlyIfEqual,
    SharedConflicts,
    ClaimNextSeesOldResources,
    LostLeaseNotCounted,
    LostAgentsStayLost,
    HeldTasksForgetIt,
    NonRetryableIgnored,
    OneTryTooMany,
    OldestFirst,
    TypeIsNoCapability,
    NotNeededCancelsGoals,
]
