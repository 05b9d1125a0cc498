"""HTTP: /healthz, and MCP's streamable HTTP at /mcp, behind one guard."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection, Generator, MutableMapping
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from ruv_swarm import RuvSwarmError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from ruv_swarm_server import __version__
from ruv_swarm_server.errors import error_object
from ruv_swarm_server.host import Host
from ruv_swarm_server.security import BODY_LIMIT, Access, host_name, is_loopback
from ruv_swarm_server.transports.mcp import ToolBox

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# A client that has not sent its headers by then is cut off.
HEADER_DEADLINE_S = 10.0
# Connections at once; more are answered 503.
CONNECTION_LIMIT = 1000


class Guard:
    """Checks Host, Origin, token and size of every request before the application sees it."""

    def __init__(self, app: App, access: Access, names: Collection[str]) -> None:
        """Guard ``app``; ``names`` are host names that are allowed beside loopback ones."""
        self._app = app
        self._access = access
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(str(scope["path"]), headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, path: str, headers: Headers) -> Response | None:
        if not self._known(host_name(headers.get("host", ""))):
            return PlainTextResponse("host: not a name of this server\n", 421)
        origin = headers.get("origin")
        if origin is not None and not self._known(urlsplit(origin).hostname or ""):
            return PlainTextResponse("origin: not allowed\n", 403)
        if path != "/healthz" and not self._access.allows(headers.get("authorization", "")):
            text = "authorization: a bearer token is required\n"
            return PlainTextResponse(text, 401, {"www-authenticate": "Bearer"})
        length = headers.get("content-length", "0")
        # A body without a stated length is counted by the one path that reads bodies, /mcp.
        if not length.isdecimal() or int(length) > BODY_LIMIT:
            return PlainTextResponse(f"body: more than {BODY_LIMIT} bytes\n", 413)
        return None

    def _known(self, name: str) -> bool:
        """A name that somebody else's DNS can point here is none of ours; an address is."""
        if name in self._names or is_loopback(name):
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True


def application(host: Host, access: Access, names: Collection[str]) -> App:
    """Return the ASGI application of a host."""

    async def healthz(_request: Request) -> Response:
        try:
            state = await host.check()
        except RuvSwarmError as error:
            return JSONResponse({"status": "failing", "error": error_object(error)}, 503)
        return JSONResponse({"status": "ok", "release": __version__, **state})

    app = (
        ToolBox(host)
        .server()
        .streamable_http_app(
            custom_starlette_routes=[Route("/healthz", healthz)],
            # The guard has done this for every path.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            max_request_body_size=BODY_LIMIT,
        )
    )
    return Guard(app, access, names)


class _DeadlineProtocol(H11Protocol):
    """Closes connections whose request headers do not come in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and self._idle():
            self._expect()
        super().data_received(data)
        if not self._idle():
            self._relax()

    def connection_lost(self, exc: Exception | None) -> None:
        self._relax()
        super().connection_lost(exc)

    def _idle(self) -> bool:
        # There is no cycle before the first request, whatever its annotation says.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is None or cycle.response_complete

    def _expect(self) -> None:
        self._deadline = self.loop.call_later(HEADER_DEADLINE_S, self.transport.close)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Uvicorn(uvicorn.Server):
    """Leaves the signals to the process that it is a part of."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class HttpServer:
    """The HTTP door of a host."""

    def __init__(self, app: App, grace_s: float) -> None:
        """Serve ``app``; running requests get ``grace_s`` seconds at the end."""
        config = uvicorn.Config(
            app,
            http=_DeadlineProtocol,
            log_config=None,
            access_log=False,
            limit_concurrency=CONNECTION_LIMIT,
            timeout_graceful_shutdown=int(grace_s),
            server_header=False,
        )
        self._server = _Uvicorn(config)
        self._task: asyncio.Task[None] | None = None

    def start(self, address: str, port: int) -> int:
        """Listen; return the port, which the system chooses if ``port`` is 0."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address.strip("[]"), port), family=family)
        self._task = asyncio.get_running_loop().create_task(self._server.serve([listener]))
        return int(listener.getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and let the running requests end."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
