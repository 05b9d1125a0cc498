"""docs/workers.md says what is so: its snippets run, and its terminal shows what it prints."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from python_kit import SCRIPT, Bench

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "workers.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"))
def test_the_python_of_the_page_runs(bench: Bench, code: str) -> None:
    ran = bench.python("-c", code)
    assert (ran.code, ran.err) == (0, ""), ran


def test_the_rust_of_the_page_is_that_of_the_documentation_which_is_run() -> None:
    (code,) = blocks("rust")
    page = (ROOT / "bindings/rust/src/work/mod.rs").read_text(encoding="utf-8")
    (tested,) = re.findall(r"^//! ```\n(.*?)^//! ```$", page, re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("//!").removeprefix(" ") for line in tested.splitlines()]
    assert code.splitlines() == [line for line in lines if not line.startswith("# ")]


@pytest.mark.skipif(os.name == "nt", reason="the terminal of the page is a POSIX shell's")
def test_the_terminal_of_the_page_shows_what_it_prints(bench: Bench) -> None:
    folders = (str(SCRIPT.parent), str(Path(sys.executable).parent), bench.env["PATH"])
    bench.env["PATH"] = os.pathsep.join(folders)
    shown = 0
    for block in blocks("console"):
        for step in block.split("$ ruv-swarm ")[1:]:
            command, _, expected = step.partition("\n")
            ran = bench.python_or_script(["sh", "-c", f"ruv-swarm {command}"])
            assert (ran.code, ran.err) == (0, ""), (command, ran)
            if expected.strip():
                assert ran.out == expected, command
                shown += 1
    assert shown > 0
    assert bench.json("query", "--task", "t1")["output"] == "Grace\n"
    assert bench.json("query", "--task", "t2")["output"] == "looks good"
