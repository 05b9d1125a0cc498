"""Bad input of every kind: the files, the command, the exit code and what the line must name."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kit.paths import DATA

TRAIN = ("orchestrate", "train", "--data", "bad.csv")
Files = Callable[[Path], None]


def nothing(_: Path) -> None:
    """No file at all."""


def csv(content: str | bytes) -> Files:
    """A file `bad.csv` with this content."""
    raw = content if isinstance(content, bytes) else content.encode()

    def write(folder: Path) -> None:
        (folder / "bad.csv").write_bytes(raw)

    return write


def rows(header: str, *lines: str, times: int = 10) -> Files:
    """A file `bad.csv` of a header and lines that repeat."""
    return csv("\n".join([header, *list(lines) * times]) + "\n")


def iris(folder: Path) -> None:
    """Good data."""
    shutil.copy(DATA / "iris.csv", folder / "bad.csv")


def iris_and_one(folder: Path) -> None:
    """Good data with one row more."""
    iris(folder)
    with (folder / "bad.csv").open("a") as file:
        file.write("5.0,3.0,1.0,0.2,setosa\n")


def no_database(folder: Path) -> None:
    """A text where the database should be."""
    (folder / "other.db").write_text("this is no database, but long enough to be looked at\n" * 20)


def empty_database(folder: Path) -> None:
    """Some other program's database."""
    with sqlite3.connect(folder / "other.db") as database:
        database.execute("CREATE TABLE note (text TEXT)")
        database.execute("INSERT INTO note VALUES ('mine')")
    database.close()


def newer_database(folder: Path) -> None:
    """The swarm's file, marked as written by a later release."""
    shutil.copy(folder / "swarm.db", folder / "other.db")
    with sqlite3.connect(folder / "other.db") as database:
        database.execute("PRAGMA user_version = 999")
    database.close()


