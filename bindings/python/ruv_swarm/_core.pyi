"""The extension module: the core and the Rust SQLite store."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ruv_swarm._errors import RuvSwarmError

__all__ = [
    "APPLICATION_ID",
    "SAMPLE_MESSAGE",
    "SCHEMA_SQL",
    "SCHEMA_VERSION",
    "Applied",
    "Attach",
    "Core",
    "Decision",
    "Host",
    "Model",
    "Network",
    "Row",
    "Session",
    "Stop",
    "TaskContext",
    "Trainer",
    "attach_artifact",
    "attach_events",
    "encode_arrays",
    "error_codes",
    "fuse",
    "host_error",
    "inspect_data",
    "operation_kind",
    "operations",
    "read_file",
    "render",
    "render_event",
    "run_cli",
    "sample",
    "version",
    "work",
]

SCHEMA_SQL: Final[str]
"""The one schema file of the stores."""
SCHEMA_VERSION: Final[int]
"""`PRAGMA user_version` of the schema."""
APPLICATION_ID: Final[int]
"""`PRAGMA application_id` of a swarm's file."""
SAMPLE_MESSAGE: Final[str]
"""What a door says first when it trains on the bundled sample."""

@final
class Row:
    """A row of a projection, to be written blindly in the transaction of its event."""

    @property
    def table(self) -> str:
        """The table: agent, task or goal."""

    @property
    def id(self) -> str:
        """The key."""

    @property
    def state(self) -> str:
        """The state word."""

    @property
    def body(self) -> str:
        """The row's JSON."""

    @property
    def seq(self) -> int:
        """The number of the last event that touched it."""

@final
class Attach:
    """Stored data that a response still needs: events after a number, or an artifact."""

    @property
    def kind(self) -> str:
        """The word `events` or `artifact`."""

    @property
    def after(self) -> int:
        """Of events: the number to begin after."""

    @property
    def limit(self) -> int:
        """Of events: how many at most."""

    @property
    def filter(self) -> str:
        """Of events: to be handed to `attach_events`."""

    @property
    def hash(self) -> str:
        """Of an artifact: its hash, in hex."""

@final
class Decision:
    """A response, and the events that make it true; nothing has changed yet."""

    @property
    def response(self) -> str:
        """The response as JSON text."""

    @property
    def events(self) -> list[str]:
        """Canonical event lines to append, all or none."""

    @property
    def attach(self) -> Attach | None:
        """What the host has to read and attach before it answers."""

@final
class Applied:
    """What folding one event did."""

    @property
    def seq(self) -> int:
        """The event's number."""

    @property
    def at_ms(self) -> int:
        """The event's time, in ms since 1970."""

    @property
    def kind(self) -> str:
        """The event's kind."""

    @property
    def chain(self) -> bytes:
        """The chain's hash after it, 32 bytes."""

@final
class Core:
    """A swarm's state machine. It holds no clock, file or thread; any thread may use it."""

    def __new__(cls) -> Core:
        """Make a core before its first event."""

    @staticmethod
    def restore(snapshot: str) -> Core:
        """Return the core in the state that the snapshot holds."""

    def call(
        self, operation: str, request: str, now_ms: int, idempotency_key: str = ""
    ) -> Decision:
        """Decide a command or answer a query; change nothing."""

    def apply(self, event_line: str) -> Applied:
        """Fold the next canonical event line into the state."""

    def replay(self, event_line: str) -> Applied:
        """Fold the next line of a log whose rows are stored: `take_rows` gives none for it."""

    def take_rows(self) -> list[Row]:
        """Return the rows that events applied since the last call have touched, each once."""

    def query(self, operation: str, request: str = "{}") -> Decision:
        """Answer a query as of the last logged time; a command is refused."""

    def pending_effects(self) -> str:
        """Return the work that a host should run, as a JSON array."""

    def next_deadline(self) -> int | None:
        """Return when `tick` has something to do, in ms, or None."""

    def next_change(self, now_ms: int) -> int | None:
        """Return when something changes next by time alone (a tick, the end of a back-off), in ms."""

    def has_work_for(self, agent_id: str) -> bool:
        """Return whether a task that has not ended is for this agent, now or later."""

    def snapshot(self) -> str:
        """Return the canonical snapshot."""

    def state_hash(self) -> str:
        """Return SHA-256 of the canonical snapshot, in hex."""

    def chain_head(self) -> bytes:
        """Return the chain's hash after the last event, 32 bytes; zero before the first."""

    def version(self) -> int:
        """Return the number of the last event; 0 before the first."""

    def last_at_ms(self) -> int:
        """Return the time of the last event, in ms since 1970."""

    def swarm_id(self) -> str:
        """Return the swarm's id; empty before the first event."""

    def config_json(self) -> str:
        """Return what the swarm was created with, as JSON text; empty before the first event."""

    def all_rows(self) -> list[Row]:
        """Return every projection row of the state: what a rebuilt store holds."""

    def orchestrate_intent(self, text: str, has_data: bool) -> str:
        """Return what `orchestrate` means by a text: train, sample or goal."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Pickle as the snapshot."""

