"""What the tests of faults share: hosts in processes of their own, and the log as it lies there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
_HOSTS = Path(__file__).resolve().parent / "hosts"
# As `cargo test` builds them: with overflow checks, and without a build of their own.
_TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "debug"


def number(name: str, default: int) -> int:
    """A number of the environment, by which a run is made longer."""
    return int(os.environ.get(name) or default)


@cache
def node() -> str:
    """The Node of this Python's environment, or else the one on the PATH.

    The program itself: what stands on the PATH may be a script, which would take a signal in its place.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    found = shutil.which("node", path=path)
    assert found, "no node: run `python3 dev.py setup`"
    asked = [found, "-p", "process.execPath"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def example(name: str) -> Path:
    """A built example of the Rust host."""
    found = _TARGET / "examples" / name
    assert found.exists(), f"{found} is not built: cargo build --package ruv-swarm --examples"
    return found


def host_command(name: str) -> list[str]:
    """The line that runs a host: rust, python, node or server."""
    return {
        "rust": lambda: [str(example("fault_host"))],
        "python": lambda: [sys.executable, str(_HOSTS / "host.py")],
        "node": lambda: [node(), str(_HOSTS / "host.mjs")],
        "server": lambda: [sys.executable, str(_HOSTS / "server.py")],
    }[name]()


def line_of(op: str, request: Json | None = None, key: str = "") -> str:
    """A call as the hosts read it."""
    return json.dumps({"op": op, "request": request or {}, "key": key}) + "\n"


HOSTS = ("rust", "python", "node", "server")


class EndedError(AssertionError):
    """A host has ended before it answered; the text is what it said at the end."""


class HostProcess:
    """A host in a process of its own: a request a line, an answer a line."""

    def __init__(
        self, name: str, db: Path, before: Sequence[str] = (), calls: Path | None = None
    ) -> None:
        """Start it, by way of another program if `before` names one.

        It is asked by `send` or, if `calls` is a file with lines, works these off by itself.
        """
        self.name = name
        source = calls.open() if calls else None
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [*before, *host_command(name), str(db)],
            stdin=source or subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if source:
            source.close()

    def __enter__(self) -> HostProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.process.kill()
        _, said = self.process.communicate(timeout=60)
        assert error is not None or self.process.returncode == 0, said

    @property
    def input(self) -> IO[str]:
        assert self.process.stdin
        return self.process.stdin

    @property
    def output(self) -> IO[str]:
        assert self.process.stdout
        return self.process.stdout

    def send(self, op: str, request: Json | None = None, key: str = "") -> None:
        """Send a call without waiting for its answer."""
        self.input.write(line_of(op, request, key))
        self.input.flush()

    def answer(self) -> Json:
        """The next answer."""
        line = self.output.readline()
        if not line:
            raise EndedError(f"the {self.name} host ended: {self.process.communicate()[1]}")
        found: Json = json.loads(line)
        return found

    def ask(self, op: str, request: Json | None = None, key: str = "") -> Json:
        """Call an operation; return `{"ok", "events"}` or `{"error"}`."""
        self.send(op, request, key)
        return self.answer()

    def ok(self, op: str, request: Json | None = None, key: str = "") -> Json:
        """Call what must succeed; return the response."""
        answer = self.ask(op, request, key)
        assert "ok" in answer, f"{op}: {answer}"
        found: Json = answer["ok"]
        return found

    def kill(self) -> list[Json]:
        """Kill it with SIGKILL; return the answers that it had given and nobody had read."""
        self.process.kill()
        rest = self.output.read()
        self.process.communicate()
        # The last line may have been cut.
        return [json.loads(line) for line in rest.split("\n")[:-1]]


def log_of(path: Path) -> dict[int, tuple[str, str]]:
    """Line and chain of each event, reckoned anew from the file with the standard library alone."""
    link = bytes(32)
    found = {}
    database = sqlite3.connect(path)
    rows = database.execute("SELECT seq, body, chain FROM event ORDER BY seq").fetchall()
    for place, (seq, body, chain) in enumerate(rows, start=1):
        link = hashlib.sha256(link + body.encode()).digest()
        assert (seq, chain) == (place, link), f"event {seq} at place {place}: the chain is broken"
        found[seq] = (body, chain.hex())
    head = database.execute("SELECT version, chain FROM swarm").fetchone()
    database.close()
    assert (head or (0, bytes(32))) == (len(found), link), "the head is not the end of the log"
    return found


def events_of(path: Path, kind: str) -> list[Json]:
    """The bodies of the events of one kind, in order."""
    lines = (json.loads(line) for line, _ in log_of(path).values())
    return [line["body"] for line in lines if line["kind"] == kind]


def replay_of(path: Path) -> Json:
    """What `replay --verify` of the installed command says."""
    command = [str(Path(sys.executable).with_name("ruv-swarm")), "replay", "--verify", "--json"]
    done = subprocess.run(
        [*command, "--db", str(path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: Json = json.loads(done.stdout.splitlines()[-1])
    assert found["ok"] is True
    return found


def assert_there(path: Path, acknowledged: dict[int, tuple[str, str]]) -> None:
    """Every acknowledged event is in the log, with the same bytes and the same chain."""
    log = log_of(path)
    for seq, event in acknowledged.items():
        assert log.get(seq) == event, f"event {seq} was acknowledged; the log has {log.get(seq)}"


def note(acknowledged: dict[int, tuple[str, str]], answer: Json) -> None:
    """Keep the events of an answer as acknowledged."""
    for seq, body, chain in answer.get("events", []):
        acknowledged[seq] = (body, chain)
