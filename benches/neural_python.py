"""One case of neural.py through `ruv_swarm.neural`: arguments as neural.py passes them."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from ruv_swarm import neural

MEMBERS = 8
RESTART = 100
RATES = {"batch": 0.7, "incremental": 0.05, "quickprop": 0.7, "adam": 0.01}


def synthetic(rows: int, inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of a small generator; the class is the group of inputs with the largest sum."""
    state, values = 12345, np.empty(rows * inputs, dtype=np.float32)
    for i in range(len(values)):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values[i] = (state >> 8) / 8388608.0 - 1.0
    table, group = values.reshape(rows, inputs), inputs // outputs
    sums = table.astype(float)[:, : group * outputs].reshape(rows, outputs, group).sum(2)
    return table, np.eye(outputs, dtype=np.float32)[sums.argmax(1)]


def read(data: str, shape: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets of a file, or synthetic ones."""
    if data.startswith("synth:"):
        return synthetic(int(data[6:]), shape[0], shape[-1])
    text = Path(data).read_text(encoding="utf-8")
    if text.startswith("bool_in"):
        head, *body = text.split("\n", 7)[4], text.split("\n", 7)[7]
        rows, words = int(head.split("=")[1]), body[0].split()
    else:
        first, rest = text.split("\n", 1)
        rows, words = int(first.split()[0]), rest.split()
    width = shape[0] + shape[-1]
    table = np.array(words[: rows * width], dtype=np.float32).reshape(rows, width)
    return table[:, : shape[0]].copy(), table[:, shape[0] :].copy()


class Course:
    """A training that starts again every 100 epochs; only the epochs are timed, not the start."""

    def __init__(self, op: str, shape: list[int], rows: tuple[np.ndarray, np.ndarray], seed: int):
        """Take the op's algorithm and a plain logistic network."""
        self._rows = rows
        self._options: dict[str, Any] = {
            "task": "regression",
            "scaling": "none",
            "target_scaling": "none",
            "split": [100, 0, 0],
            "split_by": "ordered",
            "hidden": shape[1:-1],
            "activation": "logistic",
            "output_activation": "logistic",
            "loss": "squared",
            "init": "uniform",
            "init_range": 0.2,
            "algorithm": "rprop" if op == "ens8" else op,
            "epochs": RESTART,
            "seed": seed,
        }
        if op in RATES:
            self._options["learning_rate"] = RATES[op]
        if op == "batch":
            self._options["momentum"] = 0.0
        if op == "adam":
            self._options["batch_rows"] = 0
        self._trainer, self._left = self._fresh(), RESTART

    def _fresh(self) -> neural.Trainer:
        return neural.Trainer(*self._rows, **self._options)

    def network(self) -> neural.Network:
        """Return the network after one epoch."""
        self._trainer.run(1)
        return self._trainer.finish()

    def run(self, epochs: int) -> float:
        """Train so many epochs and return the seconds that they took."""
        seconds = 0.0
        while epochs > 0:
            if self._left == 0:
                self._trainer, self._left = self._fresh(), RESTART
            slice_of = min(epochs, self._left)
            started = time.perf_counter()
            self._trainer.run(slice_of)
            seconds += time.perf_counter() - started
            self._left -= slice_of
            epochs -= slice_of
        return seconds


def measure(run: Callable[[int], float], rep_time: float, reps: int) -> tuple[int, list[float]]:
    """Return how much a repetition does, and the sorted seconds of one unit of each."""
    n = 1
    for _ in range(4):
        n = max(1, min(int(n * rep_time / max(run(n), 1e-7)), n * 1000))
    return n, sorted(run(n) / n for _ in range(reps))


def timed(work: Callable[[int], object]) -> Callable[[int], float]:
    """Return a function that does the work and gives its seconds."""

    def run(n: int) -> float:
        started = time.perf_counter()
        work(n)
        return time.perf_counter() - started

    return run


def trained(arguments: argparse.Namespace, op: str, shape: list[int], rows: Any) -> Any:
    """Time epochs."""
    limits = (arguments.rep_time, arguments.reps)
    if op != "ens8":
        return measure(Course(op, shape, rows, 1).run, *limits)
    members = [Course(op, shape, rows, seed + 1) for seed in range(MEMBERS)]
    if arguments.threads == 1:
        n, seconds = measure(lambda n: sum(member.run(n) for member in members), *limits)
    else:
        with ThreadPoolExecutor(arguments.threads) as pool:
            work = timed(lambda n: list(pool.map(lambda member: member.run(n), members)))
            n, seconds = measure(work, *limits)
    return n * MEMBERS, [each / MEMBERS for each in seconds]


def answered(arguments: argparse.Namespace, op: str, shape: list[int], rows: Any) -> Any:
    """Time rows."""
    limits = (arguments.rep_time, arguments.reps)
    network, inputs = Course("rprop", shape, rows, 1).network(), rows[0]
    if op == "runN":
        out = np.empty((len(inputs), shape[-1]), dtype=np.float32)

        def whole(n: int) -> None:
            for _ in range(n):
                network.predict(inputs, out)

        n, seconds = measure(timed(whole), *limits)
        return n * len(inputs), [each / len(inputs) for each in seconds]
    some = [inputs[i] for i in range(min(len(inputs), 256))]

    def single(n: int) -> None:
        run, count = network.run, len(some)
        for i in range(n):
            run(some[i % count])

    return measure(timed(single), *limits)


def main() -> None:
    """Time the ops and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--name", "--data", "--shape", "--ops"):
        parser.add_argument(name, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rep-time", type=float, default=0.2)
    parser.add_argument("--reps", type=int, default=7)
    arguments = parser.parse_args()
    shape = [int(units) for units in arguments.shape.split("-")]
    rows = read(arguments.data, shape)
    pairs = list(pairwise(shape))
    weights, connections = sum(a * b for a, b in pairs), sum((a + 1) * b for a, b in pairs)
    for op in arguments.ops.split(","):
        running = op in ("run1", "runN")
        n, seconds = (answered if running else trained)(arguments, op, shape, rows)
        median, least = seconds[len(seconds) // 2], seconds[0]
        units = 1 if running else len(rows[0])
        flops = 2.0 * weights if running else 6.0 * weights - 2.0 * shape[0] * shape[1]
        line = {
            "engine": "ours-python",
            "case": arguments.name,
            "shape": arguments.shape,
            "rows": len(rows[0]),
            "op": op,
            "threads": arguments.threads if op == "ens8" else 1,
            "n": n,
            "reps": len(seconds),
            "median_s": median,
            "min_s": least,
            "per_s": 1 / median,
            "best_per_s": 1 / least,
            "mcups": connections * units / median / 1e6,
            "gflops": flops * units / median / 1e9,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
