"""The reference host in a process of its own, called by gRPC."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
from google.protobuf import json_format
from ruv_swarm_server._gen import service_pb2, service_pb2_grpc

Json = dict[str, Any]


class ServerHost:
    """`ruv-swarm-server serve` on a file, on free ports, until the block ends."""

    def __init__(self, db: Path) -> None:
        ports = ["--grpc-port", "0", "--http-port", "0", "--json"]
        command = [sys.executable, "-m", "ruv_swarm_server", "serve", "--db", str(db), *ports]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self) -> ServerHost:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, f"no server: {self.process.communicate()[1]}"
        said = json.loads(line)
        self.channel = grpc.insecure_channel(f"{said['host']}:{said['grpcPort']}")
        self.stub = service_pb2_grpc.SwarmServiceStub(self.channel)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.channel.close()
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, log

    def call(self, operation: str, request: Json) -> Json:
        """Call an operation by its name in the catalogue."""
        method = "".join(word.capitalize() for word in operation.split("_"))
        message = getattr(service_pb2, f"{method}Request")()
        json_format.ParseDict(request, message)
        answer = getattr(self.stub, method)(message, timeout=30)
        found: Json = json_format.MessageToDict(answer)
        return found
