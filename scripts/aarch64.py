"""Test the networks on AArch64, under qemu-user where the machine is no AArch64 itself.

The target's standard library comes from rustup, or is built by Debian's compiler from Debian's
sources where rustup's host cannot be reached; linker and emulator are Debian's.
"""

from __future__ import annotations

import platform
import shutil

from tools import BuildError, command_line, output, run, run_tests, say, target_dir
from wasm_toolchain import (
    DEBIAN_CARGO,
    DEBIAN_PACKAGES,
    DEBIAN_RUSTC,
    RUSTUP_SECONDS,
    apt_install,
    debian_ready,
)

TARGET = "aarch64-unknown-linux-gnu"
LINKER = "aarch64-linux-gnu-gcc"
EMULATOR = "qemu-aarch64-static"
# What says something about bits: the functions, and the vectors that every target must give. The
# gradient checks take an emulator many minutes and say nothing about them.
TESTS = (
    ("--package", "ruv-swarm-neural", "--lib"),
    (
        *("--package", "ruv-swarm-core", "--test", "neural_vectors"),
        *("--test", "neural_thousand", "--test", "neural_host"),
    ),
)
CROSS_PACKAGES = ("gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user-static")


def test(arguments: list[str]) -> None:
    """Run the tests of TESTS; `arguments` go to cargo test in their place."""
    for package in [tuple(arguments)] if arguments else TESTS:
        test_package(("test", "--locked", "--release", *package))


def test_package(package: tuple[str, ...]) -> None:
    """Run one cargo test."""
    if platform.machine() in ("aarch64", "arm64"):
        run_tests("cargo", *package)
        return
    if not (shutil.which(LINKER) and shutil.which(EMULATOR)):
        apt_install(CROSS_PACKAGES)
    name = TARGET.upper().replace("-", "_")
    env = {
        f"CARGO_TARGET_{name}_LINKER": LINKER,
        f"CARGO_TARGET_{name}_RUNNER": f"{EMULATOR} -L /usr/aarch64-linux-gnu",
        # Another compiler's builds would make cargo build the host's again.
        "CARGO_TARGET_DIR": str(target_dir() / "aarch64"),
        "CARGO_PROFILE_RELEASE_LTO": "off",
    }
    if _rustup_has_target():
        run_tests("cargo", *package, "--target", TARGET, env=env)
        return
    if not debian_ready():
        apt_install(DEBIAN_PACKAGES)
    env |= {"RUSTC": str(DEBIAN_RUSTC), "RUSTC_BOOTSTRAP": "1"}
    std = ("-Z", "build-std=std,panic_abort")
    run_tests(DEBIAN_CARGO, *package, "--target", TARGET, *std, env=env)


def _rustup_has_target() -> bool:
    if not shutil.which("rustup"):
        return False
    if TARGET in output("rustup", "target", "list", "--installed").split():
        return True
    say(f"adding {TARGET} with rustup")
    limits = {"RUSTUP_MAX_RETRIES": "1", "RUSTUP_DOWNLOAD_TIMEOUT": "20"}
    try:
        run("rustup", "target", "add", TARGET, env=limits, timeout=RUSTUP_SECONDS)
    except BuildError as error:
        say(f"{error}: Debian's compiler then")
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(command_line(lambda: test([])))
