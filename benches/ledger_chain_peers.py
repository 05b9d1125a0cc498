"""A contender of the chain bench that runs in the peers' own environment: LangGraph or DBOS.

`ledger_chain_peers.py langgraph|dbos FOLDER` reads lines of JSON, `{"seconds": s}`, and answers each
with what it did in that time. A chain is three steps, each durable before the next one begins, each
turning one number into the next, with the peer's own SQLite store on a file. Both are given WAL mode
and `synchronous=FULL`, as ours has.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sqlite3
import sys
import uuid
from pathlib import Path
from typing import Any, TypedDict

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ledger_chain_ours import answer_lines, timed_slice


def said(connection: sqlite3.Connection, **more: Any) -> None:
    """Print what the store of a peer runs with."""
    [mode] = connection.execute("PRAGMA journal_mode").fetchone()
    [sync] = connection.execute("PRAGMA synchronous").fetchone()
    print(
        json.dumps(
            {"journal": mode, "synchronous": sync, "sqlite": sqlite3.sqlite_version, **more}
        ),
        flush=True,
    )


def version(name: str) -> str:
    """Return a package with its version."""
    return f"{name} {importlib.metadata.version(name)}"


def langgraph(folder: Path) -> None:
    """A StateGraph of three nodes with SqliteSaver; `durability="sync"`: a step is stored first."""
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.graph import END, START, StateGraph

    class Number(TypedDict):
        value: int

    def step(state: Number) -> Number:
        return {"value": state["value"] + 7}

    connection = sqlite3.connect(folder / "langgraph.db", check_same_thread=False)
    # its setup switches to WAL by itself; synchronous is FULL unless somebody lowers it
    connection.execute("PRAGMA synchronous=FULL")
    saver = SqliteSaver(connection)
    builder = StateGraph(Number)
    for name in ("fetch", "transform", "store"):
        builder.add_node(name, step)
    builder.add_edge(START, "fetch")
    builder.add_edge("fetch", "transform")
    builder.add_edge("transform", "store")
    builder.add_edge("store", END)
    graph = builder.compile(checkpointer=saver)

    def unit() -> None:
        config = {"configurable": {"thread_id": str(uuid.uuid4())}}
        if graph.invoke({"value": 21}, config, durability="sync") != {"value": 42}:
            raise RuntimeError("the chain did not give 42")

    unit()
    packages = f"{version('langgraph')}, {version('langgraph-checkpoint-sqlite')}"
    commits = commits_of(connection, unit)
    said(connection, packages=packages, commits=commits)
    answer_lines(lambda seconds: timed_slice(unit, seconds))


def commits_of(connection: sqlite3.Connection, unit: Any) -> int:
    """Count the commits that a chain makes on this connection."""
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    unit()
    connection.set_trace_callback(None)
    return sum(statement.strip().upper().startswith("COMMIT") for statement in seen)


def dbos(folder: Path) -> None:
    """A workflow of three steps with the SQLite system database, each step recorded by DBOS."""
    os.environ["DBOS__LOG_LEVEL"] = "ERROR"
    import sqlalchemy
    from dbos import DBOS

    seen = {"commits": 0, "journal": "", "synchronous": -1}

    @sqlalchemy.event.listens_for(sqlalchemy.engine.Engine, "connect")
    def full(connection: Any, _: Any) -> None:
        # its own default is a rollback journal, which syncs more often: WAL is to its advantage
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        seen["journal"] = connection.execute("PRAGMA journal_mode").fetchone()[0]
        seen["synchronous"] = connection.execute("PRAGMA synchronous").fetchone()[0]

    @sqlalchemy.event.listens_for(sqlalchemy.engine.Engine, "commit")
    def commit(_: Any) -> None:
        seen["commits"] += 1

    config: Any = {
        "name": "chain-bench",
        "system_database_url": f"sqlite:///{folder / 'dbos.db'}",
        "run_admin_server": False,
        "log_level": "ERROR",
    }
    DBOS(config=config)

    @DBOS.step()
    def step(value: int) -> int:
        return value + 7

    @DBOS.workflow()
    def chain(value: int) -> int:
        return step(step(step(value)))

    DBOS.launch()

    def unit() -> None:
        if chain(21) != 42:
            raise RuntimeError("the chain did not give 42")

    unit()
    before = seen["commits"]
    unit()
    print(
        json.dumps(
            {
                **seen,
                "commits": seen["commits"] - before,
                "sqlite": sqlite3.sqlite_version,
                "packages": version("dbos"),
            }
        ),
        flush=True,
    )
    answer_lines(lambda seconds: timed_slice(unit, seconds))
    DBOS.destroy()


if __name__ == "__main__":
    {"langgraph": langgraph, "dbos": dbos}[sys.argv[1]](Path(sys.argv[2]))
