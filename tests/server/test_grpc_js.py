"""gRPC with `@grpc/grpc-js`, from Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from process import Server
from ruv_swarm_server._gen import service_pb2

ROOT = Path(__file__).resolve().parents[2]


def test_a_node_client_is_served_as_any_other(server: Server) -> None:
    node = shutil.which("node")
    assert node, "node is needed on PATH; `python3 dev.py server` brings it"
    script = Path(__file__).with_name("grpc_js.mjs")
    line = [node, script, ROOT / "npm" / "package.json", ROOT / "proto", server.grpc]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    service = service_pb2.DESCRIPTOR.services_by_name["SwarmService"]
    assert seen["methods"] == sorted(method.name for method in service.methods)
    assert seen["early"]["status"] == "NOT_FOUND"
    assert seen["early"]["field"] == "db"
    assert seen["made"]["seed"] == 2**52 + 1
    assert seen["spawned"]["agents"][0]["name"] == "Zoë"
    assert seen["again"] == seen["spawned"]
    assert seen["claimed"]["task"]["lease"]["epoch"] == 1
    assert seen["got"]["content"] == "00ff01"
    assert seen["reported"]["task"]["state"] == "completed"
    assert seen["stale"]["code"] in ("stale_epoch", "failed_precondition")
    assert seen["unknown"] == {
        "status": "NOT_FOUND",
        "message": 'taskId: no task "t99"',
        "code": "not_found",
        "field": "taskId",
    }
    assert seen["status"]["tasks"]["completed"] == 1
    assert len(seen["status"]["agentList"]) == 1
