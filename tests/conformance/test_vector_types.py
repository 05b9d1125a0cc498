"""Every shared vector reads as the messages of the catalogue, so that core and proto cannot part.

The core's own types stand by hand in Rust. Here each request that the core takes, each response
and each event that it gives is read by the protobuf types, where an unknown field is an error; the
fields that the catalogue promises are looked for; and responses pass the schemas of the MCP tools.
"""

import json
import sys
from pathlib import Path

import pytest
from google.protobuf import json_format
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests/vectors"
TOOLS = json.loads((ROOT / "server/ruv_swarm_server/_gen/tools.json").read_text())["tools"]
RESULTS = {tool["name"]: Draft202012Validator(tool["outputSchema"]) for tool in TOOLS}


@pytest.fixture(scope="module")
def generated():
    """Load the generated protobuf modules and the catalogue, from the tree."""
    added = [str(ROOT / "server"), str(ROOT / "scripts")]
    sys.path[:0] = added
    try:
        from genlib import catalogue
        from ruv_swarm_server._gen import events_pb2, service_pb2
    finally:
        for path in added:
            sys.path.remove(path)
    return service_pb2, events_pb2, catalogue.load()


def files():
    return sorted(VECTORS.rglob("*.json")) + sorted(VECTORS.rglob("*.jsonl"))


def content(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines() if line]
    return json.loads(text)


def walk(value):
    """All objects inside `value`, itself included."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, (dict, list)):
            yield from walk(part)


def parsed(value):
    """The value of a request, response or event that a vector holds as JSON or as its text."""
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


def texts(catalogue, message, value):
    """`value` with the numbers that stand for words (priority) as text, as proto declares them."""
    fields = {name: f for f in message.fields for name in (f.name, f.json)}
    return {key: as_text(catalogue, fields.get(key), part) for key, part in value.items()}


def as_text(catalogue, field, value):
    if isinstance(value, list):
        return [as_text(catalogue, field, item) for item in value]
    if field and field.is_message and isinstance(value, dict):
        return texts(catalogue, catalogue.messages[field.type], value)
    return str(value) if field and field.number_too and isinstance(value, int) else value


def absent(catalogue, message, value, path=""):
    """Paths of the fields that should be there and are not."""
    missing = []
    for field in message.fields:
        here = f"{path}{field.json}"
        if field.json not in value:
            missing += [here] if catalogue.always_present(message, field) else []
        elif field.is_message and value[field.json] is not None:
            inner = catalogue.messages[field.type]
            items = value[field.json] if field.repeated else [value[field.json]]
            for item in items:
                missing += absent(catalogue, inner, item, f"{here}.")
    return missing


def read(value, message, where):
    try:
        json_format.ParseDict(value, message, ignore_unknown_fields=False)
    except json_format.ParseError as error:
        pytest.fail(f"{where}: {error}")


def check_call(step, generated, where):
    service, _, catalogue = generated
    methods = {method.operation: method for method in catalogue.operations}
    method = methods.get(step["operation"])
    if method is None or step.get("error"):
        return False
    request = parsed(step["request"]) or {}
    read(texts(catalogue, method.request, request), getattr(service, method.request.name)(), where)
    response = parsed(step.get("response"))
    if isinstance(response, dict):
        read(response, getattr(service, method.response.name)(), where)
        missing = absent(catalogue, method.response, response)
        assert not missing, f"{where}: {step['operation']}: the response lacks {missing}"
        RESULTS[method.operation].validate(response)
    return True


def check_event(event, generated, where):
    _, events, _ = generated
    kind = getattr(events, event["kind"], None)
    assert kind, f"{where}: no event {event['kind']!r} in the catalogue"
    read(event["body"], kind(), f"{where}: {event['kind']}")
    envelope = {key: value for key, value in event.items() if key != "body"}
    read(envelope, events.Event(), where)
    assert list(event) == ["v", "swarm", "seq", "atMs", "kind", "body"], where
    declared = [field.json_name for field in kind.DESCRIPTOR.fields]
    assert list(event["body"]) == [name for name in declared if name in event["body"]], where


def is_event(value):
    return isinstance(value, dict) and {"v", "seq", "kind", "body"} <= value.keys()


def event_lines(value):
    """Events inside `value`, also those that stand as text."""
    for part in walk(value) if isinstance(value, (dict, list)) else []:
        if is_event(part):
            yield part
        inner = part.values()
        lists = [item for entry in inner if isinstance(entry, list) for item in entry]
        for text in [*inner, *lists]:
            if isinstance(text, str) and text.startswith('{"v":'):
                yield json.loads(text)


def test_every_vector_reads_as_the_messages_of_the_catalogue(generated):
    for path in files():
        where = path.relative_to(ROOT).as_posix()
        value = content(path)
        for number, step in enumerate(walk(value)):
            if "operation" in step and "request" in step:
                check_call(step, generated, f"{where}, object {number}")
        for event in event_lines(value):
            check_event(event, generated, f"{where}, event {event['seq']}")


def test_a_field_that_is_in_no_message_is_found(generated):
    step = {"operation": "tick", "request": {}, "response": {"expired": [], "nextDeadlineMs": 0}}
    assert check_call(step, generated, "here")
    step["response"]["surprise"] = 1
    with pytest.raises(pytest.fail.Exception, match="surprise"):
        check_call(step, generated, "here")
    with pytest.raises(AssertionError, match="nextDeadlineMs"):
        check_call(step | {"response": {"expired": []}}, generated, "here")


def test_numbers_for_words_and_both_spellings_are_read(generated):
    request = {"tasks": [{"name": "x", "priority": 70, "max_retries": "2", "dependsOn": None}]}
    step = {"operation": "task_submit", "request": request, "response": {"taskIds": ["t1"]}}
    assert check_call(step, generated, "here")


def test_an_event_out_of_the_canonical_order_is_found(generated):
    body = '{"topology":"mesh","seed":7}'
    line = f'{{"v":1,"swarm":"s","seq":1,"atMs":5,"kind":"SwarmCreated","body":{body}}}'
    event = next(event_lines({"events": [line]}))
    check_event(event, generated, "here")
    with pytest.raises(AssertionError):
        check_event(event | {"body": {"seed": 7, "topology": "mesh"}}, generated, "here")
    with pytest.raises(AssertionError, match="no event"):
        check_event(event | {"kind": "Surprise"}, generated, "here")
