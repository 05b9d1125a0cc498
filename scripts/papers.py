"""Reproduce the papers' figures in docs/papers.md: `python3 dev.py papers [--write] [--data DIR]`.

Everything follows from seeds, so that a second run gives the same page. Without `--write` the page is
compared and not changed; it fails if the page differs or if a figure misses what it has to hold.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import statistics
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from papers_published import ENCODERS, PROBEN1
from tools import ROOT, BuildError, environment, run, say, target_dir

PAGE = ROOT / "docs" / "papers.md"
RULES = ("rprop+", "rprop-", "irprop+", "irprop-")
MAIN = "rprop+"
SEEDS = {"proben1": 30, "encoders": 100, "rules": 100}
# A run whose training error is above this share of the best constant answer's has learnt nothing.
PLATEAU = 0.8
Line = dict[str, Any]


def main(arguments: list[str]) -> None:
    """Train everything, make the tables and write or compare the page."""
    parser = argparse.ArgumentParser(prog="dev.py papers", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    data: Path = given.data.resolve()
    missing = [name for name in PROBEN1 if not (data / "proben1" / f"{name}.dt").is_file()]
    if missing:
        raise BuildError(
            f"{data / 'proben1'} lacks {', '.join(missing[:3])}…: the page needs the 21 files "
            "of Proben1 (github jeffheaton/proben1); give their parent folder by --data DIR"
        )
    program = build()
    found = {part: train(program, part, seeds, data) for part, seeds in SEEDS.items()}
    proben1, missed = proben1_table(grouped(found["proben1"], "set", "rule", "range"))
    blocks = {
        "state": state(found, data),
        "proben1": proben1,
        "ranges": ranges_table(found["proben1"]),
        "rules": rules_table(grouped(found["proben1"], "set", "rule", "range")),
        "encoders": encoders_table(grouped(found["encoders"], "set", "rule")),
        "family": family_table(grouped(found["rules"], "set", "rule")),
    }
    old = PAGE.read_text(encoding="utf-8")
    new = old
    for name, block in blocks.items():
        new = put(new, name, block)
    if given.write:
        PAGE.write_text(new, encoding="utf-8")
    say("\n\n".join(blocks.values()))
    if missed:
        raise BuildError(f"missed (mean + 2 sd, or a tenth on the plateau): {', '.join(missed)}")
    if new != old and not given.write:
        raise BuildError(f"{PAGE.relative_to(ROOT)} differs: `dev.py papers --write`")


def build() -> Path:
    """Build the program that trains."""
    package = ("--locked", "--release", "--package", "ruv-swarm-core")
    run("cargo", "build", *package, "--example", "papers")
    return target_dir() / "release" / "examples" / "papers"


def train(program: Path, part: str, seeds: int, data: Path) -> list[str]:
    """Return the JSON lines of a part."""
    started = time.monotonic()
    command = [str(program), part, "--seeds", str(seeds), "--data", str(data)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)}: {done.stderr.strip()}")
    lines = done.stdout.splitlines(keepends=True)
    say(f"{part}: {len(lines)} trainings in {time.monotonic() - started:.0f} s")
    return lines


def grouped(lines: Iterable[str], *keys: str) -> dict[tuple[Any, ...], list[Line]]:
    """Return the lines by the values of some keys, in the order of the lines."""
    groups: dict[tuple[Any, ...], list[Line]] = {}
    for line in lines:
        read: Line = json.loads(line)
        groups.setdefault(tuple(read[key] for key in keys), []).append(read)
    return groups


def main_range(groups: dict[tuple[Any, ...], list[Line]]) -> float:
    """Return the range of the first weights that all rules were run with."""
    (chosen,) = {key[2] for key in groups if key[1] != MAIN}
    return float(chosen)


def mean(runs: list[Line], key: str, factor: float = 1.0) -> float:
    """Return the mean of a figure over runs."""
    return statistics.fmean(factor * float(run[key]) for run in runs)


def spread(runs: list[Line], key: str, factor: float = 1.0) -> str:
    """Return mean and deviation as the papers print them."""
    deviation = statistics.stdev(factor * float(run[key]) for run in runs)
    return f"{mean(runs, key, factor):.2f} ({deviation:.2f})"


def stuck(runs: list[Line]) -> int:
    """Count the runs that ended on the first plateau."""
    return sum(run["train"] > PLATEAU * run["constant"] for run in runs)


def verdict(found: float, published: tuple[float, float]) -> str:
    """Say how far a mean is above the published one, in published deviations."""
    above = (found - published[0]) / published[1]
    return "mean" if above <= 0 else "+1 sd" if above <= 1 else "+2 sd" if above <= 2 else "**no**"


def proben1_table(groups: dict[tuple[Any, ...], list[Line]]) -> tuple[str, list[str]]:
    """Return the table with ours beside the report's, and what misses: a set, or a problem's plateau."""
    rows, missed = [], []
    width = main_range(groups)
    for name, published in PROBEN1.items():
        runs = groups[name, MAIN, width]
        within = verdict(mean(runs, "test", 100), published.test)
        missed += [name] if "no" in within else []
        classes = ("-", "-")
        if published.wrong:
            classes = ("{:.2f} ({:.2f})".format(*published.wrong), spread(runs, "wrong"))
        total, relevant = published.epochs
        rows.append(
            [
                *(name, published.hidden, "{:.2f} ({:.2f})".format(*published.test)),
                *(spread(runs, "test", 100), within, *classes),
                f"{total} / {relevant}" if relevant else str(total),
                f"{mean(runs, 'epochs'):.0f} / {mean(runs, 'relevant'):.0f}",
                f"{stuck(runs)} of {len(runs)}",
            ]
        )
    head = (
        *("set", "hidden", "test error %", "ours", "at most", "wrong %", "ours"),
        *("epochs total / relevant", "ours", "on the plateau"),
    )
    shares = []
    for problem in ("thyroid", "building"):
        runs = [run for n in PROBEN1 if n.startswith(problem) for run in groups[n, MAIN, width]]
        shares.append(f"{problem} {stuck(runs)} of {len(runs)}")
        missed += [f"{problem} on the plateau"] if stuck(runs) > len(runs) / 10 else []
    note = f"Runs on the first plateau (at most a tenth): {', '.join(shares)}."
    return f"{table(head, rows)}\n\n{note}", missed


def ranges_table(lines: list[str]) -> str:
    """Return the validation error of each range of the first weights, relative to the least."""
    groups = grouped(lines, "set", "rule", "range")
    ranges = sorted({key[2] for key in groups})
    means = {
        width: math.exp(
            statistics.fmean(
                math.log(mean(groups[name, MAIN, width], "validation")) for name in PROBEN1
            )
        )
        for width in ranges
    }
    least = min(means.values())
    cells = [f"{100 * (means[width] / least - 1):+.1f} %" for width in ranges]
    plateau = [str(sum(stuck(groups[name, MAIN, width]) for name in PROBEN1)) for width in ranges]
    head = ("weights within", *(f"±{width}" for width in ranges))
    return table(head, [["validation error", *cells], ["runs on the plateau", *plateau]])


def rules_table(groups: dict[tuple[Any, ...], list[Line]]) -> str:
    """Return the test errors of all rules, with the runs on the plateau."""
    width = main_range(groups)

    def cell(name: str, rule: str) -> str:
        runs = groups[name, rule, width]
        within = verdict(mean(runs, "test", 100), PROBEN1[name].test)
        marks = ("" if within == "mean" else f" {within}") + (
            f" [{n}]" if (n := stuck(runs)) else ""
        )
        return spread(runs, "test", 100) + marks

    rows = [[name, *(cell(name, rule) for rule in RULES)] for name in PROBEN1]
    return table(("set", *RULES), rows)


def encoders_table(groups: dict[tuple[Any, ...], list[Line]]) -> str:
    """Return the epochs of the runs that learnt the encoder, beside the paper's."""
    rows = []
    for (name, rule), runs in groups.items():
        epochs = [run["epochs"] for run in runs if run["stopped"] == "bit-fail"]
        figures = ["-", "-"]
        if epochs:
            figures = [f"{statistics.fmean(epochs):.0f}", f"{statistics.median(epochs):.0f}"]
        published = ENCODERS.get((name, rule), "")
        rows.append([name, rule, published, *figures, f"{len(epochs)} of {len(runs)}"])
    return table(("encoder", "rule", "published", "ours, mean", "median", "learnt"), rows)


