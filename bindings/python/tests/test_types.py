"""The types: the stub is that of the module, and a strict checker understands the facade."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from python_kit import Bench

PROGRAM = """
from typing import assert_type
import numpy as np
from numpy.typing import NDArray
from ruv_swarm import AsyncSwarm, Model, RuvSwarm, TaskContext, Tally, TrainingProgress, TrainingResult
from ruv_swarm import neural

def listen(progress: TrainingProgress) -> None:
    print(progress.members[0].note)

with RuvSwarm.init(topology="mesh", persistence={"type": "sqlite", "path": "s.db"}) as swarm:
    for agent in swarm.spawn("neural", pattern="convergent", count=2):
        assert_type(agent["capabilities"], list[str])
    trained = swarm.orchestrate("train", data="x.csv", on_progress=listen)
    assert_type(trained.members[0].validation_accuracy, float | None)
    assert_type(swarm.orchestrate(data=(np.zeros((9, 2)), [1, 2])), TrainingResult)
    assert_type(swarm.query(task="t1")["state"], str)
    claimed = swarm.claim("a1")
    if claimed is not None:
        assert_type(swarm.report(claimed, output="x")["task"]["state"], str)

    @swarm.agent("coder")
    def code(task: dict[str, object], context: TaskContext) -> bytes:
        return b"" if context.cancelled else context.artifact("0")

    assert_type(code({}, TaskContext()), bytes)
    assert_type(swarm.work(until_idle=True), Tally)
    assert_type(swarm.metrics()[0]["busyMs"], int)
    model: Model = swarm.model(trained.model_hash)
    assert_type(model.predict([[1.0, 2.0]]), NDArray[np.float32])
    swarm.status()["no such key"]
    swarm.orchestrate("train", data=7)

network = neural.train("x.csv", hidden=[3], l2=1e-4, on_progress=lambda progress: progress.epoch < 9)
assert_type(network.run([1.0]), NDArray[np.float32])
assert_type(neural.Trainer(np.zeros((9, 2)), [1, 2], seed=3).run(5), neural.Progress)
neural.train("x.csv", hiden=[3])

async def program() -> None:
    async with await AsyncSwarm.open("s.db") as swarm:
        assert_type((await swarm.query(agent="a1"))["capabilities"], list[str])
        async for line in swarm.follow(after=3):
            assert_type(line, str)
        await swarm.report("t1")
"""


def test_the_stub_is_that_of_the_module(bench: Bench) -> None:
    done = bench.python("-m", "mypy.stubtest", "ruv_swarm._core")
    assert done.code == 0, done.out + done.err


def test_a_strict_checker_understands_the_facade(
    bench: Bench, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    # NumPy's own types take long to read the first time.
    assert pytestconfig.cache is not None
    bench.env["MYPY_CACHE_DIR"] = str(pytestconfig.cache.mkdir("mypy"))
    (tmp_path / "program.py").write_text(PROGRAM)
    done = bench.python("-m", "mypy", "--strict", "program.py")
    errors = re.findall(r"error: .*\[([a-z-]+)\]$", done.out, re.MULTILINE)
    assert errors == ["typeddict-item", "call-overload", "call-arg", "arg-type"], done.out
