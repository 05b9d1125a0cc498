"""The packages of dist/ and the places where they are installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from installed import Run, clean, make_venv, one


@pytest.fixture(scope="session")
def wheel() -> Path:
    return one("ruv_swarm-*.whl")


@pytest.fixture(scope="session")
def server_wheel() -> Path:
    return one("ruv_swarm_server-*.whl")


@pytest.fixture(scope="session")
def tarball() -> Path:
    return one("ruv-swarm-*.tgz")


@pytest.fixture(scope="session")
def binary() -> Path:
    return one("ruv-swarm")


@pytest.fixture(scope="session")
def library(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the library alone."""
    return make_venv(tmp_path_factory.mktemp("library") / "venv", wheel)


@pytest.fixture(scope="session")
def host(wheel: Path, server_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the library and the server."""
    return make_venv(tmp_path_factory.mktemp("host") / "venv", wheel, server_wheel)


@pytest.fixture(scope="session")
def npm_package(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the packed tarball is installed."""
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text('{"name": "user", "private": true, "type": "module"}')
    npm = shutil.which("npm", path=clean()["PATH"])
    assert npm
    options = ["--no-fund", "--no-audit", "--ignore-scripts", "--prefer-offline"]
    subprocess.run([npm, "install", *options, str(tarball)], cwd=folder, env=clean(), check=True)
    return folder


@pytest.fixture(scope="session")
def doors(library: Path, binary: Path, npm_package: Path) -> dict[str, list[str]]:
    """The command `ruv-swarm` of each door."""
    return {
        "rust": [str(binary)],
        "python": [str(library / "ruv-swarm")],
        "npm": [str(npm_package / "node_modules" / ".bin" / "ruv-swarm")],
    }


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command in an empty folder and return what it printed."""

    def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
        line = [str(part) for part in command]
        return subprocess.run(
            line,
            cwd=tmp_path,
            env=clean(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
