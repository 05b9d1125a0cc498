"""What must hold of any core after every step, whatever its rules: read off the log and the views."""

from __future__ import annotations

import json
from typing import Any

import ruv_swarm
from model.resources import keys_meet

from trial.record import Live, View

Json = dict[str, Any]
FINAL = {"TaskCompleted": "completed", "TaskCancelled": "cancelled"}
FAILURES = ("TaskFailed", "LeaseExpired", "TaskTimedOut")
# A state restored from a snapshot every so many steps, and then carried on by events alone.
RESTORE_EVERY = 7


class Fold:
    """Leases, ends and counts, folded from the events alone."""

    def __init__(self) -> None:
        self.last_at = 0
        self.last_seq = 0
        self.lease: dict[str, Json] = {}
        self.epoch: dict[str, int] = {}
        self.final: dict[str, str] = {}
        self.goal_final: dict[str, str] = {}
        self.claims: dict[str, dict[str, str]] = {}
        self.goal_of: dict[str, str] = {}
        self.served: dict[str, int] = {}
        self.tries: dict[str, int] = {}
        self.released: dict[str, int] = {}
        self.counts: dict[str, dict[str, int]] = {}

    def take(self, line: str) -> None:
        """One more event."""
        event = json.loads(line)
        kind, body = event["kind"], event["body"]
        assert event["seq"] == self.last_seq + 1, "numbers have no gap"
        assert event["atMs"] >= self.last_at, "logged times never go back"
        self.last_seq, self.last_at = event["seq"], event["atMs"]
        if kind == "AgentSpawned":
            names = ("completed", "failed", "expired", "released", "cancelled", "busyMs")
            self.counts[body["agentId"]] = dict.fromkeys((*names, "longestMs", "claimed"), 0)
        elif kind == "GoalPlanned":
            self.served[body["goalId"]] = event["seq"]
        elif kind == "GoalFinished":
            assert body["goalId"] not in self.goal_final, "a goal ends once"
            self.goal_final[body["goalId"]] = body["state"]
        elif "taskId" in body and kind not in ("Paused", "Resumed"):
            self.take_task(event, kind, body)

    def take_task(self, event: Json, kind: str, body: Json) -> None:
        """One more event of a task."""
        task = body["taskId"]
        assert task not in self.final, f"{task} is {self.final.get(task)} and stays so"
        if kind in ("TaskSubmitted", "TaskUpdated"):
            assert task not in self.lease, "what runs is not edited"
            found = body.get("resources", [])
            self.claims[task] = {claim["key"]: claim.get("mode", "") for claim in found}
            self.tries[task] = max(self.tries.get(task, 0), body.get("maxRetries", 0) + 1)
            if kind == "TaskSubmitted":
                self.goal_of[task] = body.get("goalId", "")
                before = [*body.get("dependsOn", []), *body.get("afterFailure", [])]
                assert set(before) < set(self.claims), "a task follows those that it waits for"
        elif kind == "TaskClaimed":
            self.take_claim(event, body)
        elif kind == "TaskHeartbeat":
            assert body["expiresAtMs"] >= self.lease[task]["expiresAtMs"], "never shortened"
            self.lease[task]["expiresAtMs"] = body["expiresAtMs"]
        elif not body.get("requested"):
            self.take_end(event, kind, body)

    def take_claim(self, event: Json, body: Json) -> None:
        """A lease begins."""
        task = body["taskId"]
        assert task not in self.lease, "at most one live lease a task"
        assert body["epoch"] == self.epoch.get(task, 0) + 1, "epochs grow by one"
        self.epoch[task] = body["epoch"]
        for other in self.lease:
            assert not self.conflict(task, other), f"{task} and {other} run together"
        self.lease[task] = {**body, "startedAtMs": event["atMs"]}
        self.counts[body["agentId"]]["claimed"] += 1
        if self.goal_of[task]:
            self.served[self.goal_of[task]] = event["seq"]

    def conflict(self, task: str, other: str) -> bool:
        """True if the two may not run together."""
        return any(
            keys_meet(one, two) and (how != "shared" or mode != "shared")
            for one, how in self.claims[task].items()
            for two, mode in self.claims[other].items()
        )

    def take_end(self, event: Json, kind: str, body: Json) -> None:
        """An attempt ends, or a waiting task does."""
        task = body["taskId"]
        lease = self.lease.pop(task, None)
        if lease:
            count = self.counts[lease["agentId"]]
            took = event["atMs"] - lease["startedAtMs"]
            count["busyMs"] += took
            count["longestMs"] = max(count["longestMs"], took)
            as_what = {"TaskCompleted": "completed", "TaskReleased": "released"}
            count[as_what.get(kind, "failed" if kind in FAILURES else "cancelled")] += 1
            count["expired"] += kind == "LeaseExpired"
        self.released[task] = self.released.get(task, 0) + (kind == "TaskReleased")
        counted = self.epoch.get(task, 0) - self.released[task]
        assert counted <= self.tries[task], f"{task} had {counted} tries of {self.tries[task]}"
        if kind in FINAL:
            self.final[task] = FINAL[kind]
        elif kind in FAILURES and not body.get("retry"):
            self.final[task] = "failed"


class Watch:
    """Checks a core after every step; give it to `record`."""

    def __init__(self) -> None:
        self.fold = Fold()
        self.steps = 0
        self.shadow = ruv_swarm.Core()

    def step(self, live: Live, lines: list[str]) -> None:
        """Compare the core's projections with the fold, and its state with a replayed one."""
        for line in lines:
            self.fold.take(line)
            self.shadow.apply(line)
        snapshot = live.core.snapshot()
        assert self.shadow.snapshot() == snapshot, "replay gives the live state"
        self.steps += 1
        if self.steps % RESTORE_EVERY == 0:
            self.shadow = ruv_swarm.Core.restore(snapshot)
        self.look(live.view)

    def look(self, view: View) -> None:
        """The projections against the fold."""
        for id_, task in view.tasks.items():
            lease = self.fold.lease.get(id_)
            seen = task.get("lease")
            assert (lease is None) == (seen is None) == (task["state"] != "running"), id_
            if lease:
                assert seen == {name: lease[name] for name in ("agentId", "epoch", "expiresAtMs")}
            ended = task["state"] if task["state"] in ("completed", "failed", "cancelled") else None
            assert self.fold.final.get(id_) == ended, id_
        for id_, goal in view.goals.items():
            ended = goal["state"] if goal["state"] != "running" else None
            assert self.fold.goal_final.get(id_) == ended, id_
            assert goal.get("served", self.fold.served[id_]) == self.fold.served[id_], id_
        for id_, agent in view.agents.items():
            held = [lease for lease in self.fold.lease.values() if lease["agentId"] == id_]
            assert agent["running"] == len(held) <= agent["capacity"], id_
            for name, count in self.fold.counts[id_].items():
                assert agent.get(name, 0) == count, f"{id_}.{name}"
            counted = ("completed", "failed", "released", "cancelled")
            ends = sum(self.fold.counts[id_][name] for name in counted)
            assert self.fold.counts[id_]["claimed"] == len(held) + ends, id_

    def end(self, live: Live) -> None:
        """The whole log once more, from nothing."""
        fresh = ruv_swarm.Core()
        for line in live.log:
            fresh.apply(line)
        assert fresh.snapshot() == live.core.snapshot(), "the whole log gives the live state"
