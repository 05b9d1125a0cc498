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
FILE_CASES = [
    Bad("not a database", ("status", *OTHER), 3, ("other.db",), no_database),
    Bad("init on no database", ("init", *OTHER), 3, ("other.db",), no_database),
    Bad("another program's", ("spawn", "coder", *OTHER), 3, ("other.db",), empty_database),
    Bad("a newer database", ("status", *OTHER), 3, ("999",), newer_database),
    Bad("init on a newer one", ("init", *OTHER), 3, ("999",), newer_database),
    Bad("half a database", ("status", *OTHER), 3, ("other.db",), cut_database),
    Bad("a changed event", ("replay", "--verify", *OTHER), 3, ("other.db",), broken_chain),
]
CASES = [*DATA_CASES, *WORD_CASES, *MODEL_CASES, *FILE_CASES]
