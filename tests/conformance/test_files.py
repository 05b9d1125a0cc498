"""One file, every door: what one writes the others read with the same hash, and go on writing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import ruv_swarm
from kit.doors import MAKERS, Door, facts
from kit.host import ServerHost
from kit.paths import DATA

DOORS = list(MAKERS)


@pytest.fixture(scope="module")
def doors() -> dict[str, Door]:
    return {name: make() for name, make in MAKERS.items()}


def work(door: Door, folder: Path) -> Path:
    """A file with events of several kinds, written by one door."""
    init = ["init", "--topology", "ring", "--seed", "7", "--db", "swarm.db"]
    door.json(folder, *init)
    door.json(folder, "spawn", "coder", "--capabilities", "rust,日本", "--parallel", "2")
    door.json(folder, "spawn", "neural", "--pattern", "lateral", "--name", "Zoë 🚀")
    door.run(folder, "orchestrate", "write the report", "--strategy", "parallel", "--json")
    return folder / "swarm.db"


def check_all(doors: dict[str, Door], path: Path) -> None:
    """All doors read the same log, byte for byte, and come to the same state."""
    logs = {name: door.run(path.parent, "log", "--json", "--chain") for name, door in doors.items()}
    assert len({ran.out for ran in logs.values()}) == 1
    assert {ran.code for ran in logs.values()} == {0}
    assert len({facts(door, path) for door in doors.values()}) == 1


@pytest.mark.parametrize("writer", DOORS)
def test_a_file_of_one_door_is_read_and_continued_by_the_others(
    writer: str, doors: dict[str, Door], tmp_path: Path
) -> None:
    path = work(doors[writer], tmp_path)
    check_all(doors, path)
    for name, door in doors.items():
        before = facts(doors[writer], path)
        door.json(tmp_path, "spawn", "tester", "--name", name)
        assert facts(doors[writer], path).events == before.events + 1
        check_all(doors, path)


def test_the_server_s_file_is_read_and_continued_by_the_doors(
    doors: dict[str, Door], tmp_path: Path
) -> None:
    path = tmp_path / "swarm.db"
    with ServerHost(path) as server:
        server.call("swarm_init", {"topology": "ring", "seed": 7})
        server.call("agent_spawn", {"type": "coder", "count": 2})
        status = server.call("swarm_status", {})
        # Several processes share one file: a door reads it while the server runs.
        assert facts(doors["rust"], path).state == status["stateHash"]
        doors["npm"].json(tmp_path, "spawn", "tester", "--db", path.name)
        server.call("agent_spawn", {"type": "writer"})
    check_all(doors, path)
    for door in doors.values():
        door.json(tmp_path, "spawn", "tester")
    check_all(doors, path)


@pytest.mark.parametrize("writer", DOORS)
def test_the_server_continues_a_door_s_file(
    writer: str, doors: dict[str, Door], tmp_path: Path
) -> None:
    path = work(doors[writer], tmp_path)
    before = facts(doors[writer], path)
    with ServerHost(path) as server:
        assert server.call("swarm_status", {})["stateHash"] == before.state
        server.call("agent_spawn", {"type": "tester"})
        after = server.call("swarm_status", {})
    assert facts(doors[writer], path).state == after["stateHash"]
    check_all(doors, path)


@pytest.fixture(scope="module")
def trained(
    doors: dict[str, Door], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Path, str]]:
    """A folder for each door in which it has trained the same job, and the model's hash."""
    found = {}
    for name, door in doors.items():
        folder = tmp_path_factory.mktemp(name)
        shutil.copy(DATA / "iris.csv", folder)
        door.json(folder, "init", "--seed", "7", "--db", "swarm.db")
        words = ["--capabilities", "rprop,batch"]
        door.json(folder, "spawn", "neural", "--pattern", "convergent", *words)
        options = ["--data", "iris.csv", "--target", "species", "--parallel"]
        strategy = ["--strategy", "cognitive-diversity"]
        result = door.json(folder, "orchestrate", "train", *options, *strategy)
        assert result["state"] == "completed"
        found[name] = (folder, result["modelHash"])
    return found


def test_the_same_job_gives_the_same_model_and_predictions_at_every_door(
    doors: dict[str, Door], trained: dict[str, tuple[Path, str]]
) -> None:
    assert len({model for _, model in trained.values()}) == 1
    predictions = set()
    for name, (folder, model) in trained.items():
        arguments = ["--model", model, "--data", "iris.csv", "--out", "predictions.csv"]
        result = doors[name].json(folder, "predict", *arguments)
        assert result == {"rows": 150, "out": "predictions.csv"}
        predictions.add((folder / "predictions.csv").read_bytes())
    assert len(predictions) == 1


def test_a_model_of_one_door_predicts_at_the_others(
    doors: dict[str, Door], trained: dict[str, tuple[Path, str]]
) -> None:
    folder, model = trained["npm"]
    check_all(doors, folder / "swarm.db")
    written = set()
    for name, door in doors.items():
        out = f"by-{name}.csv"
        door.json(folder, "predict", "--model", model, "--data", "iris.csv", "--out", out)
        written.add((folder / out).read_bytes())
    assert len(written) == 1


def test_the_facade_s_file_is_the_doors_file_too(doors: dict[str, Door], tmp_path: Path) -> None:
    path = tmp_path / "swarm.db"
    host, _ = ruv_swarm.Host.open_or_create(str(path), '{"seed":7,"topology":"star"}')
    host.call("agent_spawn", '{"type":"coder","count":2}')
    artifact = json.loads(host.put_artifact(b"\x00\xff bytes", "note"))["artifact"]["hash"]
    for name, door in doors.items():
        # The host stays open: several processes share one file.
        door.json(tmp_path, "spawn", "tester", "--name", name)
        host.call("task_submit", '{"tasks":[{"name":"next"}]}')
        # Not by `facts`: a second SQLite library in the process of an open host drops its locks.
        replay = door.json(tmp_path, "replay", "--verify")
        assert (replay["ok"], replay["stateHash"]) == (True, host.state_hash()), name
    assert host.get_artifact(artifact) == b"\x00\xff bytes"
    host.close()
    check_all(doors, path)
