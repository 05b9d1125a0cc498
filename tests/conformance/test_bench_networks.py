"""The bench of networks prints the lines that its readers expect; how fast it is is no test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[2] / "benches" / "neural.py"
QUICK = ("--rep-time", "0.001", "--reps", "3")
NUMBERS = ("median_s", "min_s", "per_s", "best_per_s", "mcups", "gflops")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def lines(*arguments: str) -> list[dict[str, Any]]:
    done = bench(*arguments, *QUICK)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("engine", ["native", "python", "wasm"])
def test_every_op_of_a_case_has_a_line(engine: str) -> None:
    ops = "rprop,batch,incremental,quickprop,adam,run1,runN"
    found = lines("--engine", engine, "--case", "xor", "--ops", ops)
    assert [line["op"] for line in found] == ops.split(",")
    for line in found:
        assert (line["engine"], line["case"]) == (f"ours-{engine}", "xor")
        assert (line["shape"], line["rows"], line["threads"], line["reps"]) == ("2-3-1", 4, 1, 3)
        assert line["n"] >= 1
        assert all(line[name] > 0 for name in NUMBERS)
        assert line["min_s"] <= line["median_s"]


@pytest.mark.parametrize("engine", ["native", "python", "wasm"])
def test_any_file_and_shape_can_be_timed(engine: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.data"
    file.write_text("3 2 2\n0 0\n0 1\n0.5 1e-1\n1 0\n-1 1\n0 1\n")
    shape = ("--name", "mine", "--data", str(file), "--shape", "2-5-4-2", "--ops", "rprop,run1")
    found = lines("--engine", engine, *shape)
    assert [(line["case"], line["shape"], line["rows"]) for line in found] == [
        ("mine", "2-5-4-2", 3)
    ] * 2


def test_eight_members_train_on_threads() -> None:
    for engine in ("native", "python"):
        [line] = lines("--engine", engine, "--case", "xor", "--ops", "ens8", "--threads", "2")
        assert (line["op"], line["threads"]) == ("ens8", 2)
        assert line["n"] % 8 == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--data", "nowhere.data", "--shape", "2-1"), "nowhere.data"),
        (("--data", "synth:9", "--shape", "two-1"), "shape: two-1"),
        (("--data", "synth:9", "--shape", "2"), "shape: 2"),
        (("--engine", "wasm", "--level", "avx2", "--case", "xor"), "level: avx2"),
    ],
)
def test_what_cannot_be_timed_is_named(arguments: tuple[str, ...], named: str) -> None:
    done = bench(*arguments)
    assert done.returncode != 0
    assert named in done.stderr
    assert done.stdout == ""


def test_a_shape_that_does_not_fit_its_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.data"
    file.write_text("1 2 1\n0 0\n0\n")
    done = bench("--data", str(file), "--shape", "3-2-1", *QUICK)
    assert done.returncode != 0
    assert "has 2 inputs and 1 outputs, the shape is 3-2-1" in done.stderr
