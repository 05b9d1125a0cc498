"""The installed command in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(sys.executable).parent / ("ruv-swarm.exe" if os.name == "nt" else "ruv-swarm")
# As long as a slow machine may take for what takes a moment.
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    def last(self) -> Any:
        """The last line of the output, which is the result under --json."""
        return json.loads(self.out.splitlines()[-1])


class Bench:
    """A folder in which the installed command is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {k: v for k, v in os.environ.items() if k != "RUV_SWARM_DB"}
        self.env["PYTHONWARNINGS"] = "error"

    def run(self, *arguments: str) -> Ran:
        """Run the console script."""
        return self.python_or_script([str(SCRIPT), *arguments])

    def python(self, *arguments: str) -> Ran:
        """Run Python with arguments of its own."""
        return self.python_or_script([sys.executable, *arguments])

    def python_or_script(self, command: list[str]) -> Ran:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def ok(self, *arguments: str) -> str:
        """Run the console script, which has to succeed and say nothing on standard error."""
        ran = self.run(*arguments)
        assert (ran.code, ran.err) == (0, ""), ran
        return ran.out

    def json(self, *arguments: str) -> Any:
        """Run the console script with --json and return its result."""
        return json.loads(self.ok(*arguments, "--json").splitlines()[-1])

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the console script and do not wait for it."""
        return self.spawn([str(SCRIPT), *arguments])

    def spawn(self, command: list[str]) -> subprocess.Popen[str]:
        """Start a program in the folder."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
