"""HTTP: health, and the guard before every path."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import grpc
import httpx
import pytest
from mcp import Client
from process import Server
from ruv_swarm_server._gen import service_pb2 as pb
from ruv_swarm_server._gen import service_pb2_grpc
from ruv_swarm_server.security import Access, host_name, is_loopback


def test_healthz_reads_the_file(server: Server, db: Path) -> None:
    absent = httpx.get(f"{server.http}/healthz")
    assert absent.status_code == 200
    assert absent.json()["db"] == "absent"
    with grpc.insecure_channel(server.grpc) as channel:
        stub = service_pb2_grpc.SwarmServiceStub(channel)
        stub.SwarmInit(pb.SwarmInitRequest())
        stub.AgentSpawn(pb.AgentSpawnRequest(type="coder", name="first"))
    health = httpx.get(f"{server.http}/healthz").json()
    assert (health["status"], health["db"], health["version"]) == ("ok", "open", 2)
    with sqlite3.connect(db) as file:
        file.execute("UPDATE swarm SET version = 9")
    broken = httpx.get(f"{server.http}/healthz")
    assert broken.status_code == 503
    assert broken.json()["error"]["code"] == "corrupt"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:8080"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:3000"}, 200),
        ({"host": "localhost"}, 200),
    ],
)
def test_host_and_origin_are_checked(shared: Server, headers: dict[str, str], status: int) -> None:
    assert httpx.get(f"{shared.http}/healthz", headers=headers).status_code == status


def test_a_large_body_is_refused_with_and_without_a_length(shared: Server) -> None:
    large = b"x" * (4 * 1024 * 1024 + 1)
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    url = f"{shared.http}/mcp"
    assert httpx.post(url, content=large, headers=headers).status_code == 413
    pieces = (large[at : at + 65536] for at in range(0, len(large), 65536))
    assert httpx.post(url, content=pieces, headers=headers).status_code == 413


def test_an_unknown_path_is_not_found(shared: Server) -> None:
    assert httpx.get(f"{shared.http}/nothing").status_code == 404


def test_a_token_guards_mcp_and_not_health(start: Callable[..., Server]) -> None:
    server = start(env={"RUV_SWARM_TOKEN": "secret-word"})
    assert httpx.get(f"{server.http}/healthz").status_code == 200
    refused = httpx.post(f"{server.http}/mcp", json={})
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    given = httpx.post(
        f"{server.http}/mcp", json={}, headers={"authorization": "Bearer secret-word"}
    )
    assert given.status_code not in (401, 403)


def test_a_client_that_sends_no_headers_is_cut_off(shared: Server) -> None:
    """The deadline is ten seconds; a silent client must not hold a connection for ever."""
    host, _, port = shared.http.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=15) as silent:
        silent.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert silent.recv(100) == b""


@pytest.mark.anyio
async def test_mcp_over_http(server: Server) -> None:
    async with Client(f"{server.http}/mcp") as client:
        made = await client.call_tool("swarm_init", {"seed": 3})
        assert made.structured_content["seed"] == 3
        wrong = await client.call_tool("agent_spawn", {"type": "coder", "capacity": 0})
        assert wrong.is_error
        assert wrong.structured_content["error"]["field"] == "capacity"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_what_is_loopback(name: str, answer: bool) -> None:
    assert is_loopback(name) is answer


def test_names_in_host_headers() -> None:
    assert host_name("127.0.0.1:80") == "127.0.0.1"
    assert host_name("[::1]:80") == "[::1]"
    assert host_name("name") == "name"


def test_a_token_is_compared_whole() -> None:
    access = Access("word")
    assert access.allows("Bearer word")
    assert access.allows("bearer word")
    for wrong in ("", "word", "Basic word", "Bearer wor", "Bearer words"):
        assert not access.allows(wrong)
    assert Access().allows("")
