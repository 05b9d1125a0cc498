"""The command line: exit codes, ports, signals, and what it refuses to do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import grpc
import httpx
import pytest
from process import Server, command
from ruv_swarm import error_codes
from ruv_swarm_server._gen import service_pb2 as pb
from ruv_swarm_server._gen import service_pb2_grpc
from ruv_swarm_server._gen.errors import ERROR_CODES


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    line = command(*arguments)
    environment = {**os.environ, **(env or {})}
    return subprocess.run(
        line, capture_output=True, text=True, check=False, timeout=60, env=environment
    )


def serve(db: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run("serve", "--db", str(db), "--grpc-port", "0", "--http-port", "0", "--json", *options)


def test_help_and_version_are_plain_text_and_exit_0() -> None:
    shown = run("--help")
    assert shown.returncode == 0
    assert "serve" in shown.stdout
    options = run("serve", "--help").stdout
    for option in ("--db", "--grpc-port", "--http-port", "--host", "--insecure", "--no-train"):
        assert option in options
    assert run("--version").stdout.startswith("ruv-swarm-server ")


@pytest.mark.parametrize(
    "arguments",
    [(), ("fly",), ("serve", "--grpc-port", "x"), ("serve", "--http-port", "65536")],
)
def test_bad_use_exits_2_and_says_why_in_lines(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(start: Callable[..., Server], number: int) -> None:
    server = start()
    with grpc.insecure_channel(server.grpc) as channel:
        service_pb2_grpc.SwarmServiceStub(channel).SwarmInit(pb.SwarmInitRequest())
        code, log = server.stop(number)
    assert code == (0 if number == signal.SIGTERM else 130)
    assert log == ""


def test_the_text_names_both_ports(db: Path) -> None:
    line = command("serve", "--db", str(db), "--grpc-port", "0", "--http-port", "0")
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = [process.stdout.readline() for _ in range(4)]
        process.terminate()
    assert str(db) in said[0]
    assert said[1].startswith("gRPC")
    assert "http://127.0.0.1:" in said[2]


def test_the_file_is_named_by_the_environment_too(
    tmp_path: Path, start: Callable[..., Server]
) -> None:
    other = tmp_path / "named.db"
    line = command("serve")
    server = Server(line, {"RUV_SWARM_DB": str(other)})
    assert server.said["db"] == str(other)
    assert server.stop()[0] == 0


def test_a_taken_port_is_bad_input(db: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for option, field in (("--grpc-port", "grpcPort"), ("--http-port", "httpPort")):
            done = serve(db, option, port)
            assert done.returncode == 2, done.stderr
            error = json.loads(done.stdout)["error"]
            assert (error["code"], error["field"]) == ("invalid_argument", field)
            assert port in error["message"]
            assert "Traceback" not in done.stderr


def test_the_network_is_served_with_a_token_or_by_saying_so(
    db: Path, start: Callable[..., Server]
) -> None:
    done = serve(db, "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "--insecure" in json.loads(done.stdout)["error"]["message"]
    insecure = start("--host", "0.0.0.0", "--insecure")
    port = insecure.said["httpPort"]
    assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200


def test_a_token_comes_from_a_file_and_is_shown_nowhere(
    tmp_path: Path, start: Callable[..., Server]
) -> None:
    token = tmp_path / "token"
    token.write_text("secret-word\n")
    server = start("--token-file", str(token), "--log-level", "debug")
    url = f"{server.http}/mcp"
    assert httpx.post(url, json={}).status_code == 401
    given = {"authorization": "Bearer secret-word"}
    assert httpx.post(url, json={}, headers=given).status_code != 401
    assert "secret-word" not in server.stop()[1]
    missing = run("serve", "--token-file", str(tmp_path / "none"))
    assert missing.returncode == 2
    assert "tokenFile" in missing.stderr


def test_a_file_that_cannot_be_served_is_said_at_the_start(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_bytes(b"no database " * 30)
    before = other.read_bytes()
    done = serve(other)
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "store_unavailable"
    assert "is not a ruv-swarm database" in done.stderr
    assert "Traceback" not in done.stderr
    assert other.read_bytes() == before
    folder = serve(tmp_path)
    assert folder.returncode == 2
    assert "is a folder" in folder.stderr


def test_a_file_in_a_missing_folder_is_named_when_it_is_to_be_made(tmp_path: Path) -> None:
    server = Server(command("serve", "--db", str(tmp_path / "no" / "swarm.db")))
    with grpc.insecure_channel(server.grpc) as channel:
        stub = service_pb2_grpc.SwarmServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.SwarmInit(pb.SwarmInitRequest())
    assert "its folder does not exist" in str(caught.value)
    assert server.stop()[0] == 0


def test_the_error_table_is_the_one_of_the_core() -> None:
    rows = [(row.code, row.exit_code, row.grpc, row.json_rpc) for row in ERROR_CODES.values()]
    assert rows == [row[:4] for row in error_codes()]
    assert all(hasattr(grpc.StatusCode, row.grpc) for row in ERROR_CODES.values())
