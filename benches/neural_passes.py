"""Passes over the speed of networks: ours and the peers, case by case, in turns.

`python benches/neural_passes.py FOLDER [--case NAME …] [--group peak|native|wasm …]` adds one pass to the
folder. The peers are the referee's: its programs lie in ../shared/bench/neural (or under
RUV_SWARM_SHARED), what they need is installed by its setup.sh into PEERS (default ~/peers-neural).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import ROOT
from tools import environment

from neural import CASES, OPS, SHARED, Case

REFEREE = SHARED / "bench" / "neural"
DATA = SHARED / "data"
PEERS = Path(os.environ.get("PEERS") or Path.home() / "peers-neural")
INSTALL = f"no peers in {PEERS}: {REFEREE}/setup.sh installs them; only ours is measured"
GROUPS = ("peak", "native", "wasm")
# Some libraries walk objects per unit: a pass of the largest case takes them hours.
SLOW = {("synaptic", "synth"), ("neataptic", "synth")}
WASM_OPS = "rprop,batch,incremental,run1,run1-plain,runN"


@dataclass(frozen=True)
class Limits:
    """How long each result is measured."""

    rep_time: float = 0.1
    reps: int = 5
    # of one command, so that one slow peer does not hold up a pass
    seconds: float = 120

    def arguments(self) -> list[str]:
        """Return them as every program takes them."""
        return ["--rep-time", str(self.rep_time), "--reps", str(self.reps)]


def ours(case: Case, engine: str, ops: str, *more: str) -> list[str]:
    """Return the command that times ours."""
    line = [sys.executable, str(ROOT / "benches" / "neural.py"), "--engine", engine]
    return [*line, "--case", case.name, "--ops", ops, *more]


def native_peers(case: Case) -> Iterator[list[str]]:
    """Yield the commands of the native peers."""
    shape = ["--name", case.name, "--data", case.data, "--shape", case.dashed, "--root", str(DATA)]
    plain = "rprop,batch,incremental,run"
    for build, ops, act in (
        ("float", plain, "sigmoid"),
        ("double", plain, "sigmoid"),
        ("float", "rprop,run", "stepwise"),
    ):
        yield [str(PEERS / "bin" / f"fann_bench_{build}"), *shape, "--ops", ops, "--act", act]
    python = [str(PEERS / "venv" / "bin" / "python"), str(REFEREE / "peers_py.py")]
    of = ["--case", case.name, "--root", str(DATA)]
    yield [*python, "--engine", "jax", *of, "--ops", "rprop,batch,incremental,ens8"]
    yield [*python, "--engine", "onnxruntime", *of, "--ops", "run1,runN"]


def wasm_peers(case: Case) -> Iterator[list[str]]:
    """Yield the commands of the peers in Node, and of the best native anchor beside them."""
    shape = ["--name", case.name, "--data", case.data, "--shape", case.dashed, "--root", str(DATA)]
    for build in ("float", "double"):
        yield [str(PEERS / "bin" / f"fann_bench_{build}"), *shape, "--ops", "rprop"]
    node = shutil.which("node", path=environment()["PATH"]) or "node"
    script = [node, str(REFEREE / "peers_js.mjs"), "--onnx", str(PEERS / "onnx")]
    script += ["--case", case.name, "--root", str(DATA)]
    engines = {
        "synaptic": "incremental,run1",
        "brainjs2": "incremental,run1",
        "convnetjs": "batch,incremental,run1",
        "neataptic": "batch,incremental,run1",
        "tfjs-wasm": "batch,run1,runN",
        "ort-web": "run1,runN",
    }
    for engine, ops in engines.items():
        if (engine, case.name) not in SLOW:
            modules = PEERS / "js" / "brain2" if engine == "brainjs2" else PEERS / "js"
            yield [*script, "--engine", engine, "--modules", str(modules), "--ops", ops]


def commands(case: Case, group: str) -> Iterator[tuple[list[str], bool]]:
    """Yield every command of a case, and whether it is held to one core."""
    peers = PEERS.is_dir() and REFEREE.is_dir()
    if group == "native":
        yield ours(case, "native", f"{OPS},ens8"), True
        yield ours(case, "python", "run1,runN"), True
        if peers:
            yield from ((line, True) for line in native_peers(case))
        yield ours(case, "native", f"{OPS},ens8"), True
        if (os.cpu_count() or 1) > 1:
            yield ours(case, "native", "ens8", "--threads", "2"), False
        return
    yield ours(case, "wasm", WASM_OPS), True
    yield ours(case, "native", "rprop,runN", "--level", "avx128"), True
    yield ours(case, "native", "rprop,runN", "--level", "avx2"), True
    if peers:
        yield from ((line, True) for line in wasm_peers(case))
    yield ours(case, "wasm", WASM_OPS), True


def add_pass(folder: Path, cases: list[Case], groups: list[str], limits: Limits) -> Path:
    """Measure all once and return the file with the results."""
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"{time.time_ns()}.jsonl"
    pin = ["taskset", "-c", str((os.cpu_count() or 1) - 1)] if shutil.which("taskset") else []
    with out.open("w", encoding="utf-8") as file:
        if "peak" in groups and (PEERS / "bin" / "flops").exists():
            measured([*pin, str(PEERS / "bin" / "flops")], file.fileno(), limits)
        for case in cases:
            for group in [group for group in groups if group != "peak"]:
                for line, one_core in commands(case, group):
                    prefix = pin if one_core else []
                    measured([*prefix, *line, *limits.arguments()], file.fileno(), limits)
    return out


def measured(line: list[str], out: int, limits: Limits) -> None:
    """Run one command; what it cannot measure is told and left out."""
    try:
        done = subprocess.run(
            line,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            timeout=limits.seconds,
            env=environment(),
            check=False,
        )
        trouble = done.stderr.strip().splitlines()[-1:] if done.returncode else []
    except subprocess.TimeoutExpired:
        trouble = [f"not done in {limits.seconds:.0f} s"]
    for text in trouble:
        print(f"· left out: {' '.join(line[-12:])}: {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Add one pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--case", nargs="*", default=[case.name for case in CASES])
    parser.add_argument("--group", nargs="*", default=list(GROUPS))
    parser.add_argument("--rep-time", type=float, default=Limits.rep_time)
    parser.add_argument("--reps", type=int, default=Limits.reps)
    parser.add_argument("--seconds", type=float, default=Limits.seconds)
    found = parser.parse_args()
    cases = [case for case in CASES if case.name in found.case]
    limits = Limits(found.rep_time, found.reps, found.seconds)
    print(add_pass(found.folder, cases, found.group, limits))


if __name__ == "__main__":
    main()
