"""The Python facade's host, driven from outside; the words are those of `fault_host.rs`."""

from __future__ import annotations

import json
import sys

import ruv_swarm


def main() -> None:
    host = ruv_swarm.Host(sys.argv[1], "full", True)
    seen = host.version()
    for line in sys.stdin:
        call = json.loads(line)
        try:
            if call["op"] == "replay":
                answer = {"ok": json.loads(host.replay(True)[0])}
            else:
                request = json.dumps(call.get("request", {}))
                ok = json.loads(host.call(call["op"], request, call.get("key", "")))
                events = host.events(seen, 1_000_000)
                rows = [[seen + 1 + i, body, chain] for i, (body, chain) in enumerate(events)]
                seen += len(rows)
                answer = {"ok": ok, "events": rows}
        except ruv_swarm.RuvSwarmError as error:
            answer = {"error": {"code": error.code, "message": error.message}}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
