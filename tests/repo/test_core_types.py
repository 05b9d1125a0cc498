"""The core's own types hold the fields of the catalogue, in the order of canonical JSON."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core/src"
# Structs that serve two requests with the same fields, or have a shorter name than their message.
REQUESTS = {"TaskStatusRequest": "TaskOrGoal", "TaskResultsRequest": "TaskOrGoal"}
NOUNS = {
    "Agent": "agent.rs",
    "Task": "task.rs",
    "Goal": "goal.rs",
    "ResourceClaim": "resource.rs",
    "Lease": "task.rs",
    "TaskError": "task.rs",
    "Progress": "task.rs",
    "Artifact": "artifact.rs",
}
# Computed when it is asked for, so no part of the state.
COMPUTED = {("Task", "waits_for")}


@pytest.fixture(scope="module")
def catalogue():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from genlib import catalogue
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    return catalogue.load()


def struct_fields(text, name):
    """Fields of `name { ... }` in Rust text, by their names in JSON but in snake_case."""
    match = re.search(rf"^\s*(?:pub struct )?{name} \{{(.*?)\}}$", text, re.MULTILINE | re.DOTALL)
    assert match, f"no struct {name}"
    body = re.sub(r"//[^\n]*", "", match.group(1))
    found = []
    for attributes, field, alias in re.findall(
        r'((?:#\[[^\n]*\]\s*)*)(?:pub )?(\w+)(?: as "(\w+)")?: [\w<>]+', body
    ):
        renamed = re.search(r'rename = "(\w+)"', attributes)
        found.append(renamed.group(1) if renamed else alias or field)
    return found


def names(message):
    return [field.name for field in message.fields if (message.name, field.name) not in COMPUTED]


def test_requests(catalogue):
    text = (CORE / "command.rs").read_text()
    for method in catalogue.operations:
        message = method.request
        struct = REQUESTS.get(message.name, method.name)
        assert struct_fields(text, struct) == names(message), message.name
    for name in ("NewTask", "Dataset"):
        assert struct_fields(text, name) == names(catalogue.messages[name]), name


def test_events(catalogue):
    text = (CORE / "event.rs").read_text()
    block = text.split("\nevents! {", 1)[1].split("\n}", 1)[0]
    bodies = [message for message in catalogue.of_files("events") if message.name != "Event"]
    assert re.findall(r"^    (\w+) \{", block, re.MULTILINE) == [body.name for body in bodies]
    for body in bodies:
        assert struct_fields(block, body.name) == names(body), body.name


@pytest.mark.parametrize("noun", NOUNS)
def test_nouns(noun, catalogue):
    text = (CORE / NOUNS[noun]).read_text()
    assert struct_fields(text, noun) == names(catalogue.messages[noun])


def test_operations(catalogue):
    table = (CORE / "operations.rs").read_text().split("OPERATIONS: ", 1)[1].split("];", 1)[0]
    listed = re.findall(r'\("(\w+)", "(\w+)"\)', table)
    assert listed == [(method.operation, method.kind) for method in catalogue.operations]
