"""The API for programs: one class over the Rust host."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, TypeVar, cast, overload

from ruv_swarm import _core, _errors
from ruv_swarm.ledger import Ledger, Tally, without_none, words
from ruv_swarm.training import TrainingProgress, TrainingResult, read_progress, read_result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ruv_swarm._types import (
        Agent,
        Goal,
        SwarmInitResponse,
        SwarmStatusResponse,
        Task,
        TaskOrchestrateResponse,
    )
    from ruv_swarm.workers import Registered

    Data = str | os.PathLike[str] | bytes | bytearray | memoryview | tuple[ArrayLike, ArrayLike]

F = TypeVar("F", bound="Callable[..., object]")

# How many events are read at a time.
_BLOCK = 1000


class Persistence(TypedDict, total=False):
    """Where a swarm is kept."""

    type: str
    """The word sqlite (default) or memory."""
    path: str | os.PathLike[str]
    """The file, of type sqlite."""


class Replay(TypedDict):
    """What a replay of the log found."""

    events: int
    """How many events were replayed."""
    stateHash: str
    """The hash of the rebuilt state."""
    chain: str
    """The hash chain up to the last event."""
    ok: bool
    """Whether everything agrees."""
    problem: str | None
    """What does not agree."""


class RuvSwarm(Ledger):
    """A swarm: agents that coordinate and train, on one durable log.

    Any number of processes may have the same file open. Use it as a context manager, or call
    `close`.
    """

    def __init__(self, host: _core.Host, made: SwarmInitResponse, path: str | None) -> None:
        """Take what `init` or `open` made; not called by programs."""
        self._host = host
        self._path = path
        self._coded: list[Registered] = []
        self.id: str = made["swarmId"]
        """The swarm's id."""
        self.topology: str = made["topology"]
        """How its agents are connected."""
        self.seed: int = made["seed"]
        """The seed of all its randomness."""

    # -- making and closing ----------------------------------------------------------------------

    @classmethod
    def init(
        cls,
        *,
        topology: str | None = None,
        persistence: Persistence | None = None,
        db: str | os.PathLike[str] | None = None,
        seed: int | None = None,
        max_agents: int | None = None,
        strategy: str | None = None,
        durability: str = "full",
    ) -> RuvSwarm:
        """Create the swarm, or join the one that is there if what is given equals what is there.

        `db` is short for `persistence={"type": "sqlite", "path": db}`; with neither, the swarm
        lives in memory and is gone with the process. `durability` is full, normal or memory.
        """
        path = _place(persistence, db)
        request = without_none(
            topology=topology, strategy=strategy, maxAgents=max_agents, seed=seed
        )
        host, made = _core.Host.open_or_create(path, json.dumps(request), durability)
        return cls(host, json.loads(made), path)

    @classmethod
    def open(cls, db: str | os.PathLike[str], *, durability: str = "full") -> RuvSwarm:
        """Open the swarm that is there; nothing is made."""
        path = os.fspath(db)
        host = _core.Host(path, durability)
        if host.version() == 0:
            raise _core.host_error("no_database", "db", path, "")
        return cls(host, json.loads(host.call("swarm_init", "{}")), path)

    def close(self) -> None:
        """Give the file back; whatever is asked for later is refused."""
        self._host.close()

    def __enter__(self) -> Self:
        """Return the swarm."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the swarm."""
        self.close()

    def __repr__(self) -> str:
        """Say which swarm it is and where."""
        place = "memory" if self._path is None else repr(self._path)
        return f"<RuvSwarm {self.id} {self.topology} in {place}>"

    # -- operations ------------------------------------------------------------------------------

    def call(
        self, operation: str, request: Mapping[str, Any] | None = None, idempotency_key: str = ""
    ) -> dict[str, Any]:
        """Carry out any operation of the catalogue; with a key, said twice it happens once.

        Field names are those of the reference.
        """
        answer = self._host.call(operation, json.dumps(dict(request or {})), idempotency_key)
        return cast("dict[str, Any]", json.loads(answer))

    def spawn(
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
        """Add agents: `count` of them, or one; return them in the order of their ids.

        With `join` and a name, the agent of that name is taken if it is there and equals what is
        given. With `silence_ms`, an agent that is silent for so long counts as lost.
        """
        request = without_none(
            type=type,
            pattern=pattern,
            capabilities=words(capabilities),
            name=name,
            model=model,
            capacity=capacity,
            count=count,
            join=join,
            silenceMs=silence_ms,
        )
        return cast("list[Agent]", self.call("agent_spawn", request)["agents"])

    def agents(self) -> list[Agent]:
        """Return the agents."""
        return cast("list[Agent]", self.call("agent_list")["agents"])

    def status(self, *, verbose: bool = False) -> SwarmStatusResponse:
        """Return how the swarm stands."""
        return cast("SwarmStatusResponse", self.call("swarm_status", {"verbose": verbose}))

    @overload
    def query(self, *, task: str) -> Task: ...
    @overload
    def query(self, *, agent: str) -> Agent: ...
    @overload
    def query(self, *, goal: str) -> Goal: ...
    def query(
        self, *, task: str | None = None, agent: str | None = None, goal: str | None = None
    ) -> Task | Agent | Goal:
        """Return one task, agent or goal by its id."""
        request = without_none(taskId=task, agentId=agent, goalId=goal)
        answer = self.call("swarm_query", request)
        found = next(iter(request), "")
        return cast("Task | Agent | Goal", answer[found.removesuffix("Id")])

    def log(self, *, after: int = 0) -> Iterator[str]:
        """Yield the canonical event lines after event `after`."""
        return (line for line, _ in self.chained_log(after=after))

    def chained_log(self, *, after: int = 0) -> Iterator[tuple[str, str]]:
        """Yield the event lines after event `after`, each with the hash of the chain up to it."""
        while block := self._host.events(after, _BLOCK):
            yield from block
            after += len(block)

    def artifact(self, artifact_hash: str) -> bytes:
        """Return the bytes that the swarm keeps under a hash."""
        return self._host.get_artifact(artifact_hash)

    def state_hash(self) -> str:
        """Return the hash of the state: equal on every host with the same log."""
        return self._host.state_hash()

    def verify(self) -> Replay:
        """Rebuild the state from the log and compare it with all that is stored."""
        found, problem = self._host.replay(True)
        return cast("Replay", {**json.loads(found), "problem": problem})

    def _wait_for_events(self, after: int, seconds: float) -> bool:
        return self._host.wait_for_events(after, seconds)

    def _version(self) -> int:
        return self._host.version()

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
        """Make a function the code of an agent; `work` then runs it for each task.

        It is called with the task, or with the task and its `TaskContext`, on a thread of its own;
        a coroutine function runs on an event loop. A str that it returns is the output, bytes are
        kept as an artifact, a dict, list or number becomes JSON text. An exception fails the
        attempt. `capacity` is how many tasks it does at once. The agent is spawned when `work`
        begins, or joined if it has a name.
        """

        def register(code: F) -> F:
            from ruv_swarm import workers

            words_of = words(capabilities)
            self._coded.append(workers.registered(code, type, words_of, name, capacity, lease_ms))
            return code

        return register

    def work(self, *, until_idle: bool = False, max_tasks: int | None = None) -> Tally:
        """Run all agents with code until they are idle or have done enough, or else for ever.

        Ctrl-C gives the running tasks back and is raised once that is stored.
        """
        from ruv_swarm import workers

        return workers.run(self._host, self._coded, until_idle=until_idle, max_tasks=max_tasks)

    # -- training --------------------------------------------------------------------------------

    @overload
    def orchestrate(
        self,
        task: str = ...,
        *,
        data: Data,
        target: str | None = ...,
        task_type: str | None = ...,
        strategy: str | None = ...,
        agents: Sequence[str] | str | None = ...,
        max_agents: int | None = ...,
        priority: str | int | None = ...,
        threads: int = ...,
        on_progress: Callable[[TrainingProgress], object] | None = ...,
    ) -> TrainingResult: ...
    @overload
    def orchestrate(
        self,
        task: Literal["train"],
        *,
        data: None = ...,
        strategy: str | None = ...,
        agents: Sequence[str] | str | None = ...,
        max_agents: int | None = ...,
        priority: str | int | None = ...,
        threads: int = ...,
        on_progress: Callable[[TrainingProgress], object] | None = ...,
    ) -> TrainingResult: ...
    @overload
    def orchestrate(
        self,
        task: str = ...,
        *,
        data: None = ...,
        strategy: str | None = ...,
        agents: Sequence[str] | str | None = ...,
        max_agents: int | None = ...,
        priority: str | int | None = ...,
        threads: int = ...,
        on_progress: Callable[[TrainingProgress], object] | None = ...,
    ) -> TrainingResult | TaskOrchestrateResponse: ...
    def orchestrate(
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
        """Train an ensemble and wait for it, or plan a goal in words for workers to claim.

        With `data`, or with the word train alone, it trains: on the file at a path, on the bytes of
        one, or on two arrays, rows of features and what to predict; without data on the bundled
        sample. `target` names the column to predict, `task_type` is classification or regression.
        `agents` are cognitive patterns or ids of agents. `threads` members train at once, 0 for one
        a core. Any other text is planned as a goal, and the plan is returned at once.

        Ctrl-C, or an exception raised by `on_progress`, cancels the goal and is raised once that is
        stored.
        """
        request = without_none(
            strategy=strategy, agents=words(agents), maxAgents=max_agents, priority=priority
        )
        intent = self._host.orchestrate_intent(task, data is not None)
        if intent == "goal":
            return cast(
                "TaskOrchestrateResponse", self.call("task_orchestrate", {**request, "task": task})
            )
        request["task"] = task.strip() or "train"
        content, name = _dataset(data, task_type or "")
        options = json.dumps(without_none(target=target, task=task_type))
        answer, results = self._host.orchestrate(
            content, name, options, json.dumps(request), _count(threads), _reading(on_progress)
        )
        said = json.loads(answer).get("message", "")
        return read_result(results, _core.SAMPLE_MESSAGE if data is None else said)

    def train(
        self,
        goal_id: str,
        *,
        threads: int = 0,
        on_progress: Callable[[TrainingProgress], object] | None = None,
    ) -> TrainingResult:
        """Run a planned training goal to its end, or go on with one after a crash."""
        results = self._host.train(goal_id, _count(threads), _reading(on_progress))
        return read_result(results, "")

    def resume(
        self,
        *,
        threads: int = 0,
        on_progress: Callable[[TrainingProgress], object] | None = None,
    ) -> list[TrainingResult]:
        """Go on with the training goals that are not finished, oldest first."""
        return [
            self.train(goal, threads=threads, on_progress=on_progress)
            for goal in self._host.unfinished()
        ]

    def model(self, model_hash: str) -> _core.Model:
        """Return a trained model of this swarm by its hash."""
        return _core.Model(self._host.get_artifact(model_hash))


def _reading(
    listen: Callable[[TrainingProgress], object] | None,
) -> Callable[[str], object] | None:
    """Return the listener that the host calls, with text."""
    return None if listen is None else lambda text: listen(read_progress(text))


def _count(threads: int) -> int:
    """Return the number of threads; one below zero would be no number to the host."""
    if threads < 0:
        raise _errors.InvalidArgumentError(f"threads: {threads}; allowed: 0 to 1024", "threads")
    return threads


def _place(persistence: Persistence | None, db: str | os.PathLike[str] | None) -> str | None:
    """Return the path of the file, or None for memory."""
    if persistence is None:
        return None if db is None else os.fspath(db)
    kind = persistence.get("type", "sqlite")
    if kind not in ("sqlite", "memory"):
        text = f"persistence.type: unknown value {json.dumps(kind)}; allowed: sqlite, memory"
        raise _errors.InvalidArgumentError(text, "persistence.type")
    path = persistence.get("path", db)
    if kind == "memory":
        return None
    if path is None:
        text = "persistence.path: missing; name the file"
        raise _errors.InvalidArgumentError(text, "persistence.path")
    return os.fspath(path)


def _dataset(data: Data | None, task: str) -> tuple[bytes, str]:
    """Return the bytes to train on, and their name for people."""
    match data:
        case None:
            return _core.sample(), "iris.csv"
        case bytes() | bytearray() | memoryview():
            return bytes(data), "data"
        case tuple():
            inputs, targets = data
            return _core.encode_arrays(inputs, targets, task), "data.bin"
        case _:
            path = os.fspath(data)
            return _core.read_file("data", path), os.path.basename(path)  # noqa: PTH119
