"""Training by the server: claimed, kept alive, reported, taken over, cancelled."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from process import Server
from ruv_swarm import RuvSwarmError
from ruv_swarm_server._gen import service_pb2 as pb
from ruv_swarm_server._gen import service_pb2_grpc
from ruv_swarm_server.host import Host
from ruv_swarm_server.training import TrainingExecutor

DATA = Path(__file__).resolve().parents[1] / "data"

pytestmark = pytest.mark.anyio


async def call(host: Host, operation: str, **fields: Any) -> dict[str, Any]:
    return json.loads(await host.call(operation, json.dumps(fields)))


async def plan(host: Host, name: str = "iris.csv", seed: int = 7) -> str:
    """Start a training goal and return its id; the summary is left to the host."""
    await call(host, "swarm_init", seed=seed)
    content = base64.b64encode((DATA / name).read_bytes()).decode()
    put = await call(host, "artifact_put", content=content, name=name)
    dataset = {"hash": put["artifact"]["hash"]}
    fields = {"task": "train", "strategy": "cognitive-diversity", "dataset": dataset}
    return (await call(host, "task_orchestrate", **fields))["goalId"]


async def begun(host: Host) -> None:
    """Wait until a member is in training, or already trained."""
    async with asyncio.timeout(60):
        while True:
            seen = host.version
            tasks = (await call(host, "swarm_status"))["tasks"]
            if tasks["running"] or tasks["completed"]:
                return
            await host.wait_news(seen, 1)


async def finished(host: Host, goal: str) -> dict[str, Any]:
    async with asyncio.timeout(120):
        while True:
            seen = host.version
            status = await call(host, "task_status", goalId=goal)
            if status["goal"]["state"] != "running":
                return await call(host, "task_results", goalId=goal)
            await host.wait_news(seen, 1)


@pytest.mark.parametrize("name", ["iris.csv", "wdbc.csv"])
async def test_a_goal_with_a_dataset_is_trained_and_fused(host: Host, name: str) -> None:
    async with TrainingExecutor(host, 2):
        results = await finished(host, await plan(host, name))
    assert results["state"] == "completed"
    assert len(results["members"]) == 4
    assert {member["pattern"] for member in results["members"]} == {
        "convergent",
        "divergent",
        "lateral",
        "systems",
    }
    ensemble = results["ensemble"]
    difference = ensemble["meanMemberLoss"] - ensemble["ambiguity"]
    assert ensemble["testLoss"] == pytest.approx(difference, abs=1e-6)
    assert ensemble["testAccuracy"] > 0.8
    model = await call(host, "artifact_get", hash=results["modelHash"])
    assert model["artifact"]["mediaType"] == "application/x-ruv-swarm-model"


async def test_threads_and_hosts_do_not_change_the_model(tmp_path: Path) -> None:
    hashes = set()
    for threads in (1, 3):
        async with Host(tmp_path / f"{threads}.db") as host, TrainingExecutor(host, threads):
            hashes.add((await finished(host, await plan(host)))["modelHash"])
    async with (
        Host(tmp_path / "two.db") as one,
        Host(tmp_path / "two.db") as two,
        TrainingExecutor(one, 1),
        TrainingExecutor(two, 1),
    ):
        results = await finished(one, await plan(one))
        hashes.add(results["modelHash"])
    assert len(hashes) == 1


async def test_the_word_train_alone_trains_on_the_sample(host: Host) -> None:
    with pytest.raises(RuvSwarmError) as caught:
        await host.orchestrate_sample({"task": "train"})
    assert caught.value.field == "db"
    await call(host, "swarm_init", seed=7)
    assert await host.orchestrate_sample({"task": "write a book"}) is None
    with pytest.raises(RuvSwarmError) as caught:
        await host.orchestrate_sample({})
    assert caught.value.field == "task"
    async with TrainingExecutor(host, 2):
        fields = {"task": "train", "strategy": "cognitive-diversity"}
        planned = await host.orchestrate_sample(fields)
        assert planned
        results = await finished(host, json.loads(planned)["goalId"])
    assert results["state"] == "completed"
    assert results["ensemble"]["testAccuracy"] > 0.8


async def test_a_cancelled_goal_stops(host: Host) -> None:
    async with TrainingExecutor(host, 1):
        goal = await plan(host, "wdbc.csv")
        await begun(host)
        await call(host, "task_cancel", goalId=goal)
        results = await finished(host, goal)
    assert results["state"] == "cancelled"
    tasks = (await call(host, "task_status", goalId=goal))["tasks"]
    assert {task["state"] for task in tasks} <= {"cancelled", "completed"}


async def test_a_stopped_host_gives_its_tasks_back(host: Host) -> None:
    goal = await plan(host, "wdbc.csv")
    async with TrainingExecutor(host, 2):
        await begun(host)
    assert (await call(host, "swarm_status"))["tasks"]["running"] == 0
    async with TrainingExecutor(host, 2):
        assert (await finished(host, goal))["state"] == "completed"


async def test_an_unusable_dataset_is_refused_with_the_words_of_the_core(host: Host) -> None:
    await call(host, "swarm_init")
    content = base64.b64encode(b"a,b\n1,2\n3\n").decode()
    put = await call(host, "artifact_put", content=content)
    version = (await call(host, "swarm_status"))["version"]
    for digest, code in ((put["artifact"]["hash"], "invalid_data"), ("0" * 64, "not_found")):
        with pytest.raises(RuvSwarmError) as caught:
            await call(host, "task_orchestrate", task="train", dataset={"hash": digest})
        assert caught.value.code == code
    assert (await call(host, "swarm_status"))["version"] == version


def test_a_killed_server_is_taken_over_and_the_model_is_the_same(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    async def alone() -> str:
        async with Host(tmp_path / "alone.db") as host, TrainingExecutor(host, 2):
            return str((await finished(host, await plan(host, "wdbc.csv")))["modelHash"])

    expected = asyncio.run(alone())
    first = start("--threads", "1")
    with grpc.insecure_channel(first.grpc) as channel:
        stub = service_pb2_grpc.SwarmServiceStub(channel)
        stub.SwarmInit(pb.SwarmInitRequest(seed=7))
        content = (DATA / "wdbc.csv").read_bytes()
        digest = stub.ArtifactPut(pb.ArtifactPutRequest(content=content)).artifact.hash
        request = pb.TaskOrchestrateRequest(
            task="train", strategy="cognitive-diversity", dataset=pb.Dataset(hash=digest)
        )
        goal = stub.TaskOrchestrate(request).goal_id
        deadline = time.monotonic() + 60
        tasks = stub.SwarmStatus(pb.SwarmStatusRequest()).tasks
        while not (tasks.running or tasks.completed):
            assert time.monotonic() < deadline
            time.sleep(0.01)
            tasks = stub.SwarmStatus(pb.SwarmStatusRequest()).tasks
    first.stop(signal.SIGKILL)
    second = start()
    with grpc.insecure_channel(second.grpc) as channel:
        stub = service_pb2_grpc.SwarmServiceStub(channel)
        asked = pb.TaskStatusRequest(goal_id=goal)
        deadline = time.monotonic() + 90
        while stub.TaskStatus(asked).goal.state == "running":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        results = stub.TaskResults(pb.TaskResultsRequest(goal_id=goal))
    assert results.state == "completed"
    assert results.model_hash == expected
