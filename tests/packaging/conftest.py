"""What users get, from dist/, installed as users install it: outside the tree, in empty places."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"


def one(pattern: str) -> Path:
    """The one file of dist/ that matches; `python3 dev.py dist` makes it."""
    found = sorted(DIST.glob(pattern))
    assert len(found) == 1, f"{len(found)} files {pattern} in dist/: run `python3 dev.py dist`"
    return found[0]


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


def clean(**extra: str) -> dict[str, str]:
    """An environment that knows nothing of the tree but its Node."""
    dropped = ("VIRTUAL_ENV", "PYTHONPATH", "RUV_SWARM_BINARY", "RUV_SWARM_DB", "NODE_PATH")
    env = {key: value for key, value in os.environ.items() if key not in dropped}
    return {**env, "PATH": os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]]), **extra}


def make_venv(folder: Path, *wheels: Path) -> Path:
    """An empty virtual environment with the wheels and what they require; returns its programs."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    lock = ["--constraint", str(ROOT / "requirements" / "dev.txt")]
    command = [*uv, "pip", "install", "--quiet", "--python", str(python), *lock, *map(str, wheels)]
    if subprocess.run(command, check=False).returncode != 0:
        # As in dev.py: uv does not read pip's own settings.
        pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(python), "install"]
        subprocess.run([*pip, *map(str, wheels)], check=True)
    return python.parent


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


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command in an empty folder and return what it printed."""

    def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
        line = [str(part) for part in command]
        return subprocess.run(
            line, cwd=tmp_path, env=clean(), capture_output=True, text=True, timeout=120, check=False
        )

    return run
