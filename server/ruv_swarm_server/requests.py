"""What a host adds to requests before the core decides, and reads off them after."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any, cast

from ruv_swarm import RuvSwarmError

from ruv_swarm_server import kernel

_DETACH_FROM = 1 << 20


def read_object(request: str) -> dict[str, Any] | None:
    """Return the request as a dict; None if it is no JSON object, which the core will refuse."""
    try:
        value = json.loads(request or "{}")
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def write_object(value: Mapping[str, Any]) -> str:
    """Return compact JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def with_drawn(request: str, key: str) -> str:
    """Return a swarm_init request with the id and the seed drawn where they are absent.

    With an idempotency key they are derived from the key, so that a repeated call is the same
    request to the core and gets the recorded answer.
    """
    fields = read_object(request)
    if fields is None:
        return request
    entropy = hashlib.sha256(key.encode()).digest() if key else secrets.token_bytes(32)
    if not fields.get("swarmId") and not fields.get("swarm_id"):
        fields.pop("swarm_id", None)
        fields["swarmId"] = f"s-{entropy[:4].hex()}"
    if fields.get("seed") is None:
        fields["seed"] = int.from_bytes(entropy[8:12], "big")
    return write_object(fields)


def dataset_to_inspect(request: str) -> tuple[dict[str, Any], str] | None:
    """Return the request and its dataset's hash, if a caller left the summary to the host."""
    fields = read_object(request)
    dataset = fields.get("dataset") if fields else None
    if fields is None or not isinstance(dataset, dict):
        return None
    named = cast("dict[str, Any]", dataset)
    digest = named.get("hash")
    if not isinstance(digest, str) or not digest or named.get("summary"):
        return None
    return fields, digest


def with_summary(fields: dict[str, Any], content: bytes) -> str:
    """Return the request with the core's own summary of its dataset."""
    dataset = {**fields["dataset"], "summary": kernel.inspect_data(content, "{}")}
    return write_object({**fields, "dataset": dataset})


def on_sample(fields: Mapping[str, Any]) -> tuple[str, str, dict[str, bytes]]:
    """Return what trains on the bundled dataset: two requests, artifact_put and task_orchestrate.

    The bytes come third, by their hash.
    """
    content = kernel.sample()
    digest = hashlib.sha256(content).hexdigest()
    put = {"hash": digest, "size": len(content), "name": "iris.csv", "mediaType": "text/csv"}
    dataset = {"hash": digest, "summary": kernel.inspect_data(content, "{}")}
    plan = {**fields, "task": "train", "dataset": dataset}
    return write_object(put), write_object(plan), {digest: content}


def detached(request: str) -> tuple[str, dict[str, bytes]]:
    """Return a large artifact_put as hash and size, and the bytes beside it.

    The core bounds the text of a request; bytes that pass a door's own limit may be larger as
    base64. What does not decode goes to the core as it is, which words the refusal.
    """
    fields = read_object(request) if len(request) > _DETACH_FROM else None
    content = (fields or {}).pop("content", None)
    if fields is None or not isinstance(content, str):
        return request, {}
    try:
        data = base64.b64decode(content, validate=True)
    except ValueError:
        return request, {}
    digest = hashlib.sha256(data).hexdigest()
    if str(fields.get("hash") or digest).lower() != digest or fields.get("size") is not None:
        return request, {}
    return write_object({**fields, "hash": digest, "size": len(data)}), {digest: data}


def artifact_content(request: str, response: str, blobs: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Return hash and bytes of an artifact that the core has just taken in.

    The core knows hash and size only; bytes that nobody handed over are refused here.
    """
    digest = str(json.loads(response)["artifact"]["hash"])
    if digest in blobs:
        return digest, blobs[digest]
    content = (read_object(request) or {}).get("content")
    data = base64.b64decode(content) if isinstance(content, str) else b""
    if hashlib.sha256(data).hexdigest() != digest:
        raise _missing_content()
    return digest, data


def _missing_content() -> RuvSwarmError:
    text = "content: the bytes are missing; give them in base64"
    return kernel.make_error("invalid_argument", "content", text)
