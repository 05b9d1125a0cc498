"""What users get, from dist/, installed as users install it: outside the tree, in empty places."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def one(pattern: str) -> Path:
    """The one file of dist/ that matches; `python3 dev.py dist` makes it."""
    found = sorted(DIST.glob(pattern))
    assert len(found) == 1, f"{len(found)} files {pattern} in dist/: run `python3 dev.py dist`"
    return found[0]


def clean(**extra: str) -> dict[str, str]:
    """An environment that knows nothing of the tree but its Node."""
    dropped = ("VIRTUAL_ENV", "PYTHONPATH", "RUV_SWARM_BINARY", "RUV_SWARM_DB", "NODE_PATH")
    env = {key: value for key, value in os.environ.items() if key not in dropped}
    return {
        **env,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]]),
        **extra,
    }


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
