"""The ledger's operations as methods: tasks, leases, holds and what is to be known of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

if TYPE_CHECKING:
    from ruv_swarm._types import (
        AgentMetric,
        AgentRetireResponse,
        NewTask,
        ResourceClaim,
        SwarmPauseResponse,
        SwarmResumeResponse,
        Task,
        TaskCancelResponse,
        TaskExplainResponse,
        TaskHeartbeatResponse,
        TaskReportResponse,
    )

Request = tuple[str, dict[str, Any]]


class Tally(NamedTuple):
    """How many attempts ended how."""

    completed: int
    """Tasks that are done."""
    failed: int
    """Attempts that failed."""
    released: int
    """Attempts that were given back, and those that lost their lease."""
    cancelled: int
    """Attempts whose task was called off."""


class TaskFailure(Exception):
    """Raised by the code of a task to fail its attempt with a code of its own.

    Any other exception fails it too, with the name of its class as the code: ValueError is
    value_error.
    """

    def __init__(self, code: str, message: str) -> None:
        """Take the stable word for programs and the line for people."""
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """Return the line for people."""
        return self.message


def new_task(
    name: str = "",
    *,
    payload: str | None = None,
    payload_artifact: str | None = None,
    description: str | None = None,
    priority: str | int | None = None,
    depends_on: Sequence[str] | str | None = None,
    after_failure: Sequence[str] | str | None = None,
    capabilities: Sequence[str] | str | None = None,
    assigned_to: str | None = None,
    exclusive: Sequence[str] | str | None = None,
    shared: Sequence[str] | str | None = None,
    labels: Sequence[str] | str | None = None,
    goal_id: str | None = None,
    max_retries: int | None = None,
    backoff_ms: int | None = None,
    max_backoff_ms: int | None = None,
    jitter: int | None = None,
    non_retryable: Sequence[str] | str | None = None,
    queue_ms: int | None = None,
    run_ms: int | None = None,
    total_ms: int | None = None,
) -> NewTask:
    """Return a task for `submit_all`, from Python's names of its fields.

    `exclusive` and `shared` are the keys that it holds while it runs, alone or with others; a key
    that ends in / stands for all that begin with it.
    """
    claims = [
        {"key": key, "mode": mode}
        for mode, keys in (("exclusive", exclusive), ("shared", shared))
        for key in words(keys) or []
    ]
    fields = without_none(
        name=name or None,
        payload=payload,
        payloadArtifact=payload_artifact,
        description=description,
        priority=priority if priority is None else str(priority),
        dependsOn=words(depends_on),
        afterFailure=words(after_failure),
        capabilities=words(capabilities),
        assignedTo=assigned_to,
        resources=cast("list[ResourceClaim] | None", claims or None),
        labels=words(labels),
        goalId=goal_id,
        maxRetries=max_retries,
        backoffMs=backoff_ms,
        maxBackoffMs=max_backoff_ms,
        jitter=jitter,
        nonRetryable=words(non_retryable),
        queueMs=queue_ms,
        runMs=run_ms,
        totalMs=total_ms,
    )
    return cast("NewTask", fields)


# -- requests, the same for the waiting and the awaiting facade --------------------------------------


def submit_request(tasks: Sequence[NewTask], goal: str | None) -> Request:
    """Return the request of `submit_all`."""
    return "task_submit", without_none(tasks=list(tasks), goal=goal)


def claim_request(agent: str, task: str | None, lease_ms: int | None) -> Request:
    """Return the request of `claim`."""
    return "task_claim", without_none(agentId=agent, taskId=task, leaseMs=lease_ms)


def heartbeat_request(
    task: Task, lease_ms: int | None, progress: tuple[int, int, str] | None
) -> Request:
    """Return the request of `heartbeat`."""
    fields = {**_lease(task), **without_none(leaseMs=lease_ms)}
    if progress is not None:
        done, total, note = progress
        fields["progress"] = {"done": done, "total": total, "note": note}
    return "task_heartbeat", fields


def report_request(
    task: Task,
    outcome: str,
    output: str,
    artifact: str | None,
    error: tuple[str, str] | None,
    claim_next: bool,
    lease_ms: int | None,
) -> Request:
    """Return the request of `report`."""
    fields = {**_lease(task), "outcome": outcome, "output": output, "claimNext": claim_next}
    if error is not None:
        fields["error"] = {"code": error[0], "message": error[1]}
    return "task_report", {**fields, **without_none(artifact=artifact, leaseMs=lease_ms)}


def cancel_request(task: str | None, goal: str | None, reason: str) -> Request:
    """Return the request of `cancel`."""
    return "task_cancel", without_none(taskId=task, goalId=goal, reason=reason)


def explain_request(task: str, agent: str | None) -> Request:
    """Return the request of `explain`."""
    return "task_explain", without_none(taskId=task, agentId=agent)


def list_request(
    state: str | None, goal: str | None, agent: str | None, label: str | None, after: str | None
) -> Request:
    """Return the request of one page of `tasks`."""
    fields = without_none(
        state=state, goalId=goal, agentId=agent, label=label, after=after, limit=1000
    )
    return "task_list", fields


def pause_request(
    task: str | None, goal: str | None, agent: str | None, reason: str | None
) -> Request:
    """Return the request of `pause`."""
    return "swarm_pause", without_none(taskId=task, goalId=goal, agentId=agent, reason=reason)


def unpause_request(task: str | None, goal: str | None, agent: str | None) -> Request:
    """Return the request of `unpause`."""
    return "swarm_resume", without_none(taskId=task, goalId=goal, agentId=agent)


def retire_request(agent: str, reason: str, replace: bool) -> Request:
    """Return the request of `retire`."""
    return "agent_retire", {"agentId": agent, "reason": reason, "replace": replace}


def monitor_request(
    after: int,
    kinds: Sequence[str] | str | None,
    task: str | None,
    agent: str | None,
    goal: str | None,
) -> Request:
    """Return the request of one page of `follow`."""
    fields = without_none(
        after=after, kinds=words(kinds), taskId=task, agentId=agent, goalId=goal, limit=1000
    )
    return "swarm_monitor", fields


def _lease(task: Task) -> dict[str, Any]:
    """Return the fields that name the lease of a claimed task."""
    lease = task.get("lease")
    return {
        "taskId": task["id"],
        "agentId": "" if lease is None else lease["agentId"],
        "epoch": task["attempts"] if lease is None else lease["epoch"],
    }


class Ledger(ABC):
    """What a program asks of the ledger; `RuvSwarm` is one."""

    @abstractmethod
    def call(
        self, operation: str, request: Mapping[str, Any] | None = None, idempotency_key: str = ""
    ) -> dict[str, Any]:
        """Carry out any operation of the catalogue."""

    @abstractmethod
    def _wait_for_events(self, after: int, seconds: float) -> bool:
        """Wait until there is an event after `after`; say whether there is."""

    @abstractmethod
    def _version(self) -> int:
        """Return the number of the last event."""

    # -- tasks -----------------------------------------------------------------------------------

    def submit(self, name: str = "", **fields: Any) -> str:
        """Add one task and return its id; the fields are those of `new_task`."""
        return self.submit_all([new_task(name, **fields)])[0]

    def submit_all(self, tasks: Sequence[NewTask], *, goal: str | None = None) -> list[str]:
        """Add tasks, all or none; return their ids. With `goal` they make a new goal of that text."""
        return cast("list[str]", self.call(*submit_request(tasks, goal))["taskIds"])

    def tasks(
        self,
        *,
        state: str | None = None,
        goal: str | None = None,
        agent: str | None = None,
        label: str | None = None,
    ) -> Iterator[Task]:
        """Yield tasks by id, without description, payload and output."""
        after: str | None = None
        while True:
            answer = self.call(*list_request(state, goal, agent, label, after))
            yield from answer["tasks"]
            after = answer.get("nextAfter")
            if after is None:
                return

    def explain(self, task: str, *, agent: str | None = None) -> TaskExplainResponse:
        """Tell why a task does not run, by the exact rule; with an agent, what keeps it from it."""
        return cast("TaskExplainResponse", self.call(*explain_request(task, agent)))

    def cancel(
        self, task: str | None = None, *, goal: str | None = None, reason: str = ""
    ) -> TaskCancelResponse:
        """Call off a task, or a goal with all its tasks."""
        return cast("TaskCancelResponse", self.call(*cancel_request(task, goal, reason)))

    # -- leases ----------------------------------------------------------------------------------

    def claim(
        self, agent: str, *, task: str | None = None, lease_ms: int | None = None
    ) -> Task | None:
        """Take the next task that the agent may run, or that one; None if there is none."""
        return cast("Task | None", self.call(*claim_request(agent, task, lease_ms)).get("task"))

    def heartbeat(
        self,
        task: Task,
        *,
        lease_ms: int | None = None,
        progress: tuple[int, int, str] | None = None,
    ) -> TaskHeartbeatResponse:
        """Extend the lease of a task as `claim` gave it; `progress` is done, total and a note."""
        request = heartbeat_request(task, lease_ms, progress)
        return cast("TaskHeartbeatResponse", self.call(*request))

    def report(
        self,
        task: Task,
        outcome: Literal["completed", "failed", "released"] = "completed",
        *,
        output: str = "",
        artifact: str | None = None,
        error: tuple[str, str] | None = None,
        claim_next: bool = False,
        lease_ms: int | None = None,
    ) -> TaskReportResponse:
        """End the attempt of a task as `claim` gave it; `error` is code and message of a failure."""
        request = report_request(task, outcome, output, artifact, error, claim_next, lease_ms)
        return cast("TaskReportResponse", self.call(*request))

    # -- holds and agents ------------------------------------------------------------------------

    def pause(
        self,
        *,
        task: str | None = None,
        goal: str | None = None,
        agent: str | None = None,
        reason: str | None = None,
    ) -> SwarmPauseResponse:
        """Hold back a task, a goal or an agent, or without any of them the whole swarm."""
        return cast("SwarmPauseResponse", self.call(*pause_request(task, goal, agent, reason)))

    def unpause(
        self, *, task: str | None = None, goal: str | None = None, agent: str | None = None
    ) -> SwarmResumeResponse:
        """Let go on what was held back: the operation swarm_resume."""
        return cast("SwarmResumeResponse", self.call(*unpause_request(task, goal, agent)))

    def retire(self, agent: str, *, reason: str = "", replace: bool = False) -> AgentRetireResponse:
        """Take an agent out for good; what it held comes back."""
        return cast("AgentRetireResponse", self.call(*retire_request(agent, reason, replace)))

    def metrics(self, agent: str | None = None) -> list[AgentMetric]:
        """Count what agents have done, from the log; one agent, or all."""
        answer = self.call("agent_metrics", without_none(agentId=agent))
        return cast("list[AgentMetric]", answer["agents"])

    # -- events ----------------------------------------------------------------------------------

    def follow(
        self,
        *,
        after: int | None = None,
        kinds: Sequence[str] | str | None = None,
        task: str | None = None,
        agent: str | None = None,
        goal: str | None = None,
    ) -> Iterator[str]:
        """Yield event lines as they come, none missed and none twice, for ever.

        It begins after event `after`, or at the end of the log; an event must pass all filters.
        """
        cursor = self._version() if after is None else after
        while True:
            answer = self.call(*monitor_request(cursor, kinds, task, agent, goal))
            yield from answer["events"]
            if answer["nextAfter"] == cursor:
                self._wait_for_events(cursor, 3600.0)
            cursor = answer["nextAfter"]


def words(text: Sequence[str] | str | None) -> list[str] | None:
    """Return a list of words; one text holds them with commas between, as on the command line."""
    if isinstance(text, str):
        return [word.strip() for word in text.split(",") if word.strip()]
    return None if text is None else list(text)


def without_none(**fields: object) -> dict[str, Any]:
    """Return the fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}