def family_table(groups: dict[tuple[Any, ...], list[Line]]) -> str:
    """Return the median training errors of the rules, and iRPROP- against RPROP-."""
    rows = []
    for name in dict.fromkeys(key[0] for key in groups):
        marks = groups[name, MAIN][0]["marks"]
        for place, mark in enumerate(marks):
            errors = {r: [run["errors"][place] for run in groups[name, r]] for r in RULES}
            medians = [f"{100 * statistics.median(errors[rule]):.3f}" for rule in RULES]
            p = below(errors["irprop-"], errors["rprop-"])
            shown = "< 0.0001" if p < 1e-4 else f"{p:.4f}"
            holds = "yes" if p < 0.01 else "reversed" if p > 0.99 else "no"
            rows.append([name, str(mark), *medians, shown, holds])
    return table(("set", "epochs", *RULES, "p", "p < 0.01"), rows)


def below(first: list[float], second: list[float]) -> float:
    """Return p of Wilcoxon's rank sum test, one-sided: are the first numbers the smaller ones?

    The normal approximation with continuity and ties, as usual for samples of more than ten.
    """
    n, m = len(first), len(second)
    total = n + m
    order = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks, ties, start = 0.0, 0.0, 0
    while start < total:
        end = start
        while end < total and order[end][0] == order[start][0]:
            end += 1
        rank = (start + 1 + end) / 2
        ranks += rank * sum(1 - which for _, which in order[start:end])
        ties += (end - start) ** 3 - (end - start)
        start = end
    surplus = ranks - n * (n + 1) / 2 - n * m / 2
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance == 0:
        return 0.5
    return 0.5 * math.erfc(-(surplus + 0.5) / math.sqrt(2 * variance))


def state(found: dict[str, list[str]], data: Path) -> str:
    """Return what the figures are of: seeds, data, and hashes to compare by."""
    files = hashlib.sha256()
    for name in PROBEN1:
        files.update((data / "proben1" / f"{name}.dt").read_bytes())
    seeds = ", ".join(f"{part} {count}" for part, count in SEEDS.items())
    rows = [
        f"- Seeds 1 to n: {seeds}.",
        f"- SHA-256 of the 21 data files in the order of the table: `{files.hexdigest()}`.",
    ]
    for part, lines in found.items():
        digest = hashlib.sha256("".join(lines).encode()).hexdigest()
        rows.append(f"- SHA-256 of the {len(lines)} lines of `{part}`: `{digest}`.")
    few = [
        line
        for line in found["encoders"]
        if (read := json.loads(line))["seed"] <= 3 and read["set"] == "10-5-10"
    ]
    digest = hashlib.sha256("".join(few).encode()).hexdigest()
    return "\n".join([*rows, f"- Encoder 10-5-10, seeds 1 to 3: `{digest}`."])


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def put(page: str, name: str, block: str) -> str:
    """Return the page with a block between its marks."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise BuildError(f"{PAGE.relative_to(ROOT)} has no {begin} … {end}")
    return f"{before}{begin}\n\n{block}\n\n{end}{after}"
