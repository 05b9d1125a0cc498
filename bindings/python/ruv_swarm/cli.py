"""The `ruv-swarm` command: the Rust command line, and the MCP server of the server package."""

from __future__ import annotations

import importlib.util
import json
import signal
import sys
from collections.abc import Sequence

from ruv_swarm import _core, _errors

NO_SERVER = "mcp needs the server extra: uvx --from 'ruv-swarm[server]' ruv-swarm mcp start"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            shown = argument.encode(errors="surrogateescape").decode(errors="replace")
            return _refuse(f"the argument {shown!r} is not UTF-8 text", arguments)
    if arguments[:1] == ["mcp"] and "start" in arguments:
        return _mcp(arguments[1:])
    # Python's own handler would not be heard while Rust runs; until Rust listens, Ctrl-C just ends
    # the process, which loses nothing that was acknowledged.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _core.run_cli(["ruv-swarm", *arguments])


def _mcp(arguments: list[str]) -> int:
    if importlib.util.find_spec("ruv_swarm_server") is None:
        return _refuse(NO_SERVER, arguments)
    from ruv_swarm_server import mcp_main

    return mcp_main(arguments)


def _refuse(message: str, arguments: list[str]) -> int:
    """Say what is wrong with the use, in the form that the Rust command line has."""
    error = _errors.InvalidArgumentError(message)
    if "--json" in arguments:
        print(json.dumps({"error": {"code": error.code, "message": message}}, ensure_ascii=False))
    else:
        print(f"error: {message}", file=sys.stderr)
    return error.exit_code
