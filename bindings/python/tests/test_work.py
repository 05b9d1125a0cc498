"""Functions as agents: what they return and raise, leases, Ctrl-C, several processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ruv_swarm
from python_kit import PATIENCE_S, Bench
from ruv_swarm import RuvSwarm, TaskContext, TaskFailure, new_task

posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture
def swarm() -> Iterator[RuvSwarm]:
    with RuvSwarm.init(seed=7) as swarm:
        yield swarm


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_a_function_returns_is_the_result(swarm: RuvSwarm) -> None:
    returned: dict[str, object] = {
        "text": "grüße",
        "dict": {"b": 1, "a": [True, None]},
        "number": 2.5,
        "nothing": None,
        "bytes": b"\x00\xff",
        "long": "x" * 70_000,
        "object": object(),
        "nan": float("nan"),
    }
    ids = {name: swarm.submit(name, max_retries=0) for name in returned}

    @swarm.agent("coder")
    def give(task: dict[str, Any]) -> object:
        return returned[task["name"]]

    assert swarm.work(until_idle=True) == (6, 2, 0, 0)
    done = {name: swarm.query(task=task) for name, task in ids.items()}
    assert done["text"]["output"] == "grüße"
    assert done["dict"]["output"] == '{"b": 1, "a": [true, null]}'
    assert done["number"]["output"] == "2.5"
    assert "output" not in done["nothing"] and done["nothing"]["state"] == "completed"
    kept = {name: swarm.artifact(done[name]["artifact"]) for name in ("bytes", "long")}
    assert kept == {"bytes": b"\x00\xff", "long": b"x" * 70_000}
    assert done["object"]["error"]["code"] == "type_error"
    assert "returned object; allowed: str" in done["object"]["error"]["message"]
    assert done["nan"]["error"]["code"] == "value_error"


def test_what_it_raises_is_the_failure(swarm: RuvSwarm) -> None:
    class HTTPError(Exception):
        pass

    raised: dict[str, BaseException] = {
        "value": ValueError("no such value"),
        "own": TaskFailure("rate_limited", "come back later"),
        "http": HTTPError(),
        "exit": SystemExit(3),
    }
    ids = {name: swarm.submit(name, max_retries=0) for name in raised}

    @swarm.agent("coder")
    def fail(task: dict[str, Any]) -> None:
        raise raised[task["name"]]

    assert swarm.work(until_idle=True).failed == 4
    errors = {name: swarm.query(task=task)["error"] for name, task in ids.items()}
    assert errors["value"] == {"code": "value_error", "message": "no such value"}
    assert errors["own"] == {"code": "rate_limited", "message": "come back later"}
    assert errors["http"] == {"code": "http_error", "message": "HTTPError"}
    assert errors["exit"]["code"] == "system_exit"


def test_functions_coroutines_and_their_contexts(swarm: RuvSwarm) -> None:
    seen: list[tuple[str, str, int]] = []

    @swarm.agent("planner", capabilities=["plan"], capacity=2)
    def plan(task: dict[str, Any], context: TaskContext) -> str:
        seen.append((context.agent_id, context.task_id, context.epoch))
        context.progress(1, 2, "planning")
        return swarm.submit("written", capabilities=["write"], payload=task["payload"].upper())

    @swarm.agent("writer", capabilities="write, read", capacity=50)
    async def write(task: dict[str, Any]) -> str:
        await asyncio.sleep(0)
        return str(task["payload"])

    swarm.submit_all([new_task(f"p{i}", payload=f"n{i}", capabilities=["plan"]) for i in range(20)])
    assert swarm.work(until_idle=True).completed == 40
    outputs = {swarm.query(task=f"t{n}")["output"] for n in range(21, 41)}
    assert outputs == {f"N{i}" for i in range(20)}
    assert {agent for agent, _, _ in seen} == {"a1"} and {epoch for _, _, epoch in seen} == {1}
    assert [agent["type"] for agent in swarm.agents()] == ["planner", "writer"]
    assert swarm.verify()["ok"]


def test_several_coroutines_run_at_once(swarm: RuvSwarm) -> None:
    inside: list[str] = []

    @swarm.agent("coder", capacity=30)
    async def meet(task: dict[str, Any]) -> None:
        inside.append(task["id"])
        while len(inside) < 30:  # with fewer at once it would wait for ever
            await asyncio.sleep(0.001)

    swarm.submit_all([new_task() for _ in range(30)])
    assert swarm.work(until_idle=True).completed == 30


def test_heartbeats_go_on_whatever_the_code_does(tmp_path: Path) -> None:
    with RuvSwarm.init(db=tmp_path / "s.db", seed=7) as swarm:
        swarm.submit("long")

        @swarm.agent("coder", lease_ms=1000)
        def hold_the_lock(_: dict[str, Any]) -> str:
            # With so long a switch interval nobody else gets the interpreter's lock meanwhile.
            before = sys.getswitchinterval()
            sys.setswitchinterval(60)
            try:
                end = time.monotonic() + 2.5
                while time.monotonic() < end:
                    pass
            finally:
                sys.setswitchinterval(before)
            return "done"

        assert swarm.work(max_tasks=1).completed == 1
        task = swarm.query(task="t1")
        assert (task["attempts"], task["output"]) == (1, "done")


def test_a_cancelled_task_ends_its_function_and_its_coroutine(swarm: RuvSwarm) -> None:
    heard: list[str] = []

    @swarm.agent("coder", capabilities=["sync"])
    def wait(task: dict[str, Any], context: TaskContext) -> None:
        swarm.cancel(task["id"], reason="changed my mind")
        assert context.wait(PATIENCE_S) and context.cancelled
        heard.append("function")

    @swarm.agent("coder", capabilities=["async"])
    async def sleep(task: dict[str, Any]) -> None:
        swarm.cancel(task["id"])
        try:
            await asyncio.sleep(PATIENCE_S)
        except asyncio.CancelledError:
            heard.append("coroutine")
            raise

    swarm.submit("a", capabilities=["sync"])
    swarm.submit("b", capabilities=["async"])
    assert swarm.work(until_idle=True).cancelled == 2
    assert sorted(heard) == ["coroutine", "function"]
    assert {swarm.query(task=task)["state"] for task in ("t1", "t2")} == {"cancelled"}


def test_a_named_agent_is_joined_and_nobody_is_refused(tmp_path: Path) -> None:
    for _ in range(2):
        with RuvSwarm.init(db=tmp_path / "s.db") as swarm:
            with pytest.raises(ruv_swarm.FailedPreconditionError, match=r"@swarm\.agent"):
                swarm.work()
            swarm.agent("coder", name="Ada")(lambda task: None)
            swarm.submit()
            assert swarm.work(until_idle=True).completed == 1
            assert swarm.work(until_idle=True).completed == 0
            assert [agent["name"] for agent in swarm.agents()] == ["Ada"]


def test_a_worker_by_hand(swarm: RuvSwarm) -> None:
    swarm.spawn("coder")
    swarm.submit("x", payload="in", priority="high", max_retries=0)
    task = swarm.claim("a1", lease_ms=60_000)
    assert task is not None and task["payload"] == "in" and swarm.claim("a1") is None
    assert swarm.heartbeat(task, progress=(1, 3, "on it"))["cancelRequested"] is False
    assert swarm.query(task="t1")["progress"] == {"done": 1, "total": 3, "note": "on it"}
    swarm.submit("y")
    ended = swarm.report(task, "failed", error=("no_luck", "try again"), claim_next=True)
    assert ended["task"]["error"]["code"] == "no_luck" and ended["next"]["id"] == "t2"
    with pytest.raises(ruv_swarm.RuvSwarmError) as caught:
        swarm.report(task, output="late")
    assert caught.value.code in ("stale_epoch", "failed_precondition")
    assert swarm.report(ended["next"], output="out")["task"]["output"] == "out"


def test_following_misses_nothing_and_repeats_nothing(swarm: RuvSwarm) -> None:
    lines: list[str] = []

    def read() -> None:
        for line in swarm.follow(after=0):
            lines.append(line)
            if json.loads(line)["seq"] == 101:
                return

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(10):
        swarm.submit_all([new_task() for _ in range(10)])
    reader.join(PATIENCE_S)
    assert lines == list(swarm.log()) and len(lines) == 101


PROGRAM = """
import signal, sys, time
from ruv_swarm import RuvSwarm
signal.signal(signal.SIGINT, signal.default_int_handler)
with RuvSwarm.open("swarm.db") as swarm:
    @swarm.agent("coder", lease_ms=1000)
    def wait(task, context):
        open("begun", "a").write(f"{context.epoch}\\n")
        if DEAF:
            time.sleep(600)
        context.wait(600)
        raise RuntimeError("told to stop")
    swarm.work()
