"""The host loop without its threads: one core, one store, one group of calls a transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ruv_swarm import RuvSwarmError

from ruv_swarm_server import kernel, requests
from ruv_swarm_server.clock import SwarmClock
from ruv_swarm_server.errors import host_trouble, internal
from ruv_swarm_server.store import Head, NewEvent, SqliteStore, StoreError, opening

log = logging.getLogger(__name__)

# A longer tail than this is worth a snapshot when the file is opened.
LONG_TAIL = 2000


@dataclass(frozen=True, slots=True)
class Step:
    """One operation with its request and idempotency key."""

    operation: str
    request: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """Steps that one caller wants in one transaction.

    All happen or none. ``probe`` is decided first and thrown away: if the core refuses it, no step
    runs, which is cheaper than to undo one. ``blobs`` are bytes that the steps name by hash.
    """

    steps: tuple[Step, ...]
    blobs: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    probe: Step | None = None


Outcome: TypeAlias = list[str] | RuvSwarmError
"""The responses of a job's steps, or why it was refused."""


@dataclass(slots=True)
class _Batch:
    """What a transaction will write."""

    events: list[NewEvent] = field(default_factory=list[NewEvent])
    contents: dict[str, bytes] = field(default_factory=dict[str, bytes])


class _PartlyDoneError(Exception):
    """A later step of a job was refused: the earlier ones must not have happened."""

    def __init__(self, job: Job, error: RuvSwarmError) -> None:
        super().__init__(error.message)
        self.job = job
        self.error = error


