"""Golden logs: the log of a release, with the chain's and the state's hash after every event.

A line is the chain's hash, the state's hash and the event's own line, a tab between; the event
comes last, byte for byte as the log has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kit.paths import VECTORS
from kit.targets import Target

GOLDEN = VECTORS / "golden"


@dataclass(frozen=True)
class Step:
    """An event, and where the log and the state are after it."""

    chain: str
    state: str
    line: str


def files() -> list[Path]:
    """Every golden log of every release."""
    return sorted(GOLDEN.glob("*/*.log"))


def name(path: Path) -> str:
    """Release and log, for a test's name."""
    return f"{path.parent.name}/{path.stem}"


def text(steps: list[Step]) -> str:
    """The one form in which a log stands in its file."""
    return "".join(f"{step.chain}\t{step.state}\t{step.line}\n" for step in steps)


def load(path: Path) -> list[Step]:
    """Read one."""
    # By bytes and "\n" alone: texts may hold other characters that end lines elsewhere.
    lines = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    return [Step(*line.split("\t", 2)) for line in lines]


def replayed(lines: list[str], target: Target) -> list[Step]:
    """The same log as `target` replays it, up to the first event that it refuses."""
    answer = target.ask({"op": "replay", "events": lines, "hashes": True})
    applied = answer["applied"]
    assert answer["restoredHash"] == answer["stateHash"], "a snapshot restores to the same state"
    return [
        Step(fact["chain"], fact["stateHash"], line)
        for fact, line in zip(applied, lines, strict=False)
    ]
