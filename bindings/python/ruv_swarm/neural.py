"""One network, without a swarm: trained on a file or on arrays, with the same bits everywhere.

from ruv_swarm import neural

network = neural.train("iris.csv", target="species", hidden=[16], epochs=500)
network.predict(X)  # float32 rows in, float32 rows out
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, Unpack

from ruv_swarm import _core
from ruv_swarm._core import Network
from ruv_swarm._errors import InvalidArgumentError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Network", "Options", "Progress", "Trainer", "train"]

Path = str | PathLike[str]
OnProgress = Callable[["Progress"], object]


class Options(TypedDict, total=False):
    """Options of a training; docs/neural.md tells what each means and what it is when not given."""

    target: str
    task: str
    format: str
    scaling: str
    target_scaling: str
    split: Sequence[int]
    split_by: str
    group_column: str
    folds: int
    fold: int
    weight_column: str
    class_weights: str | Mapping[str, float]
    seed: int
    hidden: int | Sequence[int]
    activation: str | Sequence[str]
    output_activation: str
    steepness: float | Sequence[float]
    shortcut: bool
    connection_rate: float
    init: str
    init_range: float
    algorithm: str
    loss: str
    huber_delta: float
    epochs: int
    learning_rate: float
    momentum: float
    batch_rows: int
    l1: float
    l2: float
    dropout: float
    noise: float
    increase: float
    decrease: float
    step_start: float
    step_min: float
    step_max: float
    growth: float
    decay: float
    cooling: float
    beta1: float
    beta2: float
    epsilon: float
    patience: int
    gl: float
    pq: float
    up: int
    strip: int
    progress: float
    target_error: float
    bit_fail: int
    bit_fail_limit: float
    validate_every: int


class Progress(NamedTuple):
    """How far a training is; losses are mean squared errors, whatever loss is lowered."""

    epoch: int
    """Epochs done."""
    max_epochs: int
    """Most epochs."""
    train_loss: float | None
    """On the training rows."""
    validation_loss: float | None
    """On the validation rows; None without such rows."""
    best_validation_loss: float | None
    """The least of them."""
    best_epoch: int
    """The epoch whose weights are kept."""
    done: bool
    """Whether training is over."""
    stopped: str
    """Why, as a word; empty while it goes on."""


def _progress(text: str) -> Progress:
    found = json.loads(text)
    return Progress(
        epoch=found["epoch"],
        max_epochs=found["maxEpochs"],
        train_loss=found["trainLoss"],
        validation_loss=found["validationLoss"],
        best_validation_loss=found["bestValidationLoss"],
        best_epoch=found["bestEpoch"],
        done=found["done"],
        stopped=found["stopped"],
    )


def _plain(value: Any) -> object:
    """Numbers and arrays of NumPy, and other mappings and sequences, as JSON knows them."""
    if isinstance(value, Mapping):
        return dict(value)
    return value.tolist() if hasattr(value, "tolist") else list(value)


def _options(options: Mapping[str, object]) -> str:
    try:
        return json.dumps(options, default=_plain, allow_nan=False)
    except (TypeError, ValueError) as error:
        message = f"options: {str(error)[:200].lower()}; allowed: texts, finite numbers and lists"
        raise InvalidArgumentError(message, "options") from None


class Trainer:
    """A training in slices of epochs: how it is sliced, kept and gone on with changes no bit.

    `data` is the path of a CSV, FANN or Proben1 text, the bytes of one, or rows of inputs beside
    `targets`: one number a row, or rows of numbers.
    """

    def __init__(
        self,
        data: Path | bytes | ArrayLike | None,
        targets: ArrayLike | None = None,
        **options: Unpack[Options],
    ) -> None:
        """Read the data and the options; nothing is trained yet."""
        self._session = _core.Session(data, targets, _options(options))

    @classmethod
    def resume(
        cls,
        checkpoint: Path | bytes,
        data: Path | bytes | ArrayLike | None = None,
        targets: ArrayLike | None = None,
    ) -> Trainer:
        """Go on from a checkpoint, bit for bit, with the same data.

        A checkpoint of a training on a file knows the path, so that `data` can be left out.
        """
        trainer = cls.__new__(cls)
        trainer._session = _core.Session.resume(checkpoint, data, targets)
        return trainer

    def run(
        self,
        epochs: int | None = None,
        *,
        on_progress: OnProgress | None = None,
        checkpoint: Path | None = None,
        every: int | None = None,
        seconds: float | None = None,
    ) -> Progress:
        """Train `epochs` more epochs, or to the end.

        `on_progress` is called about ten times a second and ends the training by giving back False.
        `checkpoint` is a file that is written after each `every` epochs (default: about every ten
        seconds) and at the end, whole or not at all. After `seconds` the training ends.

        Ctrl-C and exceptions of `on_progress` are raised after the running slice, once the
        checkpoint is written; the trainer can be run on after them.
        """
        observe = None if on_progress is None else lambda text: on_progress(_progress(text))
        return _progress(self._session.run(epochs, observe, seconds, checkpoint, every))

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return _progress(self._session.progress())

    @property
    def done(self) -> bool:
        """Whether there is nothing left to train."""
        return self._session.done()

    def stop(self) -> None:
        """End the training at the epoch that it is in."""
        self._session.stop()

    def checkpoint(self) -> bytes:
        """Return a checkpoint, from which `Trainer.resume` goes on bit for bit."""
        return self._session.checkpoint()

    def finish(self, *, check: bool = False) -> Network:
        """Return the network with its report; the trainer ends.

        If the numbers ran away, it has the last good weights; with `check` that is raised instead.
        """
        return self._session.finish(check)


def train(
    data: Path | bytes | ArrayLike | None = None,
    targets: ArrayLike | None = None,
    *,
    on_progress: OnProgress | None = None,
    checkpoint: Path | None = None,
    every: int | None = None,
    resume: Path | bytes | None = None,
    seconds: float | None = None,
    **options: Unpack[Options],
) -> Network:
    """Train one network and return it with its report.

    `data` and `targets` are as for `Trainer`, the other arguments as for `Trainer.run`; with
    `resume`, a checkpoint, there are no options, since it holds them.

    Raises `InvalidArgumentError` for options, `InvalidDataError` for data, `WorkFailedError` if the
    numbers run away (a `Trainer` still gives the last good weights then).
    """
    if resume is None:
        trainer = Trainer(data, targets, **options)
    elif options:
        name = next(iter(options))
        message = f"{name}: given beside resume; a checkpoint holds the options it goes on with"
        raise InvalidArgumentError(message, name)
    else:
        trainer = Trainer.resume(resume, data, targets)
        if checkpoint is None and not isinstance(resume, bytes):
            checkpoint = resume
    trainer.run(on_progress=on_progress, checkpoint=checkpoint, every=every, seconds=seconds)
    return trainer.finish(check=True)
