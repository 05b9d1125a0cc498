"""The `ruv-swarm-server` command."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruv_swarm_server import __version__

if TYPE_CHECKING:
    from ruv_swarm_server.app import Listening

_EPILOG = (
    "exit codes: 0 done, 1 the work failed, 2 bad use or bad input, 3 store trouble, "
    "130 interrupted"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.command == "serve":
        return _serve(options)
    return _mcp(options)


def run_mcp(argv: Sequence[str]) -> int:
    """Run `mcp` with its arguments; return the exit code."""
    parser = argparse.ArgumentParser("ruv-swarm mcp", epilog=_EPILOG)
    _mcp_options(parser)
    return _mcp(parser.parse_args(argv))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "ruv-swarm-server", description="Serve a swarm's file.", epilog=_EPILOG
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser(
        "serve", help="serve gRPC, and HTTP with MCP and /healthz", epilog=_EPILOG
    )
    _common_options(serve)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    port = "port of %s; 0 lets the system choose (%%(default)s)"
    serve.add_argument("--grpc-port", type=_port, default=50051, help=port % "gRPC")
    serve.add_argument("--http-port", type=_port, default=8080, help=port % "HTTP")
    serve.add_argument("--json", action="store_true", help="print where it listens as a JSON line")
    serve.add_argument(
        "--token-file", type=Path, help="file with the bearer token; else $RUV_SWARM_TOKEN"
    )
    serve.add_argument("--insecure", action="store_true", help="ask for no token, on any address")
    serve.add_argument(
        "--allow-host", action="append", default=[], help="a name in Host headers that is ours"
    )
    serve.add_argument(
        "--threads", type=int, default=0, help="members trained at once; 0: one a core"
    )
    mcp = commands.add_parser("mcp", help="serve MCP on standard input and output", epilog=_EPILOG)
    _mcp_options(mcp)
    return parser


def _common_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--db",
        type=Path,
        default=Path(os.environ.get("RUV_SWARM_DB") or "./swarm.db"),
        help="the swarm's file ($RUV_SWARM_DB, else ./swarm.db)",
    )
    parser.add_argument("--no-train", action="store_true", help="leave training to other hosts")
    parser.add_argument(
        "--log-level",
        default="warning",
        choices=["debug", "info", "warning", "error"],
        help="what is logged on standard error (%(default)s)",
    )


def _mcp_options(parser: argparse.ArgumentParser) -> None:
    _common_options(parser)
    parser.add_argument("action", nargs="?", default="start", choices=["start"])
    parser.add_argument(
        "--stdio", action="store_true", help="accepted; there is no other transport here"
    )
    parser.add_argument(
        "--tool-names",
        default="underscore",
        choices=["underscore", "dotted"],
        help="dotted: also list the names with a dot",
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _serve(options: argparse.Namespace) -> int:
    from ruv_swarm_server.app import Settings, serve

    def settings() -> Settings:
        return Settings(
            db=options.db,
            host=options.host,
            grpc_port=options.grpc_port,
            http_port=options.http_port,
            token=_token(options.token_file),
            insecure=options.insecure,
            names=tuple(options.allow_host),
            train=not options.no_train,
            threads=options.threads,
        )

    ready = _print_json if options.json else _print_text

    async def action() -> int:
        return await serve(settings(), ready)

    return _run(options, action, as_json=options.json)


def _token(path: Path | None) -> str:
    """Return the bearer token; it is no option, since every user can read those."""
    from ruv_swarm_server.errors import host_trouble

    if path is None:
        return os.environ.get("RUV_SWARM_TOKEN", "")
    try:
        return path.read_text("utf-8").strip()
    except FileNotFoundError:
        raise host_trouble("file_missing", str(path), field="tokenFile") from None
    except (OSError, UnicodeDecodeError) as error:
        detail = str(error).lower()
        raise host_trouble("file_unreadable", str(path), detail, field="tokenFile") from error


def _mcp(options: argparse.Namespace) -> int:
    from ruv_swarm_server.app import serve_mcp

    train, dotted = not options.no_train, options.tool_names == "dotted"
    return _run(options, lambda: serve_mcp(options.db, train=train, dotted=dotted))


def _run(
    options: argparse.Namespace,
    action: Callable[[], Coroutine[Any, Any, int]],
    *,
    as_json: bool = False,
) -> int:
    from ruv_swarm import RuvSwarmError

    from ruv_swarm_server.errors import error_json, exit_code

    logging.basicConfig(
        stream=sys.stderr,
        level=options.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    try:
        return asyncio.run(action())
    except RuvSwarmError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if as_json:
            print(error_json(error), flush=True)
        return exit_code(error)
    except KeyboardInterrupt:
        return 130


def _print_json(listening: Listening) -> None:
    line = {
        "db": listening.db,
        "host": listening.host,
        "grpcPort": listening.grpc_port,
        "httpPort": listening.http_port,
    }
    print(json.dumps(line, separators=(",", ":")), flush=True)


def _print_text(listening: Listening) -> None:
    print(f"swarm file  {listening.db}")
    print(f"gRPC        {listening.host}:{listening.grpc_port}")
    print(f"HTTP        http://{listening.host}:{listening.http_port}  (/healthz, /mcp)")
    print("stop with Ctrl-C", flush=True)


if __name__ == "__main__":
    sys.exit(main())
