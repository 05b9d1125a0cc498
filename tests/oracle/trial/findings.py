"""Differences between core and rules that are known and open, each with the shortest list that shows it.

`check` passes over exactly these, so that it finds others; a test fails once one of them is gone, and
then it is to be taken out of here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from model import Json, Ledger


@dataclass(frozen=True)
class Finding:
    """One difference: what it is, the steps that show it, and what it makes of a response."""

    about: str
    requests: list[tuple[str, Json, int]]
    passes_over: Callable[[Ledger, str, Json, Json], Json]

    def steps(self) -> list[Json]:
        """The list that shows it."""
        return [
            {"operation": operation, "request": json.dumps(request), "nowMs": now}
            for operation, request, now in self.requests
        ]


def early_next_deadline(model: Ledger, operation: str, fields: Json, response: Json) -> Json:
    """A tick that did something tells the next deadline without what that did to the others."""
    if operation == "tick" and model.events:
        return {**response, "nextDeadlineMs": fields["nextDeadlineMs"]}
    return response


def stale_ready_time(model: Ledger, operation: str, fields: Json, response: Json) -> Json:
    """The next task of a report does not show that it became ready by this report."""
    following = model.tasks.get(fields.get("next", ""))
    if operation == "task_report" and following and following.ready_at == model.now:
        return {**response, "next": {**response.get("next", {}), "readyAtMs": model.now}}
    return response


def more_than_its_own(model: Ledger, operation: str, fields: Json, response: Json) -> Json:
    """A retirement also lists the tasks that its cancelled ones ended in turn."""
    told = response.get("cancelled", [])
    if operation == "agent_retire" and set(fields["cancelled"]) <= set(told):
        ended = {event["taskId"] for event in model.events if event["kind"] == "TaskCancelled"}
        if set(told) <= ended:
            return {**response, "cancelled": fields["cancelled"]}
    return response


BEGIN: list[tuple[str, Json, int]] = [
    ("swarm_init", {"swarmId": "s-1", "seed": 7}, 0),
    ("agent_spawn", {"type": "coder"}, 0),
]
PAIR: Json = {"tasks": [{"name": "a"}, {"dependsOn": ["a"]}]}
REPORT: Json = {"taskId": "t1", "agentId": "a1", "epoch": 1, "outcome": "completed"}
OPEN = [
    Finding(
        "tick: nextDeadlineMs does not count what this tick changed",
        [
            *BEGIN,
            ("task_submit", {"tasks": [{"totalMs": 500, "queueMs": 1500}]}, 0),
            ("tick", {}, 1000),
        ],
        early_next_deadline,
    ),
    Finding(
        "task_report: the next task lacks the readyAtMs of this report",
        [
            *BEGIN,
            ("task_submit", PAIR, 0),
            ("task_claim", {"agentId": "a1"}, 1),
            ("task_report", {**REPORT, "claimNext": True}, 1),
        ],
        stale_ready_time,
    ),
    Finding(
        "agent_retire: cancelled lists tasks that the agent did not run",
        [
            *BEGIN,
            ("task_submit", PAIR, 0),
            ("task_claim", {"agentId": "a1"}, 1),
            ("task_cancel", {"taskId": "t1"}, 1),
            ("agent_retire", {"agentId": "a1"}, 1),
        ],
        more_than_its_own,
    ),
]
