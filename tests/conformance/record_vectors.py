"""Write what the core answers into tests/vectors: `python tests/conformance/record_vectors.py`.

A vector's steps are written by hand; responses, errors, event lines and the end are recorded from
the Rust target and committed, so that a change of a byte is seen in the diff. With --check nothing
is written and a difference is an error.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from kit import targets, training, vectors


def main(arguments: list[str]) -> int:
    """Record all vectors, or the named files."""
    check = "--check" in arguments
    named = [Path(name).resolve() for name in arguments if not name.startswith("--")]
    target = targets.rust()
    changed = []
    others = {
        vectors.DAMAGED: vectors.recorded_damage,
        training.TRAINING: training.recorded_training,
    }
    for path in named or [*vectors.files(), *others]:
        record = others.get(path, vectors.recorded)
        text = vectors.text(record(vectors.load(path), target))
        if text != path.read_text(encoding="utf-8"):
            changed.append(path.name)
            if not check:
                path.write_text(text, encoding="utf-8")
    target.close()
    for name in changed:
        print(f"{'differs' if check else 'recorded'}: {name}")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
