"""Run a list on the core through the Python binding, and write down all that can be seen of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

import ruv_swarm
from ruv_swarm import RuvSwarmError

Json = dict[str, Any]


class Watcher(Protocol):
    """Something that looks on while a list runs."""

    def step(self, live: Live, lines: list[str]) -> None:
        """See the core and the new lines after a step."""
        ...

    def end(self, live: Live) -> None:
        """See the core after the last one."""
        ...


@dataclass
class View:
    """Every projection after a step."""

    tasks: dict[str, Json] = field(default_factory=dict)
    agents: dict[str, Json] = field(default_factory=dict)
    goals: dict[str, Json] = field(default_factory=dict)
    paused: bool = False
    next_deadline: int = 0


@dataclass
class Recorded:
    """One step with what the core made of it: `code` is that of a refusal."""

    step: Json
    code: str
    response: Json
    events: list[Json]
    view: View


class Live:
    """A core with its log: what a host without a store holds."""

    def __init__(self) -> None:
        self.core = ruv_swarm.Core()
        self.log: list[str] = []
        self.ids: dict[str, list[str]] = {"taskId": [], "goalId": []}
        self.view = View()

    def ask(self, operation: str, request: Json, now: int) -> Json:
        """Answer a query."""
        found: Json = json.loads(self.core.call(operation, json.dumps(request), now, "").response)
        return found

    def step(self, step: Json) -> tuple[str, Json, list[str]]:
        """Decide and apply one step: the code of a refusal, the response, the events."""
        try:
            decision = self.core.call(step["operation"], step["request"], step["nowMs"], "")
        except RuvSwarmError as error:
            return error.code, {}, []
        for line in decision.events:
            self.core.apply(line)
            event = json.loads(line)
            if event["kind"] == "TaskSubmitted":
                self.ids["taskId"].append(event["body"]["taskId"])
            elif event["kind"] == "GoalPlanned":
                self.ids["goalId"].append(event["body"]["goalId"])
        self.log += decision.events
        return "", json.loads(decision.response), list(decision.events)

    def look(self, now: int) -> View:
        """Read every projection through queries."""
        if not self.log:
            return View()
        tasks = [
            self.ask("swarm_query", {"taskId": id_}, now)["task"] for id_ in self.ids["taskId"]
        ]
        goals = [
            self.ask("swarm_query", {"goalId": id_}, now)["goal"] for id_ in self.ids["goalId"]
        ]
        agents = self.ask("agent_list", {}, now)["agents"]
        return View(
            tasks={task["id"]: task for task in tasks},
            agents={agent["id"]: agent for agent in agents},
            goals={goal["id"]: goal for goal in goals},
            paused=self.ask("swarm_status", {}, now).get("paused", False),
            next_deadline=self.core.next_deadline() or 0,
        )


def record(steps: list[Json], watch: Watcher | None = None) -> list[Recorded]:
    """Run a list on a new core, and let `watch` look on."""
    live = Live()
    found: list[Recorded] = []
    for step in steps:
        code, response, lines = live.step(step)
        if lines or not found:
            live.view = live.look(step["nowMs"])
        if watch is not None:
            watch.step(live, lines)
        events = [json.loads(line) for line in lines]
        found.append(Recorded(step, code, response, events, live.view))
    if watch is not None:
        watch.end(live)
    return found


def as_vector(steps: list[Json], about: str) -> str:
    """A list as the text of a vector file, to be recorded and kept."""
    return json.dumps({"about": about, "steps": steps}, indent=1, ensure_ascii=False)
