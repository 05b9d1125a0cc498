"""A contender of the chain bench: ours, or a raw SQLite commit by Python's driver.

`ledger_chain_ours.py ours|threads|python-raw FOLDER [BYTES]` reads lines of JSON, `{"seconds": s}`,
and answers each with what it did in that time.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = ("fetch", "transform", "store")
TASKS: list[dict[str, Any]] = [
    {"name": name, **({"dependsOn": [STEPS[at - 1]]} if at else {}), "payload": "21"}
    for at, name in enumerate(STEPS)
]


def answer_lines(slice_of: Callable[[float], dict[str, Any]]) -> None:
    """Do a slice of work for each line that comes, and say what came of it."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(slice_of(json.loads(line)["seconds"])), flush=True)


def repeat(unit: Callable[[], None], seconds: float) -> list[float]:
    """Run `unit` for so long; return the time of each run in ms."""
    times = []
    end = time.perf_counter() + seconds
    before = time.perf_counter()
    while before < end:
        unit()
        after = time.perf_counter()
        times.append((after - before) * 1e3)
        before = after
    return times


def timed_slice(unit: Callable[[], None], seconds: float) -> dict[str, Any]:
    """Run `unit` for so long; return how often, and each time in ms."""
    started = time.perf_counter()
    times = repeat(unit, seconds)
    return {"done": len(times), "seconds": time.perf_counter() - started, "ms": times}


def chain(swarm: Any, agent: str, tasks: list[dict[str, Any]]) -> None:
    """Three tasks, each after the one before it: five calls, five commits."""
    swarm.call("task_submit", {"tasks": tasks})
    task = swarm.call("task_claim", {"agentId": agent})["task"]
    for last in (False, False, True):
        report = {
            "taskId": task["id"],
            "agentId": agent,
            "epoch": task["lease"]["epoch"],
            "outcome": "completed",
            "output": "42",
            "claimNext": not last,
        }
        task = swarm.call("task_report", report).get("next")
    if task:
        raise RuntimeError(f"a chain ends without a further task, not with {task}")


def open_swarm(folder: Path) -> Any:
    """Make a swarm with one file, durability full."""
    from ruv_swarm import RuvSwarm

    return RuvSwarm.init(db=folder / "swarm.db", seed=7, durability="full")


def ours(folder: Path) -> None:
    """One caller; before the slices, the log of one chain: its commits, events and bytes."""
    swarm = open_swarm(folder)
    agent = swarm.spawn("coder")[0]["id"]
    before = len(list(swarm.log()))
    chain(swarm, agent, TASKS)
    lines = list(swarm.log(after=before))
    print(
        json.dumps({"events": len(lines), "bytes": sum(len(line.encode()) for line in lines)}),
        flush=True,
    )
    answer_lines(lambda seconds: timed_slice(lambda: chain(swarm, agent, TASKS), seconds))


def threads(folder: Path, callers: int = 8) -> None:
    """Eight callers in one process, each a worker of its own with tasks of its own."""
    swarm = open_swarm(folder)
    agents = [agent["id"] for agent in swarm.spawn("coder", count=callers)]

    def slice_of(seconds: float) -> dict[str, Any]:
        times: list[list[float]] = [[] for _ in agents]
        troubles: list[BaseException] = []

        def work(place: int) -> None:
            try:
                agent = agents[place]
                # assigned: no caller takes a step of another's chain
                tasks = [{**task, "assignedTo": agent} for task in TASKS]
                times[place] = repeat(lambda: chain(swarm, agent, tasks), seconds)
            except BaseException as error:
                troubles.append(error)

        started = time.perf_counter()
        running = [threading.Thread(target=work, args=(place,)) for place in range(callers)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        if troubles:
            raise troubles[0]
        flat = [one for each in times for one in each]
        return {"done": len(flat), "seconds": time.perf_counter() - started, "ms": flat}

    answer_lines(slice_of)


def python_raw(folder: Path, size: int) -> None:
    """One insert of `size` bytes a commit by Python's own driver, prepared and kept by it."""
    import sqlite3

    connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT")
    body = "x" * size

    def unit() -> None:
        connection.execute("INSERT INTO event (body) VALUES (?)", (body,))

    print(json.dumps({"sqlite": sqlite3.sqlite_version}), flush=True)
    answer_lines(lambda seconds: timed_slice(unit, seconds))


if __name__ == "__main__":
    place = Path(sys.argv[2])
    match sys.argv[1]:
        case "ours":
            ours(place)
        case "threads":
            threads(place)
        case "python-raw":
            python_raw(place, int(sys.argv[3]))
