"""The three front doors: the command `ruv-swarm` of the binary, the wheel and the npm package."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.paths import NPM, target_dir
from kit.targets import driver_environment, node

Json = dict[str, Any]


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str

    def json(self) -> Json:
        """The result: the last line of `--json`."""
        assert self.code == 0, f"exit code {self.code}: {self.out}{self.err}"
        found: Json = json.loads(self.out.splitlines()[-1])
        return found


class Door:
    """One front door."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.command = command

    def run(self, folder: Path, *arguments: str | Path) -> Ran:
        """Run a command in a folder, which is all that it knows of the world."""
        env = {key: value for key, value in driver_environment().items() if key != "RUV_SWARM_DB"}
        done = subprocess.run(
            [*self.command, *map(str, arguments)],
            cwd=folder,
            env={**env, "NO_COLOR": "1"},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def json(self, folder: Path, *arguments: str | Path) -> Json:
        """Run a command with `--json` and return its result."""
        return self.run(folder, *arguments, "--json").json()


def rust_door() -> Door:
    """The binary; `RUV_SWARM_BINARY` names it."""
    built = target_dir() / "release" / "ruv-swarm"
    return Door("rust", [os.environ.get("RUV_SWARM_BINARY") or str(built)])


def python_door() -> Door:
    """The command that the wheel installs beside this Python."""
    return Door("python", [str(Path(sys.executable).with_name("ruv-swarm"))])


def npm_door() -> Door:
    """The built npm package's command, in the tests' Node."""
    return Door("npm", [node(), str(NPM / "dist" / "cli.js")])


MAKERS: dict[str, Callable[[], Door]] = {
    "rust": rust_door,
    "python": python_door,
    "npm": npm_door,
}


@dataclass(frozen=True)
class Facts:
    """What any reader of a file must find: read with the standard library alone, and by a door."""

    events: int
    chain: str
    state: str


def chain_of(path: Path) -> tuple[int, str]:
    """Number of events and head of the chain, reckoned from the file without ruv-swarm."""
    link = bytes(32)
    count = 0
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        for seq, body, stored in database.execute(
            "SELECT seq, body, chain FROM event ORDER BY seq"
        ):
            count += 1
            assert seq == count, f"event {seq} stands at place {count}"
            link = hashlib.sha256(link + body.encode()).digest()
            assert link == stored, f"event {seq}: the chain is broken"
        head = database.execute("SELECT version, chain FROM swarm").fetchone()
    database.close()
    assert head == (count, link), "the head row is not the end of the log"
    return count, link.hex()


def facts(door: Door, path: Path) -> Facts:
    """What `door` says of a file, checked against the file itself."""
    replay = door.json(path.parent, "replay", "--verify", "--db", path.name)
    status = door.json(path.parent, "status", "--db", path.name)
    assert replay["ok"] is True
    assert status["stateHash"] == replay["stateHash"], door.name
    count, chain = chain_of(path)
    assert (replay["events"], replay["chain"]) == (count, chain), door.name
    return Facts(count, chain, replay["stateHash"])


def rows_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of a swarm's file: log, head, artifacts and projections."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        found = {
            name: database.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()
            for (name,) in names
        }
    database.close()
    return found
