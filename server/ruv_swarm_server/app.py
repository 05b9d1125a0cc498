"""One process: a host, its training, and the doors that were asked for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from ruv_swarm_server import kernel
from ruv_swarm_server.host import Host
from ruv_swarm_server.security import Access, is_loopback
from ruv_swarm_server.training import TrainingExecutor

log = logging.getLogger(__name__)

# How long running calls get when the process is told to stop.
GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What `serve` was told."""

    db: Path
    host: str = "127.0.0.1"
    grpc_port: int = 50051
    http_port: int = 8080
    token: str = ""
    insecure: bool = False
    names: tuple[str, ...] = ()
    train: bool = True
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the doors are."""

    db: str
    host: str
    grpc_port: int
    http_port: int


async def serve(settings: Settings, ready: Callable[[Listening], None]) -> int:
    """Serve until a signal comes; return the exit code."""
    check_exposure(settings)
    stop = _Stop()
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(Host(settings.db))
        # A file that cannot be served is said now and not to the first caller.
        await host.check()
        if settings.train:
            await stack.enter_async_context(TrainingExecutor(host, settings.threads))
        # Whoever hears that it serves may end it at once.
        stop.listen()
        await _open_doors(settings, host, stack, ready)
        code = await stop.wait()
        log.info("stopping")
    return code


async def serve_mcp(db: Path, *, train: bool, dotted: bool) -> int:
    """Serve one MCP client on standard input and output until its end or a signal."""
    from ruv_swarm_server.transports.mcp_stdio import serve_stdio

    stop = _Stop()
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(Host(db))
        if train:
            await stack.enter_async_context(TrainingExecutor(host, 0))
        stop.listen()
        serving = asyncio.ensure_future(serve_stdio(host, dotted=dotted))
        signalled = asyncio.ensure_future(stop.wait())
        await asyncio.wait({serving, signalled}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            signalled.cancel()
            await serving
            return 0
    # The file is closed. A thread still waits for input and nothing can wake it, so the
    # interpreter's own way out would wait with it.
    logging.shutdown()
    os._exit(signalled.result())


def check_exposure(settings: Settings) -> None:
    """Refuse to serve the network without a token unless the caller says so."""
    if is_loopback(settings.host) or settings.token or settings.insecure:
        return
    text = (
        f"host: {settings.host!r} is not this machine alone; set RUV_SWARM_TOKEN or --token-file, "
        "or say --insecure to serve everybody who can connect"
    )
    raise kernel.make_error("invalid_argument", "host", text)


async def _open_doors(
    settings: Settings, host: Host, stack: AsyncExitStack, ready: Callable[[Listening], None]
) -> None:
    from ruv_swarm_server.transports.grpc import GrpcServer
    from ruv_swarm_server.transports.http import HttpServer, application

    access = Access("" if settings.insecure else settings.token)
    rpc = GrpcServer(host, access)
    try:
        grpc_port = await rpc.start(settings.host, settings.grpc_port)
    except RuntimeError as error:
        raise _not_bound("grpcPort", settings.host, settings.grpc_port, "") from error
    stack.push_async_callback(rpc.stop, GRACE_S)
    web = HttpServer(application(host, access, (settings.host, *settings.names)), GRACE_S)
    try:
        http_port = web.start(settings.host, settings.http_port)
    except OSError as error:
        detail = (error.strerror or "").lower()
        raise _not_bound("httpPort", settings.host, settings.http_port, detail) from error
    stack.push_async_callback(web.stop)
    ready(Listening(str(settings.db), settings.host, grpc_port, http_port))


def _not_bound(field: str, host: str, port: int, detail: str) -> Exception:
    why = detail or "it is in use or not ours to use"
    text = f"{field}: cannot listen on {host} port {port}: {why}; 0 lets the system choose"
    return kernel.make_error("invalid_argument", field, text)


class _Stop:
    """The signals that end the process, and the exit code each means."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._code = 0

    def listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, self._signalled, code)

    def _signalled(self, code: int) -> None:
        self._code = code
        self._event.set()

    async def wait(self) -> int:
        await self._event.wait()
        return self._code
