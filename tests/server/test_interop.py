"""One file, several hosts: what the server writes the Rust host reads, and the other way round."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from process import Server
from ruv_swarm_server._gen import service_pb2 as pb
from ruv_swarm_server._gen import service_pb2_grpc

DATA = Path(__file__).resolve().parents[1] / "data"

Cli = Callable[..., subprocess.CompletedProcess[str]]
Stub = service_pb2_grpc.SwarmServiceStub


def said(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture
def filled(stub: Stub) -> Stub:
    """A swarm with something of each kind in it."""
    stub.SwarmInit(pb.SwarmInitRequest(seed=7, topology="star"))
    stub.AgentSpawn(pb.AgentSpawnRequest(type="coder", name="Zoë", count=2))
    stub.TaskSubmit(pb.TaskSubmitRequest(tasks=[pb.NewTask(description="one")] * 3))
    stub.TaskClaim(pb.TaskClaimRequest(agent_id="a1"))
    stub.ArtifactPut(pb.ArtifactPutRequest(content=b"\x00\xff", name="bytes"))
    stub.TaskOrchestrate(pb.TaskOrchestrateRequest(task="write a book"))
    return stub


def test_a_file_of_the_server_opens_in_the_rust_host(filled: Stub, cli: Cli, db: Path) -> None:
    here = filled.SwarmStatus(pb.SwarmStatusRequest())
    there = said(cli("status", "--db", str(db), "--json"))
    assert there["stateHash"] == here.state_hash
    assert there["version"] == here.version
    replay = said(cli("replay", "--verify", "--db", str(db), "--json"))
    assert replay["ok"] is True
    assert (replay["events"], replay["stateHash"]) == (here.version, here.state_hash)
    log = cli("log", "--db", str(db), "--json").stdout.splitlines()
    assert log == list(filled.SwarmQuery(pb.SwarmQueryRequest(events=1)).events)


def test_the_server_goes_on_where_the_rust_host_stopped(
    cli: Cli, db: Path, start: Callable[..., Server]
) -> None:
    made = said(cli("init", "--db", str(db), "--seed", "9", "--topology", "ring", "--json"))
    said(cli("spawn", "tester", "--parallel", "3", "--db", str(db), "--json"))
    before = said(cli("status", "--db", str(db), "--json"))
    server = start()
    with grpc.insecure_channel(server.grpc) as channel:
        stub = Stub(channel)
        here = stub.SwarmStatus(pb.SwarmStatusRequest())
        assert (here.swarm_id, here.state_hash) == (made["swarmId"], before["stateHash"])
        assert not stub.SwarmInit(pb.SwarmInitRequest(topology="ring")).created
        stub.AgentSpawn(pb.AgentSpawnRequest(type="coder"))
        # What the command adds while the server runs, the server sees at once.
        said(cli("spawn", "tester", "--db", str(db), "--json"))
        here = stub.SwarmStatus(pb.SwarmStatusRequest())
    there = said(cli("status", "--db", str(db), "--json"))
    assert here.agents == 5
    assert there["stateHash"] == here.state_hash


def test_server_and_rust_host_write_side_by_side(stub: Stub, cli: Cli, db: Path) -> None:
    stub.SwarmInit(pb.SwarmInitRequest(max_agents=1000))

    def by_server(number: int) -> str:
        request = pb.AgentSpawnRequest(type="coder", name=f"server-{number}")
        return stub.AgentSpawn(request).agents[0].id

    def by_command(number: int) -> str:
        name = f"rust-{number}"
        done = cli("spawn", "coder", "--name", name, "--db", str(db), "--json")
        return str(said(done)["agents"][0]["id"])

    with ThreadPoolExecutor(6) as pool:
        servers = [pool.submit(by_server, number) for number in range(100)]
        commands = [pool.submit(by_command, number) for number in range(12)]
        ids = [future.result() for future in (*servers, *commands)]
    assert len(set(ids)) == 112
    agents = stub.AgentList(pb.AgentListRequest()).agents
    assert sorted(agent.id for agent in agents) == sorted(ids)
    assert len({agent.name for agent in agents}) == 112
    assert said(cli("replay", "--verify", "--db", str(db), "--json"))["ok"] is True


def test_the_model_is_the_same_whoever_trains_it(
    stub: Stub, cli: Cli, db: Path, tmp_path: Path
) -> None:
    iris = DATA / "iris.csv"
    other = tmp_path / "rust.db"
    said(cli("init", "--db", str(other), "--seed", "7", "--json"))
    options = ("--data", str(iris), "--strategy", "cognitive-diversity", "--db", str(other))
    trained = said(cli("orchestrate", "train", *options, "--json"))

    stub.SwarmInit(pb.SwarmInitRequest(seed=7))
    put = stub.ArtifactPut(pb.ArtifactPutRequest(content=iris.read_bytes()))
    dataset = pb.Dataset(hash=put.artifact.hash)
    goal = stub.TaskOrchestrate(
        pb.TaskOrchestrateRequest(task="train", strategy="cognitive-diversity", dataset=dataset)
    ).goal_id
    asked = pb.TaskStatusRequest(goal_id=goal)
    deadline = time.monotonic() + 120
    while stub.TaskStatus(asked).goal.state == "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    results = stub.TaskResults(pb.TaskResultsRequest(goal_id=goal))
    assert results.model_hash == trained["modelHash"]
    out = tmp_path / "predictions.csv"
    rows = said(
        cli(
            *("predict", "--model", results.model_hash, "--data", str(iris)),
            *("--out", str(out), "--db", str(db), "--json"),
        )
    )
    assert rows["rows"] == 150
    assert len(out.read_text().splitlines()) == 151
