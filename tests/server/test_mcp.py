"""MCP on standard input and output: the official client, and callers that pipe in a file."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from process import command
from ruv_swarm_server._gen import service_pb2

RUV_SWARM = [str(Path(sys.executable).with_name("ruv-swarm")), "mcp", "start"]
ROOT = Path(__file__).resolve().parents[2]
NPM = ["node", str(ROOT / "npm" / "dist" / "cli.js"), "mcp", "start"]
PYTHON_DOORS = {"ruv-swarm": RUV_SWARM, "ruv-swarm-server": command("mcp")}
DOORS = {**PYTHON_DOORS, "npm": NPM}

pytestmark = pytest.mark.anyio


def stdio(line: Sequence[str], db: Path) -> Any:
    program, *arguments = line
    parameters = StdioServerParameters(command=program, args=[*arguments, "--db", str(db)])
    return stdio_client(parameters)


@pytest.mark.parametrize("door", DOORS)
async def test_the_official_client_lists_and_calls(door: str, db: Path) -> None:
    async with Client(stdio(DOORS[door], db)) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        service = service_pb2.DESCRIPTOR.services_by_name["SwarmService"]
        assert len(tools) == len(service.methods)
        for name, tool in tools.items():
            assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)
            assert tool.description
            assert tool.output_schema
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
            jsonschema.Draft202012Validator.check_schema(tool.output_schema)
        results = [
            ("swarm_init", {"topology": "mesh", "maxAgents": 8}),
            ("ruv-swarm.spawn", {"type": "coder", "name": "one", "unheard_of": 1}),
            ("task_submit", {"tasks": [{"description": "a"}, {"description": "b"}]}),
            ("task_claim", {"agentId": "a1"}),
            ("task_heartbeat", {"taskId": "t1", "agentId": "a1", "epoch": 1}),
            ("artifact_put", {"content": "aGVsbG8="}),
            ("task_report", {"taskId": "t1", "agentId": "a1", "epoch": 1, "outcome": "completed"}),
            ("task_status", {"taskId": "t1"}),
            ("task_results", {"taskId": "t1"}),
            ("task_cancel", {"taskId": "t2"}),
            ("ruv-swarm.orchestrate", {"task": "write", "strategy": "parallel"}),
            ("agent_list", {}),
            ("swarm_status", {"verbose": True}),
            ("ruv-swarm.query", {"events": 1}),
            ("ruv-swarm.monitor", {"after": 0}),
            ("tick", {}),
        ]
        aliases = {
            "ruv-swarm.spawn": "agent_spawn",
            "ruv-swarm.orchestrate": "task_orchestrate",
            "ruv-swarm.query": "swarm_query",
            "ruv-swarm.monitor": "swarm_monitor",
        }
        for name, arguments in results:
            result = await client.call_tool(name, arguments)
            assert not result.is_error, (name, result.content)
            schema = tools[aliases.get(name, name)].output_schema
            jsonschema.validate(result.structured_content, schema)
            assert result.content[0].text.strip(), f"{name} has no text"


@pytest.mark.parametrize("door", DOORS)
async def test_refusals_are_results_with_the_words_of_the_core(door: str, db: Path) -> None:
    async with Client(stdio(DOORS[door], db)) as client:
        early = await client.call_tool("swarm_status", {})
        assert early.is_error
        assert early.structured_content["error"]["field"] == "db"
        await client.call_tool("swarm_init", {})
        for name, arguments, code, field in [
            ("task_status", {"taskId": "t404"}, "not_found", "taskId"),
            ("agent_spawn", {"type": "coder", "capacity": "many"}, "invalid_argument", "capacity"),
            ("swarm_init", {"topology": "blob"}, "invalid_argument", "topology"),
            ("no_such_tool", {}, "unknown_operation", "operation"),
        ]:
            result = await client.call_tool(name, arguments)
            assert result.is_error
            error = result.structured_content["error"]
            assert (error["code"], error["field"]) == (code, field)
            assert result.content[0].text == error["message"]


@pytest.mark.parametrize("door", DOORS)
async def test_training_without_data_says_that_it_uses_the_sample(door: str, db: Path) -> None:
    async with Client(stdio(DOORS[door], db)) as client:
        await client.call_tool("swarm_init", {"seed": 7})
        planned = await client.call_tool("ruv-swarm.orchestrate", {"task": "train"})
        assert "bundled sample" in planned.content[0].text
        assert len(planned.structured_content["taskIds"]) >= 2


async def test_every_door_lists_the_same_tools(tmp_path: Path) -> None:
    listed: dict[str, list[dict[str, Any]]] = {}
    for door, line in DOORS.items():
        async with Client(stdio(line, tmp_path / f"{door}.db")) as client:
            tools = (await client.list_tools()).tools
            listed[door] = [tool.model_dump(exclude_none=True) for tool in tools]
    assert listed["npm"] == listed["ruv-swarm"] == listed["ruv-swarm-server"]


async def test_three_doors_on_one_file_answer_alike(db: Path) -> None:
    answers: dict[str, list[Any]] = {}
    async with Client(stdio(RUV_SWARM, db)) as first:
        await first.call_tool("swarm_init", {"seed": 5})
        await first.call_tool("agent_spawn", {"type": "coder", "name": "Zoë"})
        await first.call_tool("task_submit", {"tasks": [{"description": "work"}]})
    questions: list[tuple[str, dict[str, Any]]] = [
        ("swarm_status", {"verbose": True}),
        ("agent_list", {}),
        ("task_status", {"taskId": "t1"}),
        ("swarm_query", {"events": 1}),
        ("ruv-swarm.monitor", {"after": 1}),
        ("task_status", {"taskId": "t7"}),
        ("swarm_init", {"topology": "ring"}),
        ("task_submit", {"tasks": []}),
        ("artifact_get", {"hash": "xyz"}),
    ]
    for door, line in DOORS.items():
        async with Client(stdio(line, db)) as client:
            results = [await client.call_tool(*question) for question in questions]
        answers[door] = [
            (result.is_error, result.content[0].text, result.is_error or result.structured_content)
            for result in results
        ]
    for door, told in answers.items():
        for question, here, there in zip(questions, told, answers["ruv-swarm"], strict=True):
            assert here == there, (door, question)


async def test_dotted_names_are_listed_when_asked_for(db: Path) -> None:
    async with Client(stdio([*command("mcp"), "--tool-names", "dotted"], db)) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
    assert {"ruv-swarm.spawn", "agent_spawn", "ruv-swarm.query"} <= names


def lines(*calls: tuple[str, dict[str, Any]]) -> str:
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    messages: list[dict[str, Any]] = [{"id": 0, "method": "initialize", "params": hello}]
    messages.append({"method": "notifications/initialized"})
    for number, (name, arguments) in enumerate(calls, start=1):
        params = {"name": name, "arguments": arguments}
        messages.append({"id": number, "method": "tools/call", "params": params})
    return "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in messages)


@pytest.mark.parametrize("door", DOORS)
def test_a_piped_file_is_answered_to_the_last_line_in_order(door: str, db: Path) -> None:
    spawn = [("agent_spawn", {"type": "coder"})] * 60
    text = lines(("swarm_init", {"maxAgents": 100}), *spawn, ("swarm_status", {}))
    line = [*DOORS[door], "--stdio", "--db", str(db)]
    done = subprocess.run(line, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == list(range(63))
    assert answers[-1]["result"]["structuredContent"]["agents"] == 60
    assert not done.stderr


@pytest.mark.parametrize("door", DOORS)
def test_a_query_sees_what_stood_at_its_place(door: str, db: Path) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [("swarm_init", {})]
    for _ in range(5):
        calls += [("agent_spawn", {"type": "coder"})] * 3 + [("swarm_status", {})] * 2
    line = [*DOORS[door], "--stdio", "--db", str(db)]
    done = subprocess.run(
        line, input=lines(*calls), capture_output=True, text=True, timeout=60, check=False
    )
    answers = [json.loads(line)["result"] for line in done.stdout.splitlines()]
    seen = [answer.get("structuredContent", {}).get("agents") for answer in answers]
    assert [number for number in seen if isinstance(number, int)] == [
        count for step in range(1, 6) for count in (3 * step, 3 * step)
    ]


def test_a_line_that_is_no_message_is_answered_and_the_rest_goes_on(db: Path) -> None:
    text = "no json\n" + lines(("swarm_init", {}))
    line = command("mcp", "--db", str(db))
    done = subprocess.run(line, input=text, capture_output=True, text=True, timeout=60, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"code": -32700, "message": "not a json-rpc message"} in [
        answer.get("error") for answer in answers
    ]
    assert answers[-1]["id"] == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_while_the_client_is_silent(
    db: Path, number: signal.Signals, code: int
) -> None:
    process = subprocess.Popen(
        command("mcp", "--db", str(db)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(lines(("swarm_init", {})))
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["id"] == 0
    assert json.loads(process.stdout.readline())["id"] == 1
    process.send_signal(number)
    assert process.wait(timeout=15) == code


async def test_four_clients_on_one_file_lose_nothing(db: Path) -> None:
    """Each coding agent starts its own process on the project's file."""
    import anyio

    async def spawn(name: str) -> None:
        async with Client(stdio(command("mcp"), db)) as client:
            await client.call_tool("swarm_init", {"maxAgents": 1000})
            for number in range(50):
                fields = {"type": "coder", "name": f"{name}-{number}"}
                result = await client.call_tool("agent_spawn", fields)
                assert not result.is_error, result.content

    async with Client(stdio(command("mcp"), db)) as first:
        await first.call_tool("swarm_init", {"maxAgents": 1000})
        async with anyio.create_task_group() as group:
            for name in "abcd":
                group.start_soon(spawn, name)
        agents = (await first.call_tool("agent_list", {})).structured_content["agents"]
    names = {agent["name"] for agent in agents}
    assert names == {f"{name}-{number}" for name in "abcd" for number in range(50)}
    assert len({agent["id"] for agent in agents}) == 200
