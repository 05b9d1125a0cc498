"""Errors as the core words them, and their faces at each door."""

from __future__ import annotations

import json

from ruv_swarm import RuvSwarmError

from ruv_swarm_server import kernel
from ruv_swarm_server._gen.errors import ERROR_CODES, ErrorCode


def exit_code(error: RuvSwarmError) -> int:
    """Return the exit code of the command line for ``error``."""
    return _row(error).exit_code


def grpc_status(error: RuvSwarmError) -> str:
    """Return the name of the gRPC status for ``error``."""
    return _row(error).grpc


def _row(error: RuvSwarmError) -> ErrorCode:
    return ERROR_CODES.get(error.code, ERROR_CODES["internal"])


def error_object(error: RuvSwarmError) -> dict[str, str]:
    """Return ``{"code", "message", "field"}``; an empty field is omitted, as in the core."""
    out = {"code": error.code, "message": error.message}
    if error.field:
        out["field"] = error.field
    return out


def error_json(error: RuvSwarmError) -> str:
    """Return the line that ``--json`` prints for ``error``."""
    return json.dumps({"error": error_object(error)}, ensure_ascii=False, separators=(",", ":"))


def host_trouble(kind: str, path: str, detail: str = "", *, field: str = "db") -> RuvSwarmError:
    """Return the core's error for trouble that only a host can meet."""
    return kernel.host_error(kind, field, path, detail)


def internal(error: BaseException) -> RuvSwarmError:
    """Wrap a defect, so that every door answers it as `internal` and never with a traceback."""
    return kernel.make_error("internal", "", f"internal error: {type(error).__name__}: {error}")
