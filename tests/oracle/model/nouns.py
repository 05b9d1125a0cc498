"""What the model knows: tasks, agents, goals, events and answers, as plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
DAY_MS = 86_400_000
LEASE_MS = 30_000
WORDS = {"low": 25, "medium": 50, "high": 75, "critical": 100}
ENDED = ("completed", "failed", "cancelled")
TIMEOUTS = {"queue": "queue_timeout", "run": "run_timeout", "total": "total_timeout"}


class Refused(Exception):
    """The request is refused; any of the codes is right where several things are wrong with it."""

    def __init__(self, *codes: str) -> None:
        super().__init__(" or ".join(codes))
        self.codes = set(codes)


def none_refused(*checks: Callable[[], object]) -> None:
    """Refuse with the codes of all checks that refuse; which of them is told is not promised."""
    codes: set[str] = set()
    for check in checks:
        try:
            check()
        except Refused as refused:
            codes |= refused.codes
    if codes:
        raise Refused(*codes)


@dataclass
class Task:
    """A task. `phase` is waiting, running, or how it ended; blocked, ready and paused are reckoned."""

    id: str
    number: int
    created: int
    goal: str = ""
    priority: int = 50
    depends: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)
    capabilities: set[str] = field(default_factory=set)
    assigned: str = ""
    resources: dict[str, str] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    payload: str = ""
    max_retries: int = 3
    backoff: int = 1000
    max_backoff: int = 0
    jitter: int = 0
    non_retryable: set[str] = field(default_factory=set)
    queue: int = 0
    run: int = 0
    total: int = 0
    phase: str = "waiting"
    held: bool = False
    stop: bool = False
    holder: str = ""
    last_agent: str = ""
    attempts: int = 0
    released: int = 0
    lease_end: int = 0
    not_before: int = 0
    ready_at: int = 0
    started: int = 0
    finished: int = 0
    error: str = ""

    @property
    def ended(self) -> bool:
        """True once nothing can change it."""
        return self.phase in ENDED


@dataclass
class Agent:
    """An agent with the counts of its attempts."""

    id: str
    number: int
    type: str
    name: str
    capabilities: set[str]
    capacity: int
    silence: int
    last_seen: int
    paused: bool = False
    lost: bool = False
    retired: bool = False
    completed: int = 0
    failed: int = 0
    expired: int = 0
    released: int = 0
    cancelled: int = 0
    busy: int = 0
    longest: int = 0

    @property
    def ended(self) -> int:
        """How many of its attempts have ended."""
        return self.completed + self.failed + self.released + self.cancelled


@dataclass
class Goal:
    """A goal; `served` is the number of the event by which it was served last."""

    id: str
    served: int
    state: str = "running"
    paused: bool = False
    finished: int = 0


@dataclass
class Answer:
    """What the model says of one request: refused, or these fields and these events."""

    codes: set[str] = field(default_factory=set)
    fields: Json = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
