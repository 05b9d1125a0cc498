"""The installed `ruv-swarm` command, as a person types it."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import time
from pathlib import Path

import pytest
import ruv_swarm
from python_kit import Bench
from ruv_swarm import RuvSwarm, cli

VERSION = ruv_swarm.__version__


def test_version_and_help(bench: Bench) -> None:
    assert bench.ok("--version") == f"ruv-swarm {VERSION}\n"
    ran = bench.python("-m", "ruv_swarm", "--version")
    assert (ran.code, ran.out, ran.err) == (0, f"ruv-swarm {VERSION}\n", "")
    commands = bench.ok("--help")
    for word in ("init", "spawn", "orchestrate", "predict", "monitor", "doctor", "mcp"):
        assert word in commands


def test_the_quick_start_as_a_transcript(bench: Bench, wdbc: Path) -> None:
    shutil.copy(wdbc, bench.folder / "cancer.csv")
    said = bench.ok(
        *[
            "init",
            "--topology",
            "mesh",
            "--persistence",
            "sqlite",
            "--db",
            "./swarm.db",
            "--seed",
            "7",
        ]
    )
    assert "mesh" in said and "swarm.db" in said
    for pattern in ("convergent", "divergent", "lateral", "systems"):
        said = bench.ok(
            *f"spawn neural --model ruv-fann --capabilities rprop,batch --pattern {pattern}".split()
        )
        assert pattern in said
    train = "orchestrate train --data cancer.csv --target diagnosis --strategy cognitive-diversity"
    said = bench.ok(*train.split(), "--parallel")
    for word in ("validation loss", "convergent", "rprop", "ensemble on held-out rows", "model "):
        assert word in said
    model = said.split()[-1]
    assert re.fullmatch("[0-9a-f]{64}", model)
    rows = [line.rsplit(",", 1)[0] for line in wdbc.read_text().splitlines()[:6]]
    (bench.folder / "new.csv").write_text("\n".join(rows) + "\n")
    predict = f"predict --model {model} --data new.csv --out predictions.csv"
    assert bench.json(*predict.split()) == {"rows": 5, "out": "predictions.csv"}
    table = (bench.folder / "predictions.csv").read_text().splitlines()
    assert table[0] == "prediction,probability_benign,probability_malignant" and len(table) == 6
    assert bench.json("replay", "--verify")["ok"] is True
    status = bench.json("status")
    assert status["agents"] == 4 and status["tasks"]["completed"] == 5
    lines = bench.ok("log", "--json").splitlines()
    assert json.loads(lines[-1])["kind"] == "GoalFinished" and len(lines) == status["version"]
    with RuvSwarm.open(bench.folder / "swarm.db") as swarm:
        assert swarm.state_hash() == status["stateHash"] and list(swarm.log()) == lines
        assert swarm.model(model).hash == model


def test_the_command_and_the_program_train_the_same_model(bench: Bench, iris: Path) -> None:
    bench.ok("init", "--db", "swarm.db", "--seed", "7")
    result = bench.json(
        "orchestrate", "train", "--data", str(iris), "--agents", "convergent,systems"
    )
    with RuvSwarm.init(seed=7) as swarm:
        same = swarm.orchestrate(data=iris, agents=["convergent", "systems"])
    assert result["modelHash"] == same.model_hash
    assert result["ensemble"]["testLoss"] == same.ensemble.test_loss


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("status --db none.db", 2, "ruv-swarm init --db none.db"),
        ("init --topology blob", 2, "allowed: mesh"),
        ("init --db no/such/folder/s.db", 2, "no/such/folder"),
        ("dance", 2, "dance"),
        ("init --colour red", 2, "--colour"),
        ("predict --db none.db --model x --data y", 2, "no file"),
        ("mcp", 2, "start"),
    ],
)
def test_trouble_is_one_line_with_its_exit_code(
    bench: Bench, line: str, code: int, words: str
) -> None:
    ran = bench.run(*line.split())
    assert ran.code == code and ran.out == "", ran
    assert words in ran.err and ran.err.startswith("error: ") and ran.err.count("\n") == 1
    told = bench.run(*line.split(), "--json")
    assert told.code == code
    assert told.last()["error"].keys() >= {"code", "message"}
    assert not list(bench.folder.iterdir())


def test_errors_read_the_same_in_a_program(bench: Bench, tmp_path: Path) -> None:
    (bench.folder / "ragged.csv").write_text("a,b\n1,x\n2\n")
    bench.ok("init", "--db", "swarm.db")
    told = bench.run("orchestrate", "train", "--data", "ragged.csv", "--json").last()["error"]
    with (
        RuvSwarm.open(tmp_path / "swarm.db") as swarm,
        pytest.raises(ruv_swarm.RuvSwarmError) as caught,
    ):
        swarm.orchestrate("train", data=tmp_path / "ragged.csv")
    error = caught.value
    assert (error.code, error.message, error.field) == (
        told["code"],
        told["message"],
        told["field"],
    )


def test_a_reader_that_has_seen_enough_is_no_error(bench: Bench) -> None:
    bench.ok("init", "--db", "swarm.db")
    bench.ok("spawn", "coder", "--parallel", "50")
    child = bench.start("log", "--json")
    assert child.stdout is not None and child.stderr is not None
    assert child.stdout.readline().startswith('{"v":1')
    child.stdout.close()
    assert child.stderr.read() == ""
    child.stderr.close()
    assert child.wait() == 0


def test_mcp_without_the_server_says_what_to_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "ruv_swarm_server" else real(name, *rest),
    )
    assert cli.main(["mcp", "start"]) == 2
    line = "uvx --from 'ruv-swarm[server]' ruv-swarm mcp start\n"
    said = capsys.readouterr()
    assert said.out == "" and said.err.endswith(line) and said.err.count("\n") == 1
    assert cli.main(["mcp", "start", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "invalid_argument" and error["message"].endswith(line.strip())


def test_arguments_that_are_no_text(bench: Bench) -> None:
    ran = bench.run("status", b"--db=\xff.db".decode(errors="surrogateescape"))
    assert (ran.code, ran.out) == (2, "") and "is not UTF-8 text" in ran.err
    assert ran.err.startswith("error: ") and ran.err.count("\n") == 1


def test_the_package_is_light(bench: Bench) -> None:
    """Neither NumPy nor anything of the server is loaded before it is needed."""
    code = """
        import sys, time
        start = time.perf_counter()
        import ruv_swarm, ruv_swarm.cli
        spent = time.perf_counter() - start
        heavy = {"numpy", "asyncio", "ruv_swarm_server"} & sys.modules.keys()
        print(spent if not heavy else heavy)
    """
    lines = "\n".join(line.strip() for line in code.strip().splitlines())
    ran = [bench.python("-c", lines) for _ in range(5)]
    assert min(float(one.out) for one in ran) <= 0.15
    times = []
    for _ in range(5):
        start = time.perf_counter()
        bench.ok("--version")
        times.append(time.perf_counter() - start)
    assert min(times) < 0.3
