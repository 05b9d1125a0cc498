"""The same dataset, agents and seed give the same model file on every target, bit for bit."""

from __future__ import annotations

import pytest
from kit import training
from kit.targets import Target
from kit.vectors import Json

EVERY = pytest.mark.parametrize("target", ["rust", "python", "node", "chromium"], indirect=True)


@EVERY
@pytest.mark.parametrize("case", training.cases(), ids=lambda case: case["data"])
def test_training_gives_the_recorded_model(target: Target, case: Json) -> None:
    answer = training.train(case, target)
    assert training.expected(answer) == case["expected"]


@EVERY
@pytest.mark.parametrize("epochs", [7, 1000])
@pytest.mark.parametrize("case", training.sessions(), ids=lambda case: case["options"])
def test_one_network_is_the_recorded_one(target: Target, case: Json, epochs: int) -> None:
    found = training.train_one(case, target, epochs)
    for name in ("modelHash", "report"):
        assert found[name] == case[name]


@EVERY
@pytest.mark.parametrize("epochs", [1, 7, 1000])
def test_a_thousand_epochs_end_in_the_recorded_state(target: Target, epochs: int) -> None:
    for case in training.thousands():
        found = training.train_one(case, target, epochs)
        for name in ("modelHash", "report", "checkpointHash"):
            assert found[name] == case[name], case["options"]


@pytest.mark.parametrize("case", training.cases()[:1], ids=lambda case: case["data"])
def test_reports_and_predictions_are_equal_to_the_last_digit(
    rust: Target, python: Target, node: Target, case: Json
) -> None:
    expected = training.train(case, rust)
    assert training.train(case, python) == expected
    assert training.train(case, node) == expected


def test_slices_of_epochs_do_not_change_a_bit(rust: Target) -> None:
    case = training.cases()[0]
    whole = training.train({**case, "slice": 1_000_000}, rust)
    assert training.expected(whole) == case["expected"]


def test_another_seed_gives_another_model(rust: Target) -> None:
    case = training.cases()[0]
    other = training.train({**case, "seed": case["seed"] + 1}, rust)
    assert other["modelHash"] != case["expected"]["modelHash"]
