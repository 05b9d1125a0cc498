"""The reference host of ruv-swarm: gRPC, MCP and HTTP over one core and one durable file."""

from __future__ import annotations

from collections.abc import Sequence

__version__ = "0.1.0"

__all__ = ["__version__", "mcp_main"]


def mcp_main(argv: Sequence[str]) -> int:
    """Serve the operations as MCP tools over stdio; return the exit code.

    The command line of the `ruv-swarm` package calls this for `mcp start`. The MCP library takes
    long to import, so it is loaded only here.
    """
    from ruv_swarm_server.cli import run_mcp

    return run_mcp(argv)
