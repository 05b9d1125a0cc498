"""Compare what the core did in a list with what the model says, step by step."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from model import Agent, Goal, Json, Ledger, Task
from model.base import Choose

from trial.findings import OPEN, Finding
from trial.record import Recorded, as_vector

# Their place among the other events of a decision says nothing; `invariants` checks what it must.
UNORDERED = ("GoalFinished", "TaskSubmitted")
AGENT_RULES = (
    "assigned",
    "capability",
    "no_agent",
    "agent_paused",
    "agent_lost",
    "agent_retired",
    "capacity",
)
NO_DIGITS = str.maketrans("", "", "0123456789")
Make = Callable[[Choose], Ledger]


class Mismatch(AssertionError):
    """Core and model disagree about something, for example t1.state."""

    def __init__(self, what: str, told: str, operation: str = "") -> None:
        super().__init__(told)
        self.what = what
        # The same for the same disagreement about other tasks, so that a list can be shrunk.
        self.kind = f"{operation} {what.translate(NO_DIGITS)}"


def expect(what: str, model: object, core: object) -> None:
    """Both must be the same."""
    if model != core:
        raise Mismatch(what, f"{what}: the model says {model!r}, the core {core!r}")


def task_of_model(model: Ledger, task: Task) -> Json:
    """The task as the model has it, in the words of the catalogue."""
    waiting = task.phase == "waiting"
    lease = {"agentId": task.holder, "epoch": task.attempts, "expiresAtMs": task.lease_end}
    return {
        "state": model.state(task),
        "goalId": task.goal,
        "priority": task.priority,
        "dependsOn": task.depends,
        "afterFailure": task.after,
        "capabilities": task.capabilities,
        "assignedTo": task.assigned,
        "resources": task.resources,
        "labels": task.labels,
        "payload": task.payload,
        "lease": lease if task.phase == "running" else {},
        "attempts": task.attempts,
        "released": task.released,
        "maxRetries": task.max_retries,
        "backoffMs": task.backoff,
        "maxBackoffMs": task.max_backoff,
        "jitter": task.jitter,
        "nonRetryable": task.non_retryable,
        "queueMs": task.queue,
        "runMs": task.run,
        "totalMs": task.total,
        "notBeforeMs": task.not_before if waiting and task.not_before > model.now else 0,
        "lastAgentId": task.last_agent,
        "createdAtMs": task.created,
        "readyAtMs": task.ready_at,
        "startedAtMs": task.started,
        "finishedAtMs": task.finished,
        "error": task.error,
        "cancelRequested": task.stop and task.phase == "running",
        "held": task.held and not task.ended,
    }


def task_of_core(model: Ledger, seen: Json) -> Json:
    """The same of a task that the core shows."""
    waiting = seen["state"] in ("blocked", "ready", "paused")
    ended = seen["state"] in ("completed", "failed", "cancelled")
    later = seen.get("notBeforeMs", 0)
    texts = ("goalId", "assignedTo", "payload", "lastAgentId")
    sets = ("dependsOn", "afterFailure", "capabilities", "labels", "nonRetryable")
    numbers = (
        *("priority", "attempts", "released", "maxRetries", "backoffMs", "maxBackoffMs"),
        *("jitter", "queueMs", "runMs", "totalMs"),
        *("createdAtMs", "readyAtMs", "startedAtMs", "finishedAtMs"),
    )
    return {
        "state": seen["state"],
        **{name: seen.get(name, "") for name in texts},
        **{name: set(seen.get(name, [])) for name in sets},
        **{name: seen.get(name, 0) for name in numbers},
        "resources": {
            claim["key"]: claim.get("mode") or "exclusive" for claim in seen.get("resources", [])
        },
        "lease": seen.get("lease", {}),
        "notBeforeMs": later if waiting and later > model.now else 0,
        "error": seen.get("error", {}).get("code", ""),
        "cancelRequested": seen.get("cancelRequested", False) and seen["state"] == "running",
        "held": seen.get("held", False) and not ended,
    }


def agent_of_model(model: Ledger, agent: Agent) -> Json:
    """The agent as the model has it, in the words of the catalogue."""
    running = len(model.running_of(agent))
    return {
        "type": agent.type,
        "name": agent.name,
        "capabilities": agent.capabilities,
        "capacity": agent.capacity,
        "state": model.agent_state(agent),
        "running": running,
        "completed": agent.completed,
        "failed": agent.failed,
        "lastSeenMs": agent.last_seen,
        "silenceMs": agent.silence,
        "paused": agent.paused,
        "claimed": running + agent.ended,
        "expired": agent.expired,
        "released": agent.released,
        "cancelled": agent.cancelled,
        "busyMs": agent.busy,
        "longestMs": agent.longest,
    }


def agent_of_core(seen: Json) -> Json:
    """The same of an agent that the core shows."""
    sparse = {"silenceMs": 0, "paused": False, "claimed": 0, "expired": 0, "released": 0}
    more = {"cancelled": 0, "busyMs": 0, "longestMs": 0}
    names = ("type", "name", "capacity", "state", "running", "completed", "failed", "lastSeenMs")
    return {
        **{name: seen[name] for name in names},
        **{name: seen.get(name, none) for name, none in (sparse | more).items()},
        "capabilities": set(seen["capabilities"]),
    }


def metric_of_model(model: Ledger, agent: Agent) -> Json:
    """What agent_metrics says of an agent."""
    seen = agent_of_model(model, agent)
    names = ("running", "claimed", "completed", "failed", "expired", "released", "cancelled")
    more = ("state", "busyMs", "longestMs", "lastSeenMs")
    mean = agent.busy // agent.ended if agent.ended else 0
    return {"agentId": agent.id, "meanMs": mean, **{name: seen[name] for name in (*names, *more)}}


def goal_of_model(model: Ledger, goal: Goal) -> Json:
    """The goal as the model has it, in the words of the catalogue."""
    return {
        "state": goal.state,
        "taskIds": {task.id for task in model.tasks_of(goal)},
        "paused": goal.paused,
        "finishedAtMs": goal.finished,
    }


def goal_of_core(seen: Json) -> Json:
    """The same of a goal that the core shows."""
    return {
        "state": seen["state"],
        "taskIds": set(seen["taskIds"]),
        "paused": seen.get("paused", False),
        "finishedAtMs": seen.get("finishedAtMs", 0),
    }


def check_events(model: list[Json], core: list[Json], ordered: bool = True) -> None:
    """The same events in the same order, and in each whatever the model says of it."""
    bodies = [{**event["body"], "kind": event["kind"]} for event in core]
    for kinds in (UNORDERED, None):
        told = [event for event in model if (event["kind"] in UNORDERED) == (kinds is not None)]
        seen = [event for event in bodies if (event["kind"] in UNORDERED) == (kinds is not None)]
        if kinds or not ordered:
            told, seen = sorted(told, key=name_of), sorted(seen, key=name_of)
        expect("events", [name_of(event) for event in told], [name_of(event) for event in seen])
        for one, other in zip(told, seen, strict=True):
            for name, value in one.items():
                expect(f"{name_of(one)}.{name}", value, other.get(name, type(value)()))


def name_of(event: Json) -> str:
    """The event's kind and whom it is about."""
    about = [event.get(name) or "" for name in ("taskId", "goalId", "agentId")]
    return f"{event['kind']} {next(filter(None, about), '')}"


