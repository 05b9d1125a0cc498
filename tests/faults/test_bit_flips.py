"""Bits that flip in a closed file: each is found, or changes nothing that anybody reads.

`RUV_SWARM_FLIPS` asks for more, `RUV_SWARM_SEED` for others.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
import ruv_swarm
from faultkit import HostProcess, number

FLIPS = number("RUV_SWARM_FLIPS", 300)
SEED = number("RUV_SWARM_SEED", 1)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A swarm's file with events of many kinds, closed."""
    db = tmp_path_factory.mktemp("flips") / "swarm.db"
    with HostProcess("rust", db) as host:
        host.ok("swarm_init", {"seed": 1, "swarmId": "s-flip"})
        host.ok("agent_spawn", {"type": "coder", "count": 5})
        for number_ in range(30):
            host.ok(
                "task_submit", {"tasks": [{"name": f"t{number_}", "description": "words " * 20}]}
            )
        task = host.ok("task_claim", {"agentId": "a1"})["task"]
        while task:
            report = {"taskId": task["id"], "agentId": "a1", "epoch": task["lease"]["epoch"]}
            done = {**report, "outcome": "completed", "output": '"done"', "claimNext": True}
            task = host.ok("task_report", done).get("next")
    assert not db.with_name("swarm.db-wal").exists()
    return db.read_bytes()


class DamageError(Exception):
    """What a replay has found."""

    code = "corrupt"


def facts(path: Path) -> tuple[object, ...]:
    """All that a host says of a file: log, chain, state; an error says that something is wrong."""
    host = ruv_swarm.Host(str(path))
    try:
        replay, problem = host.replay(True)
        if problem:
            raise DamageError(problem)
        agents = host.call("agent_list", "{}")
        return host.events(0, 100_000), host.state_hash(), replay, agents
    finally:
        host.close()


def lines_without_checks(path: Path) -> list[tuple[object, ...]] | None:
    """The log as SQLite reads it for one who does not look at the chain; None if it cannot."""
    database = sqlite3.connect(path)
    try:
        return database.execute("SELECT seq, body, chain FROM event ORDER BY seq").fetchall()
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return None
    finally:
        database.close()


def finder(error: Exception) -> str:
    """Who has found it: SQLite, or the chain and the comparisons of the host."""
    return (
        "by SQLite" if "sqlite code" in str(error) or "not a ruv" in str(error) else "by the host"
    )


def test_a_flipped_bit_is_found_or_harmless(content: bytes, tmp_path: Path) -> None:
    draw = random.Random(SEED)
    path = tmp_path / "swarm.db"
    path.write_bytes(content)
    whole = facts(path)
    lines = lines_without_checks(path)
    counts: Counter[str] = Counter()
    silent = 0
    for _ in range(FLIPS):
        at, bit = draw.randrange(len(content)), draw.randrange(8)
        flipped = bytearray(content)
        flipped[at] ^= 1 << bit
        for file in tmp_path.iterdir():
            file.unlink()
        path.write_bytes(flipped)
        try:
            found = facts(path)
        except (ruv_swarm.RuvSwarmError, DamageError) as error:
            assert error.code in {
                "corrupt",
                "store_unavailable",
                "unsupported_version",
                "not_found",
            }
            counts[finder(error)] += 1
            silent += lines_without_checks(path) not in (None, lines)
            continue
        # It was not found, so every answer must be what it was.
        assert found == whole, f"seed {SEED}: bit {bit} of byte {at} changes what is read, unfound"
        counts["harmless"] += 1
    print(f"{FLIPS} flips in {len(content):,} bytes: {dict(counts)}; {silent} by the chain alone")
    assert counts.total() == FLIPS
    # The test must be able to fail: without the chain some of these would have been believed.
    assert silent > 0
    assert counts["by the host"] > 0 and counts["by SQLite"] + counts["harmless"] > 0
