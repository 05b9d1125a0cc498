"""MCP over standard input and output, which answers everything it has read before it leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.stdio import stdio_server
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage

from ruv_swarm_server.host import Host
from ruv_swarm_server.transports.mcp import ToolBox

Inbound = SessionMessage | Exception


class _Pending:
    """The requests that were read and not answered."""

    def __init__(self) -> None:
        self._ids: set[types.RequestId] = set()
        self._settled = anyio.Condition()

    def read(self, message: types.JSONRPCMessage) -> None:
        if isinstance(message, types.JSONRPCRequest):
            self._ids.add(message.id)

    async def written(self, message: types.JSONRPCMessage) -> None:
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            await self._drop(message.id)

    async def cancelled(self, message: types.JSONRPCMessage) -> None:
        # The SDK answers a cancelled request in one revision and not in the other.
        if isinstance(message, types.JSONRPCNotification):
            if message.method == "notifications/cancelled":
                await self._drop((message.params or {}).get("requestId"))

    async def _drop(self, request_id: types.RequestId | None) -> None:
        async with self._settled:
            if request_id is not None:
                self._ids.discard(request_id)
            self._settled.notify_all()

    async def settled(self) -> None:
        async with self._settled:
            while self._ids:
                await self._settled.wait()


@asynccontextmanager
async def _answering(
    read: ReadStream[Inbound], write: WriteStream[SessionMessage]
) -> AsyncIterator[tuple[ReadStream[Inbound], WriteStream[SessionMessage]]]:
    """Relay both ways; hold back the end of the input until every request is answered.

    The SDK drops the requests in flight when its input ends, and says nothing to a line that is
    no JSON-RPC message; both are answered here.
    """
    pending = _Pending()
    to_server: MemoryObjectSendStream[Inbound]
    from_client: MemoryObjectReceiveStream[Inbound]
    to_server, from_client = anyio.create_memory_object_stream[Inbound](0)
    to_client: MemoryObjectSendStream[SessionMessage]
    from_server: MemoryObjectReceiveStream[SessionMessage]
    to_client, from_server = anyio.create_memory_object_stream[SessionMessage](0)

    async def inbound() -> None:
        async with to_server:
            async for item in read:
                if isinstance(item, Exception):
                    await to_client_copy.send(_parse_error())
                    continue
                pending.read(item.message)
                await to_server.send(item)
                await pending.cancelled(item.message)
            await pending.settled()
        await to_client_copy.aclose()

    async def outbound() -> None:
        async with write:
            async for item in from_server:
                await write.send(item)
                await pending.written(item.message)

    to_client_copy = to_client.clone()
    async with anyio.create_task_group() as group:
        group.start_soon(inbound)
        group.start_soon(outbound)
        yield from_client, to_client


def _parse_error() -> SessionMessage:
    error = types.ErrorData(code=types.PARSE_ERROR, message="not a json-rpc message")
    return SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=None, error=error))


async def serve_stdio(host: Host, *, dotted: bool = False) -> None:
    """Serve one client on standard input and output until the input ends."""
    server = ToolBox(host, dotted=dotted).server()
    async with stdio_server() as (read, write), _answering(read, write) as (inner, outer):
        await server.run(inner, outer, server.create_initialization_options())
