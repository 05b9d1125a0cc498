"""One process of `race.py`: clients that claim tasks from a swarm's file, each an agent.

`race_worker.py DB FOLDER AGENT...`: a thread for each agent, all with one swarm.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ruv_swarm import RuvSwarm


def client(swarm: RuvSwarm, agent: str, folder: Path) -> None:
    """Claim, work and report until nothing is left; note each answer before going on."""
    longest = 0.0

    def call(operation: str, **request: object) -> dict[str, Any]:
        nonlocal longest
        start = time.perf_counter()
        answer = swarm.call(operation, request)
        longest = max(longest, time.perf_counter() - start)
        return answer

    with (folder / f"{agent}.jsonl").open("w") as notes:
        task = call("task_claim", agentId=agent).get("task")
        while task:
            output = hashlib.sha256(task["payload"].encode()).hexdigest()
            lease = {"taskId": task["id"], "agentId": agent, "epoch": task["lease"]["epoch"]}
            done = {"outcome": "completed", "output": json.dumps(output), "claimNext": True}
            answer = call("task_report", **lease, **done)
            said = {"task": task["id"], "epoch": lease["epoch"], "output": output}
            print(json.dumps(said), file=notes, flush=True)
            task = answer.get("next")
        print(json.dumps({"longestMs": longest * 1000}), file=notes)


def main() -> None:
    """Run a client for each agent."""
    db, folder, *agents = sys.argv[1:]
    with RuvSwarm.open(db) as swarm, ThreadPoolExecutor(len(agents)) as clients:
        for done in [clients.submit(client, swarm, agent, Path(folder)) for agent in agents]:
            done.result()


if __name__ == "__main__":
    main()
