"""One version number, in every package, and the crates that must match do."""

from __future__ import annotations

import json
import re
import tomllib

import pytest
from tree import text, tracked

VERSION = tomllib.loads(text("Cargo.toml"))["workspace"]["package"]["version"]


@pytest.mark.parametrize(
    "name", [name for name in tracked() if name.endswith("Cargo.toml") and name != "Cargo.toml"]
)
def test_a_crate_takes_the_version_of_the_workspace(name: str) -> None:
    manifest = tomllib.loads(text(name))
    if "workspace" not in manifest:
        assert manifest["package"]["version"] == {"workspace": True}


def test_crates_of_the_workspace_ask_for_each_other_by_this_version() -> None:
    dependencies = tomllib.loads(text("Cargo.toml"))["workspace"]["dependencies"]
    ours = {
        name: value["version"] for name, value in dependencies.items() if name.startswith("ruv-")
    }
    assert ours == dict.fromkeys(ours, VERSION)


def test_the_python_packages_have_it() -> None:
    library = tomllib.loads(text("pyproject.toml"))["project"]
    server = tomllib.loads(text("server/pyproject.toml"))["project"]
    assert library["dynamic"] == ["version"]
    assert server["version"] == VERSION
    assert library["optional-dependencies"]["server"] == [f"ruv-swarm-server=={VERSION}"]
    assert f"ruv-swarm=={VERSION}" in server["dependencies"]


def test_the_npm_package_has_it() -> None:
    assert json.loads(text("npm/package.json"))["version"] == VERSION
    lock = json.loads(text("npm/package-lock.json"))
    assert lock["version"] == lock["packages"][""]["version"] == VERSION


def test_the_changelog_tells_of_it() -> None:
    newest = re.search(r"^## \[?(Unreleased|\d[\w.+-]*)", text("CHANGELOG.md"), re.MULTILINE)
    assert newest
    assert newest[1] in {"Unreleased", VERSION}


def test_both_halves_of_wasm_bindgen_are_one_version() -> None:
    wasm = tomllib.loads(text("bindings/wasm/Cargo.toml"))["dependencies"]["wasm-bindgen"]
    tool = tomllib.loads(text("xtask/Cargo.toml"))["dependencies"]["wasm-bindgen-cli-support"]
    exact = [value if isinstance(value, str) else value["version"] for value in (wasm, tool)]
    assert exact[0] == exact[1]
    assert exact[0].startswith("=")


def test_licences_are_equal_in_every_package() -> None:
    for name in ("LICENSE-MIT", "LICENSE-APACHE"):
        copies = [path for path in tracked() if path.rsplit("/", 1)[-1] == name]
        assert {"server/" + name, "npm/" + name, name} <= set(copies)
        assert {text(path) for path in copies} == {text(name)}


def test_the_required_dependencies_of_the_library_are_few() -> None:
    assert len(tomllib.loads(text("pyproject.toml"))["project"]["dependencies"]) <= 3
