"""What a random list has led to so far."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

# Events that end an attempt, or a task that had none.
ENDINGS = {
    "TaskCompleted",
    "TaskFailed",
    "LeaseExpired",
    "TaskReleased",
    "TaskTimedOut",
    "TaskCancelled",
}


class Known:
    """What the list has led to so far, read from its events: who is there and who holds what."""

    def __init__(self) -> None:
        self.agents: list[str] = []
        self.tasks: list[str] = []
        self.goals: list[str] = []
        self.artifacts = ["0" * 64]
        self.held: dict[str, tuple[str, int]] = {}
        self.lost: list[tuple[str, str, int]] = []
        self.paused: list[Json] = []

    def see(self, line: str) -> None:
        """Take in one event."""
        event = json.loads(line)
        kind, body = event["kind"], event["body"]
        if kind == "TaskClaimed":
            self.held[body["taskId"]] = (body["agentId"], body["epoch"])
        elif kind == "AgentRetired" and len(self.agents) > 1:
            self.agents.remove(body["agentId"])
        elif kind == "Paused":
            self.paused.append({name: id_ for name, id_ in body.items() if name != "reason"})
        elif kind in ENDINGS:
            if not body.get("requested") and body["taskId"] in self.held:
                self.lost.append((body["taskId"], *self.held.pop(body["taskId"])))
        else:
            news = {
                "AgentSpawned": (self.agents, "agentId"),
                "TaskSubmitted": (self.tasks, "taskId"),
                "GoalPlanned": (self.goals, "goalId"),
                "ArtifactStored": (self.artifacts, "hash"),
            }
            if kind in news:
                names, key = news[kind]
                names.append(body[key])
