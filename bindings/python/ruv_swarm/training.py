"""What comes of a training goal, and how it goes.

Named tuples, since dataclasses would take a third of the package's import time.
"""

from __future__ import annotations

import json
from typing import NamedTuple


class Member(NamedTuple):
    """A member of a trained ensemble."""

    agent_id: str
    """The agent that trained it."""
    pattern: str
    """Its cognitive pattern."""
    algorithm: str
    """Its learning algorithm."""
    network: str
    """Its layers, for example 30-16-8-2."""
    validation_loss: float
    """Mean squared error on the validation rows."""
    validation_accuracy: float | None
    """Share of validation rows classified right; None for regression."""
    epochs: int
    """Epochs trained."""
    duration_ms: int
    """From the claim of the task to its report, in ms."""


class Ensemble(NamedTuple):
    """An ensemble's figures on the held-out rows."""

    test_loss: float
    """Mean squared error of the fused outputs: mean_member_loss - ambiguity."""
    test_accuracy: float | None
    """Share of held-out rows classified right; None for regression."""
    mean_member_loss: float
    """The members' errors, averaged with the weights of the fusion."""
    ambiguity: float
    """How much the members differ."""


class TrainingResult(NamedTuple):
    """What came of a training goal."""

    goal_id: str
    """The goal."""
    state: str
    """The word completed: any other end is raised as an error."""
    model_hash: str
    """SHA-256 of the model file; the same for the same seed, data and agents at every door."""
    members: tuple[Member, ...]
    """The members, best validation loss first."""
    ensemble: Ensemble
    """The ensemble's figures."""
    state_hash: str
    """The hash of the swarm's state after it."""
    message: str
    """What a person should know, for example that the bundled sample was trained on."""


class MemberProgress(NamedTuple):
    """Where a member of an ensemble stands."""

    agent_id: str
    """Its agent."""
    pattern: str
    """Its cognitive pattern."""
    algorithm: str
    """Its learning algorithm."""
    state: str
    """The word waiting, training, elsewhere (in another process), done, failed or cancelled."""
    done: int
    """Epochs done."""
    total: int
    """Epochs at most; 0 if not known yet."""
    note: str
    """A short line, for example the validation loss."""


class TrainingProgress(NamedTuple):
    """How a training goal goes."""

    goal_id: str
    """The goal."""
    members: tuple[MemberProgress, ...]
    """Its members, in the order of the plan."""
    fusing: bool
    """True while the members are put together."""


def read_progress(text: str) -> TrainingProgress:
    """Read what the host tells while it trains."""
    found = json.loads(text)
    members = tuple(
        MemberProgress(
            agent_id=row["agentId"],
            pattern=row["pattern"],
            algorithm=row["algorithm"],
            state=row["state"],
            done=row["done"],
            total=row["total"],
            note=row["note"],
        )
        for row in found["members"]
    )
    return TrainingProgress(found["goalId"], members, found["fusing"])


def read_result(text: str, message: str) -> TrainingResult:
    """Read the answer of task_results for a training goal that is completed."""
    found = json.loads(text)
    members = tuple(
        Member(
            agent_id=row["agentId"],
            pattern=row["pattern"],
            algorithm=row["algorithm"],
            network=row["network"],
            validation_loss=row["validationLoss"],
            validation_accuracy=row["validationAccuracy"],
            epochs=row["epochs"],
            duration_ms=row["durationMs"],
        )
        for row in found["members"]
    )
    figures = found["ensemble"]
    ensemble = Ensemble(
        test_loss=figures["testLoss"],
        test_accuracy=figures["testAccuracy"],
        mean_member_loss=figures["meanMemberLoss"],
        ambiguity=figures["ambiguity"],
    )
    return TrainingResult(
        goal_id=found["goalId"],
        state=found["state"],
        model_hash=found["modelHash"],
        members=members,
        ensemble=ensemble,
        state_hash=found["stateHash"],
        message=message,
    )
