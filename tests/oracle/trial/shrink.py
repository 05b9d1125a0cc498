"""Make a list that fails as short as it gets: drop steps, then tasks and fields of requests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from model import Json

Fails = Callable[[list[Json]], bool]


def shrink(steps: list[Json], fails: Fails) -> list[Json]:
    """The smallest list found that still fails."""
    size = len(steps) // 2
    while size:
        place = 0
        while place < len(steps):
            shorter = steps[:place] + steps[place + size :]
            if shorter and fails(shorter):
                steps = shorter
            else:
                place += size
        size //= 2
    found = True
    while found:
        found = False
        for smaller in smaller_lists(steps):
            if fails(smaller):
                steps, found = smaller, True
                break
    return steps


def smaller_lists(steps: list[Json]) -> Iterator[list[Json]]:
    """The list without one step, or with less in one of its requests."""
    for place, step in enumerate(steps):
        head, tail = steps[:place], steps[place + 1 :]
        request = json.loads(step["request"])
        letter, made = {"task_submit": ("t", len(request.get("tasks", [])))}.get(
            step["operation"], ("a", int(request.get("count", 1)))
        )
        if step["operation"] in ("task_submit", "agent_spawn"):
            for gone in range(made):
                first = made_before(head, letter) + 1
                later = [renumbered(other, letter, first + gone) for other in tail]
                yield [*head, *without_one(step, request, gone), *later]
        elif tail:
            yield [*head, *tail]
        for smaller in smaller_requests(request):
            yield [*head, {**step, "request": json.dumps(smaller)}, *tail]


def without_one(step: Json, request: Json, gone: int) -> list[Json]:
    """The step with one task or agent less; no step if it has only one."""
    if "tasks" in request:
        fewer = {**request, "tasks": request["tasks"][:gone] + request["tasks"][gone + 1 :]}
        return [{**step, "request": json.dumps(fewer)}] if fewer["tasks"] else []
    fewer = {**request, "count": request.get("count", 1) - 1}
    return [{**step, "request": json.dumps(fewer)}] if fewer["count"] else []


def made_before(steps: list[Json], letter: str) -> int:
    """How many tasks or agents these steps make, if none is refused."""
    requests = [(step["operation"], json.loads(step["request"])) for step in steps]
    if letter == "t":
        return sum(len(request["tasks"]) for name, request in requests if name == "task_submit")
    return sum(request.get("count", 1) for name, request in requests if name == "agent_spawn")


def renumbered(step: Json, letter: str, gone: int) -> Json:
    """The step with later ids one lower, since one that came before them is gone."""

    def lower(found: re.Match[str]) -> str:
        number = int(found[1])
        return f'"{letter}{number - (number > gone)}"'

    return {**step, "request": re.sub(f'"{letter}([0-9]+)"', lower, step["request"])}


def smaller_requests(request: Json) -> Iterator[Json]:
    """The request without one of its fields, or without one thing in one of its lists."""
    for name, value in request.items():
        if name != "tasks":
            yield {other: kept for other, kept in request.items() if other != name}
        if isinstance(value, list):
            for place, entry in enumerate(value):
                if len(value) > 1 and name != "tasks":
                    yield {**request, name: value[:place] + value[place + 1 :]}
                if isinstance(entry, dict):
                    for smaller in smaller_requests(entry):
                        yield {**request, name: [*value[:place], smaller, *value[place + 1 :]]}
