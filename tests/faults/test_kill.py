"""A host that is killed at any moment: what it had answered is in the log, byte for byte.

`RUV_SWARM_KILLS=2000` asks for more kills, `RUV_SWARM_SEED` for others.
"""

from __future__ import annotations

import contextlib
import random
import subprocess
from pathlib import Path

import pytest
from faultkit import HostProcess, Json, assert_there, line_of, log_of, note, number, replay_of

KILLS = number("RUV_SWARM_KILLS", 200)
SEED = number("RUV_SWARM_SEED", 1)
# What starts fast is killed often.
SHARES = {"rust": 1.0, "python": 0.1, "node": 0.08, "server": 0.05}
# A new file after so many kills, so that reading it stays quick.
KILLS_OF_A_FILE = 40


def call(draw: random.Random) -> tuple[str, Json]:
    """A command of some kind and size."""
    match draw.randrange(4):
        case 0:
            return "agent_spawn", {"type": "coder", "count": draw.randint(1, 3)}
        case 1:
            return "artifact_put", {"name": "bytes", "content": "QUJD" * draw.randint(1, 4000)}
        case _:
            words = "x" * draw.randint(0, 3000)
            names = range(draw.randint(1, 10))
            return "task_submit", {
                "tasks": [{"name": f"t{n}", "description": words} for n in names]
            }


def cycle(
    name: str, db: Path, draw: random.Random, acknowledged: dict[int, tuple[str, str]]
) -> int:
    """Start a host, let it write in a loop, kill it at a random moment; count its answers."""
    calls = db.with_suffix(".calls")
    calls.write_text("".join(line_of(*call(draw)) for _ in range(60)))
    host = HostProcess(name, db, calls=calls)
    # Some die while they open the file, some in the middle, some at the end.
    wanted = draw.choice([0, 0, 1, 3, 10, 30])
    answers = [host.answer() for _ in range(wanted)]
    with contextlib.suppress(subprocess.TimeoutExpired):
        host.process.wait(draw.random() * 0.02)
    answers += host.kill()
    for answer in answers:
        assert "error" not in answer, answer
        note(acknowledged, answer)
    return len(answers)


@pytest.mark.parametrize("name", list(SHARES))
def test_what_a_killed_host_had_answered_is_there(name: str, tmp_path: Path) -> None:
    draw = random.Random(f"{name} {SEED}")
    kills = max(4, int(KILLS * SHARES[name]))
    answered = looked_for = 0
    db = tmp_path / "none"
    acknowledged: dict[int, tuple[str, str]] = {}
    for number_of_kill in range(kills):
        if number_of_kill % KILLS_OF_A_FILE == 0:
            acknowledged = {}
            db = tmp_path / f"{number_of_kill}.db"
            with HostProcess("rust", db) as host:
                host.ok("swarm_init", {"seed": 1, "maxAgents": 100_000})
        answered += cycle(name, db, draw, acknowledged)
        # The next reader puts the file right, and must find all; then the host goes on with it.
        assert_there(db, acknowledged)
        looked_for += len(acknowledged)
        if number_of_kill % 10 == 9 or number_of_kill == kills - 1:
            assert replay_of(db)["events"] == len(log_of(db))
    print(f"{name}: {kills} kills, {answered} answers, {looked_for} events looked for, none lost")
    assert answered > 0


@pytest.mark.parametrize("name", ["rust", "python", "node", "server"])
def test_what_a_crash_left_in_the_log_is_folded_in_before_a_command_is_answered(
    name: str, db: Path
) -> None:
    host = HostProcess("rust", db)
    host.ok("swarm_init", {"seed": 1})
    host.ok("agent_spawn", {"type": "coder", "count": 90})
    host.kill()
    log = db.with_name("swarm.db-wal")
    before = log.stat().st_size
    with HostProcess(name, db) as again:
        # Whoever only looks changes nothing.
        assert len(again.ok("agent_list")["agents"]) == 90
        assert log.stat().st_size == before
        # What a sync that failed before the crash had lost of the log is written to the database
        # before the first command is answered, and the log has begun anew.
        again.ok("task_submit", {"tasks": [{"name": "t"}]})
        assert log.stat().st_size < before


def test_the_check_finds_an_answer_that_is_not_in_the_log(db: Path) -> None:
    """The tests above must be able to fail: an answer given before the commit is found out."""
    with HostProcess("rust", db) as host:
        host.ok("swarm_init", {"seed": 1})
        acknowledged: dict[int, tuple[str, str]] = {}
        answer = host.ask("agent_spawn", {"type": "coder"})
        note(acknowledged, answer)
    assert_there(db, acknowledged)
    seq, body, chain = answer["events"][-1]
    for other in ((seq + 1, body, chain), (seq, body + " ", chain), (seq, body, "0" * 64)):
        with pytest.raises(AssertionError, match="was acknowledged"):
            assert_there(db, {other[0]: other[1:]})
