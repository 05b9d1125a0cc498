"""Training vectors: a dataset, agents and a seed, and the model that they must give everywhere."""

from __future__ import annotations

import base64
import hashlib
import json

from kit.paths import DATA, VECTORS
from kit.targets import Target
from kit.vectors import Json, load

TRAINING = VECTORS / "training.json"
KEPT = ("modelHash", "modelBytes", "predictions", "rows")
INPUTS = ("data", "options", "seed", "maxEpochs", "slice", "agents")


def cases() -> list[Json]:
    """Every training vector."""
    found: list[Json] = load(TRAINING)["cases"]
    return found


def sessions() -> list[Json]:
    """Every training of one network, recorded by the core's own tests for each of its levels."""
    found: list[Json] = load(VECTORS / "neural" / "session.json")["cases"]
    return found


def train_one(case: Json, target: Target, epochs: int) -> Json:
    """What the target gives for one network, in slices of `epochs`."""
    data = base64.b64encode((DATA / case["data"]).read_bytes()).decode()
    asked = {"op": "session", "data": data, "options": case["options"], "epochs": epochs}
    answer = target.ask(asked)
    assert "error" not in answer, answer
    return answer


def thousands() -> list[Json]:
    """The trainings of a thousand epochs or to their own stop; the core's tests record them too."""
    found: list[Json] = load(VECTORS / "neural" / "thousand.json")["cases"]
    return found


def plan_of(case: Json, target: Target) -> str:
    """The plan that the target's own ledger makes, cut to the case's number of epochs."""
    content = (DATA / case["data"]).read_bytes()
    data = base64.b64encode(content).decode()
    options = json.dumps(case["options"])
    summary = target.ask({"op": "inspect", "data": data, "options": options})["summary"]
    digest = hashlib.sha256(content).hexdigest()
    requests = [
        ("swarm_init", {"swarmId": "s-1", "seed": case["seed"]}),
        *[("agent_spawn", {"type": "neural", **agent}) for agent in case["agents"]],
        ("artifact_put", {"hash": digest, "size": len(content)}),
        ("task_orchestrate", {"task": "train", "dataset": {"hash": digest, "summary": summary}}),
        ("swarm_query", {"goalId": "g1"}),
    ]
    steps = [
        {"operation": operation, "request": json.dumps(request), "nowMs": 1_000_000, "key": ""}
        for operation, request in requests
    ]
    answers = target.ask({"op": "run", "steps": steps})["steps"]
    refused = [answer["error"] for answer in answers if "error" in answer]
    assert not refused, refused
    plan = json.loads(json.loads(answers[-1]["response"])["goal"]["plan"])
    for member in plan["members"]:
        member["recipe"]["maxEpochs"] = min(member["recipe"]["maxEpochs"], case["maxEpochs"])
    return json.dumps(plan, separators=(",", ":"), ensure_ascii=False)


def train(case: Json, target: Target) -> Json:
    """What the target gives for a case: the plan and everything that came of it."""
    plan = plan_of(case, target)
    data = base64.b64encode((DATA / case["data"]).read_bytes()).decode()
    answer = target.ask({"op": "train", "data": data, "plan": plan, "epochs": case["slice"]})
    assert "error" not in answer, answer
    return {"plan": hashlib.sha256(plan.encode()).hexdigest(), **answer}


def expected(answer: Json) -> Json:
    """The part of an answer that a vector keeps."""
    report = json.loads(answer["report"])
    return {
        "plan": answer["plan"],
        **{name: answer[name] for name in KEPT},
        "members": [member["hash"] for member in answer["members"]],
        "ensemble": report["ensemble"],
    }


def recorded_training(vector: Json, target: Target) -> Json:
    """The training vectors with what `target` gives now."""
    found = []
    for case in vector["cases"]:
        given = {name: case[name] for name in INPUTS}
        found.append({**given, "expected": expected(train(case, target))})
    return {"about": vector["about"], "cases": found}
