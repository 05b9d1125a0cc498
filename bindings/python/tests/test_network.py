"""One network from Python: trained on files and arrays, in slices, run and kept."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import signal
import sys
import threading
import typing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import ruv_swarm
from python_kit import PATIENCE_S, Bench
from ruv_swarm import neural
from ruv_swarm.neural import Network, Trainer

Flowers = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def flowers(iris: Path) -> Flowers:
    """Iris as arrays: four numbers a row, and the number of the species."""
    inputs = np.loadtxt(iris, delimiter=",", skiprows=1, usecols=range(4), dtype=np.float32)
    return inputs, np.repeat([0, 1, 2], 50).astype(np.float32)


@pytest.fixture(scope="module")
def network(iris: Path) -> Network:
    return neural.train(iris, target="species", hidden=[8], epochs=60)


def test_a_file_is_learned(network: Network, iris: Path) -> None:
    report = network.report
    assert report is not None and report["modelHash"] == network.hash
    assert list(report)[:2] == ["epochs", "bestEpoch"] and report["testAccuracy"] > 0.8
    assert (network.inputs, network.outputs, network.classes[0]) == (4, 3, "setosa")
    assert network == neural.train(iris.read_bytes(), target="species", hidden=8, epochs=60)
    assert network != neural.train(iris, target="species", hidden=[8], epochs=60, seed=2)
    described = network.describe()
    assert described["hash"] == network.hash and described["members"][0]["network"] == "4-8-3"
    found = network.evaluate(iris)
    assert found == network.evaluate(iris.read_bytes())
    assert found["rows"] == 150 and found["accuracy"] > 0.8


def test_arrays_are_learned(flowers: Flowers) -> None:
    inputs, kinds = flowers
    trained = neural.train(inputs, kinds, hidden=[8], epochs=60)
    assert trained.classes == ["0", "1", "2"]
    data = ruv_swarm.encode_arrays(inputs, kinds)
    assert trained == neural.train(data, hidden=[8], epochs=60)
    assert trained == neural.train(inputs.astype(np.float64), kinds.tolist(), hidden=8, epochs=60)
    assert trained.evaluate(inputs, kinds)["accuracy"] > 0.8
    numbers = neural.train(inputs[:, :3], inputs[:, 3:] / 7, hidden=[4], epochs=40)
    assert (
        numbers.classes == [] and numbers.evaluate(inputs[:, :3], inputs[:, 3] / 7)["rows"] == 150
    )
    assert numbers.predict(inputs[:, :3]).shape == (150, 1)


def test_numpy_values_are_options(flowers: Flowers) -> None:
    options = {"hidden": np.array([6, 4]), "epochs": np.int64(9), "learning_rate": np.float32(0.5)}
    trained = neural.train(*flowers, **typing.cast(neural.Options, options))
    assert trained == neural.train(*flowers, hidden=(6, 4), epochs=9, learning_rate=0.5)


def test_one_row_is_a_row_of_many(network: Network, flowers: Flowers) -> None:
    inputs = flowers[0]
    rows = network.predict(inputs)
    assert rows.dtype == np.float32 and rows.shape == (150, 3)
    for index in (0, 77, 149):
        answer = network.run(inputs[index])
        assert answer.dtype == np.float32 and np.array_equal(answer, rows[index])
    # other forms of a row are converted
    row = inputs[3]
    others: list[typing.Any] = [row.tolist(), row.astype(np.float64), np.repeat(row, 2)[::2]]
    for other in others:
        assert np.array_equal(network.run(other), rows[3])
    # an answer is the caller's own
    first = network.run(inputs[0])
    before = first.copy()
    network.run(inputs[149])
    assert np.array_equal(first, before)


def test_weights_are_those_that_answer(flowers: Flowers) -> None:
    inputs, kinds = flowers
    trained = neural.train(inputs, kinds, hidden=[5], epochs=20, scaling="none")
    hidden, output = trained.weights()
    assert hidden.shape == (5, 5) and output.shape == (3, 6) and hidden.dtype == np.float32
    values = np.tanh(inputs @ hidden[:, :-1].T + hidden[:, -1])
    sums = values @ output[:, :-1].T + output[:, -1]
    powers = np.exp(sums - sums.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)
    assert np.allclose(trained.predict(inputs), shares, atol=1e-4)
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="member: 1"):
        trained.weights(1)


def test_answers_go_where_they_are_wanted(network: Network, flowers: Flowers) -> None:
    out = np.empty((150, 3), np.float32)
    assert network.predict(flowers[0], out=out) is out
    assert np.array_equal(out, network.predict(flowers[0].astype(np.float64)))
    with pytest.raises(ruv_swarm.InvalidArgumentError, match=r"shape \[150, 3\]"):
        network.predict(flowers[0], out=out[:9])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (np.zeros(3, np.float32), "3 numbers"),
        (np.zeros((1, 4), np.float32), "not one row"),
        (np.array([1, np.nan, 3, 4], np.float32), "column 2 is not finite"),
        (["a", "b", "c", "d"], "an array of <U1; allowed: numbers"),
        (7, "numbers"),
    ],
)
def test_rows_that_fit_no_network(network: Network, row: typing.Any, words: str) -> None:
    with pytest.raises(ruv_swarm.RuvSwarmError) as caught:
        network.run(row)
    assert words in caught.value.message


def test_a_network_is_its_file(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "m.rsn"
    network.save(path)
    again = Network.load(path)
    copy = pickle.loads(pickle.dumps(network))
    assert path.read_bytes() == network.data == again.data == copy.data
    assert len({network, again, copy}) == 1 and again.report is None
    assert copy.report == network.report
    assert repr(network) == f"<Network {network.hash[:12]} inputs=4 outputs=3>"
    # the other classes and doors read it too
    assert ruv_swarm.Model.load(path).hash == network.hash
    with pytest.raises(ruv_swarm.RuvSwarmError, match="model"):
        Network(network.data[:-1])


def test_slices_and_checkpoints_change_no_bit(flowers: Flowers) -> None:
    whole = neural.train(*flowers, hidden=[8], epochs=50, patience=0)
    trainer = Trainer(*flowers, hidden=[8], epochs=50, patience=0)
    assert trainer.run(7).epoch == 7 and not trainer.done
    kept = trainer.checkpoint()
    assert trainer.run().stopped == "epochs" and trainer.done and trainer.progress.epoch == 50
    assert trainer.finish() == whole
    again = Trainer.resume(kept, *flowers)
    assert again.progress.epoch == 7
    while not again.done:
        again.run(3)
    assert again.finish() == whole
    with pytest.raises(ruv_swarm.FailedPreconditionError, match="finished"):
        again.run()
    with pytest.raises(ruv_swarm.RuvSwarmError, match="hash"):
        Trainer.resume(kept, flowers[0] + 1, flowers[1])


VECTORS = Path(__file__).resolve().parents[3] / "tests" / "vectors" / "neural"
CASES = json.loads((VECTORS / "session.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['data']} {case['options'][:60]}")
def test_the_shared_vectors(case: dict[str, typing.Any], iris: Path) -> None:
    """The bits that every target must give."""
    data = (iris.parent / case["data"]).read_bytes()
    trainer = Trainer(data, **json.loads(case["options"]))
    trainer.run(20)
    assert hashlib.sha256(trainer.checkpoint()).hexdigest() == case["checkpointHash"]
    trainer.run()
    network = trainer.finish()
    assert (network.hash, network.report) == (case["modelHash"], case["report"])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_side_by_side_give_the_shared_vectors(threads: int, iris: Path) -> None:
    cases = json.loads((VECTORS / "thousand.json").read_text())["cases"]

    def train(case: dict[str, typing.Any]) -> tuple[str, object]:
        data = (iris.parent / case["data"]).read_bytes()
        network = neural.train(data, **json.loads(case["options"]))
        return network.hash, network.report

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(train, cases))
    assert found == [(case["modelHash"], case["report"]) for case in cases]


def test_a_checkpoint_knows_its_file(iris: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.rsc"
    whole = neural.train(iris, hidden=[8], epochs=40, patience=0, checkpoint=path, every=15)
    first = Trainer(iris, hidden=[8], epochs=40, patience=0)
    first.run(15, checkpoint=path)
    assert neural.train(resume=path) == whole
    # it was written again at the end
    assert Trainer.resume(path).done
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="hidden: given beside resume"):
        neural.train(resume=path, hidden=[3])
    trainer = Trainer(iris.read_bytes(), epochs=5)
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="data: missing"):
        neural.train(resume=trainer.checkpoint())


def test_progress_is_told_and_may_end_it(flowers: Flowers) -> None:
    seen: list[neural.Progress] = []
    trained = neural.train(*flowers, epochs=40, patience=0, on_progress=seen.append)
    epochs = [progress.epoch for progress in seen]
    assert epochs == sorted(set(epochs)) and epochs[-1] == 40
    last = seen[-1]
    assert last.done and last.stopped == "epochs" and last.max_epochs == 40
    assert last.train_loss is not None and last.best_validation_loss is not None
    assert trained.report is not None and trained.report["bestEpoch"] == last.best_epoch

    def enough(progress: neural.Progress) -> bool:
        return progress.epoch < 7

    ended = neural.train(*flowers, epochs=10**9, patience=0, on_progress=enough)
    assert ended.report is not None and ended.report["stopped"] == "cancelled"
    # so many epochs are the same bits
    epochs_done = ended.report["epochs"]
    assert neural.train(*flowers, epochs=epochs_done, patience=0) == ended
    timed = neural.train(*flowers, epochs=10**9, patience=0, seconds=0.1)
    assert timed.report is not None and timed.report["stopped"] == "time"


def test_an_exception_of_the_watcher_leaves_the_trainer_usable(flowers: Flowers) -> None:
    trainer = Trainer(*flowers, epochs=30, patience=0)

    def fail(progress: neural.Progress) -> None:
        assert trainer.progress is not None, "never reached: the trainer is running"

    with pytest.raises(ruv_swarm.FailedPreconditionError, match="running"):
        trainer.run(on_progress=fail)
    trainer.run()
    assert trainer.finish() == neural.train(*flowers, epochs=30, patience=0)


PROGRAM = """
import signal, sys
from ruv_swarm import neural
signal.signal(signal.SIGINT, signal.default_int_handler)
def tell(progress):
    print(progress.epoch, flush=True)
