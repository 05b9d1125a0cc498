"""The SQLite store: one connection, used by one thread, on a file that other processes share."""

from __future__ import annotations

import hashlib
import importlib
import random
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

from sqlalchemy import URL, Connection, Engine, Table, create_engine, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ruv_swarm_server import kernel
from ruv_swarm_server.store import opening, schema
from ruv_swarm_server.store.errors import StoreError, classify, is_busy

T = TypeVar("T")

_Values: TypeAlias = tuple[object, ...]

# Older releases can lose data when two connections reset the write-ahead log at once.
MINIMUM_SQLITE = (3, 51, 3)
# How long a writer waits for others before it gives up.
BUSY_LIMIT_S = 10.0


def load_driver() -> ModuleType:
    """Return a driver whose SQLite is new enough to be shared by several processes."""
    for name in ("pysqlite3.dbapi2", "sqlite3.dbapi2"):
        try:
            driver = importlib.import_module(name)
        except ImportError:
            continue
        if tuple(driver.sqlite_version_info) >= MINIMUM_SQLITE:
            return driver
    wanted = ".".join(str(part) for part in MINIMUM_SQLITE)
    raise StoreError("store_failed", f"no SQLite of version {wanted} or newer; install pysqlite3")


class StoredEvent(NamedTuple):
    """An event as the file holds it; a plain tuple, since a long log has a million of them."""

    seq: int
    body: str
    chain: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log ends; version 0 where no swarm is yet."""

    id: str = ""
    version: int = 0
    chain: bytes = bytes(32)


class NewEvent(NamedTuple):
    """An event to append: the columns of its row, in their order."""

    seq: int
    swarm: str
    at_ms: int
    kind: str
    body: str
    chain: bytes


def _text(statement: Insert, *columns: str) -> str:
    """Return the statement as text with a place for each column, compiled once and not each time."""
    return str(statement.compile(dialect=_DIALECT, column_keys=list(columns)))


def _upsert(table: Table, key: str, columns: Sequence[str], changed: Sequence[str]) -> str:
    statement = insert(table)
    new = {name: statement.excluded[name] for name in changed}
    return _text(statement.on_conflict_do_update(index_elements=[key], set_=new), *columns)


_DIALECT = sqlite.dialect()
_TAIL = "SELECT seq, body, chain FROM event WHERE seq > ? ORDER BY seq"
_APPEND = _text(insert(schema.EVENT), "seq", "swarm", "at_ms", "kind", "body", "chain")
_PUT = _text(
    insert(schema.ARTIFACT).on_conflict_do_nothing(index_elements=["hash"]),
    *("hash", "size", "content"),
)
_ROW = ("number", "state", "seq", "body")
_UPSERT = {name: _upsert(t, "number", _ROW, _ROW[1:]) for name, t in schema.PROJECTIONS.items()}
_HEAD = _upsert(
    schema.SWARM, "id", ("id", "version", "chain", "epoch", "config"), ("version", "chain")
)
_SNAPSHOT = _upsert(schema.SNAPSHOT, "seq", ("seq", "hash", "body"), ("hash", "body"))


class SqliteStore:
    """A swarm's file, opened. Not safe for use by two threads at once."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Open ``path``; with ``create`` make the file and its tables if they are not there.

        Raises `StoreError` for a file that is no swarm database, or a newer one, before any write.
        """
        self.path = path
        self._driver = load_driver()
        opening.look_at(path, create=create)
        self._engine: Engine = create_engine(
            URL.create("sqlite", database=str(path)),
            module=self._driver,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"check_same_thread": False, "timeout": 0},
        )
        self._data_version = -1
        # A log from before this connection is still to be folded in.
        self._log_is_left = False
        self._connection: Connection = self._guard(self._engine.connect)
        try:
            self._prepare(create=create)
        except BaseException:
            self.close()
            raise

    # -- opening -----------------------------------------------------------------------------

    def _prepare(self, *, create: bool) -> None:
        application = self._pragma("application_id")
        if application == 0:
            self._create_tables(create=create)
        else:
            opening.check_owner(application, self._pragma("user_version"))
        mode = self._guard(lambda: str(self._scalar("PRAGMA journal_mode=WAL")))
        if mode != "wal":
            detail = f"write-ahead logging is not to be had here (journal mode {mode})"
            raise StoreError("store_failed", detail)
        self._text("PRAGMA synchronous=FULL")
        log = opening.beside(self.path.resolve(), "-wal")
        self._log_is_left = log.exists() and log.stat().st_size > 0
        self._guard(lambda: schema.check(self._connection))

    def _create_tables(self, *, create: bool) -> None:
        # Before the switch to WAL, so the mark of ownership is in the file itself from its first
        # moment. Several processes may come here at once.
        if self._guard(lambda: self._scalar("SELECT count(*) FROM sqlite_schema")):
            # Another process may have made them since we looked.
            opening.check_owner(self._pragma("application_id"), self._pragma("user_version"))
            return
        if not create:
            raise StoreError("no_database", "")
        with self.writing():
            application = self._pragma("application_id")
            if application != 0:
                opening.check_owner(application, self._pragma("user_version"))
                return
            # The script also marks the file as a swarm's, with the version of its schema.
            self._guard(lambda: self._script(kernel.SCHEMA_SQL))

    # -- transactions ------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Generator[None]:
        """Hold the write lock for the block, then commit and sync; an exception rolls back.

        A commit that fails for any reason but a full disk raises `StoreError` of the kind
        ``outcome_unknown``: the store must be closed and read anew.
        """
        self._fold_in_log()
        self._guard(lambda: self._text("BEGIN IMMEDIATE"))
        try:
            yield
        except BaseException:
            self._rollback()
            raise
        try:
            self._text("COMMIT")
        except DBAPIError as error:
            trouble = classify(error)
            self._rollback()
            if trouble.kind == "disk_full":
                # The frame that seals a transaction is written last, so it is not in the log.
                raise trouble from error
            raise StoreError("outcome_unknown", trouble.detail) from error

    def _fold_in_log(self) -> None:
        """Write what a crash left in the log into the database, and sync it, before any answer.

        After a sync that failed, the system shows the log's last commits from its memory and may
        never have written them; a later sync does not try again. SQLite takes such commits for
        good when it reads the log anew, and whoever is answered on their ground would lose that in
        a power cut.
        """
        if self._log_is_left:
            # A row that says busy is no trouble: others have the file open, so the log was not
            # read anew.
            self._guard(lambda: self._text("PRAGMA wal_checkpoint(TRUNCATE)").all())
            self._log_is_left = False

    @contextmanager
    def reading(self) -> Generator[None]:
        """Let all reads of the block see one state of the file."""
        self._guard(lambda: self._text("BEGIN"))
        try:
            yield
        finally:
            self._rollback()

    def _rollback(self) -> None:
        try:
            self._text("ROLLBACK")
        except DBAPIError:
            # SQLite has already rolled back by itself after some errors.
            return

    # -- reading -----------------------------------------------------------------------------

    def changed(self) -> bool:
        """Tell whether another connection has committed since this was last asked."""
        version = self._guard(lambda: self._pragma("data_version"))
        changed = version != self._data_version
        self._data_version = version
        return changed

    def head(self) -> Head:
        """Return where the log ends."""
        table = schema.SWARM
        query = select(table.c.id, table.c.version, table.c.chain)
        found = self._guard(lambda: self._connection.execute(query)).one_or_none()
        return Head(str(found[0]), int(found[1]), bytes(found[2])) if found else Head()

    def tail(self, after: int) -> Iterable[StoredEvent]:
        """Return the events after number ``after``, in order."""
        rows = self._guard(lambda: self._connection.exec_driver_sql(_TAIL, (after,)))
        # The driver's own rows: SQLAlchemy's cost as much again as all the rest of reading them.
        return map(StoredEvent._make, cast("Iterable[Any]", rows.cursor))

    def lines(self, after: int, limit: int) -> list[str]:
        """Return at most ``limit`` canonical lines after number ``after``."""
        query = (
            select(schema.EVENT.c.body)
            .where(schema.EVENT.c.seq > after)
            .order_by(schema.EVENT.c.seq)
            .limit(limit)
        )
        return [str(body) for (body,) in self._guard(lambda: self._connection.execute(query))]

    def artifact(self, digest: str) -> bytes | None:
        """Return the bytes whose SHA-256 is ``digest``, checked; None if they are not here."""
        query = select(schema.ARTIFACT.c.content).where(schema.ARTIFACT.c.hash == digest)
        found = self._guard(lambda: self._connection.execute(query)).scalar_one_or_none()
        if found is None:
            return None
        content = bytes(found)
        if hashlib.sha256(content).hexdigest() != digest:
            detail = f"the bytes of artifact {digest} do not have this hash"
            raise StoreError("damaged_database", detail)
        return content

    def snapshots(self) -> list[str]:
        """Return the snapshots, newest first; damaged ones are left out."""
        table = schema.SNAPSHOT
        query = select(table.c.body, table.c.hash).order_by(table.c.seq.desc())
        rows = self._guard(lambda: self._connection.execute(query)).all()
        return [
            str(body)
            for body, digest in rows
            if hashlib.sha256(str(body).encode()).digest() == bytes(digest)
        ]

    # -- writing, inside `writing` -------------------------------------------------------------

    def append(self, events: Sequence[NewEvent]) -> None:
        """Append events; their numbers are the file's next ones."""
        self._write(_APPEND, events)

    def put_artifacts(self, contents: Mapping[str, bytes]) -> None:
        """Keep bytes under their hash; the same bytes a second time change nothing."""
        rows = [(digest, len(content), content) for digest, content in contents.items()]
        self._write(_PUT, rows)

    def project(self, rows: Iterable[kernel.Row]) -> None:
        """Put projection rows in place of the former ones, each with its event's number."""
        by_table: dict[str, list[_Values]] = {}
        for row in rows:
            # The number in the id is the key: 17 of t17.
            values = (int(row.id[1:]), row.state, row.seq, row.body)
            by_table.setdefault(row.table, []).append(values)
        for table, found in by_table.items():
            self._write(_UPSERT[table], found)

    def set_head(self, head: Head, config: str) -> None:
        """Write where the log ends now."""
        self._write(_HEAD, [(head.id, head.version, head.chain, 0, config)])

    def put_snapshot(self, seq: int, body: str) -> None:
        """Keep a snapshot; the one before it stays too, should this one prove unreadable."""
        digest = hashlib.sha256(body.encode()).digest()
        self._write(_SNAPSHOT, [(seq, digest, body)])
        table = schema.SNAPSHOT
        newest = select(table.c.seq).order_by(table.c.seq.desc()).limit(2)
        self._guard(
            lambda: self._connection.execute(table.delete().where(~table.c.seq.in_(newest)))
        )

    def _write(self, statement: str, rows: Sequence[_Values]) -> None:
        if rows:
            self._guard(lambda: self._connection.exec_driver_sql(statement, list(rows)))

    # -- plumbing ----------------------------------------------------------------------------

    def _guard(self, action: Callable[[], T]) -> T:
        """Run ``action``; while others hold the lock, wait a random while and repeat."""
        started = time.monotonic()
        pause = 0.0005
        while True:
            try:
                return action()
            except DBAPIError as error:
                waited = time.monotonic() - started
                if not is_busy(error):
                    raise classify(error) from error
                if waited > BUSY_LIMIT_S:
                    raise StoreError("busy", str(int(waited * 1000))) from error
            # A random pause with a low ceiling: nobody starves, and none wakes in step.
            time.sleep(random.uniform(pause / 2, pause))
            pause = min(pause * 1.5, 0.02)

    def _text(self, statement: str) -> Any:
        return self._connection.exec_driver_sql(statement)

    def _script(self, text: str) -> None:
        # The driver's own `executescript` commits first, so the statements go one by one.
        for statement in schema.statements(text):
            self._text(statement)

    def _scalar(self, statement: str) -> Any:
        return self._text(statement).scalar_one()

    def _pragma(self, name: str) -> int:
        return int(self._guard(lambda: self._scalar(f"PRAGMA {name}")))

    def sqlite_version(self) -> str:
        """Return the version of the SQLite library in use."""
        return str(self._driver.sqlite_version)

    def close(self) -> None:
        """Close the file; an open transaction is rolled back."""
        self._connection.close()
        self._engine.dispose()
