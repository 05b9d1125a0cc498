"""The Rust host as Python sees it: artifacts, paging, damage, several processes."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import ruv_swarm
from python_kit import PATIENCE_S, Bench
from ruv_swarm import Core, Host, RuvSwarm

INIT = '{"topology":"mesh","seed":7}'


@pytest.fixture
def db(tmp_path: Path) -> str:
    return str(tmp_path / "swarm.db")


@pytest.fixture
def host(db: str) -> Host:
    return Host.open_or_create(db, INIT)[0]


def test_bytes_are_kept_under_their_hash(host: Host, db: str) -> None:
    content = bytes(range(256)) * 4096
    digest = hashlib.sha256(content).hexdigest()
    stored = json.loads(host.put_artifact(content, "ramp", "application/x-ramp"))
    assert (stored["artifact"]["hash"], stored["artifact"]["size"]) == (digest, len(content))
    assert stored["created"] is True
    assert json.loads(host.put_artifact(content, "ramp"))["created"] is False
    assert Host(db).get_artifact(digest) == content
    with pytest.raises(ruv_swarm.NotFoundError) as caught:
        host.get_artifact("0" * 64)
    assert caught.value.field == "hash"


def test_the_log_by_pages_rebuilds_the_state(host: Host) -> None:
    for _ in range(5):
        host.call("agent_spawn", '{"type":"coder","count":5}')
    core, after = Core(), 0
    while page := host.events(after, 7):
        assert len(page) <= 7
        for line, chain in page:
            assert core.apply(line).chain.hex() == chain
        after += len(page)
    assert (core.version(), core.state_hash()) == (host.version(), host.state_hash())
    found, problem = host.replay()
    assert problem is None and json.loads(found)["stateHash"] == core.state_hash()


def test_a_host_beside_a_core_says_the_same(host: Host) -> None:
    lines = [line for line, _ in host.events(0, 10)]
    core = Core()
    for line in lines:
        core.apply(line)
    response = host.call("swarm_status")
    assert response == core.query("swarm_status").response
    assert host.pending_effects() == core.pending_effects() == "[]"
    monitored = json.loads(host.call("swarm_monitor", '{"after":0}'))
    assert monitored["events"] == lines


def test_a_closed_host_says_so(host: Host) -> None:
    host.close()
    host.close()
    for refused in (host.version, host.state_hash, lambda: host.call("swarm_status")):
        with pytest.raises(ruv_swarm.FailedPreconditionError, match="closed"):
            refused()


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ruv_swarm.NotFoundError, match="ruv-swarm init"):
        Host(str(tmp_path / "none.db"))
    assert not list(tmp_path.iterdir())
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="json object"):
        Host.open_or_create(str(tmp_path / "none.db"), "[]")
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / b"\xff.db".decode(errors="surrogateescape")
    with RuvSwarm.init(db=path, seed=1) as swarm:
        swarm.spawn("coder")
    with RuvSwarm.open(path) as swarm:
        assert swarm.status()["agents"] == 1
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_newer_and_damaged_files_are_refused(host: Host, db: str) -> None:
    host.call("agent_spawn", '{"type":"coder"}')
    host.close()
    with sqlite3.connect(db) as database:
        database.execute("update event set body = replace(body, 'coder', 'codex') where seq = 2")
    database.close()
    with pytest.raises(ruv_swarm.CorruptError, match="damaged"):
        Host(db).version()
    with sqlite3.connect(db) as database:
        database.execute("pragma user_version = 99")
    database.close()
    with pytest.raises(ruv_swarm.UnsupportedVersionError, match="99"):
        Host(db)


def test_an_idempotency_key_holds_across_processes(host: Host, db: str) -> None:
    request = '{"type":"coder"}'
    first = host.call("agent_spawn", request, "once")
    assert Host(db).call("agent_spawn", request, "once") == first
    assert host.version() == Host(db).version()


def test_processes_share_a_file(bench: Bench) -> None:
    """Four processes add agents at once: all of them are there, and the ids have no gap."""
    path = bench.folder / "swarm.db"
    program = (
        "from ruv_swarm import RuvSwarm\n"
        "with RuvSwarm.open('swarm.db') as swarm:\n"
        "    for _ in range(10):\n"
        "        swarm.spawn('coder')\n"
    )
    with RuvSwarm.init(db=path) as swarm:
        children: list[subprocess.Popen[str]] = [
            bench.spawn([sys.executable, "-c", program]) for _ in range(4)
        ]
        for child in children:
            out, err = child.communicate(timeout=PATIENCE_S)
            assert (child.returncode, out, err) == (0, "", "")
        assert [agent["id"] for agent in swarm.agents()] == [f"a{n}" for n in range(1, 41)]
        assert swarm.verify()["ok"]
