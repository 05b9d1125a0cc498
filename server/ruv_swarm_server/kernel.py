"""The core as this package uses it: the public face of `ruv_swarm`, and a few shapes around it."""

from __future__ import annotations

import json
from typing import Any, cast

from ruv_swarm import (
    APPLICATION_ID,
    SAMPLE_MESSAGE,
    SCHEMA_SQL,
    SCHEMA_VERSION,
    Core,
    Decision,
    Row,
    RuvSwarmError,
    Trainer,
    attach_artifact,
    attach_events,
    fuse,
    host_error,
    inspect_data,
    operation_kind,
    render,
    sample,
)

__all__ = [
    "APPLICATION_ID",
    "SAMPLE_MESSAGE",
    "SCHEMA_SQL",
    "SCHEMA_VERSION",
    "Core",
    "Decision",
    "Row",
    "Trainer",
    "attach_artifact",
    "attach_events",
    "fuse",
    "host_error",
    "inspect_data",
    "make_error",
    "operation_kind",
    "render",
    "run_trainer",
    "sample",
]


def run_trainer(trainer: Trainer, epochs: int) -> dict[str, Any]:
    """Train at most ``epochs`` more; return how far it has come."""
    return cast("dict[str, Any]", json.loads(trainer.run(epochs)))


def make_error(code: str, field: str, message: str) -> RuvSwarmError:
    """Return an error with ``code``, ``field`` and ``message``."""
    classes = {kind.code: kind for kind in RuvSwarmError.__subclasses__()}
    return classes.get(code, RuvSwarmError)(message, field)
