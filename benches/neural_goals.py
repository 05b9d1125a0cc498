"""Networks beside their peers: the figures of docs/performance.md, row by row of the goals."""

from __future__ import annotations

import gzip
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness import ROOT, Figure, run
from neural_passes import GROUPS, INSTALL, PEERS, Limits, add_pass
from tools import BIN, NPM

from neural import CASES

PASSES = 3
# Passes taken at other times, say while nothing else ran, are read in place of new ones.
KEPT = "RUV_SWARM_NEURAL_PASSES"
NAMES = [case.name for case in CASES]
SMALL = ("xor", "spirals", "gene4", "thyroid")
LARGE = ("gene64", "mushroom", "synth")
FANN = ("fann-float", "fann-double", "fann-float:stepwise")
JAVASCRIPT = ("synaptic", "brainjs2", "convnetjs", "neataptic", "tfjs-wasm", "ort-web")
NATIVE, PYTHON, WASM = "ours-native", "ours-python", "ours-wasm"


@dataclass
class Rate:
    """What one engine reached in one op of one case, over all passes."""

    best: float = 0.0
    medians: list[float] = field(default_factory=list[float])
    gflops: float = 0.0

    def add(self, line: dict[str, float]) -> None:
        """Take one result."""
        if line["best_per_s"] > self.best:
            self.best = line["best_per_s"]
            self.gflops = line["gflops"] * line["best_per_s"] / line["per_s"]
        self.medians.append(line["per_s"])

    def text(self) -> str:
        """Best, and the median of the passes' medians."""
        return f"{short(self.best)} ({short(statistics.median(self.medians))})"


class Rates:
    """All results of all passes."""

    def __init__(self, files: list[Path]) -> None:
        """Read them."""
        self.repetitions = 0
        self._files: dict[str, set[Path]] = {}
        self.peaks: dict[str, float] = {}
        self._all: dict[tuple[str, str, str], Rate] = {}
        for path in files:
            for text in path.read_text(encoding="utf-8").splitlines():
                line = json.loads(text)
                if line["engine"].endswith("peak"):
                    peak = max(line["gflops"], self.peaks.get(line["form"], 0.0))
                    self.peaks[line["form"]] = peak
                elif "best_per_s" in line:
                    self._files.setdefault(line["case"], set()).add(path)
                    self._take(line)

    def _take(self, line: dict[str, str]) -> None:
        engine = line["engine"]
        if line.get("act") == "stepwise":
            engine += ":stepwise"
        if int(line["threads"]) > 1:
            engine += f":{line['threads']}t"
        self.repetitions = max(self.repetitions, int(line["reps"]))
        key = (engine, line["op"], line["case"])
        self._all.setdefault(key, Rate()).add(line)  # type: ignore[arg-type]

    @property
    def passes(self) -> int:
        """In how many files the least measured case stands."""
        return min((len(files) for files in self._files.values()), default=0)

    def of(self, engine: str, op: str, case: str) -> Rate | None:
        """Return what an engine reached, if it was measured."""
        return self._all.get((engine, op, case))

    def fastest(self, engines: tuple[str, ...], ops: tuple[str, ...], case: str) -> Anchor | None:
        """Return the engine with the best rate."""
        found = [(self.of(engine, op, case), engine) for engine in engines for op in ops]
        known = [Anchor(engine, rate) for rate, engine in found if rate is not None]
        return max(known, key=lambda anchor: anchor.rate.best, default=None)


@dataclass
class Anchor:
    """The peer that ours is measured by."""

    engine: str
    rate: Rate


@dataclass(frozen=True)
class Beside:
    """A peer, or the best of several, and how many times its rate ours must reach."""

    name: str
    engines: tuple[str, ...]
    must: dict[str, float]
    mean: float | None = None
    ops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Goal:
    """A row of the goals: ours in one op, beside peers, case by case."""

    number: int
    title: str
    engine: str
    op: str
    beside: tuple[Beside, ...]


def must(small: float, large: float, **others: float) -> dict[str, float]:
    """Return the least ratio of each case."""
    return {**dict.fromkeys(SMALL, small), **dict.fromkeys(LARGE, large), **others}


