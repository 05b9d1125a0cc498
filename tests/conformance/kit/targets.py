"""The targets under conformance: each answers the same requests; see protocol.md."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from kit.paths import DRIVERS, ROOT, target_dir

Answer = dict[str, Any]


class Target(Protocol):
    """Something that runs operation lists and training jobs on the core."""

    name: str

    def ask(self, request: Answer) -> Answer:
        """Answer one request of the protocol."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class ProcessTarget:
    """A driver in a process of its own, spoken to in JSON lines; it serves many requests."""

    def __init__(self, name: str, command: Sequence[str | Path]) -> None:
        self.name = name
        # A file, since nobody drains a pipe while an answer is awaited.
        self.errors: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            encoding="utf-8",
            cwd=ROOT,
            env=driver_environment(),
        )
        self.asked = 0

    def ask(self, request: Answer) -> Answer:
        assert self.process.stdin and self.process.stdout
        self.asked += 1
        try:
            self.process.stdin.write(json.dumps({"id": self.asked, **request}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.errors.seek(0)
            raise AssertionError(f"the {self.name} driver ended: {self.errors.read()[-4000:]}")
        answer: Answer = json.loads(line)
        assert answer.pop("id") == self.asked, f"{self.name} answers out of order"
        assert "trouble" not in answer, f"{self.name}: {answer['trouble']}"
        return answer

    def close(self) -> None:
        """Let it read the end of its input, and wait for it to leave."""
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()


def driver_environment() -> dict[str, str]:
    """The environment of a driver: the Node of this Python's environment comes first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path}


def node() -> str:
    """The Node that the tests use; `python3 dev.py setup` installs it."""
    found = shutil.which("node", path=driver_environment()["PATH"])
    assert found, "no node: run `python3 dev.py setup`"
    return found


def rust() -> ProcessTarget:
    """The core as a native program, built as `cargo test` builds it: with overflow checks.

    `RUV_SWARM_DRIVER` names one that is built already.
    """
    built = os.environ.get("RUV_SWARM_DRIVER")
    if built:
        return ProcessTarget("rust", [built])
    packages = ["--package", "ruv-swarm-core", "--package", "ruv-swarm"]
    command = ["cargo", "build", "--quiet", "--locked", *packages, "--example", "driver"]
    subprocess.run(command, cwd=ROOT, check=True)
    return ProcessTarget("rust", [target_dir() / "debug" / "examples" / "driver"])


def node_target() -> ProcessTarget:
    """The npm package's module in Node."""
    return ProcessTarget("node", [node(), DRIVERS / "node_driver.mjs"])


def browser() -> str:
    """The Chromium that `CHROMIUM` names, or one that is installed."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    assert found, "no Chromium: run `python3 dev.py setup`"
    return found


def chromium_target() -> ProcessTarget:
    """The npm package's module in a page of headless Chromium."""
    return ProcessTarget("chromium", [node(), DRIVERS / "chromium_driver.mjs", browser()])