@final
class Trainer:
    """Training of one member of a plan, in slices of epochs: slicing never changes a bit."""

    def __new__(cls, data: bytes, plan: str, member: int) -> Trainer:
        """Make the trainer of a plan's member on the dataset's bytes."""

    def run(self, epochs: int) -> str:
        """Train at most `epochs` more; return the progress as JSON text."""

    def progress(self) -> str:
        """Return the progress as JSON text."""

    def done(self) -> bool:
        """Tell whether there is nothing left to train."""

    def finish(self) -> tuple[bytes, str]:
        """Return the member's model file and its report; the trainer ends."""

@final
class Model:
    """A trained network or ensemble, read from the bytes of a model file."""

    def __new__(cls, data: bytes) -> Model:
        """Read the bytes of a model file."""

    @staticmethod
    def load(path: str | PathLike[str]) -> Model:
        """Read a model file."""

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model file: whole or not at all."""

    @property
    def hash(self) -> str:
        """SHA-256 of the model file, in hex."""

    @property
    def inputs(self) -> int:
        """Numbers of a row of `predict`."""

    @property
    def outputs(self) -> int:
        """Numbers of an answer: one a class, or one a regression target."""

    @property
    def classes(self) -> list[str]:
        """The classes in the order of the outputs; none for regression."""

    @property
    def data(self) -> bytes:
        """The bytes of the model file."""

    def describe(self) -> str:
        """Return what the model is, as JSON text."""

    def predict(
        self, inputs: ArrayLike, out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return the outputs for raw rows, shape (rows, outputs), written to `out` if it is given.

        Float32 in C order passes without a copy; other numbers are converted once.
        """

    def predict_csv(self, data: bytes) -> tuple[bytes, int]:
        """Return a CSV of predictions for the rows of a CSV, and their number."""

    def evaluate_csv(self, data: bytes) -> str:
        """Return how well the model does on the rows of a CSV with targets, as JSON text."""

    def __reduce__(self) -> tuple[object, tuple[bytes]]:
        """Pickle as the model file."""

    def __eq__(self, other: object, /) -> bool:
        """Models of one file are equal."""

    def __hash__(self) -> int:
        """Hash as the model file's name."""

@final
class Network:
    """A trained network, read from the bytes of a model file."""

    def __new__(cls, data: bytes, report: str | None = None) -> Network:
        """Read the bytes of a model file; `report` is the JSON text that `report` gives back."""

    @staticmethod
    def load(path: str | PathLike[str]) -> Network:
        """Read a model file."""

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model file: whole or not at all."""

    @property
    def hash(self) -> str:
        """SHA-256 of the model file, in hex."""

    @property
    def inputs(self) -> int:
        """Numbers of a row."""

    @property
    def outputs(self) -> int:
        """Numbers of an answer: one a class, or one a regression target."""

    @property
    def classes(self) -> list[str]:
        """The classes in the order of the outputs; none for regression."""

    @property
    def data(self) -> bytes:
        """The bytes of the model file."""

    @property
    def report(self) -> dict[str, Any] | None:
        """The report of the training that made it; None for one that was read from a file."""

    def describe(self) -> dict[str, Any]:
        """Return what the model is: layers, scaling, classes, hash."""

    def weights(self, member: int = 0) -> list[NDArray[np.float32]]:
        """Return the weights of each layer, the output layer last.

        Each has the shape (units, inputs + 1), the bias last; 0 where no connection is.
        """

    def run(self, row: ArrayLike, /) -> NDArray[np.float32]:
        """Return the outputs for one row of raw numbers, shape (outputs,).

        It is made for many calls: nothing is set up again, and float32 passes without a copy.
        """

    def predict(
        self, inputs: ArrayLike, out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return the outputs for raw rows, shape (rows, outputs), written to `out` if it is given.

        Float32 in C order passes without a copy; other numbers are converted once.
        """

    def predict_csv(self, data: bytes) -> tuple[bytes, int]:
        """Return a CSV of predictions for the rows of a CSV, and their number."""

    def evaluate(
        self, data: str | PathLike[str] | bytes | ArrayLike, targets: ArrayLike | None = None
    ) -> dict[str, Any]:
        """Return rows, loss (mean squared error) and accuracy (None for regression) on rows with targets.

        They are a path, bytes, or rows of inputs beside their targets.
        """

    def __reduce__(self) -> tuple[object, tuple[bytes, str | None]]:
        """Pickle as the model file and the report."""

    def __eq__(self, other: object, /) -> bool:
        """Networks of one file are equal."""

    def __hash__(self) -> int:
        """Hash as the model file's name."""