def check_response(model: Ledger, operation: str, fields: Json, response: Json) -> None:
    """Every field that the model tells, and the objects as the projections have them."""
    for name, value in fields.items():
        if name in ("task", "next") or (name in ("agent", "replacement")):
            seen = response.get(name)
            expect(f"response.{name}", value, seen["id"] if seen else "")
            if seen and name in ("task", "next"):
                expect(
                    f"response.{name}",
                    task_of_model(model, model.tasks[value]),
                    task_of_core(model, seen),
                )
            elif seen:
                expect(
                    f"response.{name}",
                    agent_of_model(model, model.agents[value]),
                    agent_of_core(seen),
                )
        elif name in ("tasks", "agents"):
            expect(f"response.{name}", value, [seen["id"] for seen in response[name]])
        elif name == "metrics":
            told = [metric_of_model(model, model.agents[id_]) for id_ in value]
            expect("response.agents", told, response["agents"])
        elif name == "rule":
            check_rule(value, response)
        elif (name in ("paused", "resumed") and value is None) or (
            name == "running" and not fields["changed"]
        ):
            continue
        else:
            expect(f"response.{name}", value, response.get(name, type(value)()))


def check_rule(rule: str | None, response: Json) -> None:
    """The first reason; without an agent the model only knows that it is none of the task's own."""
    # That a worker must ask is no rule that forbids anything.
    reasons = [reason["rule"] for reason in response["reasons"] if reason["rule"] != "worker"]
    if rule is None:
        expect("reasons of the task itself", [], [r for r in reasons if r not in AGENT_RULES])
    else:
        expect("the first reason", rule, next(iter(reasons), ""))


