"""Every task of the project: `python3 dev.py` lists them, `python3 dev.py NAME` runs one.

All sessions share .venv, which dev.py makes; what is built is kept and built again only when its
sources have changed.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import aarch64 as emulated
import build_wasm
import chromium
import fuzzing
import papers as published
import quickstart as quick
import steps
from tools import NPM, PYTHON, TALLY, BuildError, cache_dir, run, run_tests, say, target_dir
from wasm_toolchain import wasm_environment

import dev

nox.options.default_venv_backend = "none"
nox.options.sessions = ["test"]


def task(work: Callable[[list[str]], None]) -> Callable[[list[str]], None]:
    """Make a nox session of a function; its first line of documentation is the session's."""

    def session(session: nox.Session) -> None:
        dev.prepare()
        try:
            work(list(session.posargs))
        except BuildError as error:
            session.error(str(error))

    session.__doc__ = work.__doc__
    nox.session(name=work.__name__, python=False)(session)
    return work


@task
def quickstart(arguments: list[str]) -> None:
    """Build the command and run the main job on real data: init, spawn, train, predict."""
    quick.main(arguments)


@task
def setup(_: list[str]) -> None:
    """Fetch everything that the other sessions need: packages, crates, compilers, a browser."""
    steps.node()
    run("cargo", "fetch", "--locked")
    say(f"WebAssembly by {'Debian packages' if wasm_environment() else 'rustup'}")
    say(f"Chromium: {chromium.chromium()}")


@task
def lock(_: list[str]) -> None:
    """Resolve requirements/dev.in into requirements/dev.txt again."""
    options = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate")
    header = ("--custom-compile-command", "python3 dev.py lock")
    files = ("requirements/dev.in", "--output-file", "requirements/dev.txt")
    run(PYTHON, "-m", "uv", "pip", "compile", "--quiet", "--upgrade", *options, *header, *files)


@task
def gen(arguments: list[str]) -> None:
    """Write every file that is made from the catalogue in proto/."""
    run(PYTHON, "scripts/gen.py", *arguments)


@task
def lint(_: list[str]) -> None:
    """Check format, types and generated files in every language."""
    steps.npm()
    steps.install_wheels()
    failed = []
    checks: list[tuple[str | Path, ...]] = [
        (PYTHON, "-m", "ruff", "check", "."),
        (PYTHON, "-m", "ruff", "format", "--check", "."),
        (PYTHON, "-m", "mypy", "bindings/python/ruv_swarm"),
        (PYTHON, "-m", "mypy", "server/ruv_swarm_server"),
        (PYTHON, "-m", "mypy", "dev.py", "noxfile.py", "scripts"),
        ("cargo", "fmt", "--all", "--check"),
        ("cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"),
        ("npm", "--prefix", "npm", "run", "--silent", "check"),
        (PYTHON, "scripts/gen.py", "--check"),
        (PYTHON, "scripts/gen.py", "--lint"),
    ]
    for check in checks:
        try:
            run(*check)
        except BuildError as error:
            failed.append(str(error))
    if failed:
        raise BuildError("; ".join(failed))


@task
def core(arguments: list[str]) -> None:
    """Test the core and the Rust host."""
    run_tests(
        *("cargo", "test", "--locked", "--no-fail-fast"),
        *("--package", "ruv-swarm-core", "--package", "ruv-swarm", *arguments),
    )


@task
def python(arguments: list[str]) -> None:
    """Build the wheel, install it in .venv and test the Python facade and command."""
    steps.install_wheels()
    pytest("bindings/python/tests", *arguments)


@task
def wasm(arguments: list[str]) -> None:
    """Build the WebAssembly module into npm/wasm; with --pack by the wasm-pack on PATH."""
    if arguments == ["--pack"]:
        build_wasm.pack()
    else:
        steps.wasm()


@task
def npm(arguments: list[str]) -> None:
    """Build the npm package and test it in Node."""
    steps.npm()
    env = {"CHROMIUM": chromium.chromium()}
    run_tests("npm", "test", "--silent", "--", *arguments, cwd=NPM, env=env)


@task
def server(arguments: list[str]) -> None:
    """Install the wheels in .venv and test the reference host with real clients."""
    steps.npm()
    steps.install_wheels()
    pytest("tests/server", *arguments)


@task
def conformance(arguments: list[str]) -> None:
    """Run every vector and random operation lists through every target, compare the bytes."""
    everything()
    pytest("tests/conformance", *arguments)


@task
def oracle(arguments: list[str]) -> None:
    """Compare the core with a slow model of its rules, in Python and in WebAssembly."""
    steps.install_wheels(server=False)
    steps.npm()
    pytest("tests/oracle", *arguments)


