"""What the build scripts and the noxfile share: paths, processes, steps skipped when unchanged."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
NPM = ROOT / "npm"
STAMPS = ROOT / ".cache" / "stamps"
NODE_MAJOR = 24


class BuildError(Exception):
    """A step that failed; the message is all that the reader needs."""


def say(text: str) -> None:
    """Print one line about what happens now, ahead of the output of the processes that follow."""
    print(f"· {text}", flush=True)


def cache_dir() -> Path:
    """Return the folder outside the tree for what several checkouts can share."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ruv-swarm"


def target_dir() -> Path:
    """Return cargo's target folder, which the environment may move."""
    return Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of every step: .venv first on PATH, and so its Python and Node."""
    env = dict(os.environ)
    # Flags or a toolchain meant for one target must not reach the builds of another.
    for name in ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "PYTHONPATH", "PYTHONHOME"):
        env.pop(name, None)
    env["PATH"] = os.pathsep.join([str(BIN), str(NPM / "node_modules" / ".bin"), env["PATH"]])
    env["VIRTUAL_ENV"] = str(VENV)
    # npm's script-shell finds node by this variable before PATH when nested in another npm.
    env.pop("npm_node_execpath", None)
    env.update(extra or {})
    return env


def run(
    *command: str | Path,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> None:
    """Run a process with its output passed on; a failure is a `BuildError`."""
    line = [str(part) for part in command]
    full = environment(env)
    program = shutil.which(line[0], path=full["PATH"])
    if program is None:
        raise BuildError(f"{line[0]} is not installed: {HINTS.get(line[0], 'install it first')}")
    print(f"  $ {' '.join(line)}", flush=True)
    try:
        done = subprocess.run([program, *line[1:]], cwd=cwd, env=full, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise BuildError(f"{' '.join(line)}: no answer in {timeout:.0f} s") from None
    if done.returncode != 0:
        raise BuildError(f"{' '.join(line)}: exit code {done.returncode}")


def output(*command: str | Path, cwd: Path = ROOT, timeout: float | None = 60) -> str:
    """Return what a process prints, or an empty text if it cannot run or fails."""
    line = [str(part) for part in command]
    env = environment()
    program = shutil.which(line[0], path=env["PATH"])
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *line[1:]],
            cwd=cwd,
            env=env,
            timeout=timeout,
            check=False,
            capture_output=True,
            text=True,
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


class Tally:
    """Tests passed and failed, read from the closing lines of their runners."""

    PATTERNS = (
        # cargo test
        re.compile(r"^test result: \w+\. (?P<passed>\d+) passed; (?P<failed>\d+) failed;"),
        # pytest
        re.compile(r"^=* ?(?:(?P<failed>\d+) failed,? ?)?(?:(?P<passed>\d+) passed)?.* in [\d.]+s"),
        # node --test
        re.compile(r"^(?:ℹ|#) pass (?P<passed>\d+)$"),
        re.compile(r"^(?:ℹ|#) fail (?P<failed>\d+)$"),
    )
    ERRORS = re.compile(r"^=+ .*?(?P<failed>\d+) errors? in ")

    def __init__(self) -> None:
        """Start at nothing."""
        self.passed = 0
        self.failed = 0

    def read(self, line: str) -> None:
        """Add what one line of output counts, if it is a closing line."""
        plain = re.sub(r"\x1b\[[\d;]*m", "", line.strip())
        for pattern in self.PATTERNS:
            found = pattern.match(plain)
            if found:
                counts = found.groupdict()
                self.passed += int(counts.get("passed") or 0)
                self.failed += int(counts.get("failed") or 0)
                break
        broken = self.ERRORS.match(plain)
        self.failed += int(broken["failed"]) if broken else 0


TALLY = Tally()


def run_tests(*command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
    """Run a test runner with its output passed on, and count its tests in `TALLY`."""
    line = [str(part) for part in command]
    full = environment(env)
    program = shutil.which(line[0], path=full["PATH"])
    if program is None:
        raise BuildError(f"{line[0]} is not installed: {HINTS.get(line[0], 'install it first')}")
    print(f"  $ {' '.join(line)}", flush=True)
    with subprocess.Popen(
        [program, *line[1:]],
        cwd=cwd,
        env=full,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for text in process.stdout or ():
            print(text, end="", flush=True)
            TALLY.read(text)
    if process.returncode != 0:
        raise BuildError(f"{' '.join(line)}: exit code {process.returncode}")


HINTS = {
    "cargo": "Rust 1.89 or later from https://rustup.rs",
    "node": "run `python3 dev.py setup`, which brings Node in .venv",
    "npm": "run `python3 dev.py setup`, which brings npm in .venv",
}


def files(paths: Iterable[str | Path]) -> list[Path]:
    """Return the files below `paths` that git tracks or would track, sorted."""
    listed = subprocess.run(
        [
            "git",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--",
            *map(str, paths),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    names = sorted({name for name in listed.decode().split("\0") if name})
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def fingerprint(paths: Iterable[str | Path], *words: str) -> str:
    """Return a hash of the files below `paths` and of `words` (versions, options)."""
    digest = hashlib.sha256("\0".join(words).encode())
    for path in files(paths):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def step(
    name: str,
    inputs: Sequence[str | Path],
    outputs: Sequence[Path],
    work: Callable[[], None],
    *words: str,
) -> bool:
    """Do `work` unless `inputs` are as they were and `outputs` are there; tell whether it ran."""
    stamp = STAMPS / f"{name}.json"
    now = {"inputs": fingerprint(inputs, *words)}
    if stamp.is_file() and all(path.exists() for path in outputs):
        try:
            if json.loads(stamp.read_text()) == now:
                say(f"{name}: up to date")
                return False
        except ValueError:
            pass
    started = time.monotonic()
    stamp.unlink(missing_ok=True)
    say(name)
    work()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(json.dumps(now))
    say(f"{name}: done in {time.monotonic() - started:.0f} s")
    return True


def command_line(work: Callable[[], None]) -> int:
    """Run a script's work; a `BuildError` becomes one line and exit code 1."""
    try:
        work()
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
