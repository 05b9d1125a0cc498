"""The reference host as a process of its own, and in this one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import grpc
import pytest
from ruv_swarm_server._gen import service_pb2, service_pb2_grpc
from ruv_swarm_server.host import Host

sys.path.insert(0, str(Path(__file__).parent))

from process import Server, command

Start = Callable[..., Server]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "swarm.db"


@pytest.fixture
def start(db: Path) -> Iterator[Start]:
    """Start `ruv-swarm-server serve` on free ports; all are stopped at the end."""
    running: list[Server] = []

    def begin(*options: str, env: dict[str, str] | None = None) -> Server:
        server = Server(command("serve", "--db", str(db), *options), env)
        running.append(server)
        return server

    yield begin
    for server in running:
        server.stop()


@pytest.fixture
def server(start: Start) -> Server:
    return start()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests of a module that leave its swarm as it is."""
    server = Server(command("serve", "--db", str(tmp_path_factory.mktemp("shared") / "swarm.db")))
    with grpc.insecure_channel(server.grpc) as channel:
        service_pb2_grpc.SwarmServiceStub(channel).SwarmInit(service_pb2.SwarmInitRequest(seed=1))
    yield server
    server.stop()


@pytest.fixture
def stub(server: Server) -> Iterator[service_pb2_grpc.SwarmServiceStub]:
    with grpc.insecure_channel(server.grpc) as channel:
        yield service_pb2_grpc.SwarmServiceStub(channel)


@pytest.fixture
async def host(db: Path) -> AsyncIterator[Host]:
    async with Host(db) as running:
        yield running


@pytest.fixture
def cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the `ruv-swarm` command of this environment, which is the Rust host."""
    program = Path(sys.executable).with_name("ruv-swarm")

    def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        line = [str(program), *arguments]
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)

    return run


def last_json(text: str) -> dict[str, object]:
    return json.loads(text.strip().splitlines()[-1])