@task
def simulate(arguments: list[str]) -> None:
    """Run thousands of worlds of faults, and each deliberate bug, against the core."""
    package = ("--locked", "--release", "--package", "ruv-swarm-simulator")
    run_tests("cargo", "test", *package)
    run_tests("cargo", "test", *package, "--features", "mutants", "--test", "mutants")
    worlds = ("--seeds", "5000", "--commands", "2000", "--seconds", "240")
    run("cargo", "run", *package, "--", *(arguments or worlds))


@task
def faults(arguments: list[str]) -> None:
    """Kill, starve and halt the hosts, and let them race: nothing acknowledged is lost."""
    run("cargo", "build", "--locked", "--package", "ruv-swarm", "--examples")
    steps.install_wheels()
    steps.npm()
    pytest("tests/faults", *arguments)


@task
def soak(arguments: list[str]) -> None:
    """The same for much longer; RUV_SWARM_KILLS and the like change how long."""
    longer = {
        "RUV_SWARM_KILLS": "2000",
        "RUV_SWARM_CUTS": "5000",
        "RUV_SWARM_FLIPS": "3000",
        "RUV_SWARM_RACE_TASKS": "5000",
        "RUV_SWARM_STRIDE": "1",
    }
    for name, value in longer.items():
        os.environ.setdefault(name, value)
    cuts = ("--test", "power_cut", "--", "--nocapture")
    run_tests("cargo", "test", "--locked", "--package", "ruv-swarm", *cuts)
    faults(["-s", *arguments])


@task
def ulps(arguments: list[str]) -> None:
    """Measure the error of every function of the engine on all 2^32 inputs (half an hour)."""
    package = ("--locked", "--release", "--package", "ruv-swarm-neural")
    run("cargo", "run", *package, "--example", "ulps", "--", *arguments)


@task
def aarch64(arguments: list[str]) -> None:
    """Test engine and vectors on AArch64, emulated by qemu: the same bits as here (on demand)."""
    emulated.test(arguments)


@task
def fuzz(arguments: list[str]) -> None:
    """Fuzz the readers of models, checkpoints, options and data for ten minutes (nightly Rust)."""
    fuzzing.main(arguments)


@task
def repo(arguments: list[str]) -> None:
    """Check the repository itself: floors, sizes, versions, links, artefacts."""
    pytest("tests/repo", *arguments)


@task
def dist(arguments: list[str]) -> None:
    """Leave in dist/ what users get, and test it as a user would install it."""
    steps.dist()
    pytest("tests/packaging", *arguments)


@task
def bench(arguments: list[str]) -> None:
    """Measure the figures of the project, as ratios in one run."""
    everything()
    run(PYTHON, "benches/figures.py", *arguments)


@task
def papers(arguments: list[str]) -> None:
    """Reproduce the papers' figures in docs/papers.md; needs the files of Proben1 (--data DIR)."""
    published.main(arguments)


@task
def clean(_: list[str]) -> None:
    """Remove what the sessions have built in the tree; the caches outside it stay."""
    for path in (ROOT / "dist", ROOT / ".cache", NPM / "dist", NPM / "wasm", target_dir()):
        shutil.rmtree(path, ignore_errors=True)
    say(f"{cache_dir()} is kept")


PARTS: dict[str, Callable[[list[str]], None]] = {
    "repo": repo,
    "core": core,
    "python": python,
    "npm": npm,
    "server": server,
    "conformance": conformance,
    "oracle": oracle,
    "simulate": simulate,
    "faults": faults,
    "lint": lint,
    "dist": dist,
}


@task
def test(_: list[str]) -> None:
    """Run all tests and checks, and end with a summary."""
    rows = []
    for name, part in PARTS.items():
        say(f"===== {name}: {(part.__doc__ or '').strip()}")
        before, started, trouble = (TALLY.passed, TALLY.failed), time.monotonic(), ""
        try:
            part([])
        except BuildError as error:
            trouble = str(error)
        passed, failed = TALLY.passed - before[0], TALLY.failed - before[1]
        if trouble and not failed:
            # A part that broke before its tests could count is one failure, never none.
            TALLY.failed += 1
        rows.append((name, passed, failed, time.monotonic() - started, trouble))
    print("\npart          passed  failed  seconds")
    for name, passed, failed, seconds, trouble in rows:
        print(f"{name:<12}  {passed:>6}  {failed:>6}  {seconds:>7.0f}  {trouble}")
    print(f"\n{TALLY.passed} passed, {TALLY.failed} failed", flush=True)
    if TALLY.failed:
        raise BuildError(", ".join(row[0] for row in rows if row[4]))


def everything() -> None:
    """Build every target: the binary, the wheels, the npm package; and have a browser."""
    steps.rust_binary()
    steps.install_wheels()
    steps.npm()
    chromium.chromium()


def pytest(folder: str, *arguments: str) -> None:
    """Run pytest on one folder with what the tests need to know of the tree."""
    env = {"RUV_SWARM_BINARY": str(steps.RUST_BINARY)}
    run_tests(PYTHON, "-m", "pytest", "--color=auto", folder, *arguments, env=env)
