"""Vectors: named scenarios as data, with what the core must answer byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kit.paths import OPERATIONS, VECTORS
from kit.targets import Target

Json = dict[str, Any]
DAMAGED = VECTORS / "damaged_logs.json"
INPUTS = ("operation", "request", "nowMs", "key")
END = ("version", "lastAtMs", "stateHash", "chain", "pendingEffects", "nextDeadline")


def files() -> list[Path]:
    """Every scenario."""
    return sorted(OPERATIONS.glob("*.json"))


def load(path: Path) -> Json:
    """Read one."""
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


def text(vector: Json) -> str:
    """The one form in which a vector stands in its file."""
    return json.dumps(vector, indent=1, ensure_ascii=False) + "\n"


def inputs(vector: Json) -> list[Json]:
    """Its steps without the expected answers."""
    return [{name: step[name] for name in INPUTS if name in step} for step in vector["steps"]]


def error(answer: Json) -> Json:
    """An answer's error with its fields in the core's order, which a driver may have lost."""
    told = answer["error"]
    return {name: told[name] for name in ("code", "message", "field") if name in told}


def recorded(vector: Json, target: Target) -> Json:
    """The vector with what `target` answers now."""
    given = inputs(vector)
    answer = target.ask({"op": "run", "steps": given})
    assert answer["restoredHash"] == answer["stateHash"], "a snapshot restores to the same state"
    steps = []
    for step, done in zip(given, answer["steps"], strict=True):
        said: Json = {"error": error(done)} if "error" in done else {"response": done["response"]}
        steps.append({**step, **said, "events": done["events"]})
    return {"about": vector["about"], "steps": steps, "end": {name: answer[name] for name in END}}


def events(vector: Json) -> list[str]:
    """The whole log of a scenario."""
    return [line for step in vector["steps"] for line in step["events"]]


def damage() -> list[Json]:
    """Edits of good logs, with the error that each gives."""
    found: list[Json] = load(DAMAGED)["cases"]
    return found


def damaged_log(case: Json) -> list[str]:
    """The log of a case of `damage`."""
    log = events(load(OPERATIONS / f"{case['vector']}.json"))
    line = log[case["line"] - 1]
    assert case["from"] in line, f"{case['about']}: {case['from']} is not in {line}"
    if case["to"] is None:
        del log[case["line"] - 1]
    else:
        log[case["line"] - 1] = line.replace(case["from"], case["to"], 1)
    return log


def recorded_damage(vector: Json, target: Target) -> Json:
    """The edits with what `target` answers now."""
    cases = []
    for case in vector["cases"]:
        given = {name: case[name] for name in ("about", "vector", "line", "from", "to")}
        answer = target.ask({"op": "replay", "events": damaged_log(case)})
        cases.append({**given, "applied": len(answer["applied"]), "error": error(answer)})
    return {"about": vector["about"], "cases": cases}
