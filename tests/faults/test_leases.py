"""A worker that stands still past its lease, and reports that come late, twice or out of order."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
from faultkit import HOSTS, HostProcess, Json, events_of, replay_of


def report(task: Json, agent: str, **more: object) -> Json:
    epoch = task["lease"]["epoch"]
    return {"taskId": task["id"], "agentId": agent, "epoch": epoch, "outcome": "completed", **more}


def until_claimed(host: HostProcess, agent: str) -> Json:
    """Ask until there is something to claim: a lease ends by the clock alone."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        task = host.ok("task_claim", {"agentId": agent}).get("task")
        if task:
            found: Json = task
            return found
        time.sleep(0.05)
    raise AssertionError("the lease of the halted worker did not end")


@pytest.mark.parametrize("name", HOSTS)
def test_a_worker_that_was_halted_past_its_lease_is_refused(name: str, db: Path) -> None:
    with HostProcess(name, db) as halted, HostProcess("rust", db) as other:
        other.ok("swarm_init", {"seed": 1})
        other.ok("agent_spawn", {"type": "coder", "count": 2})
        other.ok("task_submit", {"tasks": [{"name": "t", "backoffMs": 0}]})
        task = halted.ok("task_claim", {"agentId": "a1", "leaseMs": 1000})["task"]
        # The report is on its way when the worker's machine stops.
        halted.process.send_signal(signal.SIGSTOP)
        # All its threads stand still once the system says so.
        os.waitpid(halted.process.pid, os.WUNTRACED)
        halted.send("task_report", report(task, "a1", output='"late"'))
        again = until_claimed(other, "a2")
        assert again["lease"]["epoch"] > task["lease"]["epoch"]
        halted.process.send_signal(signal.SIGCONT)
        late = halted.answer()
        assert late["error"]["code"] == "stale_epoch", late
        other.ok("task_report", report(again, "a2", output='"in time"'))
        assert halted.ask("task_report", report(task, "a1"))["error"]["code"] == "stale_epoch"
    completed = events_of(db, "TaskCompleted")
    assert [event["output"] for event in completed] == ['"in time"']
    assert replay_of(db)["ok"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", HOSTS)
def test_reports_that_come_twice_late_and_out_of_order_count_once(
    name: str, seed: int, db: Path
) -> None:
    draw = random.Random(f"{name} {seed}")
    with HostProcess(name, db) as one, HostProcess("rust", db) as two:
        one.ok("swarm_init", {"seed": 1})
        one.ok("agent_spawn", {"type": "coder", "count": 10})
        one.ok("task_submit", {"tasks": [{"name": f"t{n}"} for n in range(10)]})
        sent = []
        for number in range(10):
            agent = f"a{number + 1}"
            task = one.ok("task_claim", {"agentId": agent})["task"]
            for copy in range(3):
                # A repetition by the network has the key, one by a confused worker has not.
                key = f"k{number}" if copy < 2 else ""
                sent.append((report(task, agent, output=f'"{agent}"'), key))
            stale = {**report(task, agent), "epoch": task["lease"]["epoch"] + 1}
            sent.append((stale, ""))
        draw.shuffle(sent)
        answers: dict[str, set[str]] = {}
        for request, key in sent:
            answer = draw.choice([one, two]).ask("task_report", request, key)
            if "ok" in answer and key:
                answers.setdefault(key, set()).add(json.dumps(answer["ok"], sort_keys=True))
            elif "error" in answer:
                allowed = {"stale_epoch", "failed_precondition"}
                assert answer["error"]["code"] in allowed, answer
        # Under one key all copies get the one answer.
        assert all(len(texts) == 1 for texts in answers.values())
    completed = events_of(db, "TaskCompleted")
    assert sorted(event["taskId"] for event in completed) == sorted(f"t{n + 1}" for n in range(10))
    assert replay_of(db)["ok"]
