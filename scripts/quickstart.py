"""The main job on real data, as a user would type it: init, spawn, train, predict, verify."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
import subprocess

import steps
from tools import BIN, NPM, ROOT, BuildError, environment, say

FOLDER = ROOT / ".cache" / "quickstart"
SOURCE = ROOT / "tests" / "data" / "wdbc.csv"
TARGET = "diagnosis"
HELD_BACK = 57
PATTERNS = ("convergent", "divergent", "lateral", "systems")
MAIN = "rust"
DOORS = {
    "rust": [str(steps.RUST_BINARY)],
    "python": [str(BIN / "ruv-swarm")],
    "npm": [str(BIN / "node"), str(NPM / "dist" / "cli.js")],
}


def main(_: list[str]) -> None:
    """Build the three front doors, do the job through one, and verify it through the others."""
    steps.rust_binary()
    steps.install_wheels(server=False)
    steps.npm()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    truth = sample()
    say(f"the main job, in {FOLDER.relative_to(ROOT)}")
    show(MAIN, "init --topology mesh --persistence sqlite --db ./swarm.db --seed 7")
    for pattern in PATTERNS:
        options = f'--model ruv-fann --capabilities "rprop,batch" --pattern {pattern}'
        show(MAIN, f"spawn neural {options}")
    options = f"--target {TARGET} --strategy cognitive-diversity --parallel"
    show(MAIN, f'orchestrate "train" --data cancer.csv {options}')
    model = answer(MAIN, "query --goal g1 --json").get("modelHash")
    if not isinstance(model, str):
        raise BuildError("query --goal g1 names no model")
    show(MAIN, f"predict --model {model} --data new.csv --out predictions.csv")
    compare(truth)
    show(MAIN, "status")
    verify()
    say(f"go on there: cd {FOLDER.relative_to(ROOT)} && {BIN / 'ruv-swarm'} --help")


def sample() -> list[str]:
    """Lay the data beside the swarm: most rows to train on, and some without the target.

    Returns the target of the rows that are held back.
    """
    with SOURCE.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    column = header.index(TARGET)
    held = rows[:: len(rows) // HELD_BACK][:HELD_BACK]
    kept = [row for row in rows if row not in held]
    _write("cancer.csv", [header, *kept])
    _write("new.csv", [row[:column] + row[column + 1 :] for row in [header, *held]])
    say(f"cancer.csv: {len(kept)} rows to train on; new.csv: {len(held)} rows nobody trains on")
    return [row[column] for row in held]


def _write(name: str, rows: list[list[str]]) -> None:
    with (FOLDER / name).open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def compare(truth: list[str]) -> None:
    """Say how many of the predictions are right."""
    with (FOLDER / "predictions.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    said = [row[header.index("prediction")] for row in rows]
    right = sum(a == b for a, b in zip(said, truth, strict=True))
    say(f"{right} of {len(truth)} predictions agree with the diagnosis that was held back")


def verify() -> None:
    """Replay the log through every front door; they must come to the same state."""
    hashes = {}
    for door in DOORS:
        show(door, "replay --verify")
        hashes[door] = answer(door, "replay --verify --json")["stateHash"]
    if len(set(hashes.values())) != 1:
        raise BuildError(f"the front doors disagree on the state: {hashes}")
    say(f"the {' , '.join(hashes)} doors agree on the state: {hashes['rust']}".replace(" ,", ","))


def show(door: str, line: str) -> None:
    """Run one line of `ruv-swarm` and show it."""
    print(f"\n$ {'npx @ruv/swarm' if door == 'npm' else 'ruv-swarm'} {line}", flush=True)
    done = subprocess.run(
        [*DOORS[door], *shlex.split(line)], cwd=FOLDER, env=environment(), check=False
    )
    if done.returncode != 0:
        raise BuildError(f"ruv-swarm {line}: exit code {done.returncode}")


def answer(door: str, line: str) -> dict[str, object]:
    """Run one line of `ruv-swarm` that answers in JSON and return its last line's object."""
    done = subprocess.run(
        [*DOORS[door], *shlex.split(line)],
        cwd=FOLDER,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    try:
        return dict(json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, TypeError, ValueError):
        raise BuildError(f"ruv-swarm {line}: {done.stdout}{done.stderr}") from None
