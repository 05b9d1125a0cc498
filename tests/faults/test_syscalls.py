"""A host that is killed, or met by an error of the system, at each call that it makes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from faultkit import EndedError, HostProcess, Json, assert_there, events_of, line_of, note, number

# Every how many calls one is met by an error: all of them in a long run.
STRIDE = number("RUV_SWARM_STRIDE", 3)
SCRIPT: list[tuple[str, Json]] = [
    ("swarm_init", {"seed": 1, "swarmId": "s-calls"}),
    ("agent_spawn", {"type": "coder", "count": 2}),
    ("task_submit", {"tasks": [{"name": "a"}, {"name": "b", "dependsOn": ["a"]}]}),
    ("task_claim", {"agentId": "a1"}),
    ("task_report", {"taskId": "t1", "agentId": "a1", "epoch": 1, "outcome": "completed"}),
]


@pytest.fixture(scope="session")
def strace(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program that injects faults into system calls."""
    found = shutil.which("strace")
    if not found:
        pytest.skip("strace is not installed (Debian: apt-get install strace)")
    probe = [found, "-o", os.devnull, "-e", "inject=fsync:error=EIO", "true"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"strace may not trace here: {done.stderr.strip()}")
    return found


def injecting(strace: str, fault: str) -> list[str]:
    """The words before a command that let the fault happen in it."""
    calls = fault.partition(":")[0]
    return [strace, "-f", "-qqq", "-o", os.devnull, "-e", f"trace={calls}", "-e", f"inject={fault}"]


# SQLite syncs by one of two calls, as it was built.
SYNC = "fsync,fdatasync"


@pytest.mark.parametrize("call", ["pwrite64", SYNC, "ftruncate", "unlink"])
def test_a_host_killed_at_any_system_call_loses_no_answer(
    call: str, strace: str, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"
    calls.write_text("".join(line_of(*step) for step in SCRIPT))
    for when in range(1, 10_000):
        db = tmp_path / f"{when}.db"
        host = HostProcess("rust", db, injecting(strace, f"{call}:signal=KILL:when={when}"), calls)
        out, said = host.process.communicate(timeout=60)
        acknowledged: dict[int, tuple[str, str]] = {}
        for line in out.split("\n")[:-1]:
            note(acknowledged, json.loads(line))
        # A new host opens whatever is there, even a file that was only half made.
        with HostProcess("rust", db) as again:
            for operation, request in SCRIPT:
                again.ask(operation, request)
            assert again.ok("replay")["ok"]
        assert_there(db, acknowledged)
        if host.process.returncode == 0:
            break
        assert host.process.returncode == -9, said
    print(f"{call}: killed at each of {when - 1}")
    assert when > 1 or call in ("ftruncate", "unlink")


def told_and_settled(name: str, db: Path, before: list[str]) -> list[str]:
    """Say three things under a key each until they are done; return the codes heard meanwhile."""
    codes: list[str] = []
    host = HostProcess(name, db, before)
    try:
        for key in ("k1", "k2", "k3"):
            for _ in range(5):
                answer = host.ask("agent_spawn", {"type": "coder", "name": key}, key)
                if "ok" in answer:
                    break
                codes.append(answer["error"]["code"])
            else:
                raise AssertionError(f"{key} is refused for good: {codes}")
        assert len(host.ok("agent_list")["agents"]) == 3
    except (EndedError, BrokenPipeError) as ended:
        # It met the fault while it opened the file, and has said so.
        said = str(ended) if isinstance(ended, EndedError) else host.process.communicate()[1]
        assert "db: " in said, said
        return ["store_unavailable"]
    with host:
        return codes


@pytest.mark.parametrize("name", ["rust", "python", "node", "server"])
@pytest.mark.parametrize(
    "fault", [f"{SYNC}:error=EIO", "pwrite64:error=EIO", "pwrite64:error=ENOSPC"]
)
def test_an_error_of_the_system_is_told_and_settled_by_the_key(
    fault: str, name: str, strace: str, tmp_path: Path
) -> None:
    heard = set()
    stride = STRIDE if name == "rust" else 4 * STRIDE
    for when in range(1, 10_000, stride):
        db = tmp_path / f"{when}.db"
        with HostProcess("rust", db) as host:
            host.ok("swarm_init", {"seed": 1})
        codes = told_and_settled(name, db, injecting(strace, f"{fault}:when={when}..{when + 1}"))
        heard |= set(codes)
        spawned = [event["name"] for event in events_of(db, "AgentSpawned")]
        assert spawned in ([], ["k1", "k2", "k3"]), f"{fault} at {when}: {codes}"
        with HostProcess("rust", db) as host:
            assert host.ok("replay")["ok"]
        if not codes and when > 2 * stride:
            break
    print(f"{name}, {fault}: heard {sorted(heard)}, up to call {when}")
    assert heard <= {"outcome_unknown", "store_unavailable"}, heard
    assert heard, "no call met the fault"
