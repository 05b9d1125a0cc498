"""Swarms of agents that coordinate, think and prove, on one pure core."""

from typing import TYPE_CHECKING

from ruv_swarm._core import (
    APPLICATION_ID,
    SAMPLE_MESSAGE,
    SCHEMA_SQL,
    SCHEMA_VERSION,
    Applied,
    Attach,
    Core,
    Decision,
    Host,
    Model,
    Row,
    Stop,
    TaskContext,
    Trainer,
    attach_artifact,
    attach_events,
    encode_arrays,
    error_codes,
    fuse,
    host_error,
    inspect_data,
    operation_kind,
    operations,
    render,
    render_event,
    sample,
    version,
)
from ruv_swarm._errors import (
    CancelledError,
    CompactedError,
    ConflictError,
    CorruptError,
    FailedPreconditionError,
    InternalError,
    InterruptedError,
    InvalidArgumentError,
    InvalidDataError,
    LimitExceededError,
    NotFoundError,
    OutcomeUnknownError,
    RuvSwarmError,
    StaleEpochError,
    StoreUnavailableError,
    UnknownOperationError,
    UnsupportedVersionError,
    WorkFailedError,
)
from ruv_swarm.ledger import Tally, TaskFailure, new_task
from ruv_swarm.swarm import Persistence, Replay, RuvSwarm
from ruv_swarm.training import (
    Ensemble,
    Member,
    MemberProgress,
    TrainingProgress,
    TrainingResult,
)

if TYPE_CHECKING:
    from ruv_swarm.aio import AsyncSwarm

__version__: str = version()

__all__ = [
    "APPLICATION_ID",
    "SAMPLE_MESSAGE",
    "SCHEMA_SQL",
    "SCHEMA_VERSION",
    "Applied",
    "AsyncSwarm",
    "Attach",
    "CancelledError",
    "CompactedError",
    "ConflictError",
    "Core",
    "CorruptError",
    "Decision",
    "Ensemble",
    "FailedPreconditionError",
    "Host",
    "InternalError",
    "InterruptedError",
    "InvalidArgumentError",
    "InvalidDataError",
    "LimitExceededError",
    "Member",
    "MemberProgress",
    "Model",
    "NotFoundError",
    "OutcomeUnknownError",
    "Persistence",
    "Replay",
    "Row",
    "RuvSwarm",
    "RuvSwarmError",
    "StaleEpochError",
    "Stop",
    "StoreUnavailableError",
    "Tally",
    "TaskContext",
    "TaskFailure",
    "Trainer",
    "TrainingProgress",
    "TrainingResult",
    "UnknownOperationError",
    "UnsupportedVersionError",
    "WorkFailedError",
    "attach_artifact",
    "attach_events",
    "encode_arrays",
    "error_codes",
    "fuse",
    "host_error",
    "inspect_data",
    "new_task",
    "operation_kind",
    "operations",
    "render",
    "render_event",
    "sample",
    "version",
]


def __getattr__(name: str) -> object:
    """Load `AsyncSwarm` when it is asked for: asyncio takes longer to import than all the rest."""
    if name == "neural":
        import importlib

        return importlib.import_module("ruv_swarm.neural")
    if name == "AsyncSwarm":
        from ruv_swarm.aio import AsyncSwarm

        return AsyncSwarm
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
