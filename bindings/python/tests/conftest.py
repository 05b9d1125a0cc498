from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "tests" / "data"


@pytest.fixture(scope="session")
def wdbc() -> Path:
    """Breast cancer Wisconsin (diagnostic): 569 rows, 30 features, two classes."""
    return DATA / "wdbc.csv"


@pytest.fixture(scope="session")
def iris() -> Path:
    """150 flowers, four features, three species."""
    return DATA / "iris.csv"
