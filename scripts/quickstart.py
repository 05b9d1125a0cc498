"""The main job on real data, as a user would type it: init, spawn, train, predict, verify."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import steps
from tools import BIN, ROOT, BuildError, environment, say

FOLDER = ROOT / ".cache" / "quickstart"
PATTERNS = ("convergent", "divergent", "lateral", "systems")


def main(_: list[str]) -> None:
    """Build the Python wheel with the command, then run the job in a folder of its own."""
    steps.install_wheels(server=False)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    data = sample()
    say(f"the main job, in {FOLDER.relative_to(ROOT)}")
    command("init --topology mesh --persistence sqlite --db ./swarm.db --seed 7")
    for pattern in PATTERNS:
        command(f'spawn neural --model ruv-fann --capabilities "rprop,batch" --pattern {pattern}')
    options = "--target class --strategy cognitive-diversity --parallel"
    command(f'orchestrate "train" --data {data.name} {options}')
    model = trained_model()
    command(f"predict --model {model} --data new.csv --out predictions.csv")
    command("status")
    command("replay --verify")
    say(f"the first predictions, of {FOLDER.relative_to(ROOT)}/predictions.csv")
    for line in (FOLDER / "predictions.csv").read_text().splitlines()[:4]:
        print(f"    {line}")
    say(f"go on by yourself: cd {FOLDER.relative_to(ROOT)} && {BIN / 'ruv-swarm'} --help")


def sample() -> Path:
    """Lay the sample beside the swarm: all rows to train on, and ten without a class to predict."""
    source = ROOT / "examples" / "data" / "cancer.csv"
    data = FOLDER / "cancer.csv"
    shutil.copyfile(source, data)
    header, *rows = data.read_text().splitlines()
    names = header.split(",")
    keep = [index for index, name in enumerate(names) if name != "class"]
    picked = [header, *rows[:: max(1, len(rows) // 10)][:10]]
    lines = [",".join(line.split(",")[index] for index in keep) for line in picked]
    (FOLDER / "new.csv").write_text("\n".join(lines) + "\n")
    return data


def command(line: str) -> None:
    """Run one line of `ruv-swarm` and show it."""
    print(f"\n$ ruv-swarm {line}", flush=True)
    done = _run(line)
    if done.returncode != 0:
        raise BuildError(f"ruv-swarm {line}: exit code {done.returncode}")


def trained_model() -> str:
    """Return the hash of the model of the last goal, as the log tells it."""
    done = _run("query --goal g1 --json", capture_output=True)
    try:
        return str(json.loads(done.stdout.splitlines()[-1])["modelHash"])
    except (IndexError, KeyError, ValueError):
        raise BuildError(f"query --goal g1 names no model: {done.stdout}{done.stderr}") from None


def _run(line: str, *, capture_output: bool = False) -> subprocess.CompletedProcess[str]:
    arguments = [str(BIN / "ruv-swarm"), *shlex.split(line)]
    return subprocess.run(
        arguments,
        cwd=FOLDER,
        env=environment(),
        check=False,
        capture_output=capture_output,
        text=True,
    )
