"""The swarm's time, as one host reads it."""

from __future__ import annotations

import time
from collections.abc import Callable


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class SwarmClock:
    """The later of the wall clock and the last logged time plus the time since it was read.

    So one fast clock does not stop the swarm's time for everybody else, and one slow clock
    never moves it back.
    """

    def __init__(
        self, wall: Callable[[], int] = _wall_ms, monotonic: Callable[[], int] = _monotonic_ms
    ) -> None:
        """Start with no event seen; the two sources can be replaced."""
        self._wall = wall
        self._monotonic = monotonic
        self._logged = 0
        self._read_at = monotonic()

    def saw(self, logged_ms: int) -> None:
        """Note the time of the newest event, when it has just been read or written."""
        if logged_ms > self._logged:
            self._logged = logged_ms
            self._read_at = self._monotonic()

    def now_ms(self) -> int:
        """Return the time to hand to the core."""
        return max(self._wall(), self._logged + self._monotonic() - self._read_at)
