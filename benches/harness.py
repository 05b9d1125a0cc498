"""What the parts of the bench share: figures, processes, and contenders that take turns."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from tools import environment, target_dir  # noqa: E402


@dataclass
class Figure:
    """One line of the tables."""

    name: str
    value: str
    goal: str = ""
    met: bool | None = None

    def row(self) -> str:
        """Return the line of the Markdown table."""
        verdict = "" if self.met is None else ("yes" if self.met else "**no**")
        return f"| {self.name} | {self.value} | {self.goal} | {verdict} |"


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Return what a command prints; its failure is ours."""
    line = [str(part) for part in command]
    full = environment(env)
    program = shutil.which(line[0], path=full["PATH"]) or line[0]
    done = subprocess.run(
        [program, *line[1:]], cwd=cwd, env=full, check=True, capture_output=True, text=True
    )
    return done.stdout


def json_lines(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects of a text, one a line."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def example(name: str, package: str = "ruv-swarm") -> Path:
    """Build an example of a crate and return its path."""
    run("cargo", "build", "--release", "--locked", "-p", package, "--example", name)
    return target_dir() / "release" / "examples" / name


def at(ordered: Sequence[float], share: float) -> float:
    """Return the value below which that share of sorted values lies."""
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


@dataclass
class Contender:
    """A process that does slices of work when it is told to, so that several take turns."""

    name: str
    command: Sequence[str | Path]
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    slices: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it; what it says before it is ready are facts about it."""
        full = environment()
        line = [str(part) for part in self.command]
        program = shutil.which(line[0], path=full["PATH"]) or line[0]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [program, *line[1:]], stdin=pipe, stdout=pipe, text=True, env=full
        )
        while not (said := self._read()).get("ready"):
            self.facts.update(said)

    def tell(self, seconds: float) -> None:
        """Let it work for so long, and do not wait for it."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps({"seconds": seconds}) + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Wait for what it did."""
        return self._read()

    def turn(self, seconds: float, *, count: bool = True) -> None:
        """Let it work for so long; a turn that does not count warms it up."""
        self.tell(seconds)
        found = self.hear()
        if count:
            self.slices.append(found)

    def stop(self) -> None:
        """End it by closing its input."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(30)

    def _read(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise RuntimeError(f"{self.name} ended with {self._process.wait()} and without an answer")

    def rates(self) -> list[float]:
        """Return how many a second, turn by turn."""
        return [found["done"] / found["seconds"] for found in self.slices]

    def rate(self) -> float:
        """Return the median of the turns."""
        return statistics.median(self.rates())

    def quick(self) -> float:
        """Return the time in ms below which a tenth of the single times lie."""
        return at(sorted(one for found in self.slices for one in found["ms"]), 0.1)

    def spread(self) -> str:
        """Return median and p95 of the single times, with n."""
        times = sorted(one for found in self.slices for one in found["ms"])
        return f"{at(times, 0.5):.2f} ms (p95 {at(times, 0.95):.2f} ms, n={len(times):,})"


def ratio(one: Contender, other: Contender) -> float:
    """Return the median of the ratios of neighbouring turns: what a loaded machine spoils least."""
    pairs = zip(one.rates(), other.rates(), strict=True)
    return statistics.median(mine / theirs for mine, theirs in pairs)


def take_turns(contenders: Sequence[Contender], rounds: int, seconds: float) -> None:
    """Start all, warm all up, then let them work one after the other, round by round."""
    try:
        for contender in contenders:
            contender.start()
            contender.turn(seconds / 2, count=False)
        for _ in range(rounds):
            for contender in contenders:
                contender.turn(seconds)
    finally:
        for contender in contenders:
            contender.stop()
