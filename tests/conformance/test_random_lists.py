"""Random operation lists give the same bytes on every target.

`RUV_SWARM_LISTS` and `RUV_SWARM_CHROMIUM_LISTS` say how many, `RUV_SWARM_LISTS_SEED` which ones:
the same seed makes the same lists.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from kit import vectors
from kit.lists import operation_lists
from kit.targets import Answer, Target

Json = dict[str, Any]
LISTS = int(os.environ.get("RUV_SWARM_LISTS", "500"))
CHROMIUM_LISTS = int(os.environ.get("RUV_SWARM_CHROMIUM_LISTS", "50"))
SEED = int(os.environ.get("RUV_SWARM_LISTS_SEED", "20260"))

# Every kind that the vectors have, and so (by the core's own test of them) every kind there is.
EVENTS = {
    json.loads(line)["kind"]
    for path in vectors.files()
    for line in vectors.events(vectors.load(path))
}


def profile(lists: int) -> settings:
    """What both tests ask of Hypothesis: `lists` lists and no saved state."""
    return settings(
        max_examples=lists,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )


def compare(steps: list[Json], reference: Target, others: list[Target]) -> Json:
    """Run a list everywhere, compare every answer, byte and hash, and return the first's."""
    expected = reference.ask({"op": "run", "steps": steps})
    assert expected["restoredHash"] == expected["stateHash"]
    log = [line for step in expected["steps"] for line in step["events"]]
    replayed = reference.ask({"op": "replay", "events": log})
    for other in others:
        found = other.ask({"op": "run", "steps": steps})
        for place, (want, got) in enumerate(zip(expected["steps"], found["steps"], strict=True)):
            assert got == want, f"{other.name}, step {place}: {steps[place]}"
        assert found == expected, f"{other.name}: the end differs"
        assert other.ask({"op": "replay", "events": log}) == replayed, f"{other.name}: replay"
    assert replayed["snapshot"] == expected["snapshot"]
    return expected


def test_lists_give_the_same_bytes_in_rust_python_and_node(
    rust: Target, python: Target, node: Target
) -> None:
    run, answered, refused = 0, 0, 0
    kinds: set[str] = set()

    @seed(SEED)
    @profile(LISTS)
    @given(operation_lists(rust))
    def check(steps: list[Json]) -> None:
        nonlocal run, answered, refused
        answer = compare(steps, rust, [python, node])
        run += 1
        answered += sum("response" in step for step in answer["steps"])
        refused += sum("error" in step for step in answer["steps"])
        events = [json.loads(line) for step in answer["steps"] for line in step["events"]]
        kinds.update(event["kind"] for event in events)

    check()
    print(f"seed {SEED}: {run} lists, {answered} steps answered, {refused} refused, {kinds}")
    assert run >= LISTS
    assert answered > refused > LISTS, "the lists no longer mix good and bad steps"
    # A few lists may miss a kind, a few hundred may not.
    assert LISTS < 200 or kinds == EVENTS


def test_lists_give_the_same_bytes_in_chromium(rust: Target, chromium: Target) -> None:
    run = 0

    @seed(SEED + 1)
    @profile(CHROMIUM_LISTS)
    @given(operation_lists(rust))
    def check(steps: list[Json]) -> None:
        nonlocal run
        compare(steps, rust, [chromium])
        run += 1

    check()
    assert run >= CHROMIUM_LISTS


class Altered:
    """A target that is wrong in one letter of one answer."""

    name = "altered"

    def __init__(self, inner: Target, old: str, new: str) -> None:
        self.inner, self.old, self.new = inner, old, new

    def ask(self, request: Answer) -> Answer:
        """The right answer with `new` for the last `old`."""
        text = json.dumps(self.inner.ask(request))
        head, found, tail = text.rpartition(self.old)
        answer: Answer = json.loads(f"{head}{self.new}{tail}" if found else text)
        return answer

    def close(self) -> None:
        """The inner target is closed by its owner."""


@pytest.mark.parametrize(
    ("old", "new"),
    [("TaskCompleted", "TaskCompletee"), ("epoch", "Epoch"), ('"nextDeadline": null', '"x": 1')],
)
def test_a_target_that_is_wrong_in_one_letter_is_found(rust: Target, old: str, new: str) -> None:
    steps = vectors.inputs(vectors.load(vectors.OPERATIONS / "task_life.json"))
    steps += [{"operation": "tick", "request": "", "nowMs": 10**12}]
    compare(steps, rust, [Altered(rust, "never there", "")])
    with pytest.raises(AssertionError, match="altered"):
        compare(steps, rust, [Altered(rust, old, new)])


def test_replay_snapshots_refusals_and_keys_hold_for_every_list(
    rust: Target, python: Target
) -> None:
    @seed(SEED + 2)
    @profile(max(LISTS // 5, 20))
    @given(operation_lists(rust, most=25), st.data())
    def check(steps: list[Json], data: st.DataObject) -> None:
        live = python.ask({"op": "run", "steps": steps})
        log = [line for step in live["steps"] for line in step["events"]]
        check_snapshot_and_tail(python, live, log, data.draw(st.integers(0, len(log))))
        check_refusals(python, steps, live)
        check_keys(steps, live)

    check()


def check_snapshot_and_tail(python: Target, live: Json, log: list[str], cut: int) -> None:
    """Replay is the live state, and so is a snapshot with the tail after it."""
    head = python.ask({"op": "replay", "events": log[:cut]})
    whole = python.ask({"op": "replay", "events": log})
    tail = python.ask({"op": "replay", "events": log[cut:], "snapshot": head["snapshot"]})
    for name in ("snapshot", "stateHash", "chain", "version", "pendingEffects", "nextDeadline"):
        assert live[name] == whole[name] == tail[name], name
    assert head["applied"] + tail["applied"] == whole["applied"]


def check_refusals(python: Target, steps: list[Json], live: Json) -> None:
    """A refused step leaves no event, and leaving it out changes nothing."""
    kept = []
    for step, answer in zip(steps, live["steps"], strict=True):
        if "error" in answer:
            assert answer["events"] == []
        else:
            kept.append(step)
    assert python.ask({"op": "run", "steps": kept})["snapshot"] == live["snapshot"]


def check_keys(steps: list[Json], live: Json) -> None:
    """A key answers the same request once more with the same bytes and no events."""
    first: dict[str, tuple[Json, str]] = {}
    for step, answer in zip(steps, live["steps"], strict=True):
        key = step["key"]
        recorded = any('"kind":"CommandRecorded"' in line for line in answer["events"])
        if recorded:
            first[key] = (step, answer["response"])
        elif key in first and "response" in answer:
            same = step["operation"] == first[key][0]["operation"]
            if same:
                assert answer["response"] == first[key][1], step
                assert answer["events"] == [], step
