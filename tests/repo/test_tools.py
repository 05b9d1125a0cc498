"""The task runner counts tests, skips what is unchanged and never lets a failure pass."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import tools

LINES = {
    "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; finished in 0.1s": (12, 0),
    "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out": (3, 2),
    "============ 7 passed in 0.12s ============": (7, 0),
    "======= 1 failed, 7 passed, 2 warnings in 61.20s (0:01:01) =======": (7, 1),
    "======= 2 failed in 1.20s =======": (0, 2),
    "======= 5 passed, 1 error in 1.20s =======": (5, 1),
    "======= 1 failed, 5 passed, 3 errors in 1.20s =======": (5, 4),
    "\x1b[34mℹ pass 4\x1b[39m": (4, 0),
    "ℹ fail 2": (0, 2),
    "# pass 9": (9, 0),
    "built in 0.3s": (0, 0),
    "": (0, 0),
}


@pytest.mark.parametrize(("line", "counts"), LINES.items())
def test_closing_lines_are_counted(line: str, counts: tuple[int, int]) -> None:
    tally = tools.Tally()
    tally.read(line)
    assert (tally.passed, tally.failed) == counts


def test_a_step_runs_again_only_when_its_inputs_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "STAMPS", tmp_path / "stamps")
    made = tmp_path / "made"

    def work() -> None:
        made.write_text("")

    assert tools.step("x", [], [made], work, "1")
    assert not tools.step("x", [], [made], work, "1")
    assert tools.step("x", [], [made], work, "2")
    made.unlink()
    assert tools.step("x", [], [made], work, "2")


def test_a_step_that_fails_is_not_taken_as_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "STAMPS", tmp_path / "stamps")

    def work() -> None:
        raise tools.BuildError("no")

    for _ in range(2):
        with pytest.raises(tools.BuildError, match=r"^no$"):
            tools.step("x", [], [], work)


def test_a_failing_process_is_an_error_that_names_it() -> None:
    with pytest.raises(tools.BuildError, match="exit code 3"):
        tools.run(sys.executable, "-c", "raise SystemExit(3)")
    with pytest.raises(tools.BuildError, match="no-such-program is not installed"):
        tools.run("no-such-program")


def test_flags_of_another_target_do_not_reach_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTFLAGS", "-C target-feature=+simd128")
    assert "RUSTFLAGS" not in tools.environment()


def test_node_is_the_one_of_the_environment() -> None:
    assert tools.output("node", "--version").startswith(f"v{tools.NODE_MAJOR}.")
