"""Record the golden logs of this release: `python tests/conformance/record_golden.py`.

It makes tests/vectors/golden/RELEASE once: logs of simulated worlds, of a real training and of
every vector, with the hashes of chain and state after each event. A recorded log never changes, so
a folder that is there is refused; a new release adds one of its own. It needs the release build of
the binary (`python3 dev.py conformance` makes it).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from kit import golden, targets, vectors
from kit.doors import rust_door
from kit.paths import DATA, ROOT

# Seeds of short worlds, chosen for what is in them: with how many commands each.
WORLDS = {11: 120, 13: 120, 24: 120, 28: 120}


def simulated(folder: Path) -> dict[str, list[str]]:
    """The logs of some worlds of faults."""
    found = {}
    for seed, commands in WORLDS.items():
        build = ["cargo", "run", "--quiet", "--locked", "--release", "-p", "ruv-swarm-simulator"]
        size = ["--from", str(seed), "--seeds", "1", "--commands", str(commands)]
        command = [*build, "--", *size, "--dump", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        log = (folder / f"seed-{seed}.log").read_text(encoding="utf-8")
        found[f"simulated-{seed}"] = log.removesuffix("\n").split("\n")
    return found


def trained(folder: Path) -> list[str]:
    """The log of a job that the binary really trains."""
    door = rust_door()
    shutil.copy(DATA / "iris.csv", folder)
    door.json(folder, "init", "--seed", "7", "--db", "swarm.db")
    for pattern in ("convergent", "lateral"):
        door.json(folder, "spawn", "neural", "--pattern", pattern)
    job = ["--data", "iris.csv", "--target", "species", "--parallel"]
    result = door.json(folder, "orchestrate", "train", *job)
    assert result["state"] == "completed"
    log = door.run(folder, "log", "--json").out
    return log.removesuffix("\n").split("\n")


def logs() -> dict[str, list[str]]:
    """Every log to record, by name."""
    found = {f"vector-{path.stem}": vectors.events(vectors.load(path)) for path in vectors.files()}
    with tempfile.TemporaryDirectory() as folder:
        found |= simulated(Path(folder))
        found["trained-iris"] = trained(Path(folder))
    return {name: log for name, log in found.items() if log}


def this_release() -> str:
    """The version of the workspace."""
    with (ROOT / "Cargo.toml").open("rb") as file:
        version: str = tomllib.load(file)["workspace"]["package"]["version"]
    return version


def main(arguments: list[str]) -> int:
    """Record, unless it is recorded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=golden.GOLDEN, help="folder of all releases")
    parser.add_argument("--release", default=this_release(), help="name of the folder to make")
    options = parser.parse_args(arguments)
    folder: Path = options.into / options.release
    if folder.exists():
        print(f"error: {folder} is recorded and never changes", file=sys.stderr)
        return 1
    target = targets.rust()
    recorded = {}
    for name, lines in logs().items():
        recorded[name] = golden.replayed(lines, target)
        assert len(recorded[name]) == len(lines), f"{name}: an event is refused"
    target.close()
    folder.mkdir(parents=True)
    for name, steps in recorded.items():
        (folder / f"{name}.log").write_bytes(golden.text(steps).encode("utf-8"))
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(
        f"{folder}: {len(recorded)} logs, {sum(map(len, recorded.values()))} events, {size} bytes"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
