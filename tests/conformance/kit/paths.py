"""Where things are in the tree."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "tests" / "vectors"
OPERATIONS = VECTORS / "operations"
DATA = ROOT / "tests" / "data"
DRIVERS = ROOT / "tests" / "conformance" / "drivers"
NPM = ROOT / "npm"


def target_dir() -> Path:
    """Cargo's target folder, which the environment may move."""
    return Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
