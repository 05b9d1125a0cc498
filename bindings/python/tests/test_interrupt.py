"""Ctrl-C and kill -9 in the middle of a training: nothing is lost, and it can go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from python_kit import PATIENCE_S, Bench
from ruv_swarm import RuvSwarm

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
TRAIN = ("orchestrate", "train", "--data", "long.csv", "--agents", "convergent,systems")
# Where the tests run in the background of a shell, their children are born deaf to SIGINT.
PROGRAM = """
import signal
from ruv_swarm import RuvSwarm
signal.signal(signal.SIGINT, signal.default_int_handler)
with RuvSwarm.open("swarm.db") as swarm:
    try:
        swarm.orchestrate("train", data="long.csv", agents="convergent,systems")
    except KeyboardInterrupt:
        print(swarm.query(goal="g1")["state"], flush=True)
        raise
"""


@pytest.fixture
def busy(bench: Bench, long_job: bytes) -> Bench:
    """A swarm and a job that takes a while."""
    (bench.folder / "long.csv").write_bytes(long_job)
    bench.ok("init", "--db", "swarm.db", "--seed", "7")
    return bench


def wait_for(bench: Bench, child: subprocess.Popen[str], kind: str) -> None:
    """Wait until the log has an event of a kind, while the child runs."""
    end = time.monotonic() + PATIENCE_S
    with RuvSwarm.open(bench.folder / "swarm.db") as swarm:
        while not any(json.loads(line)["kind"] == kind for line in swarm.log()):
            assert child.poll() is None and time.monotonic() < end, f"no {kind} in the log"
            time.sleep(0.01)


def nothing_is_under_way(bench: Bench) -> None:
    tasks = bench.json("status")["tasks"]
    assert (tasks["running"], tasks["ready"], tasks["blocked"]) == (0, 0, 0)
    assert bench.json("query", "--goal", "g1")["state"] == "cancelled"
    assert bench.json("replay", "--verify")["ok"] is True


def test_ctrl_c_of_the_command(busy: Bench, iris: Path) -> None:
    child = busy.start(*TRAIN)
    wait_for(busy, child, "TaskClaimed")
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 130, (out, err)
    assert err.startswith("error: interrupted") and "Traceback" not in err
    nothing_is_under_way(busy)
    again = busy.json("orchestrate", "train", "--data", str(iris), "--agents", "convergent")
    assert again["state"] == "completed"


def test_ctrl_c_of_a_program(busy: Bench) -> None:
    child = busy.spawn([sys.executable, "-c", PROGRAM])
    wait_for(busy, child, "TaskClaimed")
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=PATIENCE_S)
    # The state is committed before KeyboardInterrupt is raised, which then ends the program.
    assert out == "cancelled\n" and "KeyboardInterrupt" in err, (out, err)
    assert child.returncode in (130, -signal.SIGINT)
    nothing_is_under_way(busy)
    assert busy.json(*TRAIN)["state"] == "completed"


@pytest.mark.parametrize("door", ["command", "program"])
def test_after_a_kill_it_goes_on_to_the_same_model(busy: Bench, door: str, long_job: bytes) -> None:
    with RuvSwarm.init(seed=7) as undisturbed:
        whole = undisturbed.orchestrate("train", data=long_job, agents="convergent,systems")
    child = busy.start(*TRAIN) if door == "command" else busy.spawn([sys.executable, "-c", PROGRAM])
    wait_for(busy, child, "TaskClaimed")
    child.kill()
    child.communicate(timeout=PATIENCE_S)
    status = busy.json("status")
    assert status["tasks"]["running"] + status["tasks"]["ready"] > 0
    if door == "command":
        found = busy.json("orchestrate", "--resume")["modelHash"]
    else:
        with RuvSwarm.open(busy.folder / "swarm.db") as swarm:
            (result,) = swarm.resume()
            assert result.members[0].validation_loss == whole.members[0].validation_loss
            found = result.model_hash
    assert found == whole.model_hash
    assert busy.json("orchestrate", "--resume") == {"goals": []}
    assert busy.json("replay", "--verify")["ok"] is True
