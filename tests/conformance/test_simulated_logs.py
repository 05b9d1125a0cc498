"""Logs that simulated worlds of faults left give the same bytes on every target and in a real store.

The simulator checks the core in its own process; here its calls and logs go through the builds that
users get. `RUV_SWARM_WORLDS` says how many, `RUV_SWARM_WORLDS_FROM` which seed is the first.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kit.doors import MAKERS, facts
from kit.paths import ROOT
from kit.targets import Target

Json = dict[str, Any]
WORLDS = int(os.environ.get("RUV_SWARM_WORLDS", "6"))
FROM = int(os.environ.get("RUV_SWARM_WORLDS_FROM", "1"))
COMMANDS = 400
CALLS = ("operation", "request", "nowMs", "key")


@dataclass(frozen=True)
class World:
    """What the simulator wrote of one seed."""

    seed: int
    log: list[str]
    calls: list[Json]
    end: Json


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[World]:
    folder = tmp_path_factory.mktemp("worlds")
    build = ["cargo", "run", "--quiet", "--locked", "--package", "ruv-swarm-simulator", "--"]
    seeds = ["--from", str(FROM), "--seeds", str(WORLDS), "--commands", str(COMMANDS)]
    subprocess.run([*build, *seeds, "--dump", str(folder)], cwd=ROOT, check=True)
    found = [read(folder, seed) for seed in range(FROM, FROM + WORLDS)]
    assert all(len(world.calls) >= COMMANDS for world in found)
    return found


def read(folder: Path, seed: int) -> World:
    """The three files of a seed."""
    path = folder / f"seed-{seed}"
    log = path.with_suffix(".log").read_text(encoding="utf-8").splitlines()
    lines = path.with_suffix(".calls").read_text(encoding="utf-8").splitlines()
    calls = [{name: call[name] for name in CALLS} for call in map(json.loads, lines)]
    return World(seed, log, calls, json.loads(path.with_suffix(".json").read_text("utf-8")))


def end(answer: Json) -> Json:
    """Where a target has come to, as the simulator tells it."""
    return {name: answer[name] for name in ("version", "stateHash", "chain")}


@pytest.mark.parametrize("target", ["rust", "python", "node"], indirect=True)
def test_a_target_replays_every_log_to_the_same_hash(target: Target, worlds: list[World]) -> None:
    for world in worlds:
        answer = target.ask({"op": "replay", "events": world.log})
        assert "error" not in answer, f"{target.name}, seed {world.seed}: {answer['error']}"
        found = {"seed": world.seed, **end(answer)}
        assert found == world.end, f"{target.name}, seed {world.seed}"
        assert answer["restoredHash"] == answer["stateHash"]


@pytest.mark.parametrize("target", ["rust", "python", "node"], indirect=True)
def test_a_target_decides_every_call_as_the_simulated_hosts_did(
    target: Target, worlds: list[World]
) -> None:
    refused = 0
    for world in worlds:
        answer = target.ask({"op": "run", "steps": world.calls})
        log = [line for step in answer["steps"] for line in step["events"]]
        assert log == world.log, f"{target.name}, seed {world.seed}"
        assert end(answer)["stateHash"] == world.end["stateHash"]
        refused += sum("error" in step for step in answer["steps"])
    assert refused > len(worlds)


def store(path: Path, world: World, applied: list[Json]) -> None:
    """Put a log into a file as docs/hosts.md tells it, without any of our hosts."""
    created = json.loads(world.log[0])
    config = json.dumps({"swarmId": created["swarm"], **created["body"]}, separators=(",", ":"))
    with sqlite3.connect(path) as database:
        database.executescript((ROOT / "core" / "src" / "schema.sql").read_text(encoding="utf-8"))
        for line, fact in zip(world.log, applied, strict=True):
            head = (fact["seq"], created["swarm"], fact["atMs"], fact["kind"])
            chain = bytes.fromhex(fact["chain"])
            database.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", (*head, line, chain))
            for row in fact["rows"]:
                values = (row["id"], row["state"], fact["seq"], row["body"])
                query = f"INSERT OR REPLACE INTO {row['table']} VALUES (?, ?, ?, ?)"
                database.execute(query, values)
        chain = bytes.fromhex(world.end["chain"])
        head_row = (created["swarm"], world.end["version"], chain, 0, config)
        database.execute("INSERT INTO swarm VALUES (?, ?, ?, ?, ?)", head_row)
        artifact = next(json.loads(line)["body"] for line in world.log if "ArtifactStored" in line)
        values = (artifact["hash"], artifact["size"], b"hello")
        database.execute("INSERT INTO artifact VALUES (?, ?, ?)", values)
    database.close()


@pytest.mark.parametrize("name", list(MAKERS))
def test_a_door_reads_a_simulated_log_from_a_file_and_goes_on(
    name: str, rust: Target, worlds: list[World], tmp_path: Path
) -> None:
    door = MAKERS[name]()
    world = worlds[0]
    applied = rust.ask({"op": "replay", "events": world.log})["applied"]
    path = tmp_path / "swarm.db"
    store(path, world, applied)
    found = facts(door, path)
    known = (world.end["version"], world.end["chain"], world.end["stateHash"])
    assert (found.events, found.chain, found.state) == known
    # It is a file like any other: the door orchestrates one more goal in it, and all agrees.
    door.run(tmp_path, "orchestrate", "one thing more", "--strategy", "balanced", "--json")
    assert facts(door, path).events > found.events
