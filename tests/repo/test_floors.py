"""Imports go down only, from floor to floor, as docs and the core's own page say."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest
from tree import sources, text

# A module of the core may use its own floor and those below. A new module gets its floor here.
CORE_FLOORS = {
    4: {"swarm", "query", "snapshot", "codec", "operations", "render"},
    3: {"decide", "apply"},
    2: {"policy", "neural"},
    1: {"command", "event", "effect", "state", "agent", "task", "message", "topology", "memory"}
    | {"cognition", "config", "artifact", "goal", "resource", "index", "queue"},
    0: {"ids", "time", "rng", "hash", "limits", "error", "json", "canonical", "table", "words"}
    | {"mutants"},
}
CORE_FLOOR = {module: floor for floor, modules in CORE_FLOORS.items() for module in modules}

# What sideways steps are forbidden: apply replays what was decided and must never decide again.
CORE_FORBIDDEN = {"apply": {"decide", "policy"}, "neural": {"policy"}, "policy": {"neural"}}


def core_modules() -> dict[str, list[str]]:
    """The files of each module of the core."""
    modules: dict[str, list[str]] = {}
    for name in sources(".rs", under="core/src/"):
        module = name.removeprefix("core/src/").split("/")[0].removesuffix(".rs")
        if module != "lib":
            modules.setdefault(module, []).append(name)
    return modules


def without_tests(code: str) -> str:
    """Rust code up to its unit tests, without comments: both may name what they like."""
    code = code.split("#[cfg(test)]\nmod ")[0]
    return re.sub(r"//[^\n]*", "", code)


def uses_of_crate(code: str) -> set[str]:
    """The modules that `crate::a` and `crate::{a, b::c}` name."""
    used = set(re.findall(r"\bcrate::(\w+)", code))
    for start in re.finditer(r"\bcrate::\{", code):
        depth, word, words = 1, "", []
        for letter in code[start.end() :]:
            depth += {"{": 1, "}": -1}.get(letter, 0)
            if depth == 0:
                break
            if depth == 1 and letter == ",":
                words.append(word)
                word = ""
            elif depth == 1:
                word += letter
        used |= {part.strip().split("::")[0] for part in [*words, word] if part.strip()}
    return used


@pytest.mark.parametrize("module", sorted(core_modules()))
def test_a_core_module_uses_only_its_floor_and_those_below(module: str) -> None:
    assert module in CORE_FLOOR, f"core/src/{module} has no floor yet: name it in {__file__}"
    known = core_modules()
    for name in known[module]:
        for used in uses_of_crate(without_tests(text(name))) & known.keys() - {module}:
            assert CORE_FLOOR[used] <= CORE_FLOOR[module], f"{name} uses {used} from a floor above"
            assert used not in CORE_FORBIDDEN.get(module, set()), f"{name} must not use {used}"


def test_the_core_has_no_std() -> None:
    code = text("core/src/lib.rs")
    assert "#![no_std]" in code or 'not(feature = "std")' in code
    for name in sources(".rs", under="core/src/"):
        if "std::" in without_tests(text(name)).replace("core::", ""):
            assert 'feature = "std"' in text(name), f"{name} uses std outside the feature std"


ALLOWED_CRATES = {
    "neural": set(),
    "core": {"ruv-swarm-neural"},
    "bindings/rust": {"ruv-swarm-core"},
    "bindings/python": {"ruv-swarm-core", "ruv-swarm"},
    "bindings/wasm": {"ruv-swarm-core"},
    "bindings/wasm-neural": {"ruv-swarm-core"},
    "simulator": {"ruv-swarm-core"},
    "xtask": set(),
}


@pytest.mark.parametrize("folder", sorted(ALLOWED_CRATES))
def test_a_crate_depends_only_on_the_crates_below_it(folder: str) -> None:
    manifest = tomllib.loads(text(f"{folder}/Cargo.toml"))
    ours = {name for name in manifest.get("dependencies", {}) if name.startswith("ruv-swarm")}
    assert ours <= ALLOWED_CRATES[folder]


def test_the_core_depends_on_a_handful_of_crates() -> None:
    manifest = tomllib.loads(text("core/Cargo.toml"))
    wanted = {"base64", "serde", "serde_json", "sha2", "ruv-swarm-neural"}
    assert manifest["dependencies"].keys() <= wanted
    assert "target" not in manifest
    manifest = tomllib.loads(text("neural/Cargo.toml"))
    assert not manifest.get("dependencies")
    assert manifest["target"].keys() == {'cfg(target_arch = "x86_64")'}
    for only in manifest["target"].values():
        assert only["dependencies"].keys() == {"cpufeatures"}


def python_imports(name: str) -> set[str]:
    """The full names of the modules that a Python file imports."""
    found = set()
    for node in ast.walk(ast.parse(text(name))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("name", sources(".py", under="server/ruv_swarm_server/"))
def test_the_server_uses_the_public_python_package(name: str) -> None:
    private = {used for used in python_imports(name) if re.match(r"ruv_swarm\._(?!_)", used)}
    assert not private


@pytest.mark.parametrize("name", sources(".py", under="bindings/python/ruv_swarm/"))
def test_the_python_facade_loads_the_server_only_when_asked(name: str) -> None:
    """`import ruv_swarm` works without the server: its import stands inside a function."""
    top = [
        node for node in ast.parse(text(name)).body if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {node.module or "" for node in top if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    assert not {used for used in names if used.split(".")[0] in {"ruv_swarm_server", "mcp", "grpc"}}


@pytest.mark.parametrize("name", sources(".ts", under="npm/src/"))
def test_the_npm_package_stays_inside_its_folder(name: str) -> None:
    depth = name.removeprefix("npm/").count("/")
    for path in re.findall(r"""(?:from|import)\s*\(?\s*['"](\.[^'"]*)['"]""", text(name)):
        assert path.count("../") <= depth, f"{name} imports {path} from outside npm/"
