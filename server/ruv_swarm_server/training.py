"""Runs the training that the swarm waits for, on threads of this process.

A task is claimed as the agent it is assigned to, so of several hosts on one file one runs it. What
a killed host has left is claimed again when its lease ends.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any

from ruv_swarm import RuvSwarmError

from ruv_swarm_server import kernel
from ruv_swarm_server.host import Host
from ruv_swarm_server.ledger import Job, Step
from ruv_swarm_server.requests import write_object

log = logging.getLogger(__name__)

# Short, so that another host takes over soon after a crash.
LEASE_MS = 10_000
# How often a running task is heard of; also how soon a cancellation is noticed.
HEARTBEAT_S = 1.0
# A slice of epochs lasts about this long: soon enough for a stop to be heard. It never changes
# the result.
SLICE_S = 0.05
# Work that waits for a time is looked at again this often.
LOOK_S = 1.0


MODEL_TYPE = "application/x-ruv-swarm-model"


class StoppedError(Exception):
    """The task was cancelled, or this process is to end."""


class Shared:
    """What the thread that computes and the loop that keeps the lease tell each other."""

    def __init__(self) -> None:
        """Begin with nothing done."""
        self.stop = threading.Event()
        self.progress: dict[str, Any] = {}


def train(data: bytes, plan: str, member: int, shared: Shared) -> tuple[bytes, str]:
    """Train a member to its end; return its model file and its report."""
    trainer = kernel.Trainer(data, plan, member)
    epochs = 1
    while not trainer.done():
        if shared.stop.is_set():
            raise StoppedError("stopped before its end")
        started = time.monotonic()
        progress = kernel.run_trainer(trainer, epochs)
        spent = max(time.monotonic() - started, 1e-6)
        # At most doubled, so that one slow epoch after a fast one does not last for seconds.
        epochs = max(1, min(epochs * 2, int(epochs * SLICE_S / spent)))
        shared.progress = {
            "done": progress["epoch"],
            "total": progress["maxEpochs"],
            "note": f"validation loss {progress['bestValidationLoss'] or 0.0:.6f}",
        }
    return trainer.finish()


@dataclass(frozen=True, slots=True)
class Claim:
    """A task of the neural engine that this host holds."""

    task_id: str
    agent_id: str
    goal_id: str
    kind: str
    dataset: str
    payload: str
    epoch: int

    def fields(self) -> dict[str, Any]:
        """Return what names the attempt in requests."""
        return {"taskId": self.task_id, "agentId": self.agent_id, "epoch": self.epoch}


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt made."""

    model: bytes
    report: str
    name: str


