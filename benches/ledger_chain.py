"""A durable chain of three tasks, beside raw SQLite, LangGraph and DBOS."""

from __future__ import annotations

import hashlib
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from harness import ROOT, Contender, Figure, example, ratio, run, take_turns
from tools import PYTHON, cache_dir

PEERS = ROOT / "benches" / "requirements-peers.txt"
COMMITS = 5
ROUNDS = 7
SECONDS = 1.0


def peers_python() -> Path | None:
    """Return the Python of the peers' environment, made when it is not there; None without one."""
    digest = hashlib.sha256(PEERS.read_bytes()).hexdigest()
    home = cache_dir() / "bench-peers"
    stamp = home / "requirements.sha256"
    python = home / "bin" / "python"
    if stamp.is_file() and stamp.read_text() == digest:
        return python
    shutil.rmtree(home, ignore_errors=True)
    try:
        run(PYTHON, "-m", "uv", "venv", "--quiet", "--python", PYTHON, home)
        install = ("-m", "uv", "pip", "install", "--quiet", "--python", python, "-r", PEERS)
        run(PYTHON, *install)
    except subprocess.CalledProcessError as error:
        print(f"· the peers cannot be installed: {error.stderr.strip()[-300:]}", flush=True)
        return None
    stamp.write_text(digest)
    return python


def contenders(folder: Path, size: int) -> dict[str, Contender]:
    """Return who takes part, each with a folder of its own on the same disk."""

    def place(name: str) -> Path:
        home = folder / name
        home.mkdir()
        return home

    raw = example("bench_raw")
    ours = ROOT / "benches" / "ledger_chain_ours.py"
    found = {
        "ours": (PYTHON, ours, "ours", place("ours")),
        "threads": (PYTHON, ours, "threads", place("threads")),
        "sync": (raw, "sync", str(size), place("sync")),
        "raw": (raw, "raw", str(size), place("raw")),
        "python-raw": (PYTHON, ours, "python-raw", place("python-raw"), str(size)),
    }
    python = peers_python()
    if python is not None:
        peers = ROOT / "benches" / "ledger_chain_peers.py"
        for name in ("langgraph", "dbos"):
            found[name] = (python, peers, name, place(name))
    return {name: Contender(name, command) for name, command in found.items()}


def log_of_one_chain(folder: Path) -> dict[str, int]:
    """Return events and bytes of the log of one chain."""
    home = folder / "probe"
    home.mkdir()
    probe = Contender("probe", (PYTHON, ROOT / "benches" / "ledger_chain_ours.py", "ours", home))
    probe.start()
    probe.stop()
    return {name: int(probe.facts[name]) for name in ("events", "bytes")}


def chain() -> list[Figure]:
    """A durable chain of three tasks, from Python: a, then b, then c, one worker."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / ".cache") as name:
        folder = Path(name)
        log = log_of_one_chain(folder)
        those = contenders(folder, log["bytes"] // COMMITS)
        take_turns(list(those.values()), ROUNDS, SECONDS)
    return figures(those, log)


def figures(those: dict[str, Contender], log: dict[str, int]) -> list[Figure]:
    """Return the table."""
    ours, threads, raw, python_raw = (
        those[name] for name in ("ours", "threads", "raw", "python-raw")
    )
    n = f"{ROUNDS} turns of {SECONDS:g} s each, medians, durability full"
    floor, python_floor = ratio(ours, raw) * COMMITS, ratio(ours, python_raw) * COMMITS
    group = ratio(threads, ours)
    rows = [
        Figure(f"a chain, ours ({n})", f"{ours.rate():,.0f}/s; {ours.spread()}"),
        Figure("commits a chain", f"{COMMITS}", "≤ 5", COMMITS <= 5),
        Figure("log of a chain", f"{log['bytes']:,} B in {log['events']} events", "≤ 2,000 B",
               log["bytes"] <= 2000),
        Figure(f"one insert of {log['bytes'] // COMMITS} B a commit, the host's own SQLite "
               f"{raw.facts['sqlite']}, from Rust", f"{raw.rate():,.0f}/s; {raw.spread()}"),
        Figure(f"the same by Python's driver, SQLite {python_raw.facts['sqlite']}",
               f"{python_raw.rate():,.0f}/s; {python_raw.spread()}"),
        Figure("write and fdatasync of the same bytes", f"{those['sync'].rate():,.0f}/s"),
        Figure("our commits/s of raw SQLite's from Rust", f"{floor:.2f}", "≥ 0.6", floor >= 0.6),
        Figure("the same by the quickest tenth of the single times, which a loaded machine spoils least",
               f"{raw.quick() * COMMITS / ours.quick():.2f}"),
        Figure("our commits/s of raw SQLite's from Python", f"{python_floor:.2f}"),
        Figure("eight callers of one process", f"{threads.rate():,.0f}/s; {threads.spread()}"),
        Figure("eight callers, times of one", f"{group:.2f}", "≥ 3", group >= 3),
    ]  # fmt: skip
    for name, goal in (("langgraph", 3), ("dbos", 5)):
        peer = those.get(name)
        if peer is None:
            rows.append(Figure(f"{name}", "could not be installed here", f"≥ {goal}"))
            continue
        facts, times = peer.facts, ratio(ours, peer)
        what = (
            f"{facts['packages']} (SQLite {facts['sqlite']}, {facts['journal']}, synchronous "
            f"{facts['synchronous']}, {facts['commits']} transactions a chain)"
        )
        rows.append(Figure(what, f"{peer.rate():,.1f}/s; {peer.spread()}"))
        rows.append(Figure(f"ours, times of {name}", f"{times:.1f}", f"≥ {goal}", times >= goal))
    spreads = statistics.quantiles(ours.rates(), n=4)
    rows.append(Figure("quartiles of our turns", ", ".join(f"{q:,.0f}/s" for q in spreads)))
    return rows
