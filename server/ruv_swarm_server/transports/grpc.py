"""gRPC: every operation of the catalogue, wired from the descriptor."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import grpc
import grpc.aio
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from ruv_swarm import RuvSwarmError

from ruv_swarm_server import kernel
from ruv_swarm_server._gen import service_pb2
from ruv_swarm_server.errors import grpc_status, internal
from ruv_swarm_server.host import Host
from ruv_swarm_server.security import BODY_LIMIT, Access

log = logging.getLogger(__name__)

Handler = Callable[[Any, Any], Awaitable[Message]]
Metadata = Sequence[tuple[str, str | bytes]]

# Dead peers are noticed within a minute; a client may ping every ten seconds.
OPTIONS: list[tuple[str, int]] = [
    ("grpc.max_receive_message_length", BODY_LIMIT),
    ("grpc.max_send_message_length", BODY_LIMIT),
    ("grpc.keepalive_time_ms", 40_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.max_connection_age_ms", 24 * 3600 * 1000),
    ("grpc.so_reuseport", 0),
]


SERVICE: ServiceDescriptor = service_pb2.DESCRIPTOR.services_by_name["SwarmService"]
"""The catalogue's descriptor."""


def operation_of(method: str) -> str:
    """Return the operation of an RPC: `SwarmInit` is `swarm_init`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", method).lower()


class GrpcServer:
    """The gRPC door of a host."""

    def __init__(self, host: Host, access: Access) -> None:
        """Wire every RPC to ``host``."""
        self._host = host
        self._access = access
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(options=OPTIONS)
        name = SERVICE.full_name
        handlers = {method.name: self._method(method) for method in SERVICE.methods}
        generic = grpc.method_handlers_generic_handler(name, handlers)
        self._server.add_generic_rpc_handlers((generic,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(
            (name, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server
        )

    async def start(self, address: str, port: int) -> int:
        """Listen; return the port, which the system chooses if ``port`` is 0."""
        bound = self._server.add_insecure_port(f"{address}:{port}")
        await self._server.start()
        for name in ("", SERVICE.full_name):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return bound

    async def stop(self, grace_s: float) -> None:
        """Say so to health watchers, refuse new calls and let the running ones end."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace_s)

    def _method(self, method: MethodDescriptor) -> grpc.RpcMethodHandler[Any, Any]:
        response_class = message_factory.GetMessageClass(method.output_type)
        # Without a deserializer the handler gets the bytes, and can say what is wrong with them.
        return grpc.unary_unary_rpc_method_handler(
            cast(Any, self._handler(method, response_class)),
            response_serializer=response_class.SerializeToString,
        )

    def _handler(self, method: MethodDescriptor, response_class: type[Message]) -> Handler:
        operation = operation_of(method.name)
        request_class = message_factory.GetMessageClass(method.input_type)

        async def handle(data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> Message:
            metadata = _metadata(context)
            if not self._access.allows(metadata.get("authorization", "")):
                text = "authorization: a bearer token is required"
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, text)
            try:
                request = _json(request_class, data)
                key = metadata.get("idempotency-key", "")
                response = await self._host.call(operation, request, key)
                # A field that only a newer core tells is left out rather than refused.
                message = json_format.Parse(response, response_class(), ignore_unknown_fields=True)
                _check_size(message)
                return message
            except RuvSwarmError as error:
                await _abort(context, error)
            except json_format.ParseError as error:
                log.exception("the answer of %s", operation)
                await _abort(context, internal(error))
            raise AssertionError  # abort never returns

        return handle


def _json(request_class: type[Message], data: bytes) -> str:
    try:
        request = request_class.FromString(data)
    except DecodeError:
        text = f"request: not a {request_class.DESCRIPTOR.full_name} message"
        raise kernel.make_error("invalid_argument", "", text) from None
    return json_format.MessageToJson(request, indent=None, ensure_ascii=False)


def _check_size(message: Message) -> None:
    size = message.ByteSize()
    if size > BODY_LIMIT:
        text = f"response: {size} bytes; at most {BODY_LIMIT} pass this door; ask for less at once"
        raise kernel.make_error("limit_exceeded", "", text)


def _metadata(context: grpc.aio.ServicerContext[Any, Any]) -> dict[str, str]:
    pairs = cast(Metadata, context.invocation_metadata() or ())
    return {key: value for key, value in pairs if isinstance(value, str)}


async def _abort(context: grpc.aio.ServicerContext[Any, Any], error: RuvSwarmError) -> None:
    trailing = (("ruv-swarm-code", error.code), ("ruv-swarm-field", error.field))
    status = getattr(grpc.StatusCode, grpc_status(error))
    await context.abort(status, error.message, trailing_metadata=trailing)