class Ledger:
    """A swarm and its file. Everything here runs in one thread; see `Host`."""

    def __init__(self, path: Path, clock: SwarmClock | None = None) -> None:
        """Name the file; it is opened when it is first needed, and again after trouble."""
        self.path = path
        self._clock = clock or SwarmClock()
        self._core: kernel.Core = kernel.Core()
        self._store: SqliteStore | None = None

    # -- what the host calls -------------------------------------------------------------------

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Commit the jobs' commands as one group, then answer; also lets time pass when due."""
        writes = [any(_is_command(step.operation) for step in job.steps) for job in jobs]
        outcomes: list[Outcome | None] = [None] * len(jobs)
        if any(writes):
            chosen = [job for job, write in zip(jobs, writes, strict=True) if write]
            done = iter(self._commit(chosen))
            outcomes = [next(done) if write else None for write in writes]
        return [
            self._answer(job) if outcome is None else outcome
            for job, outcome in zip(jobs, outcomes, strict=True)
        ]

    def refresh(self) -> bool:
        """Fold in what other processes committed; tell whether there was anything."""
        store = self._open(create=False)
        if store is None:
            return False
        before = self._core.version()
        try:
            if store.changed():
                with store.reading():
                    self._catch_up(store)
        except StoreError as error:
            raise self._trouble(error) from error
        return self._core.version() != before

    def pass_time(self) -> None:
        """Run `tick` if something is due."""
        if self._due(self._clock.now_ms()):
            self._commit([])

    def wait_ms(self) -> int | None:
        """Return how long until `pass_time` has something to do; None if nothing waits."""
        deadline = self._core.next_deadline()
        return None if deadline is None else max(0, deadline - self._clock.now_ms())

    def pending_effects(self) -> str:
        """Return the core's list of work for hosts, as JSON text."""
        return self._core.pending_effects()

    def intent(self, text: str) -> str:
        """Return what orchestrate means by ``text`` without a dataset."""
        if self._open(create=False) is None:
            raise host_trouble("no_database", str(self.path))
        self.refresh()
        return self._core.orchestrate_intent(text, False)

    def version(self) -> int:
        """Return the number of the last event."""
        return self._core.version()

    def state_hash(self) -> str:
        """Return the hash of the state, in hex."""
        return self._core.state_hash()

    def artifact(self, digest: str) -> bytes | None:
        """Return the bytes of an artifact, or None if the swarm does not keep them."""
        store = self._open(create=False)
        try:
            return store.artifact(digest) if store else None
        except StoreError as error:
            raise self._trouble(error) from error

    def check(self) -> dict[str, object]:
        """Read the file and compare it with the state; what /healthz shows."""
        store = self._open(create=False)
        if store is None:
            return {"db": "absent", "version": 0}
        self.refresh()
        try:
            with store.reading():
                self._catch_up(store)
        except StoreError as error:
            raise self._trouble(error) from error
        return {"db": "open", "version": self.version(), "sqlite": store.sqlite_version()}

    def close(self) -> None:
        """Close the file."""
        if self._store is not None:
            self._store.close()
            self._store = None

    # -- queries -------------------------------------------------------------------------------

    def _answer(self, job: Job) -> Outcome:
        try:
            self.refresh()
            if self._store is None and self._core.version() == 0:
                known = [step for step in job.steps if kernel.operation_kind(step.operation)]
                if known:
                    return host_trouble("no_database", str(self.path))
            return [self._query(step) for step in job.steps]
        except StoreError as error:
            return self._trouble(error)
        except RuvSwarmError as error:
            return error
        except BaseException as error:  # a panic of the core is no Exception
            log.exception("a query failed")
            return internal(error)

    def _query(self, step: Step) -> str:
        if kernel.operation_kind(step.operation) == "query":
            # A query tells what holds now, not what held at the last event.
            now = self._clock.now_ms()
            return self._attach(self._core.call(step.operation, step.request, now, ""))
        return self._attach(self._core.query(step.operation, step.request))

    def _attach(self, decision: kernel.Decision) -> str:
        attach = decision.attach
        if attach is None:
            return decision.response
        store = self._store
        assert store is not None
        if attach.kind == "events":
            lines = store.lines(attach.after, attach.limit)
            return kernel.attach_events(decision.response, lines, attach.filter)
        content = store.artifact(attach.hash)
        if content is None:
            detail = f"the bytes of artifact {attach.hash} are missing"
            raise host_trouble("damaged_database", str(self.path), detail)
        return kernel.attach_artifact(decision.response, content)

    # -- commands ------------------------------------------------------------------------------

    def _commit(self, jobs: Sequence[Job]) -> list[Outcome]:
        try:
            store = self._open(create=False)
            if store is None:
                refused = [self._refused(job) for job in jobs]
                if all(refused):
                    # No file is made for a swarm that the core would not create.
                    return [error for error in refused if error]
                store = self._open(create=True)
            assert store is not None
            return self._transact_whole(store, jobs)
        except StoreError as error:
            trouble = self._trouble(error)
            return [trouble for _ in jobs]
        except RuvSwarmError as error:
            return [error for _ in jobs]

    def _refused(self, job: Job) -> RuvSwarmError | None:
        """Return why a job cannot be the first of a swarm; None if it can."""
        step = job.steps[0]
        if step.operation != "swarm_init":
            return host_trouble("no_database", str(self.path))
        try:
            self._call(step, self._clock.now_ms())
        except RuvSwarmError as error:
            return error
        return None

    def _transact_whole(self, store: SqliteStore, jobs: Sequence[Job]) -> list[Outcome]:
        """Commit the jobs; one that is refused half way is taken out and the rest done again."""
        refused: dict[int, RuvSwarmError] = {}
        while True:
            try:
                done = iter(self._transact(store, [job for job in jobs if id(job) not in refused]))
                return [refused.get(id(job)) or next(done) for job in jobs]
            except _PartlyDoneError as error:
                refused[id(error.job)] = error.error
                again = self._open(create=False)
                if again is None:
                    raise StoreError("no_database", "") from error
                store = again

    def _transact(self, store: SqliteStore, jobs: Sequence[Job]) -> list[Outcome]:
        batch = _Batch()
        try:
            with store.writing():
                self._catch_up(store)
                now = self._clock.now_ms()
                while self._due(now):  # one tick handles so many timers and no more
                    self._fold(self._core.call("tick", "{}", now, ""), batch)
                outcomes = [self._decide(job, self._clock.now_ms(), batch) for job in jobs]
                self._save(store, batch)
        except BaseException:
            # The state holds what the file may not: it is read anew before the next call.
            if batch.events:
                self._forget()
            raise
        return outcomes

    def _save(self, store: SqliteStore, batch: _Batch) -> None:
        if not batch.events:
            return
        core = self._core
        store.append(batch.events)
        store.put_artifacts(batch.contents)
        store.project(core.take_rows())
        head = Head(core.swarm_id(), core.version(), core.chain_head())
        store.set_head(head, core.config_json())

    def _decide(self, job: Job, now: int, batch: _Batch) -> Outcome:
        before = self._core.version()
        try:
            if job.probe is not None:
                probe = job.probe
                self._core.call(probe.operation, probe.request, now, probe.key)
            return [self._step(step, job.blobs, now, batch) for step in job.steps]
        except RuvSwarmError as error:
            if self._core.version() != before:
                raise _PartlyDoneError(job, error) from error
            return error

    def _step(self, step: Step, blobs: Mapping[str, bytes], now: int, batch: _Batch) -> str:
        if not _is_command(step.operation):
            return self._query(step)
        decision = self._call(step, now)
        if step.operation == "artifact_put" and decision.events:
            digest, content = requests.artifact_content(step.request, decision.response, blobs)
            batch.contents[digest] = content
        self._fold(decision, batch)
        return decision.response

    def _call(self, step: Step, now: int) -> kernel.Decision:
        """Decide a command; a swarm_init without id and seed gets them drawn."""
        if step.operation != "swarm_init" or (self._core.version() and not step.key):
            return self._core.call(step.operation, step.request, now, step.key)
        drawn = requests.with_drawn(step.request, step.key)
        try:
            return self._core.call(step.operation, drawn, now, step.key)
        except RuvSwarmError as error:
            if error.code != "conflict" or drawn == step.request:
                raise
        # The swarm was there and is not of this key's making: the caller joins it.
        return self._core.call(step.operation, step.request, now, step.key)

    def _fold(self, decision: kernel.Decision, batch: _Batch) -> None:
        core = self._core
        for line in decision.events:
            applied = core.apply(line)
            event = (applied.seq, core.swarm_id(), applied.at_ms, applied.kind, line, applied.chain)
            batch.events.append(NewEvent._make(event))
        self._clock.saw(core.last_at_ms())

    # -- the state and its file ------------------------------------------------------------------

    def _due(self, now: int) -> bool:
        deadline = self._core.next_deadline()
        return deadline is not None and deadline <= now

    def _catch_up(self, store: SqliteStore) -> None:
        """Read what others appended; inside a transaction."""
        head = store.head()
        if head.version > self._core.version():
            self._read_tail(store)
        if self._is_at(head):
            return
        # The file was put back to an older copy, or replaced: what we know is of another log.
        self._load(store, head)

    def _load(self, store: SqliteStore, head: Head) -> int:
        """Read the newest snapshot that fits and the tail after it; inside a transaction.

        Returns how many events the tail had.
        """
        self._core = kernel.Core()
        for body in store.snapshots():
            try:
                core = kernel.Core.restore(body)
            except RuvSwarmError:
                # One that this release cannot read costs time, not data: the log has it all.
                continue
            if core.version() <= head.version:
                self._core = core
                break
        before = self._core.version()
        self._read_tail(store)
        if not self._is_at(head):
            detail = f"the log ends at event {self.version()} and its head says {head.version}"
            raise StoreError("damaged_database", detail)
        self._clock.saw(self._core.last_at_ms())
        return head.version - before

    def _is_at(self, head: Head) -> bool:
        return head.version == self._core.version() and head.chain == self._core.chain_head()

    def _read_tail(self, store: SqliteStore) -> None:
        core = self._core
        for seq, body, chain in store.tail(core.version()):
            try:
                applied = core.replay(body)
            except RuvSwarmError as error:
                text = f"event {seq}: {error.message}"
                raise StoreError("damaged_database", text) from error
            if applied.seq != seq or applied.chain != chain:
                detail = f"event {seq} does not fit the hash chain"
                raise StoreError("damaged_database", detail)
        self._clock.saw(core.last_at_ms())

    def _open(self, *, create: bool) -> SqliteStore | None:
        """Return the store; None if there is no file and none is to be made."""
        if self._store is not None:
            return self._store
        if not create and not opening.exists(self.path):
            return None
        try:
            store = SqliteStore(self.path, create=create)
        except StoreError as error:
            raise host_trouble(error.kind, str(self.path), error.detail) from error
        self._store = store
        try:
            with store.reading():
                tail = self._load(store, store.head())
        except BaseException as error:
            self._forget()
            if isinstance(error, StoreError):
                raise self._trouble(error) from error
            raise
        if tail > LONG_TAIL:
            self._put_snapshot(store)
        return store

    def _put_snapshot(self, store: SqliteStore) -> None:
        try:
            with store.writing():
                store.put_snapshot(self._core.version(), self._core.snapshot())
        except StoreError as error:
            if error.kind not in ("busy", "disk_full", "read_only"):
                raise self._trouble(error) from error
            # Only the next opening gains by it: nothing was changed, and the caller has no trouble.
            log.info("no snapshot of %s: %s", self.path, error)

    def _forget(self) -> None:
        self._core = kernel.Core()
        self.close()

    def _trouble(self, error: StoreError) -> RuvSwarmError:
        """Return the caller's error; after trouble of the file it is opened anew."""
        log.warning("the store %s: %s: %s", self.path, error.kind, error.detail)
        if error.kind != "busy":
            self._forget()
        return host_trouble(error.kind, str(self.path), error.detail)


def _is_command(operation: str) -> bool:
    return kernel.operation_kind(operation) == "command"