FANN_TIMES = must(11, 20, xor=2.5, spirals=10, gene4=7, mushroom=17.5, synth=21.5)
JS_BATCH = Beside("best in JS or WASM", JAVASCRIPT, must(5, 8), ops=("batch", "rprop"))
GOALS = [
    *(
        Goal(
            1,
            f"native {title}, epochs/s",
            NATIVE,
            op,
            (
                Beside("best FANN", FANN, FANN_TIMES, 10),
                Beside("JAX", ("jax",), must(1.05, 1.05), 1.3),
            ),
        )
        for op, title in (("rprop", "RPROP"), ("batch", "batch"))
    ),
    Goal(
        3,
        "native incremental, epochs/s",
        NATIVE,
        "incremental",
        (Beside("best FANN", FANN, must(1.6, 5.5)), Beside("JAX", ("jax",), must(1, 1))),
    ),
    Goal(
        4,
        "native, one row a call, rows/s",
        NATIVE,
        "run1",
        (Beside("FANN stepwise", ("fann-float:stepwise",), must(2.5, 5, xor=1.2)),),
    ),
    Goal(
        5,
        "Python, one row a call, rows/s",
        PYTHON,
        "run1",
        # its goal is for networks of less than 10,000 weights
        (Beside("onnxruntime", ("onnxruntime",), must(5, 5, synth=0)),),
    ),
    Goal(
        6,
        "native, all rows in one call, rows/s",
        NATIVE,
        "runN",
        (Beside("onnxruntime", ("onnxruntime",), must(2, 1)),),
    ),
    Goal(
        7,
        "native, eight members by RPROP, member-epochs/s",
        NATIVE,
        "ens8",
        (Beside("JAX vmap", ("jax",), must(1.1, 1.1)),),
    ),
    Goal(
        8,
        "WASM RPROP, epochs/s",
        WASM,
        "rprop",
        (Beside("best native FANN", FANN, {}, 4), JS_BATCH),
    ),
    Goal(9, "WASM batch, epochs/s", WASM, "batch", (JS_BATCH,)),
    Goal(
        9,
        "WASM incremental, epochs/s",
        WASM,
        "incremental",
        (Beside("best in JS or WASM", JAVASCRIPT, must(3, 15, xor=1.2)),),
    ),
    Goal(
        10,
        "WASM, one row a call from JS, rows/s",
        WASM,
        "run1",
        (Beside("best in JS or WASM", JAVASCRIPT, must(3, 3, xor=1.3)),),
    ),
    Goal(
        11,
        "WASM, all rows in one call, rows/s",
        WASM,
        "runN",
        (Beside("best in JS or WASM", JAVASCRIPT, must(2, 1.2)),),
    ),
]


def short(rate: float) -> str:
    """Return a rate in four digits."""
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if rate >= size:
            return f"{rate / size:.3g}{unit}"
    return f"{rate:.3g}"


def compared(goal: Goal, rates: Rates) -> Iterator[Figure]:
    """Yield the lines of one goal: a case each, then the geometric means."""
    ratios: dict[str, list[float]] = {}
    for case in CASES:
        own = rates.of(goal.engine, goal.op, case.name)
        if own is None:
            continue
        texts, wanted, met = [own.text()], [], True
        for beside in goal.beside:
            anchor = rates.fastest(beside.engines, beside.ops or (goal.op,), case.name)
            if anchor is None:
                continue
            ratio, least = own.best / anchor.rate.best, beside.must.get(case.name, 0.0)
            ratios.setdefault(beside.name, []).append(ratio)
            name = beside.name if len(beside.engines) == 1 else anchor.engine
            texts.append(f"{name} {anchor.rate.text()}: **{ratio:.2f}**")
            if least:
                wanted.append(f"≥ {least:g} × {beside.name}")
                met &= ratio >= least
        title = f"{goal.number}. {goal.title}, {case.name} {case.dashed}"
        yield Figure(title, " · ".join(texts), ", ".join(wanted), met if wanted else None)
    for beside in goal.beside:
        found = ratios.get(beside.name, [])
        if beside.mean is None or len(found) < len(CASES):
            continue
        mean = statistics.geometric_mean(found)
        yield Figure(
            f"{goal.number}. {goal.title}: geometric mean of the ratios to {beside.name}",
            f"**{mean:.2f}**",
            f"≥ {beside.mean:g}",
            mean >= beside.mean,
        )


def two_cores(rates: Rates) -> Iterator[Figure]:
    """Yield how eight members do on two cores."""
    for case in NAMES:
        one, two = rates.of(NATIVE, "ens8", case), rates.of(f"{NATIVE}:2t", "ens8", case)
        if one and two:
            ratio = two.best / one.best
            title = f"7. eight members on two cores, times one core, {case}"
            yield Figure(title, f"{two.text()}: **{ratio:.2f}**", "≥ 1.8", ratio >= 1.8)


def widths(rates: Rates) -> Iterator[Figure]:
    """Yield WebAssembly beside the native kernels of 128 and 256 bits."""
    for level, number, what in (
        ("avx128", 12, "128 bit, same tile, AVX-encoded"),
        ("avx2", 13, "256 bit"),
    ):
        for op, title in (("rprop", "RPROP"), ("runN", "all rows in one call")):
            found: dict[str, float] = {}
            for case in NAMES:
                wasm, native = rates.of(WASM, op, case), rates.of(f"{NATIVE}-{level}", op, case)
                if wasm and native:
                    found[case] = wasm.best / native.best
            if len(found) < len(CASES):
                continue
            mean, least = statistics.geometric_mean(found.values()), min(found.values())
            each = ", ".join(f"{case} {ratio:.2f}" for case, ratio in found.items())
            goal = ("geomean ≥ 0.85, least ≥ 0.75", mean >= 0.85 and least >= 0.75)
            value = f"**{mean:.2f}**, least {least:.2f} ({each})"
            name = f"{number}. WASM / native at {what}, {title}"
            yield Figure(name, value, *(goal if number == 12 else ()))


