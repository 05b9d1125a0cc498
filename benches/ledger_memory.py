"""Decisions and replay in memory, native and in WebAssembly, and what a claim costs as tasks grow."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

from harness import ROOT, Figure, example, json_lines, run
from ledger_svg import chart
from tools import target_dir
from wasm_toolchain import TARGET, wasm_environment

TASKS, BLOCKS, ROUNDS = 100_000, 20, 5
KINDS = ("submit", "claim", "heartbeat", "report")
PICTURE = ROOT / "docs" / "claim-cost.svg"
TASKS_OF_SWEEP = (1_000, 10_000, 100_000, 1_000_000)
AGENTS_OF_SWEEP = (100, 10_000, 100_000)

Lines = list[dict[str, Any]]


def wasm_module() -> Path:
    """Build the loop for WebAssembly as the published module is built, and return it."""
    target = target_dir() / "wasm"
    run(
        *("cargo", "build", "--locked", "--profile", "wasm", "--target", TARGET),
        *("--package", "ruv-swarm-core", "--example", "bench_ledger_wasm", "--target-dir", target),
        env=wasm_environment(),
    )
    built = target / TARGET / "wasm" / "examples" / "bench_ledger_wasm.wasm"
    optimised = built.with_suffix(".opt.wasm")
    run("wasm-opt", "-O3", built, "-o", optimised)
    return optimised


def per_second(lines: Lines) -> dict[str, float]:
    """Return the rate of each kind, and of all commands together."""
    rates = {str(line["what"]): line["n"] / line["ms"] * 1e3 for line in lines}
    commands = [line for line in lines if line["what"] in KINDS]
    rates["commands"] = sum(c["n"] for c in commands) / sum(c["ms"] for c in commands) * 1e3
    return rates


def memory() -> list[Figure]:
    """Decisions and replay in memory."""
    native, module = example("bench_ledger", "ruv-swarm-core"), wasm_module()
    node = ROOT / "benches" / "ledger_node.mjs"
    size = (str(TASKS), str(BLOCKS))
    engines: dict[str, tuple[str | Path, ...]] = {
        "native": (native, "mix", *size),
        "inside": ("node", node, "inside", module, *size),
        "boundary": ("node", node, "boundary", *size),
    }
    runs: dict[str, list[dict[str, float]]] = {engine: [] for engine in engines}
    for _ in range(ROUNDS):
        for engine, command in engines.items():
            runs[engine].append(per_second(json_lines(run(*command))))

    def median(engine: str, what: str) -> float:
        return statistics.median(each[what] for each in runs[engine])

    def ratio(engine: str, what: str) -> float:
        pairs = zip(runs[engine], runs["native"], strict=True)
        return statistics.median(one[what] / other[what] for one, other in pairs)

    commands, replay = median("native", "commands"), median("native", "replay")
    kinds = ", ".join(f"{kind} {median('native', kind):,.0f}" for kind in KINDS)
    n = (
        f"median of {ROUNDS} runs of {BLOCKS * 4},000 commands, {TASKS:,} tasks waiting, "
        "by CPU time of the thread"
    )
    rows = [
        Figure(f"decide + apply, native, one core ({n})", f"{commands:,.0f} commands/s",
               "≥ 500,000/s", commands >= 5e5),
        Figure("of these, by kind, /s", kinds),
        Figure("replay in memory with the hash chain, native", f"{replay:,.0f} events/s",
               "≥ 3,000,000/s", replay >= 3e6),
        Figure("the hash chain alone (SHA-256 of the same lines), native",
               f"{median('native', 'hash chain alone'):,.0f} events/s"),
    ]  # fmt: skip
    for engine, name in (("inside", "loop inside WASM"), ("boundary", "loop in JavaScript")):
        for what, unit in (("commands", "commands/s"), ("replay", "events/s")):
            share = ratio(engine, what)
            value = f"{median(engine, what):,.0f} {unit}, {share:.2f} of native"
            goal = ("≥ 0.7", share >= 0.7) if engine == "inside" else ("", None)
            rows.append(Figure(f"{what}, Node, {name}", value, *goal))
    return rows + claim_cost(native)


def claim_cost(native: Path) -> list[Figure]:
    """What a claim costs: tasks of many classes, priorities and goals; few and many agents."""
    found: Lines = []
    for agents in AGENTS_OF_SWEEP:
        for tasks in TASKS_OF_SWEEP:
            found += json_lines(run(native, "claims", str(tasks), str(agents)))
    rows = [
        Figure(
            f"a claim, {line['tasks']:,} tasks, {line['agents']:,} agents",
            f"{line['medianUs']:.2f} µs (p95 {line['p95Us']:.2f} µs, n={line['n']:,})",
        )
        for line in found
    ]
    few, many = TASKS_OF_SWEEP[0], TASKS_OF_SWEEP[-1]
    cost = {(line["tasks"], line["agents"]): line["medianUs"] for line in found}
    goal = math.log(many) / math.log(few)
    for agents in AGENTS_OF_SWEEP:
        growth = cost[many, agents] / cost[few, agents]
        what = f"growth from {few:,} to {many:,} tasks, {agents:,} agents"
        rows.append(
            Figure(what, f"{growth:.2f} times", f"≤ {goal:.2f}, as log n does", growth <= goal)
        )
    draw(cost)
    return rows


def draw(cost: dict[tuple[int, int], float]) -> None:
    """Write the picture of the sweep."""
    series = {
        f"{agents:,} agents": [(n, cost[n, agents]) for n in TASKS_OF_SWEEP]
        for agents in AGENTS_OF_SWEEP
    }
    first = TASKS_OF_SWEEP[0]
    unit = cost[first, AGENTS_OF_SWEEP[0]] / math.log(first)
    reference = [(float(n), unit * math.log(n)) for n in TASKS_OF_SWEEP]
    note = "decide and apply in memory, native, one core; 32 classes, 101 priorities, 64 goals"
    PICTURE.write_text(chart("What a claim costs", note, series, reference), encoding="utf-8")
