"""The reference host, driven from outside; the words are those of `fault_host.rs`."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

from ruv_swarm import RuvSwarmError
from ruv_swarm_server.host import Host


async def main() -> None:
    # A host that meets trouble logs it; here the caller is told, and that is looked at.
    logging.disable()
    async with Host(Path(sys.argv[1])) as host:
        seen = len(await events_after(host, 0))
        while line := await asyncio.to_thread(sys.stdin.readline):
            call = json.loads(line)
            answer: dict[str, Any]
            try:
                request = json.dumps(call.get("request", {}))
                ok = json.loads(await host.call(call["op"], request, call.get("key", "")))
                rows = await events_after(host, seen)
                seen += len(rows)
                answer = {"ok": ok, "events": rows}
            except RuvSwarmError as error:
                answer = {"error": {"code": error.code, "message": error.message}}
            print(json.dumps(answer), flush=True)


async def events_after(host: Host, seen: int) -> list[tuple[int, str, str]]:
    """Read the log by the host's own connection: another one's end would drop its locks."""

    def read() -> list[tuple[int, str, str]]:
        store = host._ledger._open(create=False)
        rows = store.tail(seen) if store else []
        return [(event.seq, event.body, event.chain.hex()) for event in rows]

    return await host._in_thread(read)


if __name__ == "__main__":
    asyncio.run(main())
