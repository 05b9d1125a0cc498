"""The binding of the neural engine: NumPy in and out, training in slices, model files."""

from __future__ import annotations

import json
import pickle
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import ruv_swarm
from python_kit import Bench
from ruv_swarm import Core, Model, Trainer

NOW = 1_700_000_000_000


def plan_of(data: bytes, options: str = "") -> str:
    """The resolved plan of two members, as the ledger writes it for this dataset."""
    summary = ruv_swarm.inspect_data(data, options)
    dataset = {"hash": json.loads(summary)["hash"], "summary": summary}
    core = Core()
    requests: list[tuple[str, dict[str, object]]] = [
        ("swarm_init", {"topology": "mesh", "seed": 7, "swarmId": "s1"}),
        ("artifact_put", {"hash": dataset["hash"], "size": len(data)}),
        (
            "task_orchestrate",
            {"task": "train", "dataset": dataset, "agents": ["convergent", "lateral"]},
        ),
    ]
    lines = []
    for operation, request in requests:
        for line in core.call(operation, json.dumps(request), NOW).events:
            core.apply(line)
            lines.append(json.loads(line))
    return next(str(line["body"]["plan"]) for line in lines if line["kind"] == "GoalPlanned")


def train(data: bytes, plan: str, member: int, epochs: int) -> bytes:
    trainer = Trainer(data, plan, member)
    while not trainer.done():
        trainer.run(epochs)
    return trainer.finish()[0]


@pytest.fixture(scope="module")
def trained(iris: Path) -> tuple[bytes, str, list[bytes]]:
    data = iris.read_bytes()
    plan = plan_of(data)
    return data, plan, [train(data, plan, member, 50) for member in (0, 1)]


@pytest.fixture(scope="module")
def model(trained: tuple[bytes, str, list[bytes]]) -> Model:
    return Model(ruv_swarm.fuse(*trained)[0])


@pytest.fixture(scope="module")
def flowers(iris: Path) -> np.ndarray:
    return np.loadtxt(iris, delimiter=",", skiprows=1, usecols=range(4), dtype=np.float32)


def test_slices_and_threads_change_no_bit(trained: tuple[bytes, str, list[bytes]]) -> None:
    data, plan, models = trained
    found: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda m=m: found.update({m: train(data, plan, m, 3)}))
        for m in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[0], found[1]] == models


def test_a_trainer_tells_how_far_it_is(trained: tuple[bytes, str, list[bytes]]) -> None:
    trainer = Trainer(trained[0], trained[1], 0)
    progress = json.loads(trainer.run(2))
    assert progress["epoch"] == 2 and not progress["done"] and not trainer.done()
    assert json.loads(trainer.progress()) == progress
    trainer.finish()
    with pytest.raises(ruv_swarm.FailedPreconditionError, match="finished"):
        trainer.run(1)


def test_the_interpreter_runs_while_a_member_trains(long_job: bytes) -> None:
    """The lock is released: this thread goes on counting while the other one computes."""
    trainer = Trainer(long_job, plan_of(long_job), 1)
    begun, times = threading.Event(), [0.0, 0.0]

    def work() -> None:
        times[0] = time.perf_counter()
        begun.set()
        trainer.run(1_000)
        times[1] = time.perf_counter()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    longest, last = 0.0, time.perf_counter()
    while thread.is_alive():
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    spent = times[1] - times[0]
    assert spent > 0.1 and longest < spent / 2


def test_fusing_reports_the_ensemble(trained: tuple[bytes, str, list[bytes]]) -> None:
    model, report = ruv_swarm.fuse(*trained)
    figures = json.loads(report)["ensemble"]
    assert figures["testLoss"] == pytest.approx(
        figures["meanMemberLoss"] - figures["ambiguity"], abs=1e-12
    )
    assert Model(model).hash == Model(model).hash
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="members"):
        ruv_swarm.fuse(trained[0], trained[1], trained[2][:1])


def test_a_model_predicts_what_it_learned(model: Model, flowers: np.ndarray, iris: Path) -> None:
    answers = model.predict(flowers)
    assert (model.inputs, model.outputs, answers.shape) == (4, 3, (150, 3))
    assert answers.dtype == np.float32
    species = [line.rsplit(",", 1)[1] for line in iris.read_text().splitlines()[1:]]
    guesses = [model.classes[best] for best in answers.argmax(axis=1)]
    right = np.mean([guess == truth for guess, truth in zip(guesses, species, strict=True)])
    assert right > 0.9
    csv, rows = model.predict_csv(iris.read_bytes())
    assert rows == 150
    assert [line.split(",")[0] for line in csv.decode().splitlines()[1:]] == guesses
    assert json.loads(model.evaluate_csv(iris.read_bytes()))["accuracy"] == pytest.approx(right)


def test_float32_passes_without_a_copy(model: Model, flowers: np.ndarray) -> None:
    out = np.empty((150, 3), np.float32)
    answers = model.predict(flowers, out=out)
    assert answers is out and np.shares_memory(answers, out)
    # A read-only view of foreign memory is read where it lies.
    view = np.frombuffer(flowers.tobytes(), np.float32).reshape(150, 4)
    assert not view.flags.writeable
    assert np.array_equal(model.predict(view), out)


