"""What `scripts/gen.py` makes: not drifted, complete, and what it claims to be."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import json_format
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
TOOLS = json.loads((ROOT / "server/ruv_swarm_server/_gen/tools.json").read_text())["tools"]
COMMANDS = json.loads((ROOT / "bindings/rust/src/cli/commands.json").read_text())
OPERATIONS = json.loads((ROOT / "tests/vectors/operations.json").read_text())["operations"]


@pytest.fixture(scope="module")
def messages():
    """The generated protobuf modules, from the tree: no installed package is needed."""
    sys.path.insert(0, str(ROOT / "server"))
    try:
        from ruv_swarm_server._gen import events_pb2, nouns_pb2, service_pb2
    finally:
        sys.path.remove(str(ROOT / "server"))
    return {"events": events_pb2, "nouns": nouns_pb2, "service": service_pb2}


def gen(*options, cwd=ROOT):
    return subprocess.run(
        [sys.executable, str(Path(cwd) / "scripts/gen.py"), *options],
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_has_drifted():
    result = gen("--check")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_catalogue_is_lint_clean():
    result = gen("--lint")
    assert result.returncode == 0, result.stdout + result.stderr


def test_drift_and_leftovers_are_named(tmp_path):
    for part in ("proto", "scripts", "core/src/error.rs"):
        source, target = ROOT / part, tmp_path / part
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-r", str(source), str(target)], check=True)
    assert gen(cwd=tmp_path).returncode == 0
    assert gen("--check", cwd=tmp_path).stdout == ""
    changed = tmp_path / "docs/errors.md"
    changed.write_text(changed.read_text() + "by hand\n")
    (tmp_path / "npm/src/gen/old.ts").write_text("")
    result = gen("--check", cwd=tmp_path)
    assert result.returncode == 1
    assert [line.split(";")[0] for line in result.stdout.splitlines()] == [
        "drifted: docs/errors.md",
        "drifted: npm/src/gen/old.ts",
    ]
    assert gen(cwd=tmp_path).returncode == 0
    assert not (tmp_path / "npm/src/gen/old.ts").exists()


def test_every_operation_is_a_tool_and_an_rpc(messages):
    methods = messages["service"].DESCRIPTOR.services_by_name["SwarmService"].methods
    names = [operation["name"] for operation in OPERATIONS]
    assert [tool["name"] for tool in TOOLS] == names
    assert [method.name for method in methods] == [
        "".join(word.capitalize() for word in name.split("_")) for name in names
    ]
    for tool, operation in zip(TOOLS, OPERATIONS, strict=True):
        assert tool["kind"] == operation["kind"]
        assert tool["annotations"]["readOnlyHint"] == (operation["kind"] == "query")
        assert tool["description"]


def test_the_names_of_the_founding_document_are_aliases():
    aliases = {tool["alias"]: tool["name"] for tool in TOOLS if "alias" in tool}
    assert aliases == {
        "ruv-swarm.spawn": "agent_spawn",
        "ruv-swarm.orchestrate": "task_orchestrate",
        "ruv-swarm.query": "swarm_query",
        "ruv-swarm.monitor": "swarm_monitor",
    }


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool["name"])
@pytest.mark.parametrize("side", ["inputSchema", "outputSchema"])
def test_schemas_are_json_schema(tool, side):
    schema = tool[side]
    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    # Every reference resolves: a full example passes, a wrong type does not.
    validator = Draft202012Validator(schema)
    validator.validate(example(schema, schema))
    for name in schema["properties"]:
        assert not validator.is_valid({name: object})


def example(schema, root):
    """A value that fills every property once."""
    if "$ref" in schema:
        return example(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root)
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "object":
        return {name: example(part, root) for name, part in schema["properties"].items()}
    if kind == "array":
        return [example(schema["items"], root)]
    if kind == "string":
        return "aGk=" if "contentEncoding" in schema else schema.get("enum", ["word"])[-1]
    return {"integer": schema.get("maximum"), "number": 0.25, "boolean": True}[kind]


def as_numbers(value):
    """64-bit integers as numbers, as the boundary has them; protobuf prints them as text."""
    if isinstance(value, dict):
        return {key: as_numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [as_numbers(part) for part in value]
    return int(value) if isinstance(value, str) and value.isdigit() else value


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool["name"])
def test_examples_of_the_schemas_pass_through_protobuf_unchanged(tool, messages):
    service = messages["service"]
    method = "".join(word.capitalize() for word in tool["name"].split("_"))
    for side, kind in (("inputSchema", "Request"), ("outputSchema", "Response")):
        given = example(tool[side], tool[side])
        message = json_format.ParseDict(given, getattr(service, method + kind)())
        assert as_numbers(json_format.MessageToDict(message)) == given


def test_facts_in_comments_reach_the_schemas():
    tools = {tool["name"]: tool["inputSchema"] for tool in TOOLS}
    init = tools["swarm_init"]["properties"]
    assert init["topology"]["enum"] == ["mesh", "hierarchical", "ring", "star"]
    assert init["topology"]["default"] == "mesh"
    assert (init["maxAgents"]["minimum"], init["maxAgents"]["maximum"]) == (1, 100000)
    assert init["maxAgents"]["default"] == 100
    assert init["seed"]["maximum"] == 2**53 - 1
    assert tools["task_submit"]["properties"]["tasks"]["maxItems"] == 1000
    priority = tools["task_orchestrate"]["properties"]["priority"]
    assert "enum" not in priority
    assert priority["default"] == "medium"


def test_commands_have_flags_kinds_and_clean_help():
    commands = {command["name"]: command["args"] for command in COMMANDS["commands"]}
    assert set(commands) >= {"init", "spawn", "orchestrate", "predict", "status", "query", "replay"}
    taken = {entry["flag"] for entry in COMMANDS["globals"]}
    assert taken == {"--db", "--json"}
    for name, args in commands.items():
        flags = [entry["flag"] for entry in args if "flag" in entry]
        assert len(set(flags)) == len(flags), name
        assert not taken & set(flags), name
        for entry in args:
            assert entry["help"]
            assert "[" not in entry["help"]
            assert (entry["kind"] == "positional") == ("flag" not in entry)
            assert (entry["kind"] == "flag") == (entry["type"] == "bool")
    max_agents = next(entry for entry in commands["init"] if entry["name"] == "maxAgents")
    assert max_agents["flag"] == "--max-agents"
    assert commands["spawn"][0]["kind"] == "positional"
    verify = next(entry for entry in commands["replay"] if entry["name"] == "verify")
    assert verify["kind"] == "flag"


def test_error_classes_are_those_of_the_core():
    source = (ROOT / "bindings/python/ruv_swarm/_errors.py").read_text()
    scope: dict = {}
    exec(compile(ast.parse(source), "_errors.py", "exec"), scope)
    core = (ROOT / "core/src/error.rs").read_text()
    for word, cls in scope["CLASSES"].items():
        assert f'"{word}", {cls.exit_code}, ' in core
        assert f'"{cls.__name__}"' in core
    error = scope["error_from_json"]('{"code":"not_found","message":"task: no t9","field":"task"}')
    assert type(error) is scope["NotFoundError"]
    assert (str(error), error.field, error.code) == ("task: no t9", "task", "not_found")
    assert type(scope["error_of"]("of_a_newer_core", "x")) is scope["RuvSwarmError"]


def test_servers_codes_are_grpc_statuses():
    import grpc

    sys.path.insert(0, str(ROOT / "server"))
    try:
        from ruv_swarm_server._gen.errors import ERROR_CODES
    finally:
        sys.path.remove(str(ROOT / "server"))
    for code, entry in ERROR_CODES.items():
        assert entry.code == code
        assert grpc.StatusCode[entry.grpc]
        assert entry.json_rpc < 0
