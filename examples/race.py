"""Processes of three languages race for the tasks of one file; the log tells who did what.

Each process has some clients, each client is an agent. It claims a task, hashes its payload, reports
the hash and claims the next in the same commit, and notes each answer in a file of its own before it
goes on. At the end the log alone must show each task done once, by one agent, and every noted answer.

    python examples/race.py --tasks 300 --processes 6 --clients 3
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from ruv_swarm import RuvSwarm

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LANGUAGES = ("python", "node", "rust")


def command(language: str) -> list[str]:
    """Return the line that runs a worker; end with a hint if it is not built."""
    if language == "python":
        return [sys.executable, str(HERE / "race_worker.py")]
    if language == "node":
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        node = shutil.which("node", path=path)
        if not node or not (ROOT / "npm" / "dist").is_dir():
            sys.exit("no node or no npm/dist: python3 dev.py npm")
        return [node, str(HERE / "race_worker.mjs")]
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    for profile in ("release", "debug"):
        worker = target / profile / "examples" / "race_worker"
        if worker.exists():
            return [str(worker)]
    sys.exit("no Rust worker: cargo build --package ruv-swarm --example race_worker")


def prepare(db: Path, tasks: int, agents: int) -> None:
    """Make the swarm with its agents and all tasks."""
    with RuvSwarm.init(db=db, seed=1, max_agents=agents) as swarm:
        swarm.call("agent_spawn", {"type": "coder", "count": agents})
        for first in range(0, tasks, 100):
            some = range(first, min(first + 100, tasks))
            asked = [{"name": f"task {n}", "payload": json.dumps(f"payload {n}")} for n in some]
            swarm.call("task_submit", {"tasks": asked})


def race(db: Path, notes: Path, processes: int, clients: int) -> tuple[list[str], list[str], float]:
    """Run the workers; return the language of each process, what they complained of, the seconds."""
    languages = [LANGUAGES[number % len(LANGUAGES)] for number in range(processes)]
    lines = [command(language) for language in languages]
    start = time.perf_counter()
    running = []
    for number, line in enumerate(lines):
        agents = [f"a{number * clients + client + 1}" for client in range(clients)]
        whole = [*line, str(db), str(notes), *agents]
        running.append(subprocess.Popen(whole, stderr=subprocess.PIPE, text=True))
    complaints = []
    for language, process in zip(languages, running, strict=True):
        _, said = process.communicate()
        if said or process.returncode:
            complaints.append(f"{language}, exit code {process.returncode}: {said}")
    return languages, complaints, time.perf_counter() - start


def judge(lines: list[dict[str, Any]], notes: Path, tasks: int) -> tuple[list[str], Counter[str]]:
    """Compare the log with what was asked and what the clients noted; return what is wrong."""
    wrong = []
    done: Counter[str] = Counter()
    winners = defaultdict(list)
    claims = defaultdict(list)
    payloads = {}
    for line in lines:
        body = line["body"]
        match line["kind"]:
            case "TaskSubmitted":
                payloads[body["taskId"]] = body["payload"]
            case "TaskClaimed":
                claims[body["taskId"]].append((body["agentId"], body["epoch"]))
            case "TaskCompleted":
                winners[body["taskId"]].append((body["agentId"], body["epoch"], body["output"]))
                done[body["agentId"]] += 1
    if len(payloads) != tasks:
        wrong.append(f"{len(payloads)} tasks are in the log, {tasks} were submitted")
    for task, payload in payloads.items():
        digest = json.dumps(hashlib.sha256(payload.encode()).hexdigest())
        if len(winners[task]) != 1 or len(claims[task]) != 1:
            wrong.append(f"{task}: claims {claims[task]}, completions {winners[task]}")
        elif winners[task][0] != (*claims[task][0], digest):
            wrong.append(f"{task}: claimed as {claims[task][0]}, completed as {winners[task][0]}")
    for agent, said in noted(notes).items():
        for note in said:
            entry = (agent, note["epoch"], json.dumps(note["output"]))
            if entry not in winners[note["task"]]:
                wrong.append(f"{agent} was answered {note}, and the log has no such event")
    return wrong, done


def noted(notes: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the answers that each client noted."""
    found = {}
    for path in notes.iterdir():
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        found[path.stem] = [line for line in lines if "task" in line]
    return found


def longest(notes: Path, agent: str) -> float:
    """Return the longest wait of a client for one answer, in ms."""
    last = (notes / f"{agent}.jsonl").read_text().splitlines()[-1]
    return float(json.loads(last)["longestMs"])


def main(arguments: list[str] | None = None) -> int:
    """Race, print the table and what is wrong; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--processes", type=int, default=6)
    parser.add_argument("--clients", type=int, default=3, help="clients a process")
    parser.add_argument("--db", type=Path, help="a new file; default one that is thrown away")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        db, notes = options.db or Path(folder) / "swarm.db", Path(folder) / "notes"
        notes.mkdir()
        prepare(db, options.tasks, options.processes * options.clients)
        languages, complaints, seconds = race(db, notes, options.processes, options.clients)
        with RuvSwarm.open(db) as swarm:
            replay = swarm.verify()
            lines = [json.loads(line) for line in swarm.log()]
        wrong, done = judge(lines, notes, options.tasks)
        wrong = complaints + wrong + ([] if replay["ok"] else [f"replay: {replay['problem']}"])
        answers = {agent: len(said) for agent, said in noted(notes).items()}
        print("process  language  agent  answers  in the log  longest wait")
        waits = []
        for number, language in enumerate(languages):
            for client in range(options.clients):
                agent = f"a{number * options.clients + client + 1}"
                if agent not in answers:
                    continue
                waits.append(longest(notes, agent))
                row = f"{number + 1:<7}  {language:<8}  {agent:<5}  {answers[agent]:>7}"
                print(f"{row}  {done[agent]:>10}  {waits[-1]:>9.0f} ms")
    total = sum(answers.values())
    print(
        f"{options.tasks} tasks, {total} answers, {done.total()} in the log, {seconds:.1f} s, "
        f"longest wait {max(waits, default=0):.0f} ms, replay {'ok' if replay['ok'] else 'failed'}"
    )
    for text in wrong:
        print(f"wrong: {text}")
    return 1 if wrong or total != options.tasks else 0


if __name__ == "__main__":
    sys.exit(main())
