"""The host loop in asyncio: one writer task with group commit, timers, and the news of others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from ruv_swarm import RuvSwarmError

from ruv_swarm_server import kernel, requests
from ruv_swarm_server.errors import internal
from ruv_swarm_server.ledger import Job, Ledger, Outcome, Step

log = logging.getLogger(__name__)

T = TypeVar("T")

# How many calls one transaction takes at most: bounds the wait of the first for the last.
GROUP_LIMIT = 512
# How many calls may wait; beyond that callers are told at once instead of piling up in memory.
QUEUE_LIMIT = 10_000
# How often the file is asked for commits of other processes.
FOLLOW_S = 0.2


class Host:
    """Answers operations on one swarm's file. Use as an async context manager."""

    def __init__(self, path: Path) -> None:
        """Serve the swarm at ``path``; the file may appear later."""
        self._ledger = Ledger(path)
        # The core and the connection live in this one thread.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ruv-swarm-writer")
        self._queue: asyncio.Queue[tuple[Job, asyncio.Future[Outcome]]] = asyncio.Queue(QUEUE_LIMIT)
        self._news = asyncio.Condition()
        self._version = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    async def __aenter__(self) -> Host:
        """Start the writer and the follower."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._write()), loop.create_task(self._follow())]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Answer what was accepted, then close the file."""
        self._closing = True
        await self._queue.join()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._in_thread(self._ledger.close)
        self._thread.shutdown()

    # -- for the doors -----------------------------------------------------------------------

    async def call(self, operation: str, request: str, key: str = "") -> str:
        """Return the response of ``operation``; raises the core's `RuvSwarmError`."""
        if operation == "task_orchestrate":
            request = await self._with_summary(request)
        blobs: dict[str, bytes] = {}
        if operation == "artifact_put":
            request, blobs = requests.detached(request)
        [response] = await self.submit(Job((Step(operation, request, key),), blobs))
        return response

    async def orchestrate_sample(self, fields: Mapping[str, Any], key: str = "") -> str | None:
        """Train on the bundled dataset if that is what ``fields`` mean; None if they do not.

        The core decides: the word train alone does, and nothing at all beside neural agents.
        """
        text = fields.get("task") or ""
        if fields.get("dataset") or not isinstance(text, str) or text.strip() not in ("", "train"):
            return None
        if await self._in_thread(partial(self._ledger.intent, text)) != "sample":
            return None
        put, plan, blobs = await asyncio.to_thread(requests.on_sample, fields)
        steps = (Step("artifact_put", put), Step("task_orchestrate", plan, key))
        return (await self.submit(Job(steps, blobs)))[-1]

    async def _with_summary(self, request: str) -> str:
        """Let the core look at a stored dataset whose summary the caller left out."""
        wanted = requests.dataset_to_inspect(request)
        content = await self.artifact(wanted[1]) if wanted else None
        if wanted is None or content is None:
            return request
        return await asyncio.to_thread(requests.with_summary, wanted[0], content)

    async def submit(self, job: Job) -> list[str]:
        """Return the responses of a job's steps, which run in one transaction."""
        for step in job.steps:
            if kernel.operation_kind(step.operation) is None:
                # The core words this error; the file has no part in it.
                kernel.Core().query(step.operation, step.request)
        if self._closing:
            raise kernel.make_error(
                "cancelled", "", "the server is shutting down; repeat elsewhere"
            )
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((job, future))
        except asyncio.QueueFull:
            text = f"{QUEUE_LIMIT} calls are waiting already; repeat later"
            raise kernel.make_error("limit_exceeded", "", text) from None
        # The caller may go away; what it asked for is done all the same.
        outcome = await asyncio.shield(future)
        if isinstance(outcome, RuvSwarmError):
            raise outcome
        return outcome

    async def check(self) -> dict[str, object]:
        """Read the file and compare it with the state."""
        return await self._in_thread(self._ledger.check)

    async def pending_effects(self) -> str:
        """Return the core's list of work for hosts, as JSON text."""
        return await self._in_thread(self._ledger.pending_effects)

    async def artifact(self, digest: str) -> bytes | None:
        """Return an artifact's bytes, or None."""
        return await self._in_thread(lambda: self._ledger.artifact(digest))

    @property
    def version(self) -> int:
        """The number of the last event that this host has seen."""
        return self._version

    async def wait_news(self, after: int, timeout_s: float) -> int:
        """Wait until there is an event after number ``after``; return the last event's number."""
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(lambda: self._version != after)
        except TimeoutError:
            pass
        return self._version

    # -- the two tasks -------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            group = [await self._queue.get()]
            # Whatever came in while the last group was synced joins this one.
            while len(group) < GROUP_LIMIT and not self._queue.empty():
                group.append(self._queue.get_nowait())
            try:
                outcomes = await self._outcomes([job for job, _ in group])
                for (_, future), outcome in zip(group, outcomes, strict=True):
                    if not future.done():
                        future.set_result(outcome)
            finally:
                for _ in group:
                    self._queue.task_done()

    async def _outcomes(self, jobs: Sequence[Job]) -> list[Outcome]:
        try:
            outcomes, version = await self._in_thread(partial(self._run, jobs))
            await self._announce(version)
        except RuvSwarmError as error:
            return [error for _ in jobs]
        except Exception as error:
            log.exception("a group of %d calls failed", len(jobs))
            return [internal(error) for _ in jobs]
        return outcomes

    async def _follow(self) -> None:
        """Read what others committed, and let time pass when something is due."""
        while True:
            pause = FOLLOW_S
            try:
                wait, version = await self._in_thread(self._turn)
                await self._announce(version)
                if wait is not None:
                    pause = min(pause, max(wait, 1) / 1000)
            except RuvSwarmError as error:
                # The next caller is told; here it is enough to look again.
                log.warning("following %s: %s", self._ledger.path, error)
            except Exception:
                log.exception("following %s failed", self._ledger.path)
            await asyncio.sleep(pause)

    def _run(self, jobs: Sequence[Job]) -> tuple[list[Outcome], int]:
        return self._ledger.run(jobs), self._ledger.version()

    def _turn(self) -> tuple[int | None, int]:
        self._ledger.refresh()
        self._ledger.pass_time()
        return self._ledger.wait_ms(), self._ledger.version()

    async def _announce(self, version: int) -> None:
        if version != self._version:
            self._version = version
            async with self._news:
                self._news.notify_all()

    async def _in_thread(self, action: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, action)
