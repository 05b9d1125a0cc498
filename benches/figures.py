"""The figures of the project, each beside its goal: `python3 dev.py bench [--write] [PART …]`.

Ratios are of one run on one machine; each figure names its n, and prints median and p95 where it is
a time. `--write` puts the tables into docs/performance.md.
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from harness import ROOT, Figure, example, json_lines, run
from ledger_chain import chain
from ledger_memory import memory
from ledger_records import records
from ledger_sharing import sharing
from neural_goals import networks
from tools import BIN, NPM, target_dir

PAGE = ROOT / "docs" / "performance.md"
MARK = ("<!-- figures: begin -->", "<!-- figures: end -->")
PASSES = 5


def doors() -> dict[str, list[str]]:
    """Return the command of each door."""
    return {
        "Rust": [str(target_dir() / "release" / "ruv-swarm")],
        "Python": [str(BIN / "ruv-swarm")],
        "npm": ["node", str(NPM / "dist" / "cli.js")],
    }


def spread(times: list[float]) -> str:
    """Return median and p95 of times in seconds, with n."""
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return f"{statistics.median(times) * 1e3:.0f} ms (p95 {p95 * 1e3:.0f} ms, n={len(times)})"


def timed(command: list[str], cwd: Path, n: int) -> list[float]:
    """Return the times of `n` runs of a command, in seconds."""
    times = []
    for _ in range(n):
        started = time.perf_counter()
        run(*command, cwd=cwd)
        times.append(time.perf_counter() - started)
    return times


def sizes() -> list[Figure]:
    """Sizes of what users get."""
    module = (NPM / "wasm" / "web" / "ruv_swarm_bg.wasm").read_bytes()
    packed = len(gzip.compress(module, 9))
    [wheel] = (ROOT / ".cache" / "wheels" / "ruv-swarm").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = archive.read(name).decode()
    required = [
        line
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist:") and "extra ==" not in line
    ]
    size = wheel.stat().st_size
    return [
        Figure("WASM module, raw", f"{len(module):,} B", "≤ 500 KB", len(module) <= 500_000),
        Figure("WASM module, gzip -9", f"{packed:,} B"),
        Figure("wheel", f"{size:,} B", "≤ 5 MB", size <= 5_000_000),
        Figure("required Python dependencies", f"{len(required)}", "≤ 3", len(required) <= 3),
    ]


def start() -> list[Figure]:
    """How fast things start."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        code = (
            "import time; t = time.perf_counter(); import ruv_swarm; print(time.perf_counter() - t)"
        )
        run("python", "-c", code)
        imports = [float(run("python", "-c", code)) for _ in range(15)]
        median = statistics.median(imports)
        rows.append(Figure("`import ruv_swarm`", spread(imports), "≤ 0.15 s", median <= 0.15))
        for door, command in doors().items():
            times = timed([*command, "--version"], folder, 15)
            met = statistics.median(times) < 0.3
            rows.append(Figure(f"`ruv-swarm --version`, {door}", spread(times), "< 0.3 s", met))
        for door, command in doors().items():
            base = folder / door
            base.mkdir()
            run(*command, "init", "--db", "./swarm.db", cwd=base)
            times = timed([*command, "spawn", "coder", "--db", "./swarm.db"], base, 15)
            met = statistics.median(times) <= 0.4
            what = f"first durable result of a new process, {door} (spawn, durability full)"
            rows.append(Figure(what, spread(times), "≤ 0.4 s", met))
        script = ROOT / "benches" / "training_node.mjs"
        found = [json_lines(run("node", script))[0]["instantiationMs"] for _ in range(15)]
        times = [float(str(value)) / 1e3 for value in found]
        met = statistics.median(times) < 0.2
        rows.append(Figure("WASM compile and instantiation, Node", spread(times), "< 200 ms", met))
    return rows


def store() -> list[Figure]:
    """Durable events beside raw SQLite."""
    program = example("bench_store")
    with tempfile.TemporaryDirectory(dir=ROOT / ".cache") as folder:
        runs = [json_lines(run(program, "1", folder))[0] for _ in range(PASSES)]

    def figure(key: str) -> float:
        return statistics.median(float(str(each[key])) for each in runs)

    one, many = figure("oneAtATimeOfRaw"), figure("groupedOfRaw")
    n = f"median of {PASSES} runs of 1 s, durability full"
    return [
        Figure(f"fdatasync/s ({n})", f"{figure('fsyncPerSecond'):,.0f}"),
        Figure("events/s one at a time, ours / raw SQLite",
               f"{figure('oneAtATime'):,.0f} / {figure('rawOneAtATime'):,.0f}"),
        Figure("ratio, one at a time", f"{one:.2f}", "≥ 0.7", one >= 0.7),
        Figure("events/s in groups of 100, ours / raw SQLite",
               f"{figure('grouped'):,.0f} / {figure('rawGrouped'):,.0f}"),
        Figure("ratio, grouped", f"{many:.2f}", "≥ 0.5", many >= 0.5),
        Figure("events/s, eight threads of one process", f"{figure('eightThreads'):,.0f}"),
    ]  # fmt: skip