try:
    neural.train("iris.csv", hidden=[32, 32], epochs=10**9, patience=0, on_progress=tell, checkpoint="c.rsc")
except KeyboardInterrupt:
    print(neural.Trainer.resume("c.rsc").progress.epoch)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_is_heard_between_slices(bench: Bench, iris: Path) -> None:
    (bench.folder / "iris.csv").write_bytes(iris.read_bytes())
    child = bench.spawn([sys.executable, "-c", PROGRAM])
    assert child.stdout is not None
    assert int(child.stdout.readline()) >= 1
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=PATIENCE_S)
    assert (child.returncode, err) == (0, ""), err
    # the checkpoint is of the slice that was running
    epochs = [int(line) for line in out.split()]
    assert epochs[-1] >= max(epochs[:-1], default=1)


def test_the_interpreter_runs_while_a_network_trains(flowers: Flowers) -> None:
    trainer = Trainer(*flowers, hidden=[64, 64], epochs=10**9, patience=0)
    thread = threading.Thread(target=lambda: trainer.run(seconds=0.5))
    thread.start()
    count, refused = 0, 0
    while thread.is_alive():
        count += 1
        try:
            assert trainer.progress.epoch >= 0
        except ruv_swarm.FailedPreconditionError as error:
            assert "running" in error.message
            refused += 1
    assert count > 100 and refused > 100
    assert trainer.progress.stopped == "time"