"""


@posix
@pytest.mark.parametrize("deaf", [False, True])
def test_ctrl_c_gives_the_tasks_back(bench: Bench, deaf: bool) -> None:
    bench.ok("init", "--db", "swarm.db", "--seed", "7")
    bench.ok("submit", "x", "--max-retries", "0")
    child = bench.spawn([sys.executable, "-c", PROGRAM.replace("DEAF", str(deaf))])
    until((bench.folder / "begun").exists)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=PATIENCE_S)
    assert child.returncode in (130, -signal.SIGINT), (out, err)
    assert err.rstrip().endswith("KeyboardInterrupt"), err
    task = bench.json("query", "--task", "t1")
    assert (task["state"], task["attempts"]) == ("ready", 1)


@posix
def test_after_a_kill_another_takes_over(bench: Bench) -> None:
    bench.ok("init", "--db", "swarm.db", "--seed", "7")
    bench.ok("submit", "x", "--backoff-ms", "0")
    child = bench.spawn([sys.executable, "-c", PROGRAM.replace("DEAF", "False")])
    until((bench.folder / "begun").exists)
    child.kill()
    child.communicate(timeout=PATIENCE_S)
    with RuvSwarm.open(bench.folder / "swarm.db") as swarm:
        swarm.agent("coder")(lambda task: f"attempt {task['attempts']}")
        assert swarm.work(until_idle=True).completed == 1
        assert swarm.query(task="t1")["output"] == "attempt 2"
