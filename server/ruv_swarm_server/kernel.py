"""The core as this package uses it: the one place that names the binding's functions.

Everything here comes from the public face of `ruv_swarm`; this module adds types and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol, cast

import ruv_swarm
from ruv_swarm import RuvSwarmError


class Row(Protocol):
    """A row of a projection, to be written blindly."""

    table: str
    id: str
    state: str
    body: str


class Applied(Protocol):
    """What folding one event did."""

    seq: int
    at_ms: int
    kind: str
    chain: bytes
    rows: Sequence[Row]


class Attach(Protocol):
    """Stored data that a response still needs: ``kind`` is ``events`` or ``artifact``."""

    kind: str
    after: int
    limit: int
    hash: str


class Decision(Protocol):
    """A response, and the events that make it true."""

    response: str
    events: Sequence[str]
    attach: Attach | None


class Core(Protocol):
    """The state machine."""

    def call(self, operation: str, request: str, now_ms: int, idempotency_key: str) -> Decision:
        """Decide a command or answer a query; change nothing."""
        ...

    def apply(self, event_line: str) -> Applied:
        """Fold the next event line into the state."""
        ...

    def query(self, operation: str, request: str) -> Decision:
        """Answer a query."""
        ...

    def pending_effects(self) -> str:
        """Return the work for hosts, as a JSON array."""
        ...

    def next_deadline(self) -> int | None:
        """Return when `tick` has something to do, in ms."""
        ...

    def orchestrate_intent(self, text: str, has_data: bool) -> str:
        """Tell what orchestrate means: ``train``, ``sample`` or ``goal``."""
        ...

    def snapshot(self) -> str:
        """Return the canonical snapshot."""
        ...

    def state_hash(self) -> str:
        """Return the hash of the state, in hex."""
        ...

    def chain_head(self) -> bytes:
        """Return the chain's hash after the last event."""
        ...

    def version(self) -> int:
        """Return the number of the last event."""
        ...

    def last_at_ms(self) -> int:
        """Return the time of the last event."""
        ...

    def swarm_id(self) -> str:
        """Return the swarm's id."""
        ...

    def config_json(self) -> str:
        """Return what the swarm was created with."""
        ...


SCHEMA_SQL = cast(str, ruv_swarm.SCHEMA_SQL)
SCHEMA_VERSION = cast(int, ruv_swarm.SCHEMA_VERSION)
APPLICATION_ID = cast(int, ruv_swarm.APPLICATION_ID)


def new_core() -> Core:
    """Return the core of a swarm that is not created yet."""
    return cast(Core, ruv_swarm.Core())


def restore_core(snapshot: str) -> Core:
    """Return the core that ``snapshot`` describes."""
    return cast(Core, ruv_swarm.Core.restore(snapshot))


def operation_kind(operation: str) -> str | None:
    """Return ``command``, ``query`` or None for no operation."""
    return cast("str | None", ruv_swarm.operation_kind(operation))


def render(operation: str, response: str) -> str:
    """Return the text for people that goes with a response."""
    return cast(str, ruv_swarm.render(operation, response))


def attach_events(response: str, lines: Sequence[str]) -> str:
    """Put event lines into the response that asked for them."""
    return cast(str, ruv_swarm.attach_events(response, list(lines)))


def attach_artifact(response: str, content: bytes) -> str:
    """Put an artifact's bytes into the response that asked for them."""
    return cast(str, ruv_swarm.attach_artifact(response, content))


SAMPLE_MESSAGE = cast(str, ruv_swarm.SAMPLE_MESSAGE)


def sample() -> bytes:
    """Return the bundled dataset, as CSV."""
    return cast(bytes, ruv_swarm.sample())


def inspect_data(content: bytes, options: str) -> str:
    """Return the core's summary of a dataset's bytes, as JSON text."""
    return cast(str, ruv_swarm.inspect_data(content, options))


class Trainer(Protocol):
    """The training of one member, in slices."""

    def run(self, epochs: int) -> str:
        """Train at most `epochs` more; return the progress as JSON."""
        ...

    def done(self) -> bool:
        """Tell whether there is nothing left to train."""
        ...

    def finish(self) -> tuple[bytes, str]:
        """Return the model file and the report."""
        ...


def new_trainer(data: bytes, plan: str, member: int) -> Trainer:
    """Return the trainer of a plan's member."""
    return cast(Trainer, ruv_swarm.Trainer(data, plan, member))


def run_trainer(trainer: Trainer, epochs: int) -> dict[str, Any]:
    """Train at most ``epochs`` more; return how far it has come."""
    return cast("dict[str, Any]", json.loads(trainer.run(epochs)))


def finish_trainer(trainer: Trainer) -> tuple[bytes, str]:
    """Return the member's model file and its report."""
    return trainer.finish()


def fuse(data: bytes, plan: str, models: Sequence[bytes]) -> tuple[bytes, str]:
    """Return the ensemble's model file and its report."""
    return cast("tuple[bytes, str]", ruv_swarm.fuse(data, plan, list(models)))


def host_error(kind: str, field: str, path: str, detail: str) -> RuvSwarmError:
    """Return the error for trouble that only a host can meet, in the core's words."""
    return cast(RuvSwarmError, ruv_swarm.host_error(kind, field, path, detail))


def make_error(code: str, field: str, message: str) -> RuvSwarmError:
    """Return an error with ``code``, ``field`` and ``message``."""
    classes = {kind.code: kind for kind in RuvSwarmError.__subclasses__()}
    return classes.get(code, RuvSwarmError)(message, field)
