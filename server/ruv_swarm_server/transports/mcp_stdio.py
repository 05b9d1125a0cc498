"""MCP over standard input and output, which answers everything it has read before it leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

from ruv_swarm_server.host import Host
from ruv_swarm_server.transports.mcp import ToolBox

_CANCELLED = "notifications/cancelled"
Inbound = SessionMessage | Exception
FromClient = MemoryObjectReceiveStream[Inbound]
ToClient = MemoryObjectSendStream[SessionMessage]


class _Pending:
    """Responses in the order of their requests, and who still waits for one.

    The order is for callers that pipe in a file and look at the last line. Requests run side by
    side all the same.
    """

    def __init__(self) -> None:
        self._waiting: dict[types.RequestId, SessionMessage | None] = {}
        self._settled = anyio.Condition()

    def read(self, message: types.JSONRPCMessage) -> None:
        if isinstance(message, types.JSONRPCRequest):
            self._waiting[message.id] = None

    async def cancelled(self, message: types.JSONRPCMessage) -> None:
        # The SDK answers a cancelled request in one revision and not in the other.
        if isinstance(message, types.JSONRPCNotification) and message.method == _CANCELLED:
            self._waiting.pop((message.params or {}).get("requestId", ""), None)
            async with self._settled:
                self._settled.notify_all()

    def due(self, item: SessionMessage) -> list[SessionMessage]:
        """Take in what the server says; return what may go out now."""
        message = item.message
        if not isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            return [item]
        if message.id is None or message.id not in self._waiting:
            return [item]
        self._waiting[message.id] = item
        ready: list[SessionMessage] = []
        for request_id, response in list(self._waiting.items()):
            if response is None:
                break
            ready.append(response)
            del self._waiting[request_id]
        return ready

    async def written(self) -> None:
        async with self._settled:
            self._settled.notify_all()

    async def settled(self) -> None:
        async with self._settled:
            while self._waiting:
                await self._settled.wait()


@asynccontextmanager
async def _answering() -> AsyncGenerator[tuple[FromClient, ToClient]]:
    """Relay both ways; hold back the end of the input until every request is answered.

    The SDK drops the requests in flight when its input ends, and says nothing to a line that is
    no JSON-RPC message; both are answered here.
    """
    pending = _Pending()
    to_server, from_client = anyio.create_memory_object_stream[Inbound](0)
    to_client, from_server = anyio.create_memory_object_stream[SessionMessage](0)
    refusals = to_client.clone()
    async with stdio_server() as (read, write), anyio.create_task_group() as group:

        async def inbound() -> None:
            async with to_server, refusals:
                async for item in read:
                    if isinstance(item, Exception):
                        await refusals.send(_parse_error())
                        continue
                    pending.read(item.message)
                    await to_server.send(item)
                    await pending.cancelled(item.message)
                await pending.settled()

        async def outbound() -> None:
            async with write:
                async for item in from_server:
                    for due in pending.due(item):
                        await write.send(due)
                    await pending.written()

        group.start_soon(inbound)
        group.start_soon(outbound)
        yield from_client, to_client


def _parse_error() -> SessionMessage:
    error = types.ErrorData(code=types.PARSE_ERROR, message="not a json-rpc message")
    return SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=None, error=error))


async def serve_stdio(host: Host, *, dotted: bool = False) -> None:
    """Serve one client on standard input and output until the input ends."""
    server = ToolBox(host, dotted=dotted, ordered=True).server()
    async with _answering() as (read, write):
        await server.run(read, write, server.create_initialization_options())