def cut_database(folder: Path) -> None:
    """The first half of the swarm's file."""
    content = (folder / "swarm.db").read_bytes()
    (folder / "other.db").write_bytes(content[: len(content) // 2])


def broken_chain(folder: Path) -> None:
    """The swarm's file with a letter of an event changed."""
    shutil.copy(folder / "swarm.db", folder / "other.db")
    with sqlite3.connect(folder / "other.db") as database:
        database.execute(
            "UPDATE event SET body = replace(body, 'lateral', 'literal') WHERE seq = 2"
        )
    database.close()


def damaged(name: str, change: Callable[[bytearray], object]) -> Files:
    """The template's file of this name, changed, as `bad` with the same ending."""

    def write(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        change(content)
        (folder / f"bad{Path(name).suffix}").write_bytes(content)

    return write


def cut(content: bytearray) -> None:
    """Leave the last bytes out."""
    del content[-5:]


def flip(content: bytearray) -> None:
    """Flip one bit."""
    content[len(content) // 2] ^= 1


def renew(content: bytearray) -> None:
    """Say that a later release wrote it: magic, then the version."""
    content[8:12] = (99).to_bytes(4, "little")


@dataclass(frozen=True)
class Bad:
    """One case."""

    name: str
    arguments: tuple[str, ...]
    code: int
    names: tuple[str, ...]
    files: Files = field(default=nothing)


OTHER = ("--db", "other.db")
WIDE = ",".join(f"c{i}" for i in range(1_000_000))
DATA_CASES = [
    Bad("missing file", (*TRAIN[:3], "none.csv"), 2, ("data", "none.csv")),
    Bad("a folder", (*TRAIN[:3], "."), 2, ("data", "folder")),
    Bad("empty file", TRAIN, 2, ("empty",), csv("")),
    Bad("header alone", TRAIN, 2, ("row",), csv("a,b,kind\n")),
    Bad("ragged rows", TRAIN, 2, ("row",), rows("a,b,kind", "1,2,x", "3,4", "5,6,y")),
    Bad("not UTF-8", TRAIN, 2, ("UTF-8",), csv(b"a,b,kind\n1,2,x\n3,\xff\xfe,y\n" * 9)),
    Bad("two columns of one name", TRAIN, 2, ('"a"',), rows("a,a,kind", "1,2,x", "3,4,y")),
    Bad("no feature column", TRAIN, 2, ("column",), rows("kind", "x", "y")),
    Bad("unknown target", (*TRAIN, "--target", "nope"), 2, ('"nope"', "species"), iris),
    Bad("one class", TRAIN, 2, ("class",), rows("a,b,kind", "1,2,x", "3,4,x")),
    Bad("NaN", TRAIN, 2, ("nan",), rows("a,b,kind", "1,2,x", "nan,4,y")),
    Bad("infinity", TRAIN, 2, ("inf",), rows("a,b,kind", "1,2,x", "inf,4,y")),
    Bad("too large a number", TRAIN, 2, ("1e999",), rows("a,b,kind", "1,2,x", "1e999,4,y")),
    Bad("a million columns", TRAIN, 2, ("column",), csv(f"{WIDE}\n{WIDE}\n")),
    Bad("an open quote", TRAIN, 2, ("quote",), csv('a,b,kind\n1,2,"x\n3,4,y\n')),
    Bad("unknown strategy", (*TRAIN, "--strategy", "hope"), 2, ('"hope"', "balanced"), iris),
    Bad("unknown task", (*TRAIN, "--task", "dreaming"), 2, ('"dreaming"', "regression"), iris),
    Bad("unknown agents", (*TRAIN, "--agents", "sideways"), 2, ('"sideways"',), iris),
]
WORD_CASES = [
    Bad("unknown pattern", ("spawn", "neural", "--pattern", "sideways"), 2, ("convergent",)),
    Bad("unknown model", ("spawn", "neural", "--model", "gpt"), 2, ('"gpt"', "ruv-fann")),
    Bad("unknown algorithm", ("spawn", "neural", "--capabilities", "magic"), 2, ("rprop",)),
    Bad("unknown topology", ("init", "--topology", "cube", *OTHER), 2, ('"cube"', "mesh")),
    Bad("unknown persistence", ("init", "--persistence", "tape", *OTHER), 2, ("sqlite",)),
    Bad("another topology", ("init", "--topology", "star"), 2, ('"mesh"', '"star"')),
    Bad("another seed", ("init", "--seed", "8"), 2, ('"7"', '"8"')),
    Bad("no folder", ("init", "--db", "no/such/swarm.db"), 2, ("no/such/swarm.db",)),
    Bad("unknown task id", ("query", "--task", "t99"), 2, ('"t99"',)),
    Bad("unknown agent id", ("query", "--agent", "a99"), 2, ('"a99"',)),
    Bad("unknown goal id", ("query", "--goal", "g99"), 2, ('"g99"',)),
    Bad("nothing to query", ("query",), 2, ("agent",)),
    Bad("no swarm", ("status", "--db", "none.db"), 2, ("none.db", "init")),
]
PREDICT = ("predict", "--data", "bad.csv", "--out", "out.csv", "--model")
MODEL_CASES = [
    Bad("unknown model hash", (*PREDICT, "ab" * 32), 2, ("ab" * 32,), iris),
    Bad("unknown model file", (*PREDICT, "none.model"), 2, ("none.model",), iris),
    Bad("no model file", (*PREDICT, "bad.csv"), 2, ("model",), iris),
]
ONE = ("train", "--data", "bad.csv", "--epochs", "5")
GOOD = ("train", "--data", "good.csv", "--epochs", "5")
WEIGHTED = rows("a,w,kind", "1,1,x", "2,-1,y", "3,1,x", "4,1,y")
SAME = rows("a,b,kind", "1,2,x", "1,2,y")
FLAT = rows("a,b,y", "1,2,0.5", "3,4,0.5")
DEEP = ",".join(["4"] * 10_000)
NETWORK_CASES = [
    Bad("train without data", ("train",), 2, ("data", "missing")),
    Bad("train: missing file", ("train", "--data", "none.csv"), 2, ("data", "none.csv")),
    Bad("train: ragged rows", ONE, 2, ("row 2",), rows("a,b,kind", "1,2,x", "3,4", "5,6,y")),
    Bad("train: no rows", ONE, 2, ("row",), csv("a,b,kind\n")),
    Bad("train: one row", ONE, 2, ("1 row;",), csv("a,b,kind\n1,2,x\n")),
    Bad("train: constant columns", ONE, 2, ("feature column",), SAME),
    Bad("train: constant target", ONE, 2, ('"y"', "one value"), FLAT),
    Bad("train: one class", ONE, 2, ('"kind"', "class"), rows("a,kind", "1,x", "3,x")),
    Bad("train: NaN", ONE, 2, ("nan", "row 2", '"a"'), rows("a,kind", "1,x", "nan,y")),
    Bad("train: infinity", ONE, 2, ("inf", "row 2", '"a"'), rows("a,kind", "1,x", "inf,y")),
    Bad("train: unknown target", (*GOOD, "--target", "nope"), 2, ('"nope"', "species")),
    Bad("train: no units", (*GOOD, "--hidden", "4,0"), 2, ("hidden", "0 units")),
    Bad("train: 10,000 layers", (*GOOD, "--hidden", DEEP), 2, ("hidden", "10000")),
    Bad("train: units in words", (*GOOD, "--hidden", "many"), 2, ("hidden", "many")),
    Bad("train: no steepness", (*GOOD, "--steepness", "0"), 2, ("steepness: 0",)),
    Bad("train: unknown algorithm", (*GOOD, "--algorithm", "magic"), 2, ("magic", "rprop")),
    Bad("train: unknown activation", (*GOOD, "--activation", "magic"), 2, ("magic", "tanh")),
    Bad("train: a step", (*GOOD, "--activation", "threshold"), 2, ("threshold", "slope")),
    Bad("train: a rate in words", (*GOOD, "--learning-rate", "fast"), 2, ("fast",)),
    Bad("train: a rate below 0", (*GOOD, "--learning-rate=-1"), 2, ("learningRate: -1",)),
    Bad("train: no epochs", ("train", "--data", "good.csv", "--epochs", "0"), 2, ("epochs: 0",)),
    Bad("train: a split of 90", (*GOOD, "--split", "60,20,10"), 2, ("split",)),
    Bad(
        "train: a loss of classes",
        (*GOOD, "--loss", "cross-entropy", "--output-activation", "tanh"),
        2,
        ("loss", "softmax"),
    ),
    Bad("train: weights below 0", (*ONE, "--weight-column", "w"), 2, ("row 2", '"w"'), WEIGHTED),
    Bad("train: weights of no column", (*GOOD, "--weight-column", "w"), 2, ('"w"',)),
    Bad("train: unknown option", (*GOOD, "--options", '{"lucky":7}'), 2, ("lucky", "hidden")),
    Bad("train: options of no JSON", (*GOOD, "--options", "{lucky}"), 2, ("options",)),
    Bad("train: out in no folder", (*GOOD, "--out", "no/such.rsn"), 2, ("out", "no/such.rsn")),
    Bad("train: out is a folder", (*GOOD, "--out", "."), 2, ("out", "folder")),
    Bad("train: no seconds", (*GOOD, "--seconds", "0"), 2, ("seconds: 0",)),
    Bad("train: every without a file", (*GOOD, "--every", "5"), 2, ("every", "checkpoint")),
    Bad("resume: missing file", ("train", "--resume", "none.rsc"), 2, ("resume", "none.rsc")),
    Bad("resume: no checkpoint", ("train", "--resume", "good.csv"), 2, ("resume", "checkpoint")),
    Bad(
        "resume: other data", (*ONE[:3], "--resume", "good.rsc"), 2, ("data", "hash"), iris_and_one
    ),
    Bad("resume: other options", ("train", "--resume", "good.rsc", "--seed", "5"), 2, ("seed",)),
    Bad("resume: cut", ("train", "--resume", "bad.rsc"), 2, ("resume",), damaged("good.rsc", cut)),
    Bad(
        "resume: a bit", ("train", "--resume", "bad.rsc"), 2, ("resume",), damaged("good.rsc", flip)
    ),
    Bad("resume: newer", ("train", "--resume", "bad.rsc"), 3, ("99",), damaged("good.rsc", renew)),
    Bad("inspect without a model", ("inspect",), 2, ("model", "missing")),
    Bad("inspect: missing file", ("inspect", "--model", "none.rsn"), 2, ("none.rsn",)),
    Bad("inspect: no model", ("inspect", "--model", "good.csv"), 2, ("model",)),
    Bad("inspect: cut", ("inspect", "--model", "bad.rsn"), 2, ("model",), damaged("good.rsn", cut)),
    Bad(
        "inspect: a bit",
        ("inspect", "--model", "bad.rsn"),
        2,
        ("model",),
        damaged("good.rsn", flip),
    ),
    Bad(
        "inspect: newer", ("inspect", "--model", "bad.rsn"), 3, ("99",), damaged("good.rsn", renew)
    ),
    Bad("evaluate without data", ("evaluate", "--model", "good.rsn"), 2, ("data", "missing")),
    Bad(
        "evaluate: other columns",
        ("evaluate", "--model", "good.rsn", "--data", "bad.csv"),
        2,
        ("sepal_length",),
        rows("a,b", "1,2"),
    ),
    Bad(
        "evaluate: unknown class",
        ("evaluate", "--model", "good.rsn", "--data", "bad.csv"),
        2,
        ("row 1", "setosa"),
        rows("sepal_length,sepal_width,petal_length,petal_width,species", "1,2,3,4,rose"),
    ),
    Bad(
        "predict: missing columns",
        ("predict", "--model", "good.rsn", "--data", "bad.csv", "--out", "p.csv"),
        2,
        ("sepal_length",),
        rows("a,b", "1,2"),
    ),
    Bad(
        "predict: no number",
        ("predict", "--model", "good.rsn", "--data", "bad.csv", "--out", "p.csv"),
        2,
        ("row 2", "petal_width"),
        rows("sepal_length,sepal_width,petal_length,petal_width", "1,2,3,4", "1,2,3,wide"),
    ),
]
FILE_CASES = [
    Bad("not a database", ("status", *OTHER), 3, ("other.db",), no_database),
    Bad("init on no database", ("init", *OTHER), 3, ("other.db",), no_database),
    Bad("another program's", ("spawn", "coder", *OTHER), 3, ("other.db",), empty_database),
    Bad("a newer database", ("status", *OTHER), 3, ("999",), newer_database),
    Bad("init on a newer one", ("init", *OTHER), 3, ("999",), newer_database),
    Bad("half a database", ("status", *OTHER), 3, ("other.db",), cut_database),
    Bad("a changed event", ("replay", "--verify", *OTHER), 3, ("other.db",), broken_chain),
]
CASES = [*DATA_CASES, *WORD_CASES, *MODEL_CASES, *NETWORK_CASES, *FILE_CASES]