@final
class Session:
    """Training of one network in slices of epochs: slicing never changes a bit."""

    def __new__(
        cls,
        data: str | PathLike[str] | bytes | ArrayLike | None,
        targets: ArrayLike | None = None,
        options: str = "",
    ) -> Session:
        """Make the training of one network on a path or the bytes of a dataset, or on arrays."""

    @staticmethod
    def resume(
        checkpoint: str | PathLike[str] | bytes,
        data: str | PathLike[str] | bytes | ArrayLike | None = None,
        targets: ArrayLike | None = None,
    ) -> Session:
        """Go on from a checkpoint with the same data; it may know the path of the data."""

    def run(
        self,
        epochs: int | None = None,
        observe: Callable[[str], object] | None = None,
        seconds: float | None = None,
        checkpoint: str | PathLike[str] | None = None,
        every: int | None = None,
    ) -> str:
        """Train `epochs` more epochs, or to the end; return the progress as JSON text.

        `observe` is called with that text after each slice of about a tenth of a second, and ends
        the training by giving back False.
        """

    def progress(self) -> str:
        """Return the progress as JSON text."""

    def done(self) -> bool:
        """Tell whether there is nothing left to train."""

    def stop(self, reason: str = "cancelled") -> None:
        """End the training at the epoch that it is in."""

    def checkpoint(self) -> bytes:
        """Return a checkpoint, from which a training goes on bit for bit."""

    def finish(self, check: bool = False) -> Network:
        """Return the network with its report; the training ends."""

@final
class Host:
    """A swarm with its SQLite store; several processes may have the same file open."""

    def __new__(
        cls,
        path: str | PathLike[str] | None = None,
        durability: str = "full",
        create: bool = False,
    ) -> Host:
        """Open a file, or memory if `path` is None."""

    @staticmethod
    def open_or_create(
        path: str | PathLike[str] | None = None, request: str = "{}", durability: str = "full"
    ) -> tuple[Host, str]:
        """Open what is there, or make it, and join the swarm or create it.

        Return the host and the answer of swarm_init. A refused request leaves no file behind.
        """

    def call(self, operation: str, request: str = "{}", idempotency_key: str = "") -> str:
        """Carry out any operation; a command is answered once its events are stored and synced."""

    def call_many(self, calls: Sequence[tuple[str, str, str]]) -> list[str | RuvSwarmError]:
        """Carry out commands that do not depend on each other, in as few commits as may be.

        Each is operation, request and idempotency key. Return for each its answer, or the exception
        that it would raise.
        """

    def wait_for_events(self, after: int, seconds: float) -> bool:
        """Wait until the log has gone past event `after`, at most so many seconds.

        Tell whether it has. Ctrl-C is raised.
        """

    def put_artifact(self, content: bytes, name: str = "", media_type: str = "") -> str:
        """Keep bytes in the swarm; return the answer of artifact_put."""

    def get_artifact(self, hash: str) -> bytes:
        """Return the bytes that the swarm keeps under a hash."""

    def events(self, after: int, limit: int) -> list[tuple[str, str]]:
        """Return up to `limit` event lines after event `after`, each with its chain hash in hex."""

    def version(self) -> int:
        """Return the number of the last committed event; 0 while there is no swarm."""

    def state_hash(self) -> str:
        """Return SHA-256 of the canonical snapshot, in hex."""

    def pending_effects(self) -> str:
        """Return the training tasks that a host should run, as a JSON array."""

    def orchestrate_intent(self, text: str, has_data: bool) -> str:
        """Return what `orchestrate` means by a text: train, sample or goal."""

    def unfinished(self) -> list[str]:
        """Return the ids of the training goals that are not finished, oldest first."""

    def orchestrate(
        self,
        data: bytes,
        name: str,
        options: str = "{}",
        request: str = "{}",
        threads: int = 0,
        observe: Callable[[str], object] | None = None,
    ) -> tuple[str, str]:
        """Store the dataset and plan its training in one transaction, and run it as `train` does.

        Return the answers of task_orchestrate and task_results. Nothing is written if the data
        cannot be trained on.
        """

    def train(
        self, goal_id: str, threads: int = 0, observe: Callable[[str], object] | None = None
    ) -> str:
        """Run a training goal to its end on `threads` threads, 0 for one a core.

        Return the answer of task_results, or raise why there is none. `observe` is called with a
        JSON text about ten times a second. An exception in it, or Ctrl-C, cancels the goal and is
        raised once that is committed.
        """

    def replay(self, verify: bool = True) -> tuple[str, str | None]:
        """Rebuild the state from the log alone; return the result's JSON and what is wrong."""

    def close(self) -> None:
        """Give the file back; whatever is asked for later is refused."""