def test_threads_share_a_network(network: Network, flowers: Flowers) -> None:
    inputs = np.repeat(flowers[0], 200, axis=0)
    rows = network.predict(inputs)
    results: list[bool] = []

    def work() -> None:
        for index in range(0, 3000, 7):
            results.append(bool(np.array_equal(network.run(inputs[index]), rows[index])))
        results.append(bool(np.array_equal(network.predict(inputs), rows)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 * 430 and all(results)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hidden": [0]}, "hidden: layer 1 has 0 units"),
        ({"steepness": 0}, "steepness: 0"),
        ({"learning_rate": "fast"}, "learningRate"),
        ({"learning_rate": float("nan")}, "options: "),
        ({"epochs": object()}, "options: "),
        ({"lucky": 7}, "lucky: there is no option of this name"),
        ({"seconds": 0}, "seconds: 0"),
        ({"every": 3}, "every: given without checkpoint"),
        ({"checkpoint": "no/such/c.rsc"}, "folder does not exist"),
    ],
)
def test_options_that_are_refused(
    flowers: Flowers, options: dict[str, typing.Any], words: str
) -> None:
    with pytest.raises(ruv_swarm.InvalidArgumentError) as caught:
        neural.train(*flowers, **options)
    assert words in caught.value.message


def test_data_that_is_refused(flowers: Flowers, tmp_path: Path) -> None:
    inputs, kinds = flowers
    cases: list[tuple[type[Exception], str, tuple[typing.Any, ...]]] = [
        (ruv_swarm.InvalidArgumentError, "data: missing", ()),
        (ruv_swarm.InvalidArgumentError, "data: a value of type ndarray", (inputs,)),
        (ruv_swarm.NotFoundError, "no file", (tmp_path / "none.csv",)),
        (ruv_swarm.InvalidDataError, "149 rows for 150", (inputs, kinds[1:])),
        (ruv_swarm.InvalidDataError, "an array of", (inputs, ["a"] * 150)),
        (ruv_swarm.InvalidDataError, "not finite", (inputs * np.float32("inf"), kinds)),
        (ruv_swarm.InvalidDataError, "one class", (inputs, np.zeros(150))),
    ]
    for kind, words, arguments in cases:
        with pytest.raises(kind, match=words):
            neural.train(*arguments)


