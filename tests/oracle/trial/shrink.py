"""Make a list that fails as short as it gets: drop steps, then tasks and fields of requests."""

from __future__ import annotations

import json
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
    return shrink_requests(steps, fails)


def shrink_requests(steps: list[Json], fails: Fails) -> list[Json]:
    """The same with less in its requests."""
    found = True
    while found:
        found = False
        for place, step in enumerate(steps):
            for smaller in smaller_requests(json.loads(step["request"])):
                changed = {**step, "request": json.dumps(smaller)}
                shorter = [*steps[:place], changed, *steps[place + 1 :]]
                if fails(shorter):
                    steps, found = shorter, True
                    break
    return steps


def smaller_requests(request: Json) -> Iterator[Json]:
    """The request without one of its fields, or without one thing in one of its lists."""
    for name, value in request.items():
        if name != "tasks":
            yield {other: kept for other, kept in request.items() if other != name}
        if isinstance(value, list):
            for place, entry in enumerate(value):
                if len(value) > 1:
                    yield {**request, name: value[:place] + value[place + 1 :]}
                if isinstance(entry, dict):
                    for smaller in smaller_requests(entry):
                        yield {**request, name: [*value[:place], smaller, *value[place + 1 :]]}