def check_view(model: Ledger, entry: Recorded) -> None:
    """Every projection."""
    view = entry.view
    expect("tasks", set(model.tasks), set(view.tasks))
    for task in model.tasks.values():
        parts = task_of_model(model, task)
        seen = task_of_core(model, view.tasks[task.id])
        for name, value in parts.items():
            expect(f"{task.id}.{name}", value, seen[name])
    expect("agents", list(model.agents), list(view.agents))
    for agent in model.agents.values():
        parts, seen = agent_of_model(model, agent), agent_of_core(view.agents[agent.id])
        for name, value in parts.items():
            expect(f"{agent.id}.{name}", value, seen[name])
    expect("goals", list(model.goals), list(view.goals))
    for goal in model.goals.values():
        expect(goal.id, goal_of_model(model, goal), goal_of_core(view.goals[goal.id]))
    expect("paused", model.paused, view.paused)
    expect("next deadline", model.next_deadline(), view.next_deadline)


def check(
    recorded: list[Recorded], make: Make = Ledger, passed_over: Sequence[Finding] = OPEN
) -> Ledger:
    """Run the model along a recorded list; raise what differs, with the list as a vector."""
    events: list[Json] = []

    def choose(task: str, first: int, last: int) -> int:
        """What the core drew, if it may be; else a time that the comparison will not accept."""
        for event in events:
            drawn: Any = event["body"].get("notBeforeMs", 0)
            if event["body"].get("taskId") == task and first <= drawn <= last:
                return int(drawn)
        return -1

    model = make(choose)
    for place, entry in enumerate(recorded):
        events[:] = entry.events
        operation = entry.step["operation"]
        try:
            request = json.loads(entry.step["request"])
            answer = model.step(operation, request, entry.step["nowMs"])
            if answer.codes or entry.code:
                if entry.code not in answer.codes:
                    expect("refused", sorted(answer.codes), entry.code)
            else:
                # In which order a goal's tasks are called off is not promised.
                check_events(answer.events, entry.events, "goalId" not in request)
                if operation == "tick":
                    answer.fields["nextDeadlineMs"] = model.next_deadline()
                response = entry.response
                for finding in passed_over:
                    response = finding.passes_over(model, operation, answer.fields, response)
                check_response(model, operation, answer.fields, response)
            check_view(model, entry)
        except Mismatch as found:
            steps = [other.step for other in recorded[: place + 1]]
            where = f"step {place}, {operation} {entry.step['request']}: {found}"
            text = f"{where}\n{as_vector(steps, where)}"
            raise Mismatch(found.what, text, operation) from None
    return model
