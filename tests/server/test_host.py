"""The host loop: group commit, keys, time, other hosts, and trouble of the file."""

from __future__ import annotations

import asyncio
import importlib
import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ruv_swarm import RuvSwarmError
from ruv_swarm_server import kernel
from ruv_swarm_server.clock import SwarmClock
from ruv_swarm_server.host import Host
from ruv_swarm_server.ledger import Job, Ledger, Step
from ruv_swarm_server.store import SqliteStore, StoreError

pytestmark = pytest.mark.anyio


async def call(host: Host, operation: str, key: str = "", **fields: Any) -> dict[str, Any]:
    if operation == "agent_spawn":
        fields = {"type": "coder", **fields}
    return json.loads(await host.call(operation, json.dumps(fields), key))


async def refused(host: Host, operation: str, key: str = "", **fields: Any) -> RuvSwarmError:
    with pytest.raises(RuvSwarmError) as caught:
        await call(host, operation, key, **fields)
    return caught.value


async def test_without_a_file_everything_but_swarm_init_is_not_found(host: Host, db: Path) -> None:
    for operation in ("swarm_status", "agent_spawn"):
        error = await refused(host, operation)
        assert (error.code, error.field) == ("not_found", "db")
        assert "ruv-swarm init" in error.message
    assert (await refused(host, "swarm_init", topology="blob")).code == "invalid_argument"
    assert not db.exists(), "a refused swarm_init leaves no file"
    assert (await call(host, "swarm_init"))["created"] is True
    assert db.exists()


async def test_an_unknown_operation_names_those_that_are_there(host: Host) -> None:
    error = await refused(host, "swarm_fly")
    assert error.code == "unknown_operation"
    assert "swarm_init" in error.message


async def test_a_second_init_joins_and_a_different_one_conflicts(host: Host) -> None:
    made = await call(host, "swarm_init", seed=7)
    joined = await call(host, "swarm_init")
    assert joined == {**made, "created": False}
    assert (await refused(host, "swarm_init", topology="ring")).code == "conflict"


async def test_a_key_makes_init_repeatable_without_a_given_seed(host: Host) -> None:
    first = await call(host, "swarm_init", key="k")
    assert await call(host, "swarm_init", key="k") == first
    assert (await call(host, "swarm_init", key="other"))["created"] is False


async def test_a_key_is_answered_once_and_refuses_another_body(host: Host) -> None:
    await call(host, "swarm_init")
    first = await call(host, "agent_spawn", key="k", type="coder")
    assert await call(host, "agent_spawn", key="k", type="coder") == first
    assert (await refused(host, "agent_spawn", key="k", type="tester")).code == "conflict"
    assert len((await call(host, "agent_list"))["agents"]) == 1


async def test_calls_at_once_share_commits_and_each_gets_its_answer(host: Host) -> None:
    await call(host, "swarm_init", maxAgents=1000)
    names = [f"agent-{number}" for number in range(200)]
    answers = await asyncio.gather(*(call(host, "agent_spawn", name=name) for name in names))
    assert [answer["agents"][0]["name"] for answer in answers] == names
    assert len({answer["agents"][0]["id"] for answer in answers}) == 200


async def test_a_refusal_in_a_group_does_not_touch_its_neighbours(host: Host) -> None:
    await call(host, "swarm_init")
    good, bad, after = await asyncio.gather(
        call(host, "agent_spawn"),
        call(host, "agent_spawn", capacity=0),
        call(host, "agent_spawn"),
        return_exceptions=True,
    )
    assert isinstance(bad, RuvSwarmError)
    assert bad.field == "capacity"
    assert isinstance(good, dict)
    assert isinstance(after, dict)
    assert (await call(host, "swarm_status"))["version"] == 3


