"""Generate every file that is made from the catalogue in `proto/` and the list of error codes.

    python scripts/gen.py            write the files
    python scripts/gen.py --check    exit 1 and name the files that are not what they should be
    python scripts/gen.py --lint     run `buf lint` on the catalogue and nothing else

The tools are pinned in scripts/gen-requirements.txt, so that the files are the same everywhere.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from genlib import catalogue, errors_out, python_out, reference_out, tools_out, typescript_out

# Folders that hold generated files alone: a file that is no longer made is removed there.
OWNED = ("server/ruv_swarm_server/_gen", "npm/src/gen")


def generate() -> dict[str, str]:
    """All generated files, by their path from the root of the project."""
    read = catalogue.load()
    files = python_out.outputs(read)
    for part in (tools_out, typescript_out, reference_out):
        files |= part.outputs(read)
    return files | errors_out.outputs()


def drift(files: dict[str, str]) -> list[str]:
    """Paths whose content on disk is not the generated one, and leftovers."""
    root = catalogue.ROOT
    stale = [path for path, text in files.items() if _content(root / path) != text]
    left = [
        path.relative_to(root).as_posix()
        for folder in OWNED
        for path in (root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return sorted(stale + [path for path in left if path not in files])


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def lint() -> int:
    """Run `buf lint` on the catalogue; its findings go to standard output."""
    beside = Path(sys.executable).parent / "buf"
    buf = str(beside) if beside.exists() else shutil.which("buf")
    if buf is None:
        advice = "pip install -r scripts/gen-requirements.txt"
        print(f"gen: buf is not installed; run: {advice}", file=sys.stderr)
        return 1
    return subprocess.run([buf, "lint"], cwd=catalogue.PROTO, check=False).returncode


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description="generate the files made from proto/")
    parser.add_argument("--check", action="store_true", help="write nothing; list what has drifted")
    parser.add_argument("--lint", action="store_true", help="lint the catalogue and nothing else")
    options = parser.parse_args()
    if options.lint:
        return lint()
    files = generate()
    stale = drift(files)
    if options.check:
        for path in stale:
            print(f"drifted: {path}; run: python scripts/gen.py")
        return 1 if stale else 0
    for path in stale:
        target = catalogue.ROOT / path
        if path in files:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(files[path], encoding="utf-8", newline="\n")
        else:
            target.unlink()
        print(f"{'wrote' if path in files else 'removed'} {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
