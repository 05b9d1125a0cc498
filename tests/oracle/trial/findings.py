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


OPEN: list[Finding] = []