async def test_events_and_artifacts_are_attached(host: Host, db: Path) -> None:
    await call(host, "swarm_init")
    put = await call(host, "artifact_put", content="aGVsbG8=", name="greeting")
    got = await call(host, "artifact_get", hash=put["artifact"]["hash"])
    assert got["content"] == "aGVsbG8="
    events = (await call(host, "swarm_query", events=1))["events"]
    with sqlite3.connect(db) as file:
        assert [body for (body,) in file.execute("SELECT body FROM event ORDER BY seq")] == events


@pytest.mark.parametrize("size", [0, 3, 3 << 20])
async def test_artifacts_of_any_size_come_back(host: Host, size: int) -> None:
    import base64
    import hashlib

    content = bytes(range(256)) * (size // 256) + b"abc"[: size % 256]
    await call(host, "swarm_init")
    digest = hashlib.sha256(content).hexdigest()
    text = base64.b64encode(content).decode()
    fields = {"content": text} if size else {"hash": digest, "size": 0}
    assert (await call(host, "artifact_put", **fields))["artifact"]["hash"] == digest
    assert (await call(host, "artifact_get", hash=digest))["content"] == text


async def test_bytes_that_nobody_gave_are_refused(host: Host) -> None:
    await call(host, "swarm_init")
    error = await refused(host, "artifact_put", hash="0" * 64, size=3)
    assert (error.code, error.field) == ("invalid_argument", "content")
    assert (await call(host, "swarm_status"))["version"] == 1


async def test_time_passes_without_a_caller(host: Host) -> None:
    await call(host, "swarm_init")
    await call(host, "agent_spawn")
    await call(host, "task_submit", tasks=[{"description": "work"}])
    await call(host, "task_claim", agentId="a1", leaseMs=1000)
    before = host.version
    assert await host.wait_news(before, 5) > before
    lines = (await call(host, "swarm_query", events=before + 1))["events"]
    assert json.loads(lines[0])["kind"] == "LeaseExpired"


async def test_two_hosts_on_one_file_see_each_other(host: Host, db: Path) -> None:
    await call(host, "swarm_init", maxAgents=1000)
    async with Host(db) as other:
        assert (await call(other, "swarm_status"))["agents"] == 0
        both = [
            call(one, "agent_spawn", name=str(number))
            for number in range(100)
            for one in (host, other)
        ]
        answers = await asyncio.gather(*both)
        ids = {answer["agents"][0]["id"] for answer in answers}
        assert len(ids) == 200
        first, second = await call(host, "swarm_status"), await call(other, "swarm_status")
        assert first == second
        seen = other.version
        await call(host, "agent_spawn")
        assert await other.wait_news(seen, 5) > seen


async def test_of_two_hosts_one_gets_the_task(host: Host, db: Path) -> None:
    await call(host, "swarm_init")
    await call(host, "agent_spawn", count=2)
    async with Host(db) as other:
        for number in range(20):
            await call(host, "task_submit", tasks=[{"description": str(number)}])
            task = f"t{number + 1}"
            results = await asyncio.gather(
                call(host, "task_claim", agentId="a1", taskId=task),
                call(other, "task_claim", agentId="a2", taskId=task),
                return_exceptions=True,
            )
            won = [result for result in results if isinstance(result, dict)]
            assert len(won) == 1
            lease = won[0]["task"]["lease"]
            done = {"taskId": task, "agentId": lease["agentId"], "epoch": lease["epoch"]}
            await call(other, "task_report", **done, outcome="completed")


async def test_a_full_disk_changes_nothing_and_heals(host: Host, db: Path) -> None:
    await call(host, "swarm_init")
    store = host._ledger._store
    assert store
    before = await call(host, "swarm_status")
    pages = await host._in_thread(lambda: store._pragma("page_count"))
    await host._in_thread(lambda: store._text(f"PRAGMA max_page_count={pages}"))
    big = [{"payload": "x" * 60_000} for _ in range(10)]
    error = await refused(host, "task_submit", tasks=big)
    assert error.code == "store_unavailable"
    assert "no space left" in error.message
    # The connection is opened anew, without the limit.
    assert await call(host, "swarm_status") == before
    assert len((await call(host, "task_submit", tasks=big))["taskIds"]) == 10


async def test_a_failed_commit_is_unknown_and_its_key_settles_it(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    await call(host, "swarm_init")
    real = SqliteStore._text

    def failing(store: SqliteStore, statement: str) -> Any:
        done = real(store, statement)
        if statement == "COMMIT":
            # As a failed sync: the commit is in the file, and nobody can promise it.
            driver = store._driver
            error = driver.OperationalError("disk I/O error")
            error.sqlite_errorcode = 1034
            from sqlalchemy.exc import OperationalError

            raise OperationalError(statement, None, error)
        return done

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "_text", failing)
        error = await refused(host, "agent_spawn", key="once", type="coder")
    assert error.code == "outcome_unknown"
    assert "idempotency key" in error.message
    await call(host, "agent_spawn", key="once", type="coder")
    assert len((await call(host, "agent_list"))["agents"]) == 1


async def test_a_damaged_log_is_said_and_never_served(host: Host, db: Path) -> None:
    await call(host, "swarm_init")
    await call(host, "agent_spawn", name="first")
    with sqlite3.connect(db) as file:
        file.execute("UPDATE event SET body = replace(body, 'first', 'other') WHERE seq = 2")
    async with Host(db) as other:
        error = await refused(other, "swarm_status")
        assert error.code == "corrupt"
        assert "event 2" in error.message


async def test_a_replaced_file_is_noticed(host: Host, db: Path, tmp_path: Path) -> None:
    await call(host, "swarm_init")
    await call(host, "agent_spawn", name="kept")
    copy = sqlite3.connect(tmp_path / "copy.db")
    with sqlite3.connect(db) as file:
        file.backup(copy)
    await call(host, "agent_spawn", name="lost")
    with sqlite3.connect(db) as file:
        copy.backup(file)
    names = [agent["name"] for agent in (await call(host, "agent_list"))["agents"]]
    assert names == ["kept"]


async def test_a_snapshot_and_its_tail_give_the_state_of_the_log(host: Host, db: Path) -> None:
    await call(host, "swarm_init")
    await call(host, "agent_spawn")
    ledger = host._ledger
    body = await host._in_thread(lambda: ledger._core.snapshot())
    store = ledger._store
    assert store

    def put() -> None:
        with store.writing():
            store.put_snapshot(2, body)

    await host._in_thread(put)
    await call(host, "agent_spawn")
    status = await call(host, "swarm_status")
    async with Host(db) as other:
        assert await call(other, "swarm_status") == status


async def test_opening_a_long_log_leaves_a_snapshot_for_the_next(host: Host, db: Path) -> None:
    await call(host, "swarm_init")
    for _ in range(3):
        await call(host, "task_submit", tasks=[{"description": "x"}] * 1000)
    status = await call(host, "swarm_status")
    for _ in range(2):
        async with Host(db) as other:
            assert await call(other, "swarm_status") == status
    with sqlite3.connect(db) as file:
        assert file.execute("SELECT seq FROM snapshot").fetchall() == [(status["version"],)]


async def test_what_was_accepted_is_answered_at_the_end(db: Path) -> None:
    async with Host(db) as host:
        await call(host, "swarm_init")
        pending = [asyncio.ensure_future(call(host, "agent_spawn")) for _ in range(50)]
        await asyncio.sleep(0)
    answers = await asyncio.gather(*pending)
    assert len(answers) == 50
    assert (await refused(host, "agent_list")).code == "cancelled"


def test_a_refused_probe_keeps_a_job_from_changing_anything(db: Path) -> None:
    ledger = Ledger(db)
    init = Step("swarm_init", '{"seed":1}')
    assert isinstance(ledger.run([Job((init,))])[0], list)
    version = ledger.version()
    report = Step("task_report", '{"taskId":"t1","agentId":"a1","epoch":1,"outcome":"completed"}')
    put = Step("artifact_put", '{"content":"aGVsbG8="}')
    [outcome] = ledger.run([Job((put, report), probe=report)])
    assert isinstance(outcome, RuvSwarmError)
    assert ledger.version() == version
    ledger.close()


def test_a_job_refused_half_way_is_undone_and_its_neighbours_are_not(db: Path) -> None:
    ledger = Ledger(db)
    spawn = Step("agent_spawn", '{"type":"coder"}')
    put = Step("artifact_put", '{"content":"aGVsbG8="}')
    half = Job((put, Step("agent_spawn", '{"type":"coder","capacity":0}')))
    ledger.run([Job((Step("swarm_init", '{"seed":1}'),))])
    first, refused, last = ledger.run([Job((spawn,)), half, Job((spawn,))])
    assert isinstance(refused, RuvSwarmError)
    assert refused.field == "capacity"
    assert isinstance(first, list)
    assert isinstance(last, list)
    assert ledger.version() == 3
    assert (
        ledger.artifact("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824") is None
    )
    ledger.close()


def test_the_clock_follows_the_log_and_never_falls_behind_it() -> None:
    wall, mono = [1000], [50]
    clock = SwarmClock(lambda: wall[0], lambda: mono[0])
    assert clock.now_ms() == 1000
    clock.saw(5000)  # another host's clock is ahead
    mono[0] += 7
    assert clock.now_ms() == 5007
    clock.saw(4000)
    assert clock.now_ms() == 5007
    wall[0] = 6000
    assert clock.now_ms() == 6000


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"no database at all" * 20, "not_a_database"),
        (b"SQLite format 3\0short", "not_a_database"),
        (b"", "no_database"),
    ],
)
def test_other_files_are_refused_untouched(db: Path, content: bytes, kind: str) -> None:
    db.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        SqliteStore(db, create=False)
    assert caught.value.kind == kind
    assert db.read_bytes() == content


