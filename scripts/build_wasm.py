"""Build the WebAssembly modules (one thread, 128-bit SIMD) into npm/wasm.

The whole module stands under three kinds of JavaScript, in {nodejs,web,bundler}; the one of the
networks alone is in neural. `wasm-opt` comes from npm's binaryen.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tools import (
    NPM,
    ROOT,
    STAMPS,
    BuildError,
    command_line,
    environment,
    output,
    run,
    say,
    step,
    target_dir,
)
from wasm_toolchain import TARGET, wasm_environment

OUT = NPM / "wasm"
KINDS = {"nodejs": "commonjs", "web": "module", "bundler": "module"}
MODULE = "ruv_swarm_bg.wasm"
SMALL = "neural"
SMALL_MODULE = "ruv_swarm_neural_bg.wasm"
INPUTS = (
    "core/src",
    "core/Cargo.toml",
    "neural/src",
    "neural/Cargo.toml",
    "bindings/wasm",
    "bindings/wasm-neural",
    "xtask",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo",
    "scripts/build_wasm.py",
    "npm/package-lock.json",
)


def build() -> None:
    """Compile, bind and optimise both modules; leave npm/wasm as a finished folder."""
    added = wasm_environment()
    run("cargo", "build", "--locked", "--quiet", "--package", "xtask")
    whole = compiled("ruv-swarm-wasm", "wasm", added)
    small = compiled("ruv-swarm-wasm-neural", "wasm-small", added)
    shutil.rmtree(OUT, ignore_errors=True)
    for kind in KINDS:
        bind(kind, whole, OUT / kind, "ruv_swarm")
    optimised = OUT / "optimised.wasm"
    run("wasm-opt", "-O3", OUT / "web" / MODULE, "-o", optimised)
    for kind, modules in KINDS.items():
        shutil.copyfile(optimised, OUT / kind / MODULE)
        (OUT / kind / "package.json").write_text(json.dumps({"type": modules}) + "\n")
    bind("web", small, OUT / SMALL, "ruv_swarm_neural")
    run("wasm-opt", "-Os", OUT / SMALL / SMALL_MODULE, "-o", optimised)
    shutil.copyfile(optimised, OUT / SMALL / SMALL_MODULE)
    (OUT / SMALL / "package.json").write_text(json.dumps({"type": "module"}) + "\n")
    optimised.unlink()
    report("wasm module", OUT / "web" / MODULE)
    report("wasm module of networks", OUT / SMALL / SMALL_MODULE)


def compiled(package: str, profile: str, added: dict[str, str]) -> Path:
    """Compile a package for WebAssembly and return the module."""
    # A folder of its own: another compiler would otherwise throw away the host's build scripts.
    target = target_dir() / "wasm"
    run(
        *("cargo", "build", "--locked", "--profile", profile, "--target", TARGET),
        *("--package", package, "--target-dir", target),
        env=added,
    )
    return target / TARGET / profile / f"{package.replace('-', '_')}.wasm"


def bind(kind: str, module: Path, out: Path, name: str) -> None:
    """Write the JavaScript and the types of a module beside it."""
    run(target_dir() / "debug" / "xtask", "bindgen", kind, module, out, name)


def pack() -> None:
    """Build for the web with wasm-pack, handing it our wasm-bindgen of the right version."""
    added = wasm_environment()
    run("cargo", "build", "--locked", "--quiet", "--package", "xtask")
    # What it writes is not optimised as the published module is: that is then to be built again.
    (STAMPS / "wasm.json").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "wasm-bindgen").symlink_to((target_dir() / "debug" / "xtask").resolve())
        path = os.pathsep.join([folder, added.get("PATH") or environment()["PATH"]])
        run(
            *("wasm-pack", "build", "bindings/wasm", "--mode", "no-install", "--target", "web"),
            *("--out-dir", OUT / "web", "--out-name", "ruv_swarm"),
            env={**added, "PATH": path, "CARGO_TARGET_DIR": str(target_dir().resolve() / "wasm")},
        )


def report(name: str, module: Path) -> None:
    """Say how large a module is."""
    raw = module.read_bytes()
    say(f"{name}: {len(raw):,} bytes, {len(gzip.compress(raw, 9)):,} gzipped")


def main() -> None:
    """Build unless nothing has changed."""
    if not output("wasm-opt", "--version"):
        raise BuildError("wasm-opt is not installed: run `npm ci` in npm/ first")
    made = [*(OUT / kind / MODULE for kind in KINDS), OUT / SMALL / SMALL_MODULE]
    step("wasm", INPUTS, made, build)


if __name__ == "__main__":
    if sys.argv[1:]:
        raise SystemExit(f"usage: python {Path(__file__).relative_to(ROOT)}")
    raise SystemExit(command_line(main))
