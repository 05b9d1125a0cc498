from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "conformance")]

from kit import targets
from kit.targets import Target


@pytest.fixture(scope="session")
def node() -> Iterator[Target]:
    """The npm package's WebAssembly core in Node."""
    target = targets.node_target()
    yield target
    target.close()
