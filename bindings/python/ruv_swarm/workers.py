"""Functions as agents: what `@swarm.agent` and `swarm.work` do.

The worker itself is the Rust host's: it claims, keeps the leases without the interpreter's lock,
and reports. Here a function is begun for each task, on a thread or on an event loop, and what it
returns or raises becomes a result or a failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ruv_swarm import _core, _errors
from ruv_swarm.ledger import Tally, TaskFailure, without_none

if TYPE_CHECKING:
    from ruv_swarm._types import Task

Begin = Callable[[str, _core.TaskContext], "Callable[[], object] | None"]


class Registered:
    """A function with the agent that it is the code of."""

    def __init__(self, spawn: dict[str, Any], lease_ms: int, code: Callable[..., object]) -> None:
        """Take the request of agent_spawn, the lease and the function."""
        self.spawn = spawn
        self.lease_ms = lease_ms
        self.code = code
        self.agent_id: str | None = None
        self.is_async = _is_async(code)
        self.wants_context = _wants_context(code)

    def agent(self, host: _core.Host) -> str:
        """Return the agent's id; the first time the agent is spawned, or joined by its name."""
        if self.agent_id is None:
            answer = json.loads(host.call("agent_spawn", json.dumps(self.spawn)))
            self.agent_id = str(answer["agents"][0]["id"])
        return self.agent_id

    def arguments(self, task: Task, context: _core.TaskContext) -> tuple[Any, ...]:
        """Return what the function is called with."""
        return (task, context) if self.wants_context else (task,)


def registered(
    code: Callable[..., object],
    type: str,
    capabilities: list[str] | None,
    name: str | None,
    capacity: int | None,
    lease_ms: int,
) -> Registered:
    """Return the function as the code of an agent that `work` will spawn."""
    join = True if name else None
    spawn = without_none(
        type=type, capabilities=capabilities, name=name, capacity=capacity, join=join
    )
    return Registered(spawn, lease_ms, code)


def run(
    host: _core.Host,
    agents: list[Registered],
    *,
    until_idle: bool,
    max_tasks: int | None,
    stop: _core.Stop | None = None,
    loop: asyncio.AbstractEventLoop | None = None,
) -> Tally:
    """Run all agents until they are idle, have done enough, or are stopped.

    Coroutines run on `loop`, or on one of their own.
    """
    if not agents:
        text = "no agent has code yet; write it under @swarm.agent(...)"
        raise _errors.FailedPreconditionError(text)
    needs_loop = loop is None and any(agent.is_async for agent in agents)
    with _own_loop() if needs_loop else contextlib.nullcontext(loop) as there:
        begins = [(agent.agent(host), agent.lease_ms, 0, _begin(agent, there)) for agent in agents]
        return Tally(*_core.work(host, begins, stop or _core.Stop(), until_idle, max_tasks))


@contextlib.contextmanager
def _own_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop on a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="ruv-swarm-loop", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        # A coroutine that never awaits holds its loop; it must not hold the program.
        thread.join(1.0)
        if not thread.is_alive():
            loop.close()


def _begin(agent: Registered, loop: asyncio.AbstractEventLoop | None) -> Begin:
    """Return what the host calls to begin a task; it returns at once."""
    return _begin_thread(agent) if loop is None or not agent.is_async else _begin_on(loop, agent)


def _begin_thread(agent: Registered) -> Begin:
    def run(task: Task, context: _core.TaskContext) -> None:
        try:
            text, content = _result(agent.code(*agent.arguments(task, context)))
        except BaseException as error:
            context._fail(*_failure(error))
        else:
            context._complete(text, content)

    def begin(task: str, context: _core.TaskContext) -> None:
        name = f"task-{context.task_id}"
        arguments = (json.loads(task), context)
        # A daemon: a task that was given back after a Ctrl-C must not keep the program.
        threading.Thread(target=run, args=arguments, name=name, daemon=True).start()

    return begin


def _begin_on(loop: asyncio.AbstractEventLoop, agent: Registered) -> Begin:
    async def run(task: Task, context: _core.TaskContext) -> None:
        try:
            awaited: Any = agent.code(*agent.arguments(task, context))
            text, content = _result(await awaited)
        except asyncio.CancelledError:
            context._fail("cancelled", "the coroutine was cancelled")
            raise
        except BaseException as error:
            context._fail(*_failure(error))
        else:
            context._complete(text, content)

    def begin(task: str, context: _core.TaskContext) -> Callable[[], object]:
        future = asyncio.run_coroutine_threadsafe(run(json.loads(task), context), loop)
        # A coroutine that is cancelled before its first step never gets to say so itself.
        future.add_done_callback(
            lambda _: context._fail("cancelled", "the coroutine was cancelled")
        )
        return future.cancel

    return begin


def _result(value: object) -> tuple[str, bytes | None]:
    """Return text and bytes of what a function returned."""
    match value:
        case None:
            return "", None
        case str():
            return value, None
        case bytes() | bytearray() | memoryview():
            return "", bytes(value)
        case dict() | list() | tuple() | int() | float():
            return json.dumps(value, ensure_ascii=False, allow_nan=False), None
        case _:
            kind = type(value).__name__
            text = f"a task returned {kind}; allowed: str, bytes, dict, list, a number, None"
            raise TypeError(text)


def _failure(error: BaseException) -> tuple[str, str]:
    """Return code and message of what a function raised."""
    if isinstance(error, TaskFailure):
        return error.code, error.message
    return _snake_case(type(error).__name__), str(error) or type(error).__name__


def _snake_case(name: str) -> str:
    """Return value_error for ValueError and http_error for HTTPError."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _is_async(code: Callable[..., object]) -> bool:
    called = getattr(code, "__call__", None)  # noqa: B004 - an object may have an async __call__
    return inspect.iscoroutinefunction(code) or inspect.iscoroutinefunction(called)


def _wants_context(code: Callable[..., object]) -> bool:
    """Tell whether a function takes a second argument by its place."""
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(code).parameters.values()
    count = sum(parameter.kind in by_place for parameter in parameters)
    return count > 1 or any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)
