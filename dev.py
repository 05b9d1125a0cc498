#!/usr/bin/env python3
"""One command for everything: `python3 dev.py quickstart`, `python3 dev.py test`.

It makes a virtual environment in .venv with the tools that requirements/dev.txt pins, and hands its
arguments to nox, which lives there: `python3 dev.py SESSION …` is `nox -s SESSION -- …`. Without
arguments it lists the sessions. It needs Python 3.11 or later and nothing else of Python.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LOCK = ROOT / "requirements" / "dev.txt"
STAMP = VENV / "requirements.sha256"


def main(arguments: list[str]) -> int:
    """Prepare .venv and run nox in it."""
    if sys.version_info < (3, 11):
        names = ["python3.14", "python3.13", "python3.12", "python3.11"]
        newer = [path for path in map(shutil.which, names) if path]
        if not newer:
            print("error: this is Python {}.{}, 3.11 or later is needed".format(*sys.version_info))
            return 1
        return subprocess.call([newer[0], str(ROOT / "dev.py"), *arguments])
    try:
        prepare()
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"error: cannot prepare {VENV}: {error}", file=sys.stderr)
        return 1
    nox = [str(PYTHON), "-m", "nox", "--noxfile", str(ROOT / "noxfile.py")]
    if not arguments:
        nox.append("--list")
    elif arguments[0].startswith("-"):
        nox += arguments
    else:
        rest = arguments[2:] if arguments[1:2] == ["--"] else arguments[1:]
        nox += ["--session", arguments[0], "--", *rest]
    return subprocess.call(nox, cwd=ROOT)


def prepare() -> None:
    """Make .venv hold what the lock file says; does nothing when it does already."""
    version = "{}.{}".format(*sys.version_info)
    wanted = f"{hashlib.sha256(LOCK.read_bytes()).hexdigest()} {version}"
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return
    print(
        f"· preparing {VENV.relative_to(ROOT)} with the tools of {LOCK.relative_to(ROOT)}",
        flush=True,
    )
    if not PYTHON.exists() or not _same_python():
        shutil.rmtree(VENV, ignore_errors=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        except subprocess.CalledProcessError:
            raise OSError(
                "python's venv module does not work (Debian: apt install python3-venv)"
            ) from None
    _install()
    STAMP.write_text(wanted)


def _same_python() -> bool:
    """Tell whether .venv still runs, and with the Python that runs this."""
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    done = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() == "{}.{}".format(*sys.version_info)


def _install() -> None:
    """Install the lock file: with uv in seconds, or else with pip in half a minute."""
    pip = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    lines = LOCK.read_text().splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("uv=="))
    # A requirement and its hashes are lines joined by backslashes.
    end = next(i for i in range(start, len(lines)) if not lines[i].endswith("\\\n"))
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.txt"
        only_uv.write_text("".join(lines[start : end + 1]))
        subprocess.run([*pip, "--requirement", str(only_uv)], check=True)
    uv = [str(PYTHON), "-m", "uv", "pip", "install", "--quiet", "--python", str(PYTHON)]
    # uv does not read pip's own settings (an index of a company, a certificate): then pip does it.
    if subprocess.run([*uv, "--requirement", str(LOCK)], check=False).returncode != 0:
        print("· uv could not, pip tries", flush=True)
        subprocess.run([*pip, "--requirement", str(LOCK)], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
