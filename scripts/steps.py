"""The build steps, each done once and then only when what it reads has changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import build_wasm
from tools import NODE_MAJOR, NPM, PYTHON, ROOT, BuildError, output, run, say, step, target_dir

WHEELS = ROOT / ".cache" / "wheels"
DIST = ROOT / "dist"
RUST_BINARY = (target_dir() / "release" / "ruv-swarm").resolve()
CORE_SOURCES = ("core/src", "core/Cargo.toml", "neural/src", "neural/Cargo.toml")
RUST_SOURCES = (*CORE_SOURCES, "bindings/rust", "Cargo.toml", "Cargo.lock")
PYTHON_SOURCES = (*RUST_SOURCES, "bindings/python", "pyproject.toml", "README.md", "LICENSE-MIT")


def node() -> None:
    """Install npm's packages from the lock file, with the Node of .venv."""
    version = output("node", "--version")
    if not version.startswith(f"v{NODE_MAJOR}."):
        raise BuildError(
            f"node is {version or 'missing'}, v{NODE_MAJOR} is needed: run `python3 dev.py setup`"
        )
    lock = NPM / "package-lock.json"
    step(
        "npm packages",
        [lock, NPM / "package.json"],
        [NPM / "node_modules" / ".package-lock.json"],
        # Install scripts only fetch or tune binaries that the packages carry already.
        lambda: run("npm", "ci", "--ignore-scripts", "--no-fund", "--no-audit", cwd=NPM),
        version,
    )


def wasm() -> None:
    """Build the WebAssembly module into npm/wasm."""
    node()
    build_wasm.main()


def npm() -> None:
    """Build the npm package into npm/dist."""
    wasm()

    def work() -> None:
        shutil.rmtree(NPM / "dist", ignore_errors=True)
        run("npm", "run", "--silent", "build", cwd=NPM)

    types = ("web/ruv_swarm.d.ts", "neural/ruv_swarm_neural.d.ts")
    known = "".join((build_wasm.OUT / name).read_text() for name in types)
    inputs = [NPM / "src", NPM / "tsconfig.json", NPM / "package.json", NPM / "package-lock.json"]
    step("npm package", inputs, [NPM / "dist" / "index.js"], work, known)


def rust_binary() -> Path:
    """Build the command `ruv-swarm` and return its path; cargo knows what is up to date."""
    say("rust binary")
    run("cargo", "build", "--locked", "--release", "--package", "ruv-swarm")
    return RUST_BINARY


def wheel() -> Path:
    """Build the wheel of ruv-swarm and return its path."""
    out = WHEELS / "ruv-swarm"

    def work() -> None:
        shutil.rmtree(out, ignore_errors=True)
        run(PYTHON, "-m", "maturin", "build", "--locked", "--release", "--out", out)

    step("wheel ruv-swarm", PYTHON_SOURCES, [out], work)
    return _wheel_in(out)


def server_wheel() -> Path:
    """Build the wheel of ruv-swarm-server and return its path."""
    out = WHEELS / "ruv-swarm-server"

    def work() -> None:
        shutil.rmtree(out, ignore_errors=True)
        run(PYTHON, "-m", "hatchling", "build", "-t", "wheel", "-d", out, cwd=ROOT / "server")

    step("wheel ruv-swarm-server", ["server"], [out], work)
    return _wheel_in(out)


def install_wheels(*, server: bool = True) -> None:
    """Install the wheels of this tree into .venv, in place of those that are there."""
    built = [wheel(), server_wheel()] if server else [wheel()]
    for path in built:
        _install(path)


def _install(path: Path) -> None:
    command = ("-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--reinstall")
    version = f"{path.name} {path.stat().st_mtime_ns} {PYTHON.lstat().st_ctime_ns}"
    name = f"install {path.name.split('-')[0]}"
    step(name, [], [], lambda: run(PYTHON, *command, "--python", PYTHON, path), version)


def dist() -> None:
    """Leave in dist/ what users get: two wheels, the npm tarball, the binary."""
    wheels = [wheel(), server_wheel()]
    binary = rust_binary()
    npm()
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    for path in (*wheels, binary):
        shutil.copy2(path, DIST)
    run("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", DIST, cwd=NPM)
    for path in sorted(DIST.iterdir()):
        say(f"dist/{path.name}: {path.stat().st_size:,} bytes")


def _wheel_in(folder: Path) -> Path:
    found = sorted(folder.glob("*.whl"))
    if len(found) != 1:
        raise BuildError(f"{len(found)} wheels in {folder.relative_to(ROOT)}, one is expected")
    return found[0]
