"""RuvSwarm: what a program sees, on real data."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import ruv_swarm
from ruv_swarm import RuvSwarm, TrainingProgress, TrainingResult


@pytest.fixture
def swarm(tmp_path: Path) -> Iterator[RuvSwarm]:
    with RuvSwarm.init(topology="mesh", db=tmp_path / "swarm.db", seed=7) as swarm:
        yield swarm


def test_init_makes_a_file_and_joins_it(tmp_path: Path) -> None:
    path = str(tmp_path / "swarm.db")
    with RuvSwarm.init(
        topology="ring",
        persistence={"type": "sqlite", "path": path},
        seed=9,
        max_agents=5,
        strategy="cognitive-diversity",
    ) as one:
        with RuvSwarm.init(db=path) as two, RuvSwarm.open(path) as three:
            assert one.id == two.id == three.id and (two.topology, two.seed) == ("ring", 9)
            two.spawn("coder")
            assert one.status()["agents"] == 1 and one.status()["maxAgents"] == 5
            assert one.state_hash() == two.state_hash() == three.state_hash()
        assert repr(one) == f"<RuvSwarm {one.id} ring in {path!r}>"
        with pytest.raises(ruv_swarm.ConflictError) as caught:
            RuvSwarm.init(topology="star", db=path)
        assert caught.value.field == "topology"


def test_a_refused_init_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "swarm.db"
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="mesh"):
        RuvSwarm.init(topology="blob", db=path)
    with pytest.raises(ruv_swarm.NotFoundError, match="ruv-swarm init --db"):
        RuvSwarm.open(path)
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="sqlite, memory"):
        RuvSwarm.init(persistence={"type": "paper"})
    with pytest.raises(ruv_swarm.InvalidArgumentError, match=r"persistence\.path"):
        RuvSwarm.init(persistence={"type": "sqlite"})
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="durability"):
        RuvSwarm.init(db=path, durability="some")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but more than a page of text\n" * 200)
    before = path.read_bytes()
    with pytest.raises(ruv_swarm.StoreUnavailableError, match="not a ruv-swarm database"):
        RuvSwarm.init(db=path)
    assert path.read_bytes() == before


def test_memory_is_gone_with_the_swarm() -> None:
    with RuvSwarm.init(seed=3) as swarm:
        swarm.spawn(count=2)
        assert swarm.status()["agents"] == 2 and repr(swarm).endswith("in memory>")
    with pytest.raises(ruv_swarm.FailedPreconditionError, match="closed"):
        swarm.status()
    swarm.close()


def test_agents_tasks_and_queries(swarm: RuvSwarm) -> None:
    (neural,) = swarm.spawn("neural", pattern="lateral", capabilities="rprop, batch", name="Ada")
    assert (neural["id"], neural["capabilities"]) == ("a1", ["rprop", "batch"])
    coders = swarm.spawn("coder", capabilities=["python"], count=2)
    assert [agent["id"] for agent in coders] == ["a2", "a3"]
    assert [agent["id"] for agent in swarm.agents()] == ["a1", "a2", "a3"]
    request = {"tasks": [{"name": "write", "capabilities": ["python"]}]}
    task_id = swarm.call("task_submit", request, "key-1")["taskIds"][0]
    assert swarm.call("task_submit", request, "key-1")["taskIds"] == [task_id]
    claim = swarm.call("task_claim", {"agentId": "a2", "leaseMs": 60000})
    assert claim["task"]["id"] == task_id
    assert swarm.query(task=task_id)["state"] == "running"
    assert swarm.query(agent="a2")["state"] == "busy"
    assert swarm.status()["tasks"]["running"] == 1
    with pytest.raises(ruv_swarm.NotFoundError) as caught:
        swarm.query(task="t9")
    assert caught.value.field == "taskId"
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="pattern"):
        swarm.spawn(pattern="sideways")
    with pytest.raises(ruv_swarm.UnknownOperationError):
        swarm.call("swarm_dance")


def test_a_goal_in_words_waits_for_workers(swarm: RuvSwarm) -> None:
    plan = swarm.orchestrate("write the docs", priority="high")
    assert not isinstance(plan, TrainingResult)
    assert plan["state"] == "running" and "mcp start" in plan["message"]
    assert swarm.query(goal=plan["goalId"])["task"] == "write the docs"


def test_the_main_job(swarm: RuvSwarm, wdbc: Path) -> None:
    for pattern in ("convergent", "divergent", "lateral", "systems"):
        swarm.spawn("neural", pattern=pattern, capabilities=["rprop", "batch"])
    heard: list[TrainingProgress] = []
    result = swarm.orchestrate(
        "train",
        data=wdbc,
        target="diagnosis",
        strategy="cognitive-diversity",
        on_progress=heard.append,
    )
    assert (result.goal_id, result.state) == ("g1", "completed")
    assert {member.agent_id for member in result.members} == {"a1", "a2", "a3", "a4"}
    losses = [member.validation_loss for member in result.members]
    assert losses == sorted(losses) and all(
        member.algorithm in ("rprop", "batch") for member in result.members
    )
    figures = result.ensemble
    assert figures.test_accuracy is not None and figures.test_accuracy > 0.9
    assert figures.test_loss == pytest.approx(figures.mean_member_loss - figures.ambiguity)
    assert heard and {member.state for member in heard[-1].members} == {"done"}
    assert heard[0].members[0].pattern == "convergent"
    assert result.state_hash == swarm.state_hash()
    model = swarm.model(result.model_hash)
    assert model.hash == result.model_hash
    rows = np.loadtxt(wdbc, delimiter=",", skiprows=1, usecols=range(30), dtype=np.float32)
    named = [line.rsplit(",", 1)[1] for line in wdbc.read_text().splitlines()[1:]]
    best = model.predict(rows).argmax(axis=1)
    guesses = [model.classes[index] for index in best]
    assert np.mean([a == b for a, b in zip(guesses, named, strict=True)]) > 0.95
    found = swarm.verify()
    assert found["ok"] and found["problem"] is None and found["stateHash"] == swarm.state_hash()


def test_the_hash_depends_on_seed_data_and_agents_alone(tmp_path: Path, iris: Path) -> None:
    def trained(
        seed: int, threads: int, data: Path | bytes | bytearray, agents: str = "convergent,systems"
    ) -> str:
        with RuvSwarm.init(seed=seed) as swarm:
            return swarm.orchestrate(data=data, agents=agents, threads=threads).model_hash

    one = trained(7, 1, iris)
    assert trained(7, 4, iris.read_bytes()) == one
    assert trained(7, 0, bytearray(iris.read_bytes())) == one
    assert trained(8, 1, iris) != one
    assert trained(7, 1, iris, "convergent") != one
    assert trained(7, 1, iris.read_bytes().replace(b"5.1,", b"5.2,", 1)) != one


def test_arrays_in_and_out(swarm: RuvSwarm, sunspots: Path) -> None:
    table = np.loadtxt(sunspots, delimiter=",", skiprows=1, dtype=np.float32)
    inputs, targets = table[:, :-1], table[:, -1]
    assert not inputs.flags.c_contiguous
    result = swarm.orchestrate("train", data=(inputs, targets), agents=["convergent", "divergent"])
    assert result.ensemble.test_accuracy is None
    assert result.members[0].validation_accuracy is None
    answers = swarm.model(result.model_hash).predict(np.ascontiguousarray(inputs))
    assert answers.shape == (len(table), 1)
    # The year's number is well explained by the years before.
    assert np.corrcoef(answers[:, 0], targets)[0, 1] > 0.8
    with RuvSwarm.init(seed=7) as other:
        again = other.orchestrate(
            data=(inputs.astype(np.float64).tolist(), targets), agents="convergent,divergent"
        )
    assert again.model_hash == result.model_hash


def test_labels_as_arrays_and_a_forced_task(swarm: RuvSwarm) -> None:
    rng = np.random.default_rng(5)
    inputs = rng.normal(size=(200, 3)).astype(np.float32)
    labels = (inputs.sum(axis=1) > 0).astype(np.int64)
    result = swarm.orchestrate(data=(inputs, labels), agents=["convergent"])
    assert result.ensemble.test_accuracy is not None and result.ensemble.test_accuracy > 0.9
    forced = swarm.orchestrate(data=(inputs, labels), agents=["convergent"], task_type="regression")
    assert forced.ensemble.test_accuracy is None
    with pytest.raises(ruv_swarm.InvalidDataError, match="199 rows for 200"):
        swarm.orchestrate(data=(inputs, labels[1:]))
    with pytest.raises(ruv_swarm.InvalidDataError, match="allowed: numbers"):
        swarm.orchestrate(data=(inputs, np.array(["yes"] * 200)))


def test_without_data_the_sample_is_trained_and_said(swarm: RuvSwarm) -> None:
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="spawn neural agents"):
        swarm.orchestrate()
    swarm.spawn("neural", pattern="convergent")
    result = swarm.orchestrate(agents=["convergent"])
    assert isinstance(result, TrainingResult)
    assert result.message == ruv_swarm.SAMPLE_MESSAGE
    with RuvSwarm.init(seed=7) as other:
        assert other.orchestrate("train", agents=["convergent"]).model_hash == result.model_hash


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"a,b\n1,x\n2\n", "row 2"),
        (b"\xff\xfe\x00\x80", "UTF-8"),
        (b"a,a,b\n1,2,x\n", '"a"'),
        (b"b\nx\ny\n", "feature"),
        (b"a,b\n" + b"1,x\n2,x\n" * 30, "class"),
        (b"a,b\nnan,x\n" + b"1,y\n2,x\n" * 30, "nan"),
    ],
)
def test_bad_data_is_named_and_changes_nothing(
    swarm: RuvSwarm, tmp_path: Path, content: bytes, words: str
) -> None:
    before, state = (tmp_path / "swarm.db").read_bytes(), swarm.state_hash()
    with pytest.raises(ruv_swarm.InvalidDataError) as caught:
        swarm.orchestrate("train", data=content)
    assert words.lower() in caught.value.message.lower() and "\n" not in caught.value.message
    assert swarm.state_hash() == state
    assert (tmp_path / "swarm.db").read_bytes() == before


def test_bad_arguments_of_orchestrate(swarm: RuvSwarm, iris: Path, tmp_path: Path) -> None:
    with pytest.raises(ruv_swarm.NotFoundError, match=r'data: no file "none\.csv"'):
        swarm.orchestrate("train", data="none.csv")
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="is a folder"):
        swarm.orchestrate("train", data=tmp_path)
    for wrong in (
        {"strategy": "magic"},
        {"agents": ["magic"]},
        {"target": "z"},
        {"task_type": "y"},
    ):
        with pytest.raises(ruv_swarm.RuvSwarmError):
            swarm.orchestrate("train", data=iris, **wrong)
    assert swarm.status()["version"] == 1
    for threads in (-1, 1025):
        with pytest.raises(ruv_swarm.InvalidArgumentError, match="threads"):
            swarm.train("g1", threads=threads)
    with pytest.raises(ruv_swarm.NotFoundError):
        swarm.train("g1")
    with pytest.raises(ruv_swarm.NotFoundError):
        swarm.model("0" * 64)


def test_an_error_of_the_listener_cancels_the_goal(swarm: RuvSwarm, long_job: bytes) -> None:
    def listen(progress: TrainingProgress) -> None:
        if any(member.done for member in progress.members):
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        swarm.orchestrate("train", data=long_job, on_progress=listen)
    assert swarm.query(goal="g1")["state"] == "cancelled"
    tasks = swarm.status()["tasks"]
    assert (tasks["running"], tasks["ready"], tasks["blocked"]) == (0, 0, 0)
    assert swarm.verify()["ok"] and swarm.resume() == []


def test_a_listener_may_ask_the_swarm(swarm: RuvSwarm, long_job: bytes) -> None:
    """The listener runs while threads train and other calls commit: nothing waits for it in vain."""
    seen: list[int] = []

    def listen(_: TrainingProgress) -> None:
        swarm.call("task_submit", {"tasks": [{"name": "aside"}]})
        seen.append(swarm.status()["version"])

    swarm.orchestrate("train", data=long_job, agents=["convergent"], on_progress=listen)
    assert seen == sorted(seen) and len(seen) >= 2
    assert swarm.status()["tasks"]["ready"] == len(seen)


def test_a_query_asks_for_one_thing(swarm: RuvSwarm) -> None:
    ask: Callable[..., object] = swarm.query
    for several in ({}, {"task": "t1", "agent": "a1"}):
        with pytest.raises(ruv_swarm.InvalidArgumentError):
            ask(**several)


def test_another_thread_may_cancel(swarm: RuvSwarm, long_job: bytes) -> None:
    begun = threading.Event()

    def cancel() -> None:
        begun.wait()
        swarm.call("task_cancel", {"goalId": "g1", "reason": "no need"})

    other = threading.Thread(target=cancel)
    other.start()
    with pytest.raises(ruv_swarm.CancelledError, match="g1"):
        swarm.orchestrate("train", data=long_job, on_progress=lambda _: begun.set())
    other.join()


def test_the_log_is_canonical_and_chained(swarm: RuvSwarm) -> None:
    import hashlib

    swarm.spawn(count=3)
    head = bytes(32)
    for line, chain in swarm.chained_log():
        head = hashlib.sha256(head + line.encode()).digest()
        assert head.hex() == chain
    assert swarm.verify()["chain"] == head.hex()
    kinds = [json.loads(line)["kind"] for line in swarm.log(after=1)]
    assert kinds == ["AgentSpawned"] * 3


def test_swarms_are_shared_by_threads(tmp_path: Path) -> None:
    path = tmp_path / "swarm.db"
    with RuvSwarm.init(db=path, max_agents=1000) as swarm, RuvSwarm.open(path) as other:

        def work(which: RuvSwarm) -> None:
            for _ in range(20):
                which.spawn("coder")

        threads = [threading.Thread(target=work, args=(s,)) for s in (swarm, other) for _ in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ids = [agent["id"] for agent in swarm.agents()]
        assert sorted(ids, key=lambda word: int(word[1:])) == [f"a{n}" for n in range(1, 81)]
        assert swarm.verify()["ok"] and swarm.state_hash() == other.state_hash()


def test_the_examples_of_the_page_run(
    tmp_path: Path, wdbc: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "python.md"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cancer.csv").write_bytes(wdbc.read_bytes())
    examples = page.read_text("utf-8").split("```python\n")[1:]
    for example in examples:
        exec(compile(example.split("```")[0], str(page), "exec"), {})
    said = capsys.readouterr().out.split()
    with RuvSwarm.open(tmp_path / "swarm.db") as swarm:
        assert swarm.model(said[0]).hash == said[0] and float(said[1]) > 0.9
    assert float(said[2]) > 0.9 and (tmp_path / "m.rsn").exists()
    assert said[3] == "1" and len(examples) == 3
