"""Processes of the tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

# Of no use to the tests, and it would slow each start down by an import.
_ENV = {"PYTHONDONTWRITEBYTECODE": "1"}


def command(*arguments: str) -> list[str]:
    """Return the line that runs `ruv-swarm-server`."""
    return [sys.executable, "-m", "ruv_swarm_server", *arguments]


class Server:
    """A running `ruv-swarm-server serve`."""

    def __init__(self, line: list[str], env: dict[str, str] | None = None) -> None:
        ports = ["--grpc-port", "0", "--http-port", "0", "--json"]
        self.process = subprocess.Popen(
            [*line, *ports],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **_ENV, **(env or {})},
        )
        assert self.process.stdout
        line_read = self.process.stdout.readline()
        if not line_read:
            raise AssertionError(f"no server: {self.process.communicate()[1]}")
        self.said = json.loads(line_read)
        host = self.said["host"]
        self.grpc = f"{host}:{self.said['grpcPort']}"
        self.http = f"http://{host}:{self.said['httpPort']}"

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return the exit code and what was logged."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, log = self.process.communicate(timeout=30)
        return self.process.returncode, log
