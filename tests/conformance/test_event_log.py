"""The program of docs/event-log.md checks logs without ruv-swarm, as it stands in the page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from kit import vectors
from kit.doors import MAKERS, Door
from kit.paths import ROOT

PAGE = (ROOT / "docs" / "event-log.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def program() -> str:
    found = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(found) == 1
    text: str = found[0]
    assert len(text.strip().splitlines()) <= 15
    return text


def check(program: str, log: str) -> subprocess.CompletedProcess[str]:
    """Run the program on a log, isolated from every installed package."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        input=log,
        encoding="utf-8",
        capture_output=True,
        check=False,
    )


def text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("path", vectors.files(), ids=lambda path: path.stem)
def test_it_reckons_the_chain_of_every_vector(program: str, path: Path) -> None:
    vector = vectors.load(path)
    done = check(program, text(vectors.events(vector)))
    end = vector["end"]
    assert done.stdout == f"{end['version']} {end['chain']}\n", done.stderr


@pytest.mark.parametrize("case", vectors.damage(), ids=lambda case: case["about"])
def test_it_finds_every_damage(program: str, case: vectors.Json) -> None:
    good = vectors.load(vectors.OPERATIONS / f"{case['vector']}.json")
    done = check(program, text(vectors.damaged_log(case)))
    assert done.returncode != 0 or done.stdout.split()[1] != good["end"]["chain"]


def test_the_event_in_the_page_is_canonical(program: str) -> None:
    line = next(part for part in PAGE.splitlines() if part.startswith('{"v":1'))
    assert json.dumps(json.loads(line), separators=(",", ":")) == line


@pytest.mark.parametrize("name", list(MAKERS))
def test_it_agrees_with_each_door(program: str, name: str, tmp_path: Path) -> None:
    door: Door = MAKERS[name]()
    door.json(tmp_path, "init", "--seed", "7", "--db", "swarm.db")
    door.json(tmp_path, "spawn", "coder", "--name", "Zoë 🚀", "--parallel", "3")
    log = door.run(tmp_path, "log", "--json").out
    replay = door.json(tmp_path, "replay", "--verify")
    done = check(program, log)
    assert done.stdout == f"{replay['events']} {replay['chain']}\n", done.stderr
