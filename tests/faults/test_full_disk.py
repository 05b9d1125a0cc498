"""A disk that is full: told as such, nothing half written, and the same process goes on afterwards."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from faultkit import HOSTS, HostProcess, assert_there, events_of, note, replay_of

SIZE = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("a small file system needs root to be mounted")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", HOSTS)
def test_a_full_disk_is_told_and_the_same_process_goes_on(name: str, small_disk: Path) -> None:
    db = small_disk / "swarm.db"
    filler = small_disk / "filler"
    acknowledged: dict[int, tuple[str, str]] = {}
    with HostProcess(name, db) as host:
        note(acknowledged, host.ask("swarm_init", {"seed": 1}))
        filler.write_bytes(bytes(SIZE // 2))
        request = {"tasks": [{"name": "t", "description": "x" * 3000}]}
        refused = None
        for round_ in range(1000):
            answer = host.ask("task_submit", request, f"k{round_}")
            if "error" in answer:
                refused = answer["error"]
                break
            note(acknowledged, answer)
        assert refused and refused["code"] == "store_unavailable", refused
        assert "no space left" in refused["message"], refused
        # As long as it is full each caller hears the same, and can still ask what is there.
        for _ in range(3):
            again = host.ask("task_submit", request, f"k{round_}")
            assert again["error"]["code"] == "store_unavailable", again
        tasks = sum('"TaskSubmitted"' in body for body, _ in acknowledged.values())
        assert host.ok("swarm_status")["tasks"]["ready"] == tasks == round_
        filler.unlink()
        # Now there is room, and the repetition happens once.
        note(acknowledged, host.ask("task_submit", request, f"k{round_}"))
        once = host.ok("task_submit", request, f"k{round_}")
        assert once["taskIds"] == [f"t{round_ + 1}"]
    assert_there(db, acknowledged)
    assert len(events_of(db, "TaskSubmitted")) == round_ + 1
    assert replay_of(db)["ok"]
    print(f"{name}: refused after {round_} tasks, gone on with after space was made")
