"""A large log on disk: appending, opening, reading, memory and size, native and in the server."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import ROOT, Contender, Figure, at, example, json_lines, run, take_turns
from tools import PYTHON

# The goals are for a million; a smaller number is for a quick look, and stands in the tables.
EVENTS = int(os.environ.get("RUV_SWARM_BENCH_EVENTS", "1000000"))
TAIL, OPENINGS, QUERIES_ROWS = 10_000, 3, 1_000_000
SERVER = ROOT / "benches" / "ledger_server.py"


def records() -> list[Figure]:
    """A million events on disk."""
    program = example("bench_records")
    (ROOT / ".cache").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / ".cache") as name:
        folder = Path(name)
        [filled] = json_lines(run(program, "fill", folder, str(EVENTS)))
        rows = appended(filled)
        rows += openings(program, folder, filled)
        rows += reads(program, folder)
        rows += queries(folder)
        rows += server(folder)
    return rows


def appended(filled: dict[str, Any]) -> list[Figure]:
    """Return what the appending took."""
    n = f"{filled['events']:,} events in groups of 100, durability full"
    rate, share = filled["perSecond"], filled["ofRaw"]
    size = filled["fileBytes"] / filled["events"]
    raw = filled["rawBytes"] / filled["events"]
    return [
        Figure(f"native appends, tasks' whole lives ({n})", f"{rate:,.0f} events/s",
               "≥ 50,000/s", rate >= 5e4),
        Figure("of raw SQLite's, which took turns (median of rounds of 400)",
               f"{share:.2f} of {filled['rawPerSecond']:,.0f}/s", "≥ 0.5", share >= 0.5),
        Figure("by CPU time of the thread alone: ours, raw SQLite's, ratio",
               f"{filled['cpuPerSecond']:,.0f}/s, {filled['rawCpuPerSecond']:,.0f}/s, "
               f"{filled['cpuPerSecond'] / filled['rawCpuPerSecond']:.2f}"),
        Figure("table of 1 M events, as before, without the rows of tasks",
               f"{filled['eventBytes'] / filled['events']:.0f} MB"),
        Figure(f"file of 1 M events with rows of 250 k tasks, lines of "
               f"{filled['averageLine']:.0f} B on average", f"{size:.0f} MB", "≤ 300 MB",
               size <= 300),
        Figure("raw SQLite's file of 1 M events of 200 B, without rows", f"{raw:.0f} MB"),
    ]  # fmt: skip


def openings(program: Path, folder: Path, filled: dict[str, Any]) -> list[Figure]:
    """Return how long it takes to open the file, and what is in memory then."""
    native = [json_lines(run(program, "open", folder, "log"))[0] for _ in range(OPENINGS)]
    python = []
    for _ in range(OPENINGS):
        without_snapshots(folder)
        python += json_lines(run(PYTHON, SERVER, "open", folder))
    run(program, "open", folder, "log")
    shutil.copytree(folder, folder / "copy", ignore=shutil.ignore_patterns("copy", "raw.db"))
    tails = []
    for _ in range(OPENINGS):
        copy_of(folder / "copy", folder)
        run(program, "tail", folder, str(TAIL))
        tails += json_lines(run(program, "open", folder))
    shutil.rmtree(folder / "copy")

    def median(those: list[dict[str, Any]], what: str) -> float:
        return statistics.median(each[what] for each in those)

    rows = []
    n = f"median of {OPENINGS}, {filled['events']:,} events, {native[0]['tasks']:,} tasks"
    for name, those, goal in (
        (f"opening from the log alone, chain verified, native ({n})", native, 2.0),
        ("the same in the Python server", python, 3.0),
        (f"opening with a snapshot and a tail of {TAIL:,} events, native", tails, 0.3),
    ):
        seconds = median(those, "seconds")
        worst = max(each["seconds"] for each in those)
        value = f"{seconds:.2f} s (longest {worst:.2f} s)"
        rows.append(Figure(name, value, f"≤ {goal:g} s", seconds <= goal))
    for name, those, most in (("native", native, 30), ("Python server", python, 50)):
        each = median(those, "bytes") / filled["events"] * 1e5 / 1e6
        what = f"memory per 100 k events after opening, {name}"
        rows.append(Figure(what, f"{each:.1f} MB", f"≤ {most} MB", each <= most))
    return rows


def without_snapshots(folder: Path) -> None:
    """Take the snapshots out, so that the log is read as a whole."""
    connection = sqlite3.connect(folder / "swarm.db")
    with connection:
        connection.execute("DELETE FROM snapshot")
    connection.close()


def copy_of(source: Path, folder: Path) -> None:
    """Put the file back to what it was."""
    for name in ("swarm.db", "swarm.db-wal", "swarm.db-shm"):
        (folder / name).unlink(missing_ok=True)
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)


def reads(program: Path, folder: Path) -> list[Figure]:
    """Return how fast single tasks are read."""
    found = [json_lines(run(program, "read", folder, "1"))[0] for _ in range(3)]
    stored, live, query = (
        statistics.median(each[what] for each in found) for what in ("stored", "live", "query")
    )
    return [
        Figure(f"rows of tasks read by id from the file in one read transaction, of "
               f"{found[0]['tasks']:,}", f"{stored:,.0f}/s", "≥ 100,000/s", stored >= 1e5),
        Figure("tasks read by id from the live state", f"{live:,.0f}/s", "≥ 1,000,000/s",
               live >= 1e6),
        Figure("swarm_query of a task by id, JSON in and out, asking the file for news each time",
               f"{query:,.0f}/s"),
    ]  # fmt: skip


def queries(folder: Path) -> list[Figure]:
    """Return the CPU time of a query by index on a table of a million rows."""
    connection = sqlite3.connect(folder / "indexed.db")
    connection.executescript(schema())
    states = ("ready", "running", "completed", "failed")
    body = json.dumps({"name": "a task", "payload": "x" * 190})
    with connection:
        connection.executemany(
            "INSERT INTO task (number, state, seq, body) VALUES (?, ?, ?, ?)",
            ((i, states[i % 4], i, body) for i in range(1, QUERIES_ROWS + 1)),
        )
    connection.close()
    found = [json_lines(run(PYTHON, SERVER, "query", folder))[0] for _ in range(3)]
    times = sorted(ms for each in found for ms in each["ms"])
    p99 = at(times, 0.99)
    what = f"20 of {found[0]['rows']:,} rows by their state (index), CPU time, n={len(times):,}"
    value = f"p50 {at(times, 0.5):.3f} ms, p99 {p99:.3f} ms"
    return [Figure(what, value, "p99 < 0.25 ms", p99 < 0.25)]


def schema() -> str:
    """Return the one schema of the stores."""
    return (ROOT / "core" / "src" / "schema.sql").read_text(encoding="utf-8")


@contextmanager
def serving(folder: Path) -> Generator[str]:
    """Run the server on a file in the folder; yield its port for gRPC."""
    line = [str(PYTHON), "-m", "ruv_swarm_server", "serve", "--db", str(folder / "swarm.db")]
    ports = ["--grpc-port", "0", "--http-port", "0", "--json"]
    with subprocess.Popen([*line, *ports], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield str(json.loads(process.stdout.readline())["grpcPort"])
        finally:
            process.terminate()


def server(folder: Path) -> list[Figure]:
    """Return how many events the server stores a second."""
    home = folder / "served"
    home.mkdir()
    (home / "ledger").mkdir()
    run("ruv-swarm", "init", "--db", home / "swarm.db", "--seed", "1")
    with serving(home) as port:
        batches = Contender("in process", (PYTHON, SERVER, "batches", home / "ledger"))
        grpc = Contender("grpc", (PYTHON, SERVER, "grpc", home, port))
        take_turns([batches, grpc], 5, 2.0)
    rate = batches.rate()
    by_cpu = statistics.median(found["done"] / found["cpu"] for found in batches.slices)
    return [
        Figure("Python server, in process, batches of 100 commands of one event (5 turns of 2 s)",
               f"{rate:,.0f} events/s", "≥ 20,000/s", rate >= 2e4),
        Figure("the same by CPU time of the server's thread", f"{by_cpu:,.0f} events/s"),
        Figure("the same over gRPC, 100 callers, client and server each a process",
               f"{grpc.rate():,.0f} events/s"),
    ]  # fmt: skip
