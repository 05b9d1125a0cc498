"""One network at every door: the same answers, model files and checkpoints, byte for byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kit.doors import MAKERS, Door
from kit.paths import DATA

FILES = ("--out", "m.rsn", "--checkpoint", "c.rsc", "--every", "20")
CASES = {
    "plain": ("--data", "iris.csv", "--epochs", "60"),
    "flags": (
        *("--data", "wdbc.csv", "--target", "diagnosis", "--algorithm", "adam", "--epochs", "30"),
        *("--hidden", "12,6", "--activation", "relu,elliott", "--steepness", "1,0.5,1"),
        *("--dropout", "0.1", "--l2", "1e-4", "--class-weights", "balanced", "--seed", "5"),
    ),
    "numbers": (
        *("--data", "sunspots.csv", "--algorithm", "sarprop", "--epochs", "40", "--shortcut"),
        *("--options", '{"connectionRate":0.7,"scaling":"min-max","splitBy":"ordered"}'),
    ),
    "strips": ("--data", "iris.csv", "--patience", "0", "--pq", "0.75", "--epochs", "500"),
}


@pytest.fixture(scope="module")
def doors() -> dict[str, Door]:
    return {name: make() for name, make in MAKERS.items()}


def folder_with_data(at: Path) -> Path:
    at.mkdir()
    for path in DATA.glob("*.csv"):
        shutil.copy(path, at)
    return at


@pytest.mark.parametrize("case", CASES)
def test_doors_train_alike(case: str, doors: dict[str, Door], tmp_path: Path) -> None:
    told: dict[str, tuple[object, ...]] = {}
    for name, door in doors.items():
        folder = folder_with_data(tmp_path / name)
        data = CASES[case][1]
        trained = door.json(folder, "train", *CASES[case], *FILES)
        # what is printed for people, too; but for progress, which goes by the clock
        text = door.run(folder, "train", *CASES[case], "--out", "n.rsn")
        assert (text.code, (folder / "n.rsn").read_bytes()) == (0, (folder / "m.rsn").read_bytes())
        shown = [
            door.run(folder, "inspect", "--model", "m.rsn", *more) for more in ((), ("--json",))
        ]
        measured = [
            door.run(folder, "evaluate", "--model", "m.rsn", "--data", data, *more)
            for more in ((), ("--json",))
        ]
        answers = [
            door.run(folder, "predict", "--model", "m.rsn", "--data", data, *more)
            for more in ((), ("--json",), ("--out", "p.csv"))
        ]
        assert {ran.code for ran in (*shown, *measured, *answers)} == {0}
        files = [(folder / file).read_bytes() for file in ("m.rsn", "c.rsc", "p.csv")]
        told[name] = (trained, text.out, shown, measured, answers, *files)
        assert not (folder / "swarm.db").exists()
    first = told["rust"]
    for name, found in told.items():
        assert found == first, name


def test_a_checkpoint_of_one_door_goes_on_at_another(
    doors: dict[str, Door], tmp_path: Path
) -> None:
    folder = folder_with_data(tmp_path / "files")
    options = ("--data", "iris.csv", "--patience", "0", "--hidden", "9")
    whole = doors["rust"].json(
        folder, "train", *options, "--epochs", "100000000", "--seconds", "0.2"
    )
    names = list(doors)
    for here, there in zip(names, names[1:] + names[:1], strict=True):
        # ended by the clock somewhere, gone on with elsewhere, ended by the clock again
        begun = (*options, "--epochs", "100000000", "--seconds", "0.2", "--checkpoint", "c.rsc")
        first = doors[here].json(folder, "train", *begun, "--out", "m.rsn")
        more = doors[there].json(folder, "train", "--resume", "c.rsc", "--seconds", "0.2")
        assert more["epochs"] > first["epochs"] and more["out"] == "m.rsn"
        counted = ("--epochs", str(more["epochs"]))
        straight = doors["rust"].json(folder, "train", *options, *counted)
        assert straight["modelHash"] == more["modelHash"], f"{here}, then {there}"
    assert whole["stopped"] == "time"
