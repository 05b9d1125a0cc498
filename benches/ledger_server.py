"""A contender of the records bench: the Python server on SQLite, in process or over gRPC.

`ledger_server.py batches|grpc FOLDER` reads lines of JSON, `{"seconds": s}`, and answers each with
how many events it stored. `ledger_server.py open FOLDER` opens the file there and tells how long it
took and what it holds in memory. `ledger_server.py query FOLDER` times queries by index.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from ledger_chain_ours import answer_lines

BATCH = 100
INIT = json.dumps({"swarmId": "s-bench", "seed": 1})
SUBMIT = json.dumps({"tasks": [{"name": "a task", "payload": "x" * 60}]})


def batches(folder: Path) -> None:
    """Commands of one event each, a hundred a transaction, through the server's ledger."""
    from ruv_swarm_server.ledger import Job, Ledger, Step

    ledger = Ledger(folder / "swarm.db")
    ledger.run([Job((Step("swarm_init", INIT),))])
    jobs = [Job((Step("task_submit", SUBMIT),)) for _ in range(BATCH)]

    def slice_of(seconds: float) -> dict[str, Any]:
        started, cpu = time.perf_counter(), time.thread_time()
        before = ledger.version()
        while time.perf_counter() < started + seconds:
            for outcome in ledger.run(jobs):
                if isinstance(outcome, Exception):
                    raise outcome
        done, seconds = ledger.version() - before, time.perf_counter() - started
        return {"done": done, "seconds": seconds, "cpu": time.thread_time() - cpu, "ms": []}

    answer_lines(slice_of)
    ledger.close()


def grpc(folder: Path) -> None:
    """The same commands by a hundred callers that each wait for their answer, over gRPC."""
    from grpc import aio
    from ruv_swarm_server._gen import service_pb2 as pb
    from ruv_swarm_server._gen.service_pb2_grpc import SwarmServiceStub

    [port] = sys.argv[3:]
    request = pb.TaskSubmitRequest(tasks=[pb.NewTask(name="a task", payload="x" * 60)])

    async def calls(stub: Any, end: float) -> int:
        done = 0
        while time.perf_counter() < end:
            await stub.TaskSubmit(request)
            done += 1
        return done

    async def all_calls(seconds: float) -> int:
        async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = SwarmServiceStub(channel)
            end = time.perf_counter() + seconds
            return sum(await asyncio.gather(*(calls(stub, end) for _ in range(BATCH))))

    def slice_of(seconds: float) -> dict[str, Any]:
        started = time.perf_counter()
        done = asyncio.run(all_calls(seconds))
        return {"done": done, "seconds": time.perf_counter() - started, "ms": []}

    answer_lines(slice_of)


def resident_bytes() -> int:
    """Return what this process has in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS here")


def opened(folder: Path) -> None:
    """Open the file as the server does."""
    from ruv_swarm_server.ledger import Ledger

    before = resident_bytes()
    started = time.perf_counter()
    ledger = Ledger(folder / "swarm.db")
    ledger.refresh()
    seconds = time.perf_counter() - started
    used = resident_bytes() - before
    print(json.dumps({"events": ledger.version(), "seconds": seconds, "bytes": used}))
    ledger.close()


def query(folder: Path, n: int = 2000) -> None:
    """Time the queries that an index answers, as CPU time of the thread, with all of Python's part."""
    from ruv_swarm_server.store.sqlite import load_driver

    connection = load_driver().connect(str(folder / "indexed.db"))
    [[rows]] = connection.execute("SELECT count(*) FROM task").fetchall()
    asked = "SELECT id, body FROM task WHERE state = ? LIMIT 20"

    def cpu_ms(state: str) -> float:
        before = time.thread_time_ns()
        connection.execute(asked, (state,)).fetchall()
        return (time.thread_time_ns() - before) / 1e6

    states = ("ready", "running", "completed", "failed")
    times = [cpu_ms(states[i % 4]) for i in range(n)]
    print(json.dumps({"rows": rows, "ms": times, "sqlite": load_driver().sqlite_version}))


if __name__ == "__main__":
    parts = {"batches": batches, "grpc": grpc, "open": opened, "query": query}
    parts[sys.argv[1]](Path(sys.argv[2]))
