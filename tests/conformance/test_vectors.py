"""Every vector gives its recorded bytes on every target."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from kit import vectors
from kit.targets import Target

EVERY = pytest.mark.parametrize("target", ["rust", "python", "node", "chromium"], indirect=True)


@EVERY
@pytest.mark.parametrize("path", vectors.files(), ids=lambda path: path.stem)
def test_a_vector_gives_its_recorded_bytes(target: Target, path: Path) -> None:
    vector = vectors.load(path)
    recorded = vectors.recorded(vector, target)
    for place, (step, expected) in enumerate(zip(recorded["steps"], vector["steps"], strict=True)):
        assert step == expected, f"{target.name}, step {place}"
    assert recorded["end"] == vector["end"]
    assert vectors.text(recorded) == path.read_text(encoding="utf-8")


@EVERY
@pytest.mark.parametrize("path", vectors.files(), ids=lambda path: path.stem)
def test_replaying_a_vector_s_log_gives_its_end(target: Target, path: Path) -> None:
    vector = vectors.load(path)
    log = vectors.events(vector)
    answer = target.ask({"op": "replay", "events": log})
    assert {name: answer[name] for name in vectors.END} == vector["end"]
    assert [applied["seq"] for applied in answer["applied"]] == list(range(1, len(log) + 1))
    if log:
        assert answer["applied"][-1]["chain"] == vector["end"]["chain"]


@EVERY
@pytest.mark.parametrize("case", vectors.damage(), ids=lambda case: case["about"])
def test_a_damaged_log_is_refused(target: Target, case: vectors.Json) -> None:
    answer = target.ask({"op": "replay", "events": vectors.damaged_log(case)})
    assert answer["error"] == case["error"]
    assert answer["version"] == len(answer["applied"]) == case["applied"]


def test_the_recorder_finds_nothing_to_change() -> None:
    script = Path(__file__).with_name("record_vectors.py")
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
