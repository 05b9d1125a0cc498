"""AsyncSwarm: awaiting, shared commits, following, coroutines as agents."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import ruv_swarm
from python_kit import PATIENCE_S
from ruv_swarm import AsyncSwarm, RuvSwarm, TrainingResult, new_task


def test_the_operations_are_awaited(tmp_path: Path) -> None:
    async def program() -> None:
        async with await AsyncSwarm.init(db=tmp_path / "s.db", seed=7) as swarm:
            assert (swarm.seed, swarm.topology) == (7, "mesh")
            (coder,) = await swarm.spawn("coder", capabilities="python, git")
            assert coder["capabilities"] == ["python", "git"]
            assert [agent["id"] for agent in await swarm.agents()] == ["a1"]
            assert await swarm.submit("x", payload="in", exclusive=None) == "t1"
            task = await swarm.claim("a1")
            assert task is not None and task["payload"] == "in"
            assert (await swarm.heartbeat(task))["lease"]["epoch"] == 1
            ended = await swarm.report(task, output="out")
            assert ended["task"]["state"] == "completed"
            assert (await swarm.query(task="t1"))["output"] == "out"
            assert (await swarm.cancel(await swarm.submit()))["cancelled"] == ["t2"]
            assert (await swarm.status())["tasks"]["completed"] == 1
            with pytest.raises(ruv_swarm.NotFoundError, match="t9"):
                await swarm.query(task="t9")
            with pytest.raises(ruv_swarm.NotFoundError):
                await swarm.cancel("t9")
            with pytest.raises(ruv_swarm.UnknownOperationError):
                await swarm.call("frobnicate")
        with pytest.raises(ruv_swarm.FailedPreconditionError, match="closed"):
            await swarm.submit()

    asyncio.run(program())


def test_calls_that_are_under_way_share_their_commits(tmp_path: Path) -> None:
    class Counted:
        """The host with a count of what it is asked for."""

        def __init__(self, host: ruv_swarm.Host) -> None:
            self.host = host
            self.groups: list[int] = []

        def call_many(self, calls: list[tuple[str, str, str]]) -> Any:
            self.groups.append(len(calls))
            return self.host.call_many(calls)

    async def program() -> None:
        async with await AsyncSwarm.init(db=tmp_path / "s.db") as swarm:
            counted = Counted(swarm._host)
            swarm._commits._host = counted  # type: ignore[assignment]
            same = [swarm.call("agent_spawn", {"type": "coder"}, "one key") for _ in range(3)]
            ids = await asyncio.gather(*[swarm.submit(f"n{i}") for i in range(200)], *same)
            assert ids[:200] == [f"t{i}" for i in range(1, 201)]
            assert ids[200] == ids[201] == ids[202]
            # All were under way before the first commit began.
            assert counted.groups == [203]
            answers = await asyncio.gather(
                swarm.submit("good"),
                swarm.cancel("t999"),
                swarm.submit("too"),
                return_exceptions=True,
            )
            assert answers[0::2] == ["t201", "t202"]
            assert isinstance(answers[1], ruv_swarm.NotFoundError)
            assert counted.groups == [203, 3]

    asyncio.run(program())
    with RuvSwarm.open(tmp_path / "s.db") as swarm:
        assert swarm.verify()["ok"] and swarm.status()["agents"] == 1


def test_following_has_no_gap_and_no_repeat(tmp_path: Path) -> None:
    async def program() -> tuple[list[str], list[str]]:
        async with await AsyncSwarm.init(db=tmp_path / "s.db") as swarm:

            async def read() -> list[str]:
                lines = []
                async for line in swarm.follow(after=0):
                    lines.append(line)
                    if json.loads(line)["seq"] == 301:
                        break
                return lines

            async def late() -> list[str]:
                async for line in swarm.follow():
                    return [line]
                return []

            first, second = asyncio.create_task(read()), asyncio.create_task(read())
            for _ in range(3):
                await asyncio.gather(*[swarm.submit() for _ in range(100)])
            one, two = await asyncio.wait_for(asyncio.gather(first, second), PATIENCE_S)
            assert one == two
            waiting = asyncio.create_task(late())
            # It begins at the end of the log that it finds, so that it sees one of many more.
            while not waiting.done():
                await swarm.submit("new")
                await asyncio.sleep(0.01)
            assert json.loads(waiting.result()[0])["seq"] > 301
            return one, waiting.result()

    lines, _ = asyncio.run(program())
    with RuvSwarm.open(tmp_path / "s.db") as swarm:
        assert lines == list(swarm.log())[:301]


def test_coroutines_work_on_the_loop_of_the_program() -> None:
    async def program() -> None:
        async with await AsyncSwarm.init() as swarm:
            here = asyncio.get_running_loop()

            @swarm.agent("coder", capacity=10)
            async def code(task: dict[str, Any]) -> str:
                assert asyncio.get_running_loop() is here
                await swarm.submit("more") if task.get("payload") else None
                return "done"

            @swarm.agent("tester", capabilities=["test"])
            def check(_: dict[str, Any]) -> str:
                return "checked"

            await swarm.submit_all([new_task(payload="more") for _ in range(5)])
            await swarm.submit(capabilities=["test"])
            done = await swarm.work(until_idle=True)
            assert done.completed == 11

    asyncio.run(program())


def test_a_cancelled_work_gives_its_tasks_back() -> None:
    async def program() -> None:
        async with await AsyncSwarm.init() as swarm:
            begun = asyncio.Event()

            @swarm.agent("coder")
            async def wait(_: dict[str, Any]) -> None:
                begun.set()
                await asyncio.sleep(PATIENCE_S)

            await swarm.submit(max_retries=0)
            working = asyncio.create_task(swarm.work())
            await asyncio.wait_for(begun.wait(), PATIENCE_S)
            working.cancel()
            with pytest.raises(asyncio.CancelledError):
                await working
            task = await swarm.query(task="t1")
            assert (task["state"], task["attempts"]) == ("ready", 1)

    asyncio.run(program())


def test_a_training_is_awaited_and_called_off(iris: Path, long_job: bytes) -> None:
    async def program() -> None:
        async with await AsyncSwarm.init(seed=7) as swarm:
            done = await swarm.orchestrate("train", data=iris, agents="convergent")
            assert isinstance(done, TrainingResult)
            assert (await swarm.model(done.model_hash)).classes
            begun = asyncio.Event()
            loop = asyncio.get_running_loop()
            running = asyncio.create_task(
                swarm.orchestrate(
                    "train",
                    data=long_job,
                    agents="convergent",
                    on_progress=lambda _: loop.call_soon_threadsafe(begun.set),
                )
            )
            await asyncio.wait_for(begun.wait(), PATIENCE_S)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            assert (await swarm.query(goal="g2"))["state"] == "cancelled"

    asyncio.run(program())
