"""Find a Chromium for the browser tests, installing Debian's when there is none.

`CHROMIUM` names another one. The tests drive it with npm's playwright-core, which brings none.
"""

from __future__ import annotations

import os
import shutil

from tools import BuildError, command_line, say
from wasm_toolchain import apt_install

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def chromium() -> str:
    """Return the path of a Chromium."""
    asked = os.environ.get("CHROMIUM")
    if asked:
        if not os.access(asked, os.X_OK):
            raise BuildError(f"CHROMIUM names {asked}, which is no program")
        return asked
    found = _installed()
    if found is None:
        apt_install(("chromium",))
        found = _installed()
    if found is None:
        raise BuildError("no Chromium: install one, or name it in CHROMIUM")
    return found


def _installed() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


if __name__ == "__main__":
    raise SystemExit(command_line(lambda: say(f"Chromium: {chromium()}")))
