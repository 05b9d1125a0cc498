#!/usr/bin/env python3
"""Speed of small networks: `benches/neural.py --engine native|python|wasm [--case NAME …]`.

Prints a JSON line a result: epochs a second of training, rows a second of running. Any set and shape
can be timed with `--name N --data FILE|synth:ROWS --shape 2-3-1`; FILE is FANN text, or Proben1 text
of which the training rows are taken. Logistic units, squared error, weights start in ±0.2 and start
again every 100 epochs.

Ops: rprop, batch, incremental, quickprop, adam (epochs), ens8 (epochs of eight members trained at
once), run1 (one row a call), runN (all rows in one call). What is timed is what a user calls: the
Rust types, `ruv_swarm.neural` in Python, `@ruv/swarm/neural` and its module in Node.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from tools import PYTHON, environment, target_dir  # noqa: E402

HERE = ROOT / "benches"
SHARED = Path(os.environ.get("RUV_SWARM_SHARED") or ROOT.parent / "shared")
ROOTS = (SHARED / "data", HERE / "data")
OPS = "rprop,batch,incremental,run1,runN"
YARDSTICK = "avx128"


@dataclass(frozen=True)
class Case:
    """What is timed: rows and the units of each layer."""

    name: str
    data: str
    shape: tuple[int, ...]

    @property
    def dashed(self) -> str:
        """The shape as arguments and results write it."""
        return "-".join(map(str, self.shape))


CASES = [
    Case("xor", "generated/xor.data", (2, 3, 1)),
    Case("spirals", "generated/two_spirals.data", (2, 16, 16, 1)),
    Case("gene4", "fann/gene.train", (120, 4, 3)),
    Case("gene64", "fann/gene.train", (120, 64, 3)),
    Case("thyroid", "fann/thyroid.train", (21, 16, 8, 3)),
    Case("mushroom", "fann/mushroom.train", (125, 32, 2)),
    Case("synth", "synth:4096", (64, 256, 256, 10)),
]


class Refused(Exception):
    """Something asked for that cannot be measured; the message says why."""


def located(case: Case, roots: list[Path]) -> str:
    """Return the data's path, after a look at whether its columns fit the shape."""
    if case.data.startswith("synth:"):
        return case.data
    tried = [Path(case.data), *(root / case.data for root in roots)]
    tried += [HERE / "data" / Path(case.data).name]
    found = next((path for path in tried if path.is_file()), None)
    if found is None:
        raise Refused(f"{case.name}: no file {case.data} in {', '.join(map(str, roots))}")
    with found.open(encoding="utf-8") as file:
        head = [file.readline() for _ in range(7)]
    try:
        if head[0].startswith("bool_in"):
            counts = [int(line.split("=")[1]) for line in head[:4]]
            columns = (counts[0] + counts[1], counts[2] + counts[3])
        else:
            columns = (int(head[0].split()[1]), int(head[0].split()[2]))
    except (IndexError, ValueError):
        raise Refused(f"{found}: neither FANN nor Proben1 text") from None
    if columns != (case.shape[0], case.shape[-1]):
        raise Refused(
            f"{case.name}: {found} has {columns[0]} inputs and {columns[1]} outputs, the shape is {case.dashed}"
        )
    return str(found.resolve())


def built(level: str) -> Path:
    """Build the native program and return its path; the yardstick is a build of its own."""
    target = target_dir() / "yardstick" if level == YARDSTICK else target_dir()
    command = ["cargo", "build", "--quiet", "--release", "--locked", "--package"]
    command += ["ruv-swarm-neural", "--example", "speed", "--target-dir", str(target)]
    if level == YARDSTICK:
        command += ["--features", "yardstick"]
    subprocess.run(command, cwd=ROOT, env=environment(), check=True)
    return target / "release" / "examples" / "speed"


def program(engine: str, level: str) -> list[str]:
    """Return the command that times one case with the engine."""
    if engine == "native":
        name = "ours-native" if level == "best" else f"ours-native-{level}"
        return [str(built(level)), "--level", level, "--engine", name]
    if level != "best":
        raise Refused(f"level: {level} with engine {engine}; only native can be held to a level")
    if engine == "python":
        python = PYTHON if PYTHON.exists() else Path(sys.executable)
        return [str(python), str(HERE / "neural_python.py")]
    if not (ROOT / "npm" / "dist" / "neural" / "node.js").exists():
        raise Refused("engine: wasm, but npm/dist is not built; python3 dev.py npm builds it")
    node = shutil.which("node", path=environment()["PATH"])
    if node is None:
        raise Refused("engine: wasm, but there is no node; python3 dev.py setup installs it")
    return [node, str(HERE / "neural_node.mjs")]


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=("native", "python", "wasm"), default="native")
    parser.add_argument("--case", nargs="*", choices=[case.name for case in CASES])
    parser.add_argument("--name", help="of a case of your own")
    parser.add_argument("--data", help="its file, or synth:ROWS")
    parser.add_argument("--shape", help="its units, as 2-3-1")
    parser.add_argument("--ops", default=OPS, help=f"default {OPS}")
    parser.add_argument("--threads", type=int, default=1, help="of ens8")
    parser.add_argument("--rep-time", type=float, default=0.2, help="seconds a repetition")
    parser.add_argument("--reps", type=int, default=7)
    parser.add_argument("--root", type=Path, help="where the files of cases lie")
    parser.add_argument("--level", default="best", help="of native: scalar, sse2, avx128, avx2, …")
    found = parser.parse_args(arguments)
    if bool(found.data) != bool(found.shape):
        parser.error("--data and --shape belong together")
    return found


def chosen(arguments: argparse.Namespace) -> list[Case]:
    """Return the cases asked for."""
    if arguments.data:
        try:
            shape = tuple(int(units) for units in arguments.shape.split("-"))
        except ValueError:
            shape = ()
        if len(shape) < 2 or min(shape) < 1:
            raise Refused(f"shape: {arguments.shape}; allowed: units of each layer, as 2-3-1")
        return [Case(arguments.name or "?", arguments.data, shape)]
    return [case for case in CASES if not arguments.case or case.name in arguments.case]


def main() -> int:
    """Time the cases one after the other."""
    arguments = parsed()
    roots = [arguments.root] if arguments.root else list(ROOTS)
    failed = False
    try:
        cases, command = chosen(arguments), program(arguments.engine, arguments.level)
    except Refused as why:
        print(f"error: {why}", file=sys.stderr)
        return 2
    for case in cases:
        try:
            data = located(case, roots)
        except Refused as why:
            print(f"error: {why}", file=sys.stderr)
            failed = True
            continue
        line = [*command, "--name", case.name, "--data", data, "--shape", case.dashed]
        line += ["--ops", arguments.ops, "--threads", str(arguments.threads)]
        line += ["--rep-time", str(arguments.rep_time), "--reps", str(arguments.reps)]
        failed |= subprocess.run(line, env=environment(), check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