def shares(rates: Rates) -> Iterator[Figure]:
    """Yield the shares of the processor's peak on the largest case."""
    wide, narrow = (
        rates.peaks.get(f"{bits} mul+add, independent products") for bits in ("256", "128")
    )
    for engine, op, title, peak, least in (
        (f"{NATIVE}-avx2", "rprop", "native RPROP, 256 bit", wide, 0.67),
        (f"{NATIVE}-avx2", "runN", "native, all rows, 256 bit", wide, 0.75),
        (NATIVE, "rprop", "native RPROP, widest", wide, None),
        (NATIVE, "runN", "native, all rows, widest", wide, None),
        (WASM, "rprop", "WASM RPROP, 128 bit", narrow, 0.55),
    ):
        rate = rates.of(engine, op, "synth")
        if rate and peak:
            share = rate.gflops / peak
            value = f"**{share:.0%}** ({rate.gflops:.1f} of {peak:.1f} GFLOP/s)"
            name = f"14. share of the peak on synth, {title}"
            if least is None:
                yield Figure(name, value)
            else:
                yield Figure(name, value, f"≥ {least:.0%}", share >= least)


START = """
const started = performance.now();
const { Network } = await import(process.argv[1]);
const { readFileSync } = await import('node:fs');
const network = Network.load(readFileSync(process.argv[2]));
network.run(new Float32Array(network.inputs));
console.log(performance.now() - started);
"""
ONE_PROCESS = """
import time
import numpy
start = time.perf_counter()
from ruv_swarm import neural
x = numpy.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=numpy.float32)
y = numpy.array([[0], [1], [1], [0]], dtype=numpy.float32)
network = neural.train(x, y, task="regression", scaling="none", target_scaling="none",
    split=[100, 0, 0], hidden=[3], activation="logistic", output_activation="logistic", epochs=1000)
assert network.report["epochs"] == 1000
print(time.perf_counter() - start)
"""
MODEL = """
import sys
from ruv_swarm import neural
neural.train([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], task="regression",
    split=[100, 0, 0], hidden=[3], epochs=100).save(sys.argv[1])
"""


def starting() -> Iterator[Figure]:
    """Yield the size of the small module, and how fast first results come in new processes."""
    module = (NPM / "wasm" / "neural" / "ruv_swarm_neural_bg.wasm").read_bytes()
    packed = len(gzip.compress(module, 9))
    yield Figure(
        "15. module of the networks alone, gzip -9 in brackets",
        f"{len(module):,} B ({packed:,} B)",
        "≤ 150 KB (60 KB)",
        len(module) <= 150_000 and packed <= 60_000,
    )
    model, python = ROOT / ".cache" / "start.rsn", BIN / "python"
    run(python, "-c", MODEL, model)
    entry = (NPM / "dist" / "neural" / "node.js").as_uri()
    command = ("node", "--input-type=module", "-e", START, entry, model)
    yield started("15. Node, import to the first result of a loaded network", command, 1, 30)
    yield started(
        "16. one Python process: import and 1,000 RPROP epochs on xor, beyond NumPy's import",
        (python, "-c", ONE_PROCESS),
        1e3,
        60,
    )


def started(title: str, command: tuple[str | Path, ...], unit: float, most: float) -> Figure:
    """Return the line of a program that prints how long it took, of which `unit` makes ms."""
    times = sorted(unit * float(run(*command)) for _ in range(15))
    text = f"{times[0]:.1f} ms ({times[len(times) // 2]:.1f} ms, n={len(times)})"
    return Figure(title, text, f"≤ {most:g} ms", times[0] <= most)


def figures_of(rates: Rates) -> list[Figure]:
    """Return the lines of all goals that the passes have measured."""
    parts: list[Callable[[Rates], Iterator[Figure]]] = [two_cores, widths, shares]
    found = [figure for goal in GOALS for figure in compared(goal, rates)]
    found += [figure for part in parts for figure in part(rates)]
    n = f"{rates.passes} passes or more × {rates.repetitions} repetitions"
    what = f"best of {n}, medians in brackets, ratios of the best in bold"
    return [Figure("how to read it", what), *found]


def networks() -> list[Figure]:
    """Networks."""
    kept = os.environ.get(KEPT)
    folder = Path(kept) if kept else ROOT / ".cache" / "neural-passes"
    if not kept:
        if not PEERS.is_dir():
            print(f"· {INSTALL}", file=sys.stderr, flush=True)
        for old in folder.glob("*.jsonl"):
            old.unlink()
        for _ in range(PASSES):
            add_pass(folder, CASES, list(GROUPS), Limits())
    return [*figures_of(Rates(sorted(folder.glob("*.jsonl")))), *starting()]