def test_every_option_of_the_core_is_typed(flowers: Flowers) -> None:
    with pytest.raises(ruv_swarm.InvalidArgumentError) as caught:
        neural.train(*flowers, **typing.cast(neural.Options, {"lucky": 7}))
    listed = caught.value.message.split("allowed: ")[1].split(", ")
    camel = {
        name.split("_")[0] + "".join(word.capitalize() for word in name.split("_")[1:])
        for name in neural.Options.__annotations__
    }
    assert set(listed) == camel


def test_numpy_is_loaded_when_it_is_used(bench: Bench, iris: Path) -> None:
    (bench.folder / "iris.csv").write_bytes(iris.read_bytes())
    code = (
        "import sys; from ruv_swarm import neural; "
        "n = neural.train('iris.csv', epochs=5); print('numpy' in sys.modules, n.outputs); "
        "n.run([1, 2, 3, 4]); print('numpy' in sys.modules)"
    )
    ran = bench.python("-c", code)
    assert (ran.code, ran.out) == (0, "False 3\nTrue\n"), ran


def test_the_command_makes_the_same_network(bench: Bench, iris: Path, network: Network) -> None:
    options = ("--target", "species", "--hidden", "8", "--epochs", "60")
    told = bench.json("train", "--data", str(iris), *options, "--out", "m.rsn")
    assert told["modelHash"] == network.hash
    assert json.loads(json.dumps(network.describe())) == bench.json("inspect", "--model", "m.rsn")
