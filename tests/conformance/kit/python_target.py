"""The Python target: the wheel's `ruv_swarm.Core`, in this process."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import ruv_swarm
from ruv_swarm import RuvSwarmError, neural

from kit.targets import Answer

Step = dict[str, Any]


def failure(error: RuvSwarmError) -> Answer:
    """An error as the core writes it."""
    told = {"code": error.code, "message": error.message}
    return told | {"field": error.field} if error.field else told


class Host:
    """A host without a store: applies what was decided, and keeps log and artifacts to attach."""

    def __init__(self) -> None:
        self.core = ruv_swarm.Core()
        self.log: list[str] = []
        self.artifacts: dict[str, bytes] = {}

    def step(self, step: Step) -> Answer:
        """Run one step of a list."""
        operation, request = step["operation"], step["request"]
        try:
            decision = self.core.call(operation, request, step["nowMs"], step.get("key", ""))
        except RuvSwarmError as error:
            return {"error": failure(error), "events": []}
        for line in decision.events:
            self.core.apply(line)
            self.log.append(line)
        if operation == "artifact_put":
            content = json.loads(request).get("content")
            if isinstance(content, str):
                bytes_ = base64.b64decode(content)
                self.artifacts[hashlib.sha256(bytes_).hexdigest()] = bytes_
        response = decision.response
        attach = decision.attach
        if attach is not None and attach.kind == "events":
            lines = self.log[attach.after : attach.after + attach.limit]
            response = ruv_swarm.attach_events(response, lines, attach.filter)
        elif attach is not None:
            response = ruv_swarm.attach_artifact(response, self.artifacts.get(attach.hash, b""))
        text = ruv_swarm.render(operation, response)
        return {"response": response, "events": list(decision.events), "text": text}


def end(core: ruv_swarm.Core) -> Answer:
    """What a list or a replay ends with."""
    snapshot = core.snapshot()
    try:
        restored: object = ruv_swarm.Core.restore(snapshot).state_hash()
    except RuvSwarmError as error:
        restored = failure(error)
    return {
        "version": core.version(),
        "lastAtMs": core.last_at_ms(),
        "swarmId": core.swarm_id(),
        "stateHash": core.state_hash(),
        "restoredHash": restored,
        "chain": bytes(core.chain_head()).hex(),
        "pendingEffects": core.pending_effects(),
        "nextDeadline": core.next_deadline(),
        "snapshot": snapshot,
    }


class PythonTarget:
    """The facade's core, without a store."""

    name = "python"

    def ask(self, request: Answer) -> Answer:
        """Answer one request of the protocol."""
        try:
            answer: Answer = getattr(self, request["op"])(request)
        except RuvSwarmError as error:
            return {"error": failure(error)}
        return answer

    def close(self) -> None:
        """Nothing is open."""

    def run(self, request: Answer) -> Answer:
        """Run a list of operations."""
        host = Host()
        steps = [host.step(step) for step in request["steps"]]
        return {**end(host.core), "steps": steps}

    def replay(self, request: Answer) -> Answer:
        """Apply a log, after a snapshot if one is given."""
        snapshot = request.get("snapshot")
        core = ruv_swarm.Core() if snapshot is None else ruv_swarm.Core.restore(snapshot)
        applied: list[Answer] = []
        trouble: Answer = {}
        for line in request["events"]:
            try:
                done = core.apply(line)
            except RuvSwarmError as error:
                trouble = {"error": failure(error)}
                break
            rows = [[row.table, row.id, row.state, row.body] for row in core.take_rows()]
            entry = {"seq": done.seq, "atMs": done.at_ms, "kind": done.kind}
            if request.get("hashes"):
                entry["stateHash"] = core.state_hash()
            applied.append({**entry, "chain": bytes(done.chain).hex(), "rows": rows})
        return {**end(core), "applied": applied, **trouble}

    def inspect(self, request: Answer) -> Answer:
        """Summarise a dataset."""
        data = base64.b64decode(request["data"])
        return {"summary": ruv_swarm.inspect_data(data, request["options"])}

    def train(self, request: Answer) -> Answer:
        """Train every member of a plan, fuse them, and predict the dataset itself."""
        data, plan = base64.b64decode(request["data"]), request["plan"]
        models, members = [], []
        for member in range(len(json.loads(plan).get("members", []))):
            trainer = ruv_swarm.Trainer(data, plan, member)
            while not trainer.done():
                trainer.run(request["epochs"])
            content, report = trainer.finish()
            models.append(bytes(content))
            members.append({"hash": hashlib.sha256(content).hexdigest(), "report": report})
        fused, report = ruv_swarm.fuse(data, plan, models)
        model = ruv_swarm.Model(fused)
        predictions, rows = model.predict_csv(data)
        return {
            "members": members,
            "report": report,
            "modelHash": model.hash,
            "modelBytes": len(fused),
            "describe": model.describe(),
            "evaluate": model.evaluate_csv(data),
            "predictions": hashlib.sha256(predictions).hexdigest(),
            "rows": rows,
        }

    def session(self, request: Answer) -> Answer:
        """Train one network, from a checkpoint after the first slice on."""
        data, epochs = base64.b64decode(request["data"]), request["epochs"]
        trainer = neural.Trainer(data, **json.loads(request["options"]))
        trainer.run(epochs)
        trainer = neural.Trainer.resume(trainer.checkpoint(), data)
        while not trainer.done:
            trainer.run(epochs)
        state = hashlib.sha256(trainer.checkpoint()).hexdigest()
        network = trainer.finish()
        return {"checkpointHash": state, "modelHash": network.hash, "report": network.report}
