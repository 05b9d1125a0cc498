from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit import targets
from kit.targets import Target


@pytest.fixture(scope="session")
def rust() -> Iterator[Target]:
    target = targets.rust()
    yield target
    target.close()


@pytest.fixture(scope="session")
def python() -> Iterator[Target]:
    from kit.python_target import PythonTarget

    target = PythonTarget()
    yield target
    target.close()


@pytest.fixture(scope="session")
def node() -> Iterator[Target]:
    target = targets.node_target()
    yield target
    target.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Target]:
    target = targets.chromium_target()
    yield target
    target.close()


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Target:
    """The target that a test's parameter names."""
    found: Target = request.getfixturevalue(request.param)
    return found