class TrainingExecutor:
    """Claims training tasks and runs them. Use as an async context manager."""

    def __init__(self, host: Host, threads: int) -> None:
        """Train ``threads`` members at once; 0 means one a core."""
        self._host = host
        self._threads = threads if threads > 0 else os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="ruv-swarm-train")
        self._active: dict[str, asyncio.Task[None]] = {}
        self._shared: set[Shared] = set()
        self._loop_task: asyncio.Task[None] | None = None
        self._freed = asyncio.Event()

    async def __aenter__(self) -> TrainingExecutor:
        """Start to look for work."""
        self._loop_task = asyncio.get_running_loop().create_task(self._look())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the running slices and give their tasks back."""
        if self._loop_task is not None:
            self._loop_task.cancel()
            await asyncio.gather(self._loop_task, return_exceptions=True)
        for shared in self._shared:
            shared.stop.set()
        await asyncio.gather(*self._active.values(), return_exceptions=True)
        self._pool.shutdown()

    # -- looking for work ----------------------------------------------------------------------

    async def _look(self) -> None:
        while True:
            seen = self._host.version
            self._freed.clear()
            for effect in await self._ready():
                if len(self._active) >= self._threads:
                    break
                self._start(effect)
            await self._something(seen)

    async def _ready(self) -> list[dict[str, Any]]:
        effects: list[dict[str, Any]] = json.loads(await self._host.pending_effects())
        now = time.time_ns() // 1_000_000
        return [
            effect
            for effect in effects
            if effect["state"] == "ready"
            and effect["taskId"] not in self._active
            and effect["notBeforeMs"] <= now
        ]

    async def _something(self, seen: int) -> None:
        """Wait until there are news, a thread is free, or a while has passed."""
        waits = {
            asyncio.ensure_future(self._host.wait_news(seen, LOOK_S)),
            asyncio.ensure_future(self._freed.wait()),
        }
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in pending:
            wait.cancel()

    def _start(self, effect: dict[str, Any]) -> None:
        task_id = str(effect["taskId"])
        task = asyncio.get_running_loop().create_task(self._run(effect))
        self._active[task_id] = task

        def done(_task: asyncio.Task[None]) -> None:
            self._active.pop(task_id, None)
            self._freed.set()

        task.add_done_callback(done)

    # -- one attempt -----------------------------------------------------------------------------

    async def _run(self, effect: dict[str, Any]) -> None:
        try:
            claim = await self._claim(effect)
        except RuvSwarmError as error:
            # Another host was faster, or the goal was cancelled in between.
            log.info("not claimed: %s", error.message)
            return
        if claim is None:
            return
        try:
            result = await (self._fuse(claim) if claim.kind == "fuse" else self._train(claim))
            await self._report(claim, result)
        except RuvSwarmError as error:
            log.warning("task %s: %s", claim.task_id, error.message)
            await self._give_up(claim, error.code, error.message)
        except StoppedError as error:
            await self._give_up(claim, "cancelled", str(error))
        except Exception as error:
            log.exception("task %s", claim.task_id)
            await self._give_up(claim, "internal", f"internal error: {type(error).__name__}")

    async def _claim(self, effect: dict[str, Any]) -> Claim | None:
        wanted = {"agentId": effect["agentId"], "taskId": effect["taskId"], "leaseMs": LEASE_MS}
        response = json.loads(await self._host.call("task_claim", write_object(wanted)))
        task = response.get("task")
        if not task:
            return None
        return Claim(
            task_id=effect["taskId"],
            agent_id=effect["agentId"],
            goal_id=effect["goalId"],
            kind=effect["kind"],
            dataset=effect["dataset"],
            payload=effect["payload"],
            epoch=task["lease"]["epoch"],
        )

    async def _train(self, claim: Claim) -> Result:
        plan, data = await self._plan(claim), await self._bytes(claim.dataset)
        member = int(json.loads(claim.payload)["member"])
        work = partial(train, data, plan, member)
        return Result(*await self._keeping(claim, work), f"member {member + 1}")

    async def _fuse(self, claim: Claim) -> Result:
        plan, data = await self._plan(claim), await self._bytes(claim.dataset)
        asked = write_object({"goalId": claim.goal_id})
        tasks = json.loads(await self._host.call("task_status", asked))["tasks"]
        hashes = [task["artifact"] for task in tasks if task["kind"] == "train"]
        models = [await self._bytes(digest) for digest in hashes]

        def work(_shared: Shared) -> tuple[bytes, str]:
            return kernel.fuse(data, plan, models)

        return Result(*await self._keeping(claim, work), "ensemble")

    async def _keeping(
        self, claim: Claim, work: Callable[[Shared], tuple[bytes, str]]
    ) -> tuple[bytes, str]:
        """Run ``work`` on a thread of the pool and keep its lease until it ends."""
        shared = Shared()
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._pool, work, shared)
        self._shared.add(shared)
        try:
            while not (await asyncio.wait({future}, timeout=HEARTBEAT_S))[0]:
                await self._beat(claim, shared.progress)
            return future.result()
        finally:
            # Cancelled, or the lease is lost: the thread is waited for, so that its place in the
            # pool is free when the next task is claimed.
            shared.stop.set()
            await asyncio.wait({future})
            self._shared.discard(shared)

    async def _plan(self, claim: Claim) -> str:
        asked = write_object({"goalId": claim.goal_id})
        goal = json.loads(await self._host.call("swarm_query", asked))["goal"]
        return str(goal["plan"])

    async def _bytes(self, digest: str) -> bytes:
        content = await self._host.artifact(digest)
        if content is None:
            raise kernel.make_error("not_found", "artifact", f"artifact: no artifact {digest!r}")
        return content

    async def _beat(self, claim: Claim, progress: dict[str, Any]) -> None:
        request = {**claim.fields(), "leaseMs": LEASE_MS}
        if progress:
            request["progress"] = progress
        response = json.loads(await self._host.call("task_heartbeat", write_object(request)))
        if response.get("cancelRequested"):
            raise StoppedError("cancelled by a caller")

    async def _report(self, claim: Claim, result: Result) -> None:
        """Keep the model and complete the task in one transaction."""
        digest = hashlib.sha256(result.model).hexdigest()
        done = {**claim.fields(), "outcome": "completed", "output": result.report}
        put = {
            "hash": digest,
            "size": len(result.model),
            "name": result.name,
            "mediaType": MODEL_TYPE,
        }
        job = Job(
            (
                Step("artifact_put", write_object(put)),
                Step("task_report", write_object({**done, "artifact": digest})),
            ),
            blobs={digest: result.model},
            # No model is kept for an attempt whose lease has passed on.
            probe=Step("task_report", write_object(done)),
        )
        await self._host.submit(job)

    async def _give_up(self, claim: Claim, code: str, message: str) -> None:
        """Report the attempt as failed, so that another host need not wait for the lease."""
        error = {"code": code, "message": message}
        request = write_object({**claim.fields(), "outcome": "failed", "error": error})
        try:
            await self._host.call("task_report", request)
        except RuvSwarmError as refusal:
            # The lease has passed on or the store is in trouble: the lease's end settles it.
            log.info("task %s not given back: %s", claim.task_id, refusal.message)
