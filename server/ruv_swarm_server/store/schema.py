"""The tables as SQLAlchemy sees them, checked against the core's schema file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, Table, Text

from ruv_swarm_server.store.errors import StoreError

METADATA = MetaData()

SWARM = Table(
    "swarm",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("config", Text, nullable=False),
)

EVENT = Table(
    "event",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("swarm", Text, nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("chain", LargeBinary, nullable=False),
)

SNAPSHOT = Table(
    "snapshot",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
)

ARTIFACT = Table(
    "artifact",
    METADATA,
    Column("hash", Text, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)


def _projection(name: str) -> Table:
    # The file also has `id`, made of the number, for those who read it.
    return Table(
        name,
        METADATA,
        Column("number", Integer, primary_key=True),
        Column("state", Text, nullable=False),
        Column("seq", Integer, nullable=False),
        Column("body", Text, nullable=False),
    )


_NAMES = ("agent", "task", "goal")
PROJECTIONS = {name: _projection(name) for name in _NAMES}
"""The tables that the core's rows are written to, by the name that the core gives."""


def statements(script: str) -> Iterator[str]:
    """Split a script into its statements; triggers and quoted semicolons stay whole."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending


def check(connection: Connection) -> None:
    """Raise `StoreError` unless every table here has its columns in the file.

    A file of this schema version always has them; if not, it is damaged, and saying so at the
    start is better than a failing statement later.
    """
    for table in METADATA.sorted_tables:
        found = connection.exec_driver_sql(f"PRAGMA table_info({table.name})").all()
        columns = {str(row[1]) for row in found}
        missing = [column.name for column in table.columns if column.name not in columns]
        if missing:
            detail = f"table {table.name} has no column {', '.join(missing)}"
            raise StoreError("damaged_database", detail)
