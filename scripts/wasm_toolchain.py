"""Have a Rust compiler with the standard library for WebAssembly, one of two ways.

1. `rustup target add wasm32-unknown-unknown`: the ordinary way.
2. Where rustup's host cannot be reached but Debian's packages can: Debian's own compiler with a
   standard library built from its sources, kept in the user's cache. Once built it is reused.

`RUV_SWARM_WASM=rustup` or `RUV_SWARM_WASM=debian` forbids the other way.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tools import BuildError, cache_dir, command_line, environment, output, run, say

TARGET = "wasm32-unknown-unknown"
RUSTUP_SECONDS = 90
HOST = "x86_64-unknown-linux-gnu"
DEBIAN_RUSTC = Path("/usr/bin/rustc")
DEBIAN_CARGO = Path("/usr/bin/cargo")
DEBIAN_SOURCES = Path("/usr/lib/rustlib/src/rust/library")
DEBIAN_PACKAGES = ("rustc-web", "cargo-web", "rust-web-src")


def wasm_environment() -> dict[str, str]:
    """Return what to add to the environment of a cargo command that builds for WebAssembly."""
    ways = {"rustup": [_rustup], "debian": [_debian], "": [_rustup, _debian]}
    asked = os.environ.get("RUV_SWARM_WASM", "")
    if asked not in ways:
        raise BuildError(f"unknown RUV_SWARM_WASM {asked!r}, allowed: rustup, debian")
    reasons = []
    for way in ways[asked]:
        try:
            return way()
        except BuildError as error:
            reasons.append(str(error))
    raise BuildError(f"no Rust compiler for {TARGET}: {'; '.join(reasons)}")


def _rustup() -> dict[str, str]:
    """Use the active toolchain, adding the target to it when it is missing."""
    if not output("cargo", "--version"):
        raise BuildError("cargo is not installed (https://rustup.rs)")
    # The folder is named even where it does not exist; its core library is what shows the target.
    folder = output("rustc", "--print", "target-libdir", "--target", TARGET)
    if folder and any(Path(folder).glob("libcore-*.rlib")):
        return {}
    if not shutil.which("rustup"):
        raise BuildError(f"no rustup, and the rustc that is there has no {TARGET}")
    say(f"adding {TARGET} with rustup")
    # A closed network answers at once or never; rustup's own retries would take minutes.
    limits = {"RUSTUP_MAX_RETRIES": "1", "RUSTUP_DOWNLOAD_TIMEOUT": "20"}
    run("rustup", "target", "add", TARGET, env=limits, timeout=RUSTUP_SECONDS)
    return {}


def _debian() -> dict[str, str]:
    """Use Debian's compiler with a standard library that is built once from Debian's sources."""
    if not debian_ready():
        apt_install(DEBIAN_PACKAGES)
    if not debian_ready():
        raise BuildError(
            f"Debian's {', '.join(DEBIAN_PACKAGES)} do not give a compiler and sources"
        )
    version = output(DEBIAN_RUSTC, "--version").split()[1]
    root = cache_dir() / "wasm-sysroot" / version
    if not (root / "complete").is_file():
        _build_sysroot(root)
    # By PATH alone: no rustup toolchain is linked, and no other command sees it.
    path = os.pathsep.join([str(root / "bin"), environment()["PATH"]])
    return {"PATH": path, "CARGO": str(DEBIAN_CARGO)}


def debian_ready() -> bool:
    """Say whether Debian's compiler and the sources of its standard library are there."""
    return DEBIAN_RUSTC.exists() and DEBIAN_CARGO.exists() and (DEBIAN_SOURCES / "vendor").is_dir()


def apt_install(packages: tuple[str, ...]) -> None:
    """Install Debian packages, as root or with a sudo that asks nothing."""
    if not shutil.which("apt-get"):
        raise BuildError(f"no apt-get to install {', '.join(packages)}")
    apt = ["apt-get"] if os.geteuid() == 0 else ["sudo", "-n", "apt-get"]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    say(f"installing {', '.join(packages)} with apt-get")
    run(*apt, "update", "-qq", env=quiet, timeout=300)
    run(*apt, "install", "-y", "-qq", "--no-install-recommends", *packages, env=quiet, timeout=600)


def _linker() -> Path:
    """Return a linker for WebAssembly: rustup's own rust-lld, or Debian's lld."""
    for sysroot in (
        output("rustc", "+stable", "--print", "sysroot"),
        output("rustc", "--print", "sysroot"),
    ):
        path = Path(sysroot or "/nowhere") / "lib" / "rustlib" / HOST / "bin" / "rust-lld"
        if path.is_file():
            return path
    if not shutil.which("lld"):
        apt_install(("lld",))
    found = shutil.which("lld")
    if not found:
        raise BuildError("no rust-lld and no lld to link WebAssembly with")
    return Path(found)


def _build_sysroot(root: Path) -> None:
    """Build core, alloc, std and test for WebAssembly and lay a sysroot that holds them."""
    say(f"building the standard library for {TARGET} (once, about half a minute)")
    linker = _linker()
    with tempfile.TemporaryDirectory(prefix="ruv-swarm-std-") as name:
        probe = Path(name)
        (probe / "src").mkdir()
        (probe / "src" / "lib.rs").write_text("")
        (probe / "Cargo.toml").write_text(
            '[package]\nname = "stdprobe"\nversion = "0.0.0"\nedition = "2021"\n'
        )
        # The dependencies of std come from the copies Debian ships, so no registry is needed.
        (probe / ".cargo").mkdir()
        (probe / ".cargo" / "config.toml").write_text(
            '[source.crates-io]\nreplace-with = "vendored"\n'
            f'[source.vendored]\ndirectory = "{DEBIAN_SOURCES / "vendor"}"\n'
        )
        run(
            DEBIAN_CARGO,
            *("build", "--release", "--target", TARGET, "-Z", "build-std=std,panic_abort,test"),
            cwd=probe,
            env={
                "RUSTC": str(DEBIAN_RUSTC),
                "RUSTC_BOOTSTRAP": "1",
                "RUSTFLAGS": "-Cembed-bitcode=yes",
                "CARGO_TARGET_DIR": str(probe / "target"),
                "CARGO_INCREMENTAL": "0",
            },
        )
        built = probe / "target" / TARGET / "release" / "deps"
        _lay_sysroot(root, sorted(built.glob("*.rlib")), linker)


def _lay_sysroot(root: Path, libraries: list[Path], linker: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    host = root / "lib" / "rustlib" / HOST
    wasm = root / "lib" / "rustlib" / TARGET / "lib"
    for folder in (root / "bin", host / "bin", wasm):
        folder.mkdir(parents=True)
    for library in libraries:
        if not library.name.startswith("libstdprobe-"):
            shutil.copy2(library, wasm)
    (host / "lib").symlink_to(Path("/usr/lib/rustlib") / HOST / "lib")
    (host / "bin" / "rust-lld").symlink_to(linker)
    (root / "bin" / "cargo").symlink_to(DEBIAN_CARGO)
    for tool in ("rustc", "rustdoc"):
        script = root / "bin" / tool
        script.write_text(f'#!/bin/sh\nexec /usr/bin/{tool} --sysroot "{root}" "$@"\n')
        script.chmod(0o755)
    (root / "complete").write_text("")


if __name__ == "__main__":

    def _main() -> None:
        added = wasm_environment()
        say(f"WebAssembly by {'Debian packages' if added else 'rustup'}")

    raise SystemExit(command_line(_main))
