"""The three front doors, installed, answer alike and at once."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest
from installed import Run, clean

VERSION = re.search(
    r'^version = "([^"]+)"', (Path(__file__).parents[2] / "Cargo.toml").read_text(), re.M
)[1]  # type: ignore[index]
DOORS = ("rust", "python", "npm")


@pytest.mark.parametrize("door", DOORS)
def test_the_command_tells_its_version_in_no_time(
    door: str, doors: dict[str, list[str]], run: Run
) -> None:
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        done = run(*doors[door], "--version")
        seconds.append(time.perf_counter() - started)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"ruv-swarm {VERSION}\n", "")
    assert min(seconds) < 0.3


def test_the_library_imports_in_no_time(library: Path, run: Run) -> None:
    code = "import time; t = time.perf_counter(); import ruv_swarm; print(time.perf_counter() - t)"
    assert min(float(run(library / "python", "-c", code).stdout) for _ in range(5)) <= 0.15


def test_the_library_needs_no_server(library: Path, run: Run) -> None:
    done = run(library / "python", "-c", "import ruv_swarm; print(ruv_swarm.__version__)")
    assert (done.returncode, done.stdout) == (0, f"{VERSION}\n")
    installed = run(library / "python", "-c", "import ruv_swarm_server")
    assert "ModuleNotFoundError" in installed.stderr


def test_the_server_tells_its_version(host: Path, run: Run) -> None:
    done = run(host / "ruv-swarm-server", "--version")
    assert (done.returncode, done.stdout) == (0, f"ruv-swarm-server {VERSION}\n")


def test_the_tarball_runs_under_npx(npm_package: Path) -> None:
    done = subprocess.run(
        ["npx", "--no", "--", "@ruv/swarm", "--version"],
        cwd=npm_package,
        env=clean(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"ruv-swarm {VERSION}\n"