@final
class TaskContext:
    """What the code of a task is told while it runs, and what it tells."""

    @property
    def cancelled(self) -> bool:
        """True once the code should end: called off, lease lost, or the worker stops."""

    def wait(self, seconds: float) -> bool:
        """Wait until the code should end, at most so many seconds; tell whether it should."""

    def progress(self, done: int, total: int = 0, note: str = "") -> None:
        """Tell how far the task is; it goes to the log with the next heartbeat.

        `total` is 0 if it is unknown.
        """

    @property
    def agent_id(self) -> str:
        """The agent that holds the task."""

    @property
    def task_id(self) -> str:
        """The task."""

    @property
    def epoch(self) -> int:
        """The epoch of the lease: it grows with each attempt."""

    def artifact(self, hash: str) -> bytes:
        """Return the bytes that the swarm keeps under a hash."""

    def _complete(self, text: str, content: bytes | None = None) -> None: ...
    def _fail(self, code: str, message: str) -> None: ...

@final
class Stop:
    """Ends `work` from another thread."""

    def __new__(cls) -> Stop:
        """Make one that nobody has asked for yet."""

    def stop(self) -> None:
        """Ask for the end: running tasks are told, and what does not end in time is given back."""

def work(
    host: Host,
    agents: Sequence[tuple[str, int, int, Callable[[str, TaskContext], object]]],
    stop: Stop,
    until_idle: bool = False,
    max_tasks: int | None = None,
) -> tuple[int, int, int, int]:
    """Do tasks with Python code until it is asked to stop, or until Ctrl-C.

    Each agent is its id, its lease in ms, how many tasks at once (0 for its capacity), and a
    callable that begins a task. That gets the task as JSON text and the context, returns at once
    None or a callable that asks the task to end, and ends the task by the context later. Return how
    many attempts were completed, failed, given back and cancelled.
    """

def read_file(field: str, path: str | PathLike[str]) -> bytes:
    """Return all bytes of the file that was given as `field`."""

def run_cli(arguments: Sequence[str]) -> int:
    """Run the command line, the program's name first, and return its exit code."""

def version() -> str:
    """Return the version of the core, equal to that of the package."""

def error_codes() -> list[tuple[str, int, str, int, str]]:
    """Return code, exit code, gRPC status, JSON-RPC code and class of every error."""

def host_error(kind: str, field: str, path: str, detail: str) -> RuvSwarmError:
    """Return the error for trouble that only a host can meet, in the core's words."""

def operations() -> list[tuple[str, str]]:
    """Return name and kind of every operation, in the order of the catalogue."""

def operation_kind(operation: str) -> str | None:
    """Return `command`, `query`, or None if there is no such operation."""

def render(operation: str, response: str) -> str:
    """Return the text for people that goes with a response."""

def render_event(event_line: str) -> str:
    """Return the line for people that goes with an event."""

def attach_events(response: str, lines: Sequence[str], filter: str = "") -> str:
    """Put the event lines into the response that asked for them."""

def attach_artifact(response: str, content: bytes) -> str:
    """Put an artifact's bytes into the response that asked for them."""

def inspect_data(data: bytes, options: str = "") -> str:
    """Read a dataset's bytes and return its summary as JSON text."""

def encode_arrays(inputs: ArrayLike, targets: ArrayLike, task: str = "") -> bytes:
    """Return the canonical dataset bytes of arrays: rows of inputs, and their targets."""

def sample() -> bytes:
    """Return the bundled sample: iris as CSV, target `species`."""

def fuse(data: bytes, plan: str, models: Sequence[bytes]) -> tuple[bytes, str]:
    """Fuse the members of a plan into one model; return the model file and the report."""
