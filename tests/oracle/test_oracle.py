"""The core does what a slow model says that it must, through the Python binding and in WebAssembly.

`RUV_SWARM_LISTS` says how many lists, `RUV_SWARM_LISTS_SEED` which ones: the same seed makes the same
lists. A list that fails is shrunk and printed as a vector file.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from kit import vectors
from kit.targets import Target
from model import Json, Ledger
from trial.check import NO_DIGITS, Mismatch, check
from trial.findings import OPEN, Finding
from trial.invariants import Watch
from trial.lists import operation_lists
from trial.mutants import ALL
from trial.record import Recorded, as_vector, record
from trial.shrink import shrink

LISTS = int(os.environ.get("RUV_SWARM_LISTS", "300"))
SEED = int(os.environ.get("RUV_SWARM_LISTS_SEED", "20260"))
# So many lists at most until a mutant is found; they are recorded once for all of them.
MUTANT_LISTS = 200
# What every few hundred lists must have reached, and how often for each hundred of them.
REACHED = {
    "TaskClaimed": 200,
    "TaskCompleted": 50,
    "TaskFailed again": 30,
    "TaskFailed dependency": 10,
    "LeaseExpired again": 20,
    "LeaseExpired": 10,
    "TaskTimedOut queue": 15,
    "TaskTimedOut run": 5,
    "TaskTimedOut total": 20,
    "TaskReleased": 20,
    "TaskCancelled requested": 10,
    "TaskCancelled not_needed": 10,
    "TaskUpdated": 50,
    "AgentLost": 20,
    "AgentRetired": 20,
    "Paused": 50,
    "Resumed": 30,
    "GoalFinished": 20,
    "wait with jitter": 5,
    "next claimed": 20,
    "rule resource": 3,
}


def each_list(lists: int, offset: int, work: Callable[[list[Json]], None]) -> None:
    """Call `work` with so many lists; the failure of one ends it."""

    @seed(SEED + offset)
    @settings(
        max_examples=lists,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(operation_lists())
    def run(steps: list[Json]) -> None:
        work(steps)

    run()


def shrunk(steps: list[Json], work: Callable[[list[Json]], None]) -> None:
    """Do it; if it fails, fail with the shortest list that fails in the same way."""

    def failure(tried: list[Json]) -> AssertionError | None:
        try:
            work(tried)
        except AssertionError as found:
            return found
        return None

    found = failure(steps)
    if found is None:
        return
    kind = kind_of(found)
    least = shrink(steps, lambda tried: kind_of(failure(tried)) == kind)
    what = str(failure(least)).splitlines()[0]
    pytest.fail(f"{what}\n{as_vector(least, what)}", pytrace=False)


def kind_of(failure: AssertionError | None) -> str:
    """What a failure is about, whatever the numbers in it."""
    if isinstance(failure, Mismatch):
        return failure.kind
    return str(failure).splitlines()[0].translate(NO_DIGITS) if failure else ""


def against_model(steps: list[Json]) -> list[Recorded]:
    """Run a list on the core, its invariants checked after every step, and compare with the model."""
    watch = Watch()
    recorded = record(steps, watch)
    check(recorded)
    return recorded


def against_wasm(steps: list[Json], recorded: list[Recorded], node: Target) -> None:
    """The same responses, refusals and events from the core in WebAssembly."""
    answers = node.ask({"op": "run", "steps": steps})["steps"]
    for place, (want, got) in enumerate(zip(recorded, answers, strict=True)):
        code = got.get("error", {}).get("code", "")
        response = json.loads(got["response"]) if "response" in got else {}
        events = [json.loads(line) for line in got["events"]]
        what = f"step {place}, {steps[place]['operation']}: WebAssembly differs from Python"
        assert want.code == code, what
        assert want.response == response, what
        assert want.events == events, what


def what_happened(recorded: list[Recorded]) -> Counter[str]:
    """What a list has reached."""
    found: Counter[str] = Counter()
    for entry in recorded:
        if "next" in entry.response:
            found["next claimed"] += 1
        for reason in entry.response.get("reasons", []):
            found[f"rule {reason['rule']}"] += 1
        for event in entry.events:
            kind, body = event["kind"], event["body"]
            more = [body.get("deadline", ""), body.get("code", "")]
            more += ["requested"] * body.get("requested", False)
            if "deadline" not in body:
                more += ["again"] * body.get("retry", False)
            if kind == "TaskFailed" and "agentId" not in body:
                more = ["dependency"]
            found[" ".join([kind, *filter(None, more)])] += 1
            if body.get("retry") and entry.view.tasks[body["taskId"]].get("jitter"):
                found["wait with jitter"] += 1
    return found


def test_the_core_does_what_the_model_says(node: Target) -> None:
    reached: Counter[str] = Counter()
    run = steps_run = 0

    def one(steps: list[Json]) -> None:
        nonlocal run, steps_run

        recorded: list[Recorded] = []

        def work(tried: list[Json]) -> None:
            recorded[:] = against_model(tried)
            against_wasm(tried, recorded, node)

        shrunk(steps, work)
        reached.update(what_happened(recorded))
        run += 1
        steps_run += len(steps)

    each_list(LISTS, 0, one)
    print(f"seed {SEED}: {run} lists, {steps_run} steps, {dict(reached)}")
    assert run >= LISTS
    short = {
        name: reached[name]
        for name, least in REACHED.items()
        if LISTS >= 100 and reached[name] < least * LISTS / 100
    }
    assert not short, f"the lists reach too little: {short}"


@pytest.mark.parametrize("finding", OPEN, ids=lambda finding: finding.about)
def test_an_open_finding_is_still_there(finding: Finding) -> None:
    """Take it out of trial/findings.py once it is not."""
    recorded = record(finding.steps())
    with pytest.raises(Mismatch, match="response"):
        check(recorded, passed_over=[])
    check(recorded)


@pytest.fixture(scope="module")
def recordings() -> list[list[Recorded]]:
    """Lists with what the core made of them, the right model agreeing."""
    found: list[list[Recorded]] = []
    each_list(MUTANT_LISTS, 1, lambda steps: found.append(record(steps)))
    for recorded in found:
        check(recorded)
    return found


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.__name__)
def test_a_model_with_a_mistake_is_found(
    mutant: type[Ledger], recordings: list[list[Recorded]]
) -> None:
    for place, recorded in enumerate(recordings):
        try:
            check(recorded, mutant)
        except Mismatch as found:
            print(f"{mutant.__name__}: list {place + 1}, {str(found).splitlines()[0]}")
            return
    pytest.fail(f"{mutant.__doc__} {len(recordings)} lists do not tell")


def test_a_failing_list_is_shrunk_to_what_it_takes() -> None:
    """A model in which a task has a try too many is told apart by four steps."""
    least: list[Json] = []

    def fails(steps: list[Json]) -> bool:
        try:
            check(record(steps), mutant)
        except Mismatch:
            return True
        return False

    mutant = next(mutant for mutant in ALL if mutant.__name__ == "OneTryTooMany")

    def look(steps: list[Json]) -> None:
        if not least and fails(steps):
            least.extend(shrink(steps, fails))

    each_list(MUTANT_LISTS, 1, look)
    operations = [step["operation"] for step in least]
    assert len(operations) <= 6, least
    assert operations[:1] == ["swarm_init"]
    pasted = json.loads(as_vector(least, "a try too many"))
    assert vectors.inputs(pasted) == least
    assert operations[-1] in ("task_report", "tick")


def test_a_tick_stops_after_a_thousand_timers_and_the_next_goes_on() -> None:
    submit = {"tasks": [{"totalMs": 1000 + place % 3} for place in range(700)]}
    requests: list[tuple[str, Json, int]] = [
        ("swarm_init", {"swarmId": "s-1", "seed": 7}, 0),
        ("agent_spawn", {"type": "coder", "silenceMs": 1000, "count": 3}, 0),
        ("task_submit", submit, 0),
        ("task_submit", submit, 0),
        ("tick", {}, 5000),
        ("tick", {}, 5000),
        ("tick", {}, 5000),
    ]
    steps = [
        {"operation": operation, "request": json.dumps(request), "nowMs": now}
        for operation, request, now in requests
    ]
    recorded = record(steps)
    check(recorded)
    handled = [
        len(entry.response.get("lost", [])) + len(entry.response["timedOut"])
        for entry in recorded[-3:-1]
    ]
    assert handled == [1000, 403]
    assert recorded[-3].response["nextDeadlineMs"] == 1002
    assert recorded[-1].response["nextDeadlineMs"] == 0