def test_a_foreign_and_a_newer_database_are_refused_untouched(db: Path) -> None:
    with sqlite3.connect(db) as file:
        file.execute("CREATE TABLE mine (x)")
    before = db.read_bytes()
    with pytest.raises(StoreError) as caught:
        SqliteStore(db, create=True)
    assert caught.value.kind == "not_a_database"
    assert db.read_bytes() == before
    db.unlink()
    SqliteStore(db, create=True).close()
    with sqlite3.connect(db) as file:
        file.execute(f"PRAGMA user_version={kernel.SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError) as caught:
        SqliteStore(db, create=False)
    assert (caught.value.kind, caught.value.detail) == (
        "newer_database",
        str(kernel.SCHEMA_VERSION + 1),
    )


def test_an_sqlite_that_can_lose_data_is_refused(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = SimpleNamespace(sqlite_version_info=(3, 51, 2))
    monkeypatch.setattr(importlib, "import_module", lambda _name: old)
    with pytest.raises(StoreError, match=r"3\.51\.3"):
        SqliteStore(db, create=True)
    assert not db.exists()


def test_a_folder_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        SqliteStore(tmp_path, create=True)
    assert caught.value.kind == "file_is_folder"
    with pytest.raises(StoreError) as caught:
        SqliteStore(tmp_path / "no" / "swarm.db", create=True)
    assert caught.value.kind == "file_unwritable"


def test_the_file_has_the_schema_of_the_core_word_for_word(db: Path, tmp_path: Path) -> None:
    SqliteStore(db, create=True).close()
    with sqlite3.connect(tmp_path / "plain.db") as plain:
        plain.executescript(kernel.SCHEMA_SQL)
        wanted = plain.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall()
    with sqlite3.connect(db) as file:
        found = file.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall()
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert found == wanted
