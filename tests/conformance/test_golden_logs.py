"""Logs of releases replay everywhere to the chain and the state that were recorded with them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from kit import golden
from kit.paths import ROOT
from kit.targets import Target

EVERY = pytest.mark.parametrize("target", ["rust", "python", "node", "chromium"], indirect=True)
LOGS = pytest.mark.parametrize("path", golden.files(), ids=golden.name)
SCRIPT = Path(__file__).with_name("record_golden.py")


@EVERY
@LOGS
def test_every_event_leads_to_the_recorded_hashes(target: Target, path: Path) -> None:
    steps = golden.load(path)
    found = golden.replayed([step.line for step in steps], target)
    for recorded, now in zip(steps, found, strict=False):
        assert now == recorded, f"{target.name}, {golden.name(path)}"
    assert len(found) == len(steps)


@EVERY
def test_one_altered_letter_is_found(target: Target) -> None:
    steps = next(found for found in map(golden.load, golden.files()) if 20 <= len(found) < 60)
    lines = [step.line for step in steps]
    for place in range(0, len(lines), 5):
        at = lines[place].index('"kind":"') + len('"kind":"')
        # Another event's kind is refused, another text moves the chain.
        for letter in (at, lines[place].rindex('"') - 1):
            altered = list(lines[place])
            altered[letter] = "x" if altered[letter] != "x" else "y"
            forged = [*lines[:place], "".join(altered), *lines[place + 1 :]]
            found = golden.replayed(forged, target)
            assert found[:place] == steps[:place]
            assert [step.chain for step in found[place:]] != [step.chain for step in steps[place:]]


def test_every_recorded_kind_is_an_event_still() -> None:
    catalogue = (ROOT / "proto" / "ruv_swarm" / "v1" / "events.proto").read_text(encoding="utf-8")
    seen = Counter(
        json.loads(step.line)["kind"] for path in golden.files() for step in golden.load(path)
    )
    assert len(seen) > 15
    for kind in seen:
        assert f"message {kind} " in catalogue, f"{kind} is no event any more"


def test_a_recorded_release_is_not_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "1.2.3"
    folder.mkdir()
    shutil.copy(golden.files()[0], folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    command = [sys.executable, SCRIPT, "--into", tmp_path, "--release", "1.2.3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is recorded and never changes" in done.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
