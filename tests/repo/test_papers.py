"""The sums behind docs/papers.md."""

from __future__ import annotations

import papers
import pytest
from tools import BuildError

SMALL, LARGE = [1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]


def test_the_rank_sum_test() -> None:
    # U = 0 of 25: mean 12.5, variance 25 * 11 / 12, so z = -12 / 4.787 = -2.507
    assert papers.below(SMALL, LARGE) == pytest.approx(0.00609, abs=1e-5)
    assert papers.below(LARGE, SMALL) == pytest.approx(1 - 0.00331, abs=1e-5)
    # all alike: nothing is known
    assert papers.below([1.0, 1.0], [1.0, 1.0]) == 0.5
    # ranks 1, 2.5 against 2.5, 4: U = 0.5, the variance is 4 / 12 * (5 - 6 / 12) = 1.5
    assert papers.below([1.0, 2.0], [2.0, 3.0]) == pytest.approx(0.2071, abs=1e-4)


@pytest.mark.parametrize(
    ("found", "words"), [(1.0, "mean"), (1.05, "+1 sd"), (1.15, "+2 sd"), (1.25, "**no**")]
)
def test_how_far_above_the_published_mean(found: float, words: str) -> None:
    assert papers.verdict(found, (1.0, 0.1)) == words


def test_runs_on_the_plateau_are_counted() -> None:
    runs = [{"train": train, "constant": 0.1} for train in (0.01, 0.079, 0.081, 0.1)]
    assert papers.stuck(runs) == 2


def test_blocks_are_put_between_their_marks() -> None:
    page = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n"
    assert papers.put(page, "x", "new") == "a\n<!-- x: begin -->\n\nnew\n\n<!-- x: end -->\nb\n"
    with pytest.raises(BuildError, match="y: begin"):
        papers.put(page, "y", "new")


def test_missing_data_is_named(tmp_path: object) -> None:
    with pytest.raises(BuildError, match=r"lacks cancer1, cancer2, cancer3.*--data DIR"):
        papers.main(["--data", str(tmp_path)])
