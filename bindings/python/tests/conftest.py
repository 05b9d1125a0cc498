"""What the tests of the Python package share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from python_kit import Bench

DATA = Path(__file__).resolve().parents[3] / "tests" / "data"


@pytest.fixture(scope="session")
def wdbc() -> Path:
    """Breast cancer Wisconsin (diagnostic): 569 rows, 30 features, two classes."""
    return DATA / "wdbc.csv"


@pytest.fixture(scope="session")
def iris() -> Path:
    """150 flowers, four features, three species."""
    return DATA / "iris.csv"


@pytest.fixture(scope="session")
def sunspots() -> Path:
    """A number to predict: yearly sunspots from the twelve years before."""
    return DATA / "sunspots.csv"


@pytest.fixture(scope="session")
def long_job() -> bytes:
    """A CSV that no network learns at once: a noisy rule on twelve features."""
    header = ",".join(f"f{column}" for column in range(12)) + ",class"
    lines: list[str] = []
    state = 12345
    for _ in range(3000):
        values = []
        for _ in range(12):
            state = (state * 1_664_525 + 1_013_904_223) % 2**32
            values.append((state >> 8) / 8_388_608 - 1)
        total = sum(value * (index % 5 - 2) for index, value in enumerate(values))
        label = "yes" if int(total * 3) % 2 else "no"
        lines.append(",".join(f"{value:.5f}" for value in values) + f",{label}")
    # Said twelve times over: seconds of work for little time of making it.
    return ("\n".join([header, *lines * 12]) + "\n").encode()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
