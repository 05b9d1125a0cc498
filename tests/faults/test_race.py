"""Clients of three languages race for the tasks of one file: each task is done once.

`RUV_SWARM_RACE_TASKS=5000` makes it longer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from faultkit import EXAMPLES, HostProcess, events_of, log_of, number, replay_of

sys.path.insert(0, str(EXAMPLES))

import race

TASKS = number("RUV_SWARM_RACE_TASKS", 300)


def test_each_task_has_one_winner_and_no_answer_is_lost(db: Path) -> None:
    line = [sys.executable, str(EXAMPLES / "race.py"), "--tasks", str(TASKS), "--db", str(db)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=600)
    print(done.stdout)
    # No client was shown an error: what one complains of is in the example's output.
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong:" not in done.stdout
    # Now from the log alone, by other code than the example's.
    completed = events_of(db, "TaskCompleted")
    assert Counter(event["taskId"] for event in completed) == Counter(
        f"t{n + 1}" for n in range(TASKS)
    )
    winners = {(e["taskId"], e["agentId"], e["epoch"]) for e in completed}
    claimed = {(e["taskId"], e["agentId"], e["epoch"]) for e in events_of(db, "TaskClaimed")}
    assert winners == claimed
    assert replay_of(db)["events"] == len(log_of(db))


@pytest.mark.parametrize("round_", range(4))
def test_hosts_that_make_one_file_at_once_make_one_swarm(round_: int, db: Path) -> None:
    names = ["rust", "python", "node", "server", "rust", "rust"]
    hosts = [HostProcess(name, db) for name in names]
    for host in hosts:
        host.send("swarm_init", {"seed": 1, "swarmId": "s-one"})
    made = [host.answer() for host in hosts]
    for host in hosts:
        with host:
            pass
    assert [answer["ok"]["created"] for answer in made].count(True) == 1, made
    assert len(log_of(db)) == 1


def lines_of(tasks: int) -> list[dict[str, Any]]:
    """The log of a race that went well."""
    found: list[dict[str, Any]] = []
    for n in range(tasks):
        output = race.hashlib.sha256(f"p{n}".encode()).hexdigest()
        lease = {"taskId": f"t{n}", "agentId": "a1", "epoch": 1}
        found.append({"kind": "TaskSubmitted", "body": {"taskId": f"t{n}", "payload": f"p{n}"}})
        found.append({"kind": "TaskClaimed", "body": lease})
        body = {**lease, "output": json.dumps(output)}
        found.append({"kind": "TaskCompleted", "body": body})
    return found


def notes_of(lines: list[dict[str, Any]], folder: Path) -> Path:
    """What the client of that race noted."""
    done = [line["body"] for line in lines if line["kind"] == "TaskCompleted"]
    said = [{"task": b["taskId"], "epoch": 1, "output": json.loads(b["output"])} for b in done]
    text = "".join(json.dumps(line) + "\n" for line in [*said, {"longestMs": 1}])
    (folder / "a1.jsonl").write_text(text)
    return folder


def test_a_race_that_went_well_is_judged_so(tmp_path: Path) -> None:
    lines = lines_of(3)
    assert race.judge(lines, notes_of(lines, tmp_path), 3)[0] == []


@pytest.mark.parametrize(
    ("fault", "lines"),
    {
        "a task completed twice": lambda lines: [*lines, lines[2]],
        "a task never completed": lambda lines: lines[:2] + lines[3:],
        "a task claimed twice": lambda lines: [lines[1], *lines],
        "another winner than claimed": lambda lines: [
            *lines[:2],
            {**lines[2], "body": {**lines[2]["body"], "agentId": "a2"}},
            *lines[3:],
        ],
        "a task lost": lambda lines: lines[3:],
    }.items(),
)
def test_the_judge_finds_each_fault(fault: str, lines: Any, tmp_path: Path) -> None:
    whole = lines_of(3)
    assert race.judge(lines(whole), notes_of(whole, tmp_path), 3)[0], fault
