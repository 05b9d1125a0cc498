"""The repository holds sources only, in files that a person can read in one sitting."""

from __future__ import annotations

import re

import pytest
from tree import ROOT, sources, text, tracked

LINES = 500
BYTES = 1_000_000
ARTEFACT = re.compile(
    r"(^|/)(node_modules|target|dist|__pycache__|\.venv|\.nox)/|\.(wasm|whl|so|pyd|dylib|tgz|pyc|db)$"
)
LOCKS = ("Cargo.lock", "npm/package-lock.json", "requirements/dev.txt")
PUBLIC_SOURCES = {"registry+https://github.com/rust-lang/crates.io-index"}


@pytest.mark.parametrize("name", sources(".rs", ".py", ".ts", ".mjs", ".proto", ".sql"))
def test_a_source_file_has_one_subject(name: str) -> None:
    count = text(name).count("\n")
    assert count <= LINES, f"{name} has {count} lines: is there a second subject in it?"


def test_no_build_artefact_is_in_git() -> None:
    assert not [name for name in tracked() if ARTEFACT.search(name)]


def test_no_large_file_is_in_git() -> None:
    assert not [name for name in tracked() if (ROOT / name).stat().st_size > BYTES]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_registry_of_one_site(name: str) -> None:
    content = text(name)
    if name == "Cargo.lock":
        assert set(re.findall(r'^source = "([^"]+)"$', content, re.MULTILINE)) <= PUBLIC_SOURCES
    else:
        assert '"resolved"' not in content
        assert "--index-url" not in content
        assert "--find-links" not in content
        assert "@ http" not in content


@pytest.mark.parametrize(
    "name", sources(".rs", ".py", ".ts", ".mjs", ".toml", ".md", ".json", "run")
)
def test_no_file_names_a_path_of_one_machine(name: str) -> None:
    if name.endswith("package-lock.json"):
        return
    found = re.findall(r"(?<![\w./-])/(?:root|home/\w+|Users/\w+)/[\w.]+", text(name))
    assert not found


UNFINISHED = re.compile(r"todo!\(|unimplemented!\(|\bTO" r"DO\b|\bFIX" r"ME\b|Math\.random\(")


@pytest.mark.parametrize("name", sources(".rs", ".py", ".ts", ".mjs"))
def test_nothing_is_left_for_later(name: str) -> None:
    assert not UNFINISHED.findall(text(name))


SKIPPED = re.compile(
    r"pytest\.mark\.(?:skip|xfail)\b|#\[ignore|\b(?:it|test|describe)\.(?:skip|todo)\("
)


@pytest.mark.parametrize(
    "name", [name for name in tracked() if "test" in name and name.endswith((".rs", ".py", ".ts"))]
)
def test_every_test_runs(name: str) -> None:
    if name != "tests/repo/test_files.py":
        assert not SKIPPED.findall(text(name))
