"""MCP: the operations as tools, with structured results."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from importlib import resources
from typing import Any, cast

import mcp_types as types
from mcp.server import Server, ServerRequestContext
from ruv_swarm import RuvSwarmError

from ruv_swarm_server import __version__, kernel
from ruv_swarm_server.errors import error_object
from ruv_swarm_server.host import Host
from ruv_swarm_server.requests import write_object

INSTRUCTIONS = (
    "One durable swarm of agents. Start with swarm_init and agent_spawn; hand in work with "
    "task_orchestrate or task_submit; workers call task_claim, task_heartbeat and task_report; "
    "swarm_status and task_status tell how things stand. Ids come from results."
)


class Turns:
    """Lets the commands of one client run side by side, and its queries between them in order.

    So who pipes in command, query, command reads in the answers what stood at each place, and
    commands still share their commits.
    """

    def __init__(self) -> None:
        """Begin with nothing running."""
        self._kind = ""
        self._running = 0
        self._waiting: deque[tuple[str, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def turn(self, kind: str) -> AsyncGenerator[None]:
        """Hold a place for a call of ``kind``: those of the other kind before it end first."""
        if self._waiting or (self._running and kind != self._kind):
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((kind, place))
            try:
                await place
            except asyncio.CancelledError:
                if not place.cancelled():
                    # The place was given in the same moment: it goes to the next.
                    self._leave()
                raise
        else:
            self._kind = kind
            self._running += 1
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        self._running -= 1
        while self._waiting and (not self._running or self._waiting[0][0] == self._kind):
            kind, place = self._waiting.popleft()
            if not place.done():
                self._kind = kind
                self._running += 1
                place.set_result(None)


class ToolBox:
    """The tools of a host, by listed name and by the dotted names of the founding document."""

    def __init__(self, host: Host, *, dotted: bool = False, ordered: bool = False) -> None:
        """Read the generated tool table; ``dotted`` lists the dotted names too.

        ``ordered`` keeps queries in their place among commands, for a box with one client.
        """
        self._host = host
        self._turns = Turns() if ordered else None
        text = resources.files("ruv_swarm_server._gen").joinpath("tools.json").read_text("utf-8")
        self._operations: dict[str, str] = {}
        self._tools: list[types.Tool] = []
        for entry in cast("list[dict[str, Any]]", json.loads(text)["tools"]):
            name, alias = str(entry["name"]), entry.get("alias")
            self._operations[name] = name
            self._tools.append(_tool(entry, name))
            if alias:
                self._operations[str(alias)] = name
                if dotted:
                    self._tools.append(_tool(entry, str(alias)))

    def server(self) -> Server[Any]:
        """Return an MCP server that lists and calls the tools."""
        return Server(
            "ruv-swarm",
            version=__version__,
            instructions=INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )

    async def _list(
        self, _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=self._tools)

    async def _call(
        self, _context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        # A name that is no tool goes to the core as it is: it words that error too.
        operation = self._operations.get(params.name, params.name)
        arguments = dict(params.arguments or {})
        key = arguments.pop("idempotencyKey", "")
        try:
            if not isinstance(key, str):
                text = "idempotencyKey: not a text"
                raise kernel.make_error("invalid_argument", "idempotencyKey", text)
            response, note = await self._run(operation, arguments, key)
        except RuvSwarmError as error:
            return types.CallToolResult(
                content=[types.TextContent(text=error.message)],
                structured_content={"error": error_object(error)},
                is_error=True,
            )
        return types.CallToolResult(
            content=[types.TextContent(text=note + kernel.render(operation, response))],
            structured_content=json.loads(response),
        )

    async def _run(self, operation: str, fields: dict[str, Any], key: str) -> tuple[str, str]:
        """Return the response, and what is to be said before its text."""
        kind = kernel.operation_kind(operation) or "query"
        async with self._turns.turn(kind) if self._turns else nullcontext():
            if operation == "task_orchestrate":
                response = await self._host.orchestrate_sample(fields, key)
                if response is not None:
                    return response, kernel.SAMPLE_MESSAGE + "\n"
            return await self._host.call(operation, write_object(fields), key), ""


def _tool(entry: dict[str, Any], name: str) -> types.Tool:
    hints = entry["annotations"]
    return types.Tool(
        name=name,
        title=entry["title"],
        description=entry["description"],
        input_schema=entry["inputSchema"],
        output_schema=entry["outputSchema"],
        annotations=types.ToolAnnotations.model_validate(hints),
    )