def kernels() -> list[Figure]:
    """WebAssembly beside native, on the same files and with the same bits."""
    build = (
        "cargo",
        "build",
        "--release",
        "--locked",
        "-p",
        "ruv-swarm-core",
        "--example",
        "bench_training",
    )
    run(*build)
    avx = ROOT / "target" / "avx"
    run(*build, "--target-dir", avx, env={"RUSTFLAGS": "-C target-feature=+avx"})
    best_of: dict[str, dict[str, float]] = {}
    hashes: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        native = target_dir() / "release" / "examples" / "bench_training"
        run(native, "write", folder)
        engines: dict[str, tuple[str | Path, ...]] = {
            "128": (avx / "release" / "examples" / "bench_training", "run", folder, "baseline"),
            "wide": (native, "run", folder),
            "wasm": ("node", ROOT / "benches" / "training_node.mjs", folder),
        }
        for _ in range(PASSES):
            for engine, command in engines.items():
                for line in json_lines(run(*command)):
                    if "case" not in line:
                        continue
                    case, seconds = str(line["case"]), float(str(line["seconds"]))
                    hashes.setdefault(case, set()).add(str(line["hash"]))
                    times = best_of.setdefault(case, {})
                    times[engine] = min(seconds, times.get(engine, seconds))
    rows = [
        Figure(f"WASM / native speed of RPROP epochs, {case}", f"{times['128'] / times['wasm']:.2f} at 128 bit, "
               f"{times['wide'] / times['wasm']:.2f} of the widest") for case, times in best_of.items()
    ]  # fmt: skip
    ratios = [times["128"] / times["wasm"] for times in best_of.values()]
    mean = statistics.geometric_mean(ratios)
    what = f"geometric mean, same tile, 128 bit, AVX-encoded (best of {PASSES} each)"
    rows.append(Figure(what, f"{mean:.2f}", "≥ 0.8", mean >= 0.8))
    same = all(len(found) == 1 for found in hashes.values())
    rows.append(
        Figure(
            "same model hash from all three builds in every case", str(same).lower(), "yes", same
        )
    )
    return rows


def sameness() -> list[Figure]:
    """The same model hash from Rust, Python, Node and Chromium on three real datasets."""
    command = (sys.executable, "-m", "pytest", "-q", "tests/conformance", "-k", "training")
    env = {"RUV_SWARM_BINARY": str(doors()["Rust"][0])}
    try:
        text = run(*command, env=env)
    except subprocess.CalledProcessError as error:
        return [
            Figure(
                "same model hash from four targets on three datasets",
                str(error.stdout)[-300:],
                "yes",
                False,
            )
        ]
    last = text.strip().splitlines()[-1]
    met = "passed" in last and "failed" not in last and "skipped" not in last
    return [Figure("same model hash from Rust, Python, Node, Chromium on three real datasets",
                   f"{'yes' if met else 'no'} ({last.strip('= ')})", "yes", met)]  # fmt: skip


PARTS: dict[str, Callable[[], list[Figure]]] = {
    "sameness": sameness,
    "kernels": kernels,
    "sizes": sizes,
    "start": start,
    "store": store,
    "chain": chain,
    "sharing": sharing,
    "records": records,
    "memory": memory,
    "neural": networks,
}


def machine() -> str:
    """Return what machine this is, in one line."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = platform.processor()
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def main() -> int:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, prog="dev.py bench")
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)}; default all")
    parser.add_argument(
        "--write", action="store_true", help="put the tables into docs/performance.md"
    )
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    print(f"Machine: {machine()}.\n")
    missed = 0
    for name in arguments.parts or PARTS:
        figures = PARTS[name]()
        missed += sum(figure.met is False for figure in figures)
        title = (PARTS[name].__doc__ or name).strip().splitlines()[0].rstrip(".")
        lines = [f"### {title}", "", f"On {machine()}.", ""]
        lines += ["| figure | measured | goal | met |", "|---|---|---|---|"]
        lines += [figure.row() for figure in figures]
        print("\n".join(lines) + "\n", flush=True)
        if arguments.write:
            write(title, "\n".join(lines))
    print(f"{missed} figures short of their goal")
    return 0


def write(title: str, section: str) -> None:
    """Put a section between the marks of the page, in place of its former self or at the end."""
    text = PAGE.read_text(encoding="utf-8")
    head, rest = text.split(MARK[0])
    body, tail = rest.split(MARK[1])
    machines, *sections = body.split("\n### ")
    kept = {each.splitlines()[0].strip(): f"### {each.strip()}" for each in sections}
    kept[title] = section
    page = "\n\n".join([machines.strip(), *kept.values()])
    PAGE.write_text(f"{head}{MARK[0]}\n\n{page}\n\n{MARK[1]}{tail}", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