PEAK = """
import resource, sys
import numpy as np
from ruv_swarm import Model

model = Model.load("m.rsm")
# Written to, so that the system has given the memory before it is counted.
rows, out = np.ones((2_000_000, 4), np.float32), np.ones((2_000_000, 3), np.float32)
model.predict(rows[:100_000], out=out[:100_000])

def grown(inputs):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model.predict(inputs, out=out)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / rows.nbytes

print(grown(rows), grown(rows.astype(np.float64)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory otherwise")
def test_no_second_buffer_is_made_for_the_input(model: Model, bench: Bench) -> None:
    """The process's peak: rows of float32 are read where they lie, others are converted once."""
    model.save(bench.folder / "m.rsm")
    done = bench.python("-c", PEAK)
    assert done.code == 0, done.err
    as_they_are, converted = (float(word) for word in done.out.split())
    assert as_they_are < 0.2 and 0.9 < converted < 1.2


@pytest.mark.parametrize("kind", ["float64", ">f4", "fortran", "strided", "list"])
def test_other_numbers_are_converted_once(model: Model, flowers: np.ndarray, kind: str) -> None:
    other = {
        "float64": lambda: flowers.astype(np.float64),
        ">f4": lambda: flowers.astype(">f4"),
        "fortran": lambda: np.asfortranarray(flowers),
        "strided": lambda: np.repeat(flowers, 2, axis=0)[::2],
        "list": lambda: flowers.tolist(),
    }[kind]()
    assert np.array_equal(model.predict(other), model.predict(flowers))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (np.zeros((2, 5), np.float32), "rows of 5 numbers; allowed: 4"),
        (np.zeros(4, np.float32), "an array of 1 dimensions; allowed: 2"),
        (np.full((1, 4), np.nan, np.float32), "row 1, column 1 is not finite"),
        (np.array([["a", "b", "c", "d"]]), "an array of <U1; allowed: numbers"),
        (np.zeros((1, 4), np.complex64), "an array of complex64; allowed: numbers"),
    ],
)
def test_rows_that_fit_no_model(model: Model, rows: np.ndarray, words: str) -> None:
    with pytest.raises(ruv_swarm.InvalidDataError) as caught:
        model.predict(rows)
    assert words in caught.value.message and caught.value.field == "inputs"


def test_no_rows_are_answered_by_none(model: Model) -> None:
    assert model.predict(np.empty((0, 4), np.float32)).shape == (0, 3)
    with pytest.raises(ruv_swarm.InvalidDataError):
        ruv_swarm.inspect_data(ruv_swarm.encode_arrays(np.empty((0, 4)), np.empty(0)))


def test_room_that_does_not_fit(model: Model, flowers: np.ndarray) -> None:
    for out in (np.empty((149, 3), np.float32), np.empty((3, 150), np.float32).T):
        with pytest.raises(ruv_swarm.InvalidArgumentError, match=r"shape \[150, 3\]"):
            model.predict(flowers, out=out)
    square = np.zeros((2, 4), np.float32)
    with pytest.raises(ruv_swarm.RuvSwarmError):
        model.predict(square, out=square)


def test_a_model_is_its_file(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "m.rsm"
    model.save(path)
    assert path.read_bytes() == model.data
    again = Model.load(str(path))
    copy = pickle.loads(pickle.dumps(model))
    assert model == again == copy and len({model, again, copy}) == 1
    assert model != "model" and repr(model).startswith(f"<Model {model.hash[:12]}")
    assert json.loads(model.describe())["hash"] == model.hash
    with pytest.raises(ruv_swarm.NotFoundError, match="no file"):
        Model.load(tmp_path / "none")
    with pytest.raises(ruv_swarm.RuvSwarmError):
        Model(model.data[:-1])


def test_arrays_have_one_encoding(flowers: np.ndarray) -> None:
    labels = np.repeat([0, 1, 2], 50)
    data = ruv_swarm.encode_arrays(flowers, labels)
    assert data == ruv_swarm.encode_arrays(flowers.astype(np.float64), labels.astype(np.float32))
    assert data == ruv_swarm.encode_arrays(flowers.tolist(), labels[:, None].tolist())
    summary = json.loads(ruv_swarm.inspect_data(data))
    assert (summary["rows"], summary["inputs"], summary["task"]) == (150, 4, "classification")
    forced = ruv_swarm.encode_arrays(flowers, labels, "regression")
    assert json.loads(ruv_swarm.inspect_data(forced))["task"] == "regression"
    with pytest.raises(ruv_swarm.InvalidDataError, match="149 rows for 150"):
        ruv_swarm.encode_arrays(flowers, labels[1:])
    with pytest.raises(ruv_swarm.InvalidArgumentError):
        ruv_swarm.encode_arrays(flowers, labels, "clustering")
    flowers = flowers.copy()
    flowers[3, 1] = np.inf
    with pytest.raises(ruv_swarm.InvalidDataError, match="row 4"):
        ruv_swarm.inspect_data(ruv_swarm.encode_arrays(flowers, labels))


def test_the_sample_is_iris(iris: Path) -> None:
    assert json.loads(ruv_swarm.inspect_data(ruv_swarm.sample()))["rows"] == 150
