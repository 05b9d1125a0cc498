"""Eight processes on one file."""

from __future__ import annotations

import tempfile

from harness import ROOT, Contender, Figure, at, example

PROCESSES, ROUNDS, SECONDS = 8, 5, 3.0


def sharing() -> list[Figure]:
    """Eight processes on one file, each claims and reports one task after the other."""
    program = example("bench_sharing")
    (ROOT / ".cache").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / ".cache") as folder:
        workers = [Contender(f"worker {i}", (program, folder)) for i in range(PROCESSES)]
        alone = Contender("alone", (program, folder))
        try:
            for worker in [alone, *workers]:
                worker.start()
            for counts in [False] + [True] * ROUNDS:
                alone.turn(SECONDS / 3, count=counts)
                for worker in workers:
                    worker.tell(SECONDS)
                for worker in workers:
                    found = worker.hear()
                    if counts:
                        worker.slices.append(found)
        finally:
            for worker in [alone, *workers]:
                worker.stop()
    totals = sorted(sum(worker.rates()[turn] for worker in workers) for turn in range(ROUNDS))
    times = sorted(ms for worker in workers for found in worker.slices for ms in found["ms"])
    shares = [sum(found["done"] for found in worker.slices) for worker in workers]
    total, p99 = at(totals, 0.5), at(times, 0.99)
    n = f"{ROUNDS} turns of {SECONDS:g} s, durability full"
    return [
        Figure(f"claims/s of {PROCESSES} processes together (median of {n})", f"{total:,.0f}"),
        Figure("claims/s of one process alone, in turn with them", f"{alone.rate():,.0f}"),
        Figure(
            f"a call, from the request to its durable answer (n={len(times):,})",
            f"p50 {at(times, 0.5):.2f} ms, p95 {at(times, 0.95):.1f} ms, "
            f"p99 {p99:.0f} ms, longest {times[-1]:.0f} ms",
            "p99 ≤ 1 s",
            p99 <= 1000,
        ),
        Figure(
            "claims of the process with the fewest, of the one with the most",
            f"{min(shares):,} / {max(shares):,}",
        ),
    ]
