"""Bad input gives one line, the same text and exit code at every door, and changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kit.bad import CASES, Bad
from kit.doors import MAKERS, Door, Ran, facts, rows_of, rust_door
from kit.paths import DATA

TRACES = ("Traceback", "panicked", "    at ", "RuntimeError", "stack backtrace", "node:internal")


@pytest.fixture(scope="module")
def doors() -> dict[str, Door]:
    return {name: make() for name, make in MAKERS.items()}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a swarm, good data, and a network trained on it."""
    folder = tmp_path_factory.mktemp("template")
    door = rust_door()
    door.json(folder, "init", "--seed", "7", "--topology", "mesh", "--db", "swarm.db")
    door.json(folder, "spawn", "neural", "--pattern", "lateral")
    shutil.copy(DATA / "iris.csv", folder / "good.csv")
    files = ("--out", "good.rsn", "--checkpoint", "good.rsc")
    door.json(folder, "train", "--data", "good.csv", "--epochs", "5", *files)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """All files but SQLite's own side files."""
    sides = ("-wal", "-shm")
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if not path.name.endswith(sides)
    }


def check_line(ran: Ran, case_code: int, names: tuple[str, ...], where: str) -> None:
    """One clear line on standard error, with its exit code."""
    assert ran.code == case_code, f"{where}: exit code {ran.code}: {ran.out}{ran.err}"
    lines = ran.err.splitlines()
    assert len(lines) == 1, f"{where}: {ran.err[:2000]}"
    assert len(lines[0]) < 1000, f"{where}: a line of {len(lines[0])} characters"
    for name in names:
        assert name in lines[0], f"{where}: {name} is not named: {lines[0]}"
    assert not [trace for trace in TRACES if trace in ran.err + ran.out], where


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_told_alike_at_every_door(
    case: Bad, doors: dict[str, Door], template: Path, tmp_path: Path
) -> None:
    told: dict[str, tuple[str, str]] = {}
    for name, door in doors.items():
        folder = tmp_path / name
        shutil.copytree(template, folder)
        case.files(folder)
        before, known = contents(folder), rows_of(folder / "swarm.db")
        plain = door.run(folder, *case.arguments)
        check_line(plain, case.code, case.names, f"{name}: {case.name}")
        answer = door.run(folder, *case.arguments, "--json")
        assert (answer.code, answer.err) == (case.code, ""), f"{name}: {answer}"
        error = json.loads(answer.out.splitlines()[-1])["error"]
        assert error["message"] in plain.err
        told[name] = (plain.err, answer.out)
        assert contents(folder).keys() == before.keys(), f"{name}: files came or went"
        assert rows_of(folder / "swarm.db") == known, f"{name}: the swarm changed"
        if "other.db" in before:
            assert contents(folder)["other.db"] == before["other.db"], f"{name}: it was written to"
    last = facts(doors["rust"], folder / "swarm.db")
    assert last == facts(doors["rust"], template / "swarm.db"), "the state's hash changed"
    assert len(set(told.values())) == 1, "\n".join(f"{name}: {text}" for name, text in told.items())


@contextmanager
def disk(folder: Path, kilobytes: int) -> Iterator[bool]:
    """A small disk at `folder`; False where this user may not mount one."""
    folder.mkdir()
    options = f"size={kilobytes}k"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, check=False)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until nothing more fits."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
    return path


def test_a_full_disk_is_told_alike_and_heals(
    doors: dict[str, Door], template: Path, tmp_path: Path
) -> None:
    told = {}
    for name, door in doors.items():
        folder = tmp_path / "disk"
        with disk(folder, 512) as mounted:
            if mounted:
                shutil.copy(template / "swarm.db", folder)
                known = facts(doors["rust"], folder / "swarm.db")
                filler = fill(folder)
                ran = door.run(folder, "spawn", "coder", "--parallel", "90")
                check_line(ran, 3, ("no space left", "./swarm.db"), name)
                told[name] = ran.err
                filler.unlink()
                assert facts(doors["rust"], folder / "swarm.db") == known
                door.json(folder, "spawn", "coder")
        folder.rmdir()
    assert len(set(told.values())) <= 1, told


def test_a_read_only_folder_is_told_alike(
    doors: dict[str, Door], template: Path, tmp_path: Path
) -> None:
    told = {}
    for name, door in doors.items():
        folder = tmp_path / "disk"
        with disk(folder, 2048) as mounted:
            if not mounted and os.geteuid() == 0:
                break
            shutil.copy(template / "swarm.db", folder)
            known = facts(doors["rust"], folder / "swarm.db")
            with read_only(folder, mounted):
                ran = door.run(folder, "spawn", "coder")
                check_line(ran, 3, ("read-only", "./swarm.db"), name)
                made = door.run(folder, "init", "--db", "new.db")
                assert made.code in (2, 3), made
                told[name] = (ran.err, made.err)
            assert facts(doors["rust"], folder / "swarm.db") == known
        shutil.rmtree(folder)
    assert len(set(told.values())) <= 1, told


@contextmanager
def read_only(folder: Path, mounted: bool) -> Iterator[None]:
    """The folder can't be written: by a mount, since root may write anywhere, or by its mode."""
    if mounted:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    else:
        (folder / "swarm.db").chmod(0o444)
        folder.chmod(0o555)
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
        else:
            folder.chmod(0o755)
            (folder / "swarm.db").chmod(0o644)
