"""The swarm for programs that await: `AsyncSwarm`."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self, TypeVar, cast, overload

from ruv_swarm import _core, ledger
from ruv_swarm.ledger import Tally, new_task
from ruv_swarm.swarm import Persistence, RuvSwarm
from ruv_swarm.training import TrainingProgress, TrainingResult

if TYPE_CHECKING:
    from ruv_swarm._types import (
        Agent,
        AgentMetric,
        AgentRetireResponse,
        Goal,
        NewTask,
        SwarmPauseResponse,
        SwarmResumeResponse,
        SwarmStatusResponse,
        Task,
        TaskCancelResponse,
        TaskExplainResponse,
        TaskHeartbeatResponse,
        TaskOrchestrateResponse,
        TaskReportResponse,
    )
    from ruv_swarm.swarm import Data

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound="Callable[..., object]")

# Threads for what blocks: reads, trainings, workers. Commands need one, whatever their number.
_THREADS = 16
# How often a follower looks for news.
_LOOK_S = 0.1


class _Commits:
    """Commands of one event loop: those that come while a commit runs share the next one."""

    def __init__(self, host: _core.Host, pool: ThreadPoolExecutor) -> None:
        self._host = host
        self._pool = pool
        self._waiting: list[tuple[tuple[str, str, str], asyncio.Future[str]]] = []
        self._running: asyncio.Task[None] | None = None

    async def call(self, operation: str, request: str, key: str) -> str:
        """Return the answer once it is stored and synced."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()
        self._waiting.append(((operation, request, key), future))
        if self._running is None or self._running.done():
            self._running = loop.create_task(self._commit())
        return await future

    async def _commit(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting, []
            calls = [call for call, _ in group]
            answers: Sequence[str | Exception]
            try:
                answers = await loop.run_in_executor(self._pool, self._host.call_many, calls)
            except Exception as error:
                answers = [error] * len(group)
            for (_, future), answer in zip(group, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, str):
                    future.set_result(answer)
                else:
                    future.set_exception(answer)


class AsyncSwarm:
    """A swarm whose calls are awaited; otherwise as `RuvSwarm`.

    Calls that are under way together share their commits. A call whose awaiting is cancelled may
    still happen; give it an idempotency key if it is to be said again.
    """

    def __init__(self, swarm: RuvSwarm) -> None:
        """Take a swarm that is open; programs use `init` or `open`."""
        self._swarm = swarm
        self._host = swarm._host
        self._pool = ThreadPoolExecutor(_THREADS, "ruv-swarm")
        self._commits = _Commits(self._host, self._pool)
        self.id: str = swarm.id
        """The swarm's id."""
        self.topology: str = swarm.topology
        """How its agents are connected."""
        self.seed: int = swarm.seed
        """The seed of all its randomness."""

    @classmethod
    async def init(
        cls,
        *,
        topology: str | None = None,
        persistence: Persistence | None = None,
        db: str | os.PathLike[str] | None = None,
        seed: int | None = None,
        max_agents: int | None = None,
        strategy: str | None = None,
        durability: str = "full",
    ) -> AsyncSwarm:
        """Create the swarm, or join the one that is there; see `RuvSwarm.init`."""
        make = functools.partial(
            RuvSwarm.init,
            topology=topology,
            persistence=persistence,
            db=db,
            seed=seed,
            max_agents=max_agents,
            strategy=strategy,
            durability=durability,
        )
        return cls(await asyncio.to_thread(make))

    @classmethod
    async def open(cls, db: str | os.PathLike[str], *, durability: str = "full") -> AsyncSwarm:
        """Open the swarm that is there; nothing is made."""
        return cls(await asyncio.to_thread(RuvSwarm.open, db, durability=durability))

    async def close(self) -> None:
        """Give the file back; whatever is asked for later is refused."""
        # The pool's threads end with this object: a call that comes later gets the host's own word.
        await asyncio.to_thread(self._swarm.close)

    async def __aenter__(self) -> Self:
        """Return the swarm."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the swarm."""
        await self.close()

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what blocks on a thread."""
        call = functools.partial(work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    # -- operations ------------------------------------------------------------------------------

    async def call(
        self, operation: str, request: Mapping[str, Any] | None = None, idempotency_key: str = ""
    ) -> dict[str, Any]:
        """Carry out any operation of the catalogue; with a key, said twice it happens once."""
        text = json.dumps(dict(request or {}))
        if _core.operation_kind(operation) == "command":
            answer = await self._commits.call(operation, text, idempotency_key)
        else:
            answer = await self._run(self._host.call, operation, text, idempotency_key)
        return cast("dict[str, Any]", json.loads(answer))

    async def spawn(
        self,
        type: str = "neural",
        *,
        pattern: str | None = None,
        capabilities: Sequence[str] | str | None = None,
        name: str | None = None,
        model: str | None = None,
        capacity: int | None = None,
        count: int | None = None,
        join: bool | None = None,
        silence_ms: int | None = None,
    ) -> list[Agent]:
        """Add agents and return them; see `RuvSwarm.spawn`."""
        request = ledger.without_none(
            type=type,
            pattern=pattern,
            capabilities=ledger.words(capabilities),
            name=name,
            model=model,
            capacity=capacity,
            count=count,
            join=join,
            silenceMs=silence_ms,
        )
        return cast("list[Agent]", (await self.call("agent_spawn", request))["agents"])

    async def agents(self) -> list[Agent]:
        """Return the agents."""
        return await self._run(self._swarm.agents)

    async def status(self, *, verbose: bool = False) -> SwarmStatusResponse:
        """Return how the swarm stands."""
        return await self._run(self._swarm.status, verbose=verbose)

    @overload
    async def query(self, *, task: str) -> Task: ...
    @overload
    async def query(self, *, agent: str) -> Agent: ...
    @overload
    async def query(self, *, goal: str) -> Goal: ...
    async def query(
        self, *, task: str | None = None, agent: str | None = None, goal: str | None = None
    ) -> Task | Agent | Goal:
        """Return one task, agent or goal by its id."""
        request = ledger.without_none(taskId=task, agentId=agent, goalId=goal)
        answer = await self.call("swarm_query", request)
        found = next(iter(request), "")
        return cast("Task | Agent | Goal", answer[found.removesuffix("Id")])

    async def submit(self, name: str = "", **fields: Any) -> str:
        """Add one task and return its id; the fields are those of `new_task`."""
        return (await self.submit_all([new_task(name, **fields)]))[0]

    async def submit_all(self, tasks: Sequence[NewTask], *, goal: str | None = None) -> list[str]:
        """Add tasks, all or none; return their ids."""
        answer = await self.call(*ledger.submit_request(tasks, goal))
        return cast("list[str]", answer["taskIds"])

    async def tasks(
        self,
        *,
        state: str | None = None,
        goal: str | None = None,
        agent: str | None = None,
        label: str | None = None,
    ) -> AsyncIterator[Task]:
        """Yield tasks by id, without description, payload and output."""
        after: str | None = None
        while True:
            answer = await self.call(*ledger.list_request(state, goal, agent, label, after))
            for task in answer["tasks"]:
                yield task
            after = answer.get("nextAfter")
            if after is None:
                return

    async def explain(self, task: str, *, agent: str | None = None) -> TaskExplainResponse:
        """Tell why a task does not run, by the exact rule."""
        return cast("TaskExplainResponse", await self.call(*ledger.explain_request(task, agent)))

    async def cancel(
        self, task: str | None = None, *, goal: str | None = None, reason: str = ""
    ) -> TaskCancelResponse:
        """Call off a task, or a goal with all its tasks."""
        request = ledger.cancel_request(task, goal, reason)
        return cast("TaskCancelResponse", await self.call(*request))

    async def claim(
        self, agent: str, *, task: str | None = None, lease_ms: int | None = None
    ) -> Task | None:
        """Take the next task that the agent may run, or that one; None if there is none."""
        answer = await self.call(*ledger.claim_request(agent, task, lease_ms))
        return cast("Task | None", answer.get("task"))

    async def heartbeat(
        self,
        task: Task,
        *,
        lease_ms: int | None = None,
        progress: tuple[int, int, str] | None = None,
    ) -> TaskHeartbeatResponse:
        """Extend the lease of a task as `claim` gave it."""
        request = ledger.heartbeat_request(task, lease_ms, progress)
        return cast("TaskHeartbeatResponse", await self.call(*request))

    async def report(
        self,
        task: Task,
        outcome: Literal["completed", "failed", "released"] = "completed",
        *,
        output: str = "",
        artifact: str | None = None,
        error: tuple[str, str] | None = None,
        claim_next: bool = False,
        lease_ms: int | None = None,
    ) -> TaskReportResponse:
        """End the attempt of a task as `claim` gave it."""
        request = ledger.report_request(
            task, outcome, output, artifact, error, claim_next, lease_ms
        )
        return cast("TaskReportResponse", await self.call(*request))

    async def pause(
        self,
        *,
        task: str | None = None,
        goal: str | None = None,
        agent: str | None = None,
        reason: str | None = None,
    ) -> SwarmPauseResponse:
        """Hold back a task, a goal or an agent, or without any of them the whole swarm."""
        request = ledger.pause_request(task, goal, agent, reason)
        return cast("SwarmPauseResponse", await self.call(*request))

    async def unpause(
        self, *, task: str | None = None, goal: str | None = None, agent: str | None = None
    ) -> SwarmResumeResponse:
        """Let go on what was held back: the operation swarm_resume."""
        request = ledger.unpause_request(task, goal, agent)
        return cast("SwarmResumeResponse", await self.call(*request))

    async def retire(
        self, agent: str, *, reason: str = "", replace: bool = False
    ) -> AgentRetireResponse:
        """Take an agent out for good; what it held comes back."""
        request = ledger.retire_request(agent, reason, replace)
        return cast("AgentRetireResponse", await self.call(*request))

    async def metrics(self, agent: str | None = None) -> list[AgentMetric]:
        """Count what agents have done, from the log; one agent, or all."""
        return await self._run(self._swarm.metrics, agent)

    async def follow(
        self,
        *,
        after: int | None = None,
        kinds: Sequence[str] | str | None = None,
        task: str | None = None,
        agent: str | None = None,
        goal: str | None = None,
    ) -> AsyncIterator[str]:
        """Yield event lines as they come, none missed and none twice, for ever."""
        cursor = await self._run(self._host.version) if after is None else after
        while True:
            answer = await self.call(*ledger.monitor_request(cursor, kinds, task, agent, goal))
            for line in answer["events"]:
                yield line
            if answer["nextAfter"] == cursor:
                while await self._run(self._host.version) <= cursor:
                    await asyncio.sleep(_LOOK_S)
            cursor = answer["nextAfter"]

    async def artifact(self, artifact_hash: str) -> bytes:
        """Return the bytes that the swarm keeps under a hash."""
        return await self._run(self._swarm.artifact, artifact_hash)

    # -- training --------------------------------------------------------------------------------

    async def orchestrate(
        self,
        task: str = "",
        *,
        data: Data | None = None,
        target: str | None = None,
        task_type: str | None = None,
        strategy: str | None = None,
        agents: Sequence[str] | str | None = None,
        max_agents: int | None = None,
        priority: str | int | None = None,
        threads: int = 0,
        on_progress: Callable[[TrainingProgress], object] | None = None,
    ) -> TrainingResult | TaskOrchestrateResponse:
        """Train an ensemble, or plan a goal in words; see `RuvSwarm.orchestrate`.

        `on_progress` is called on another thread. A cancelled awaiting cancels the goal and ends
        once that is stored.
        """
        given_up = threading.Event()

        def listen(progress: TrainingProgress) -> None:
            if given_up.is_set():
                raise asyncio.CancelledError
            if on_progress is not None:
                on_progress(progress)

        # One of its overloads fits, whichever it is.
        orchestrate = cast(
            "Callable[..., TrainingResult | TaskOrchestrateResponse]", self._swarm.orchestrate
        )

        def run() -> TrainingResult | TaskOrchestrateResponse:
            return orchestrate(
                task,
                data=data,
                target=target,
                task_type=task_type,
                strategy=strategy,
                agents=agents,
                max_agents=max_agents,
                priority=priority,
                threads=threads,
                on_progress=listen,
            )

        running = asyncio.ensure_future(self._run(run))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            given_up.set()
            await asyncio.wait([running])
            raise

    async def model(self, model_hash: str) -> _core.Model:
        """Return a trained model of this swarm by its hash."""
        return await self._run(self._swarm.model, model_hash)

    # -- agents with code ------------------------------------------------------------------------

    def agent(
        self,
        type: str,
        *,
        capabilities: Sequence[str] | str | None = None,
        name: str | None = None,
        capacity: int | None = None,
        lease_ms: int = 30_000,
    ) -> Callable[[F], F]:
        """Make a function, plain or async, the code of an agent; see `RuvSwarm.agent`."""
        return self._swarm.agent(
            type, capabilities=capabilities, name=name, capacity=capacity, lease_ms=lease_ms
        )

    async def work(self, *, until_idle: bool = False, max_tasks: int | None = None) -> Tally:
        """Run all agents with code; coroutines run on this event loop, functions on threads.

        A cancelled awaiting gives the running tasks back and ends once that is stored.
        """
        from ruv_swarm import workers

        stop = _core.Stop()
        running = asyncio.ensure_future(
            self._run(
                workers.run,
                self._host,
                list(self._swarm._coded),
                until_idle=until_idle,
                max_tasks=max_tasks,
                stop=stop,
                loop=asyncio.get_running_loop(),
            )
        )
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            stop.stop()
            await asyncio.wait([running])
            raise
