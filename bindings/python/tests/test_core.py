"""The binding of the state machine: decisions, events, snapshots and errors."""

from __future__ import annotations

import hashlib
import json
import pickle
import sqlite3
import threading

import pytest
import ruv_swarm
from ruv_swarm import Core, RuvSwarmError

NOW = 1_700_000_000_000
INIT = '{"topology":"mesh","seed":7,"swarmId":"s1"}'


def commit(core: Core, operation: str, request: str, key: str = "", now: int = NOW) -> str:
    """Decide and fold, as a host without a store does."""
    decision = core.call(operation, request, now, key)
    for line in decision.events:
        core.apply(line)
    return decision.response


@pytest.fixture
def core() -> Core:
    core = Core()
    commit(core, "swarm_init", INIT)
    return core


def test_a_call_changes_nothing_and_apply_does() -> None:
    core = Core()
    empty = core.state_hash()
    decision = core.call("swarm_init", INIT, NOW)
    assert core.version() == 0 and core.state_hash() == empty
    assert json.loads(decision.response)["swarmId"] == "s1"
    assert decision.attach is None
    applied = core.apply(decision.events[0])
    assert (applied.seq, applied.at_ms, applied.kind) == (1, NOW, "SwarmCreated")
    assert (core.version(), core.last_at_ms(), core.swarm_id()) == (1, NOW, "s1")
    assert json.loads(core.config_json())["topology"] == "mesh"


def test_the_chain_is_sha256_over_the_lines(core: Core) -> None:
    head = core.chain_head()
    decision = core.call("agent_spawn", '{"type":"coder","count":3}', NOW)
    for line in decision.events:
        head = hashlib.sha256(head + line.encode()).digest()
        assert core.apply(line).chain == head
    assert core.chain_head() == head


def test_rows_of_the_projections(core: Core) -> None:
    rows = []
    for line in core.call("agent_spawn", '{"type":"coder"}', NOW).events:
        core.apply(line)
        rows += core.take_rows()
    assert [(row.table, row.id, row.state) for row in rows] == [("agent", "a1", "idle")]
    assert json.loads(rows[0].body)["type"] == "coder"
    assert [row.body for row in core.all_rows()] == [rows[0].body]


def test_a_snapshot_restores_the_same_state(core: Core) -> None:
    commit(core, "agent_spawn", '{"type":"coder","count":2}')
    again = Core.restore(core.snapshot())
    assert again.state_hash() == core.state_hash()
    assert again.chain_head() == core.chain_head()
    copy = pickle.loads(pickle.dumps(core))
    assert copy.state_hash() == core.state_hash() and copy.snapshot() == core.snapshot()


def test_the_state_hash_is_that_of_the_snapshot(core: Core) -> None:
    assert core.state_hash() == hashlib.sha256(core.snapshot().encode()).hexdigest()


def test_an_idempotency_key_settles_a_repeat(core: Core) -> None:
    first = commit(core, "agent_spawn", '{"type":"coder"}', "k1")
    version = core.version()
    assert commit(core, "agent_spawn", '{"type":"coder"}', "k1", NOW + 5) == first
    assert core.version() == version
    with pytest.raises(ruv_swarm.ConflictError):
        core.call("agent_spawn", '{"type":"tester"}', NOW, "k1")


def test_a_lease_sets_the_deadline(core: Core) -> None:
    commit(core, "agent_spawn", '{"type":"coder"}')
    commit(core, "task_submit", '{"tasks":[{"name":"one"}]}')
    assert core.next_deadline() is None
    commit(core, "task_claim", '{"agentId":"a1","leaseMs":5000}')
    assert core.next_deadline() == NOW + 5000
    assert json.loads(core.pending_effects()) == []


def test_queries_attach_events(core: Core) -> None:
    decision = core.query("swarm_query", '{"events":1}')
    assert decision.attach is not None and decision.attach.kind == "events"
    assert decision.attach.after == 0 and decision.attach.limit > 0
    whole = ruv_swarm.attach_events(decision.response, ['{"seq":1}'])
    assert json.loads(whole)["events"] == ['{"seq":1}']


def test_artifacts_attach_their_bytes(core: Core) -> None:
    digest = hashlib.sha256(b"hi").hexdigest()
    commit(core, "artifact_put", json.dumps({"hash": digest, "size": 2, "name": "note"}))
    decision = core.query("artifact_get", json.dumps({"hash": digest}))
    assert decision.attach is not None
    assert (decision.attach.kind, decision.attach.hash) == ("artifact", digest)
    assert json.loads(ruv_swarm.attach_artifact(decision.response, b"hi"))["content"] == "aGk="


def test_errors_carry_code_message_and_field(core: Core) -> None:
    with pytest.raises(ruv_swarm.InvalidArgumentError) as caught:
        Core().call("swarm_init", '{"topology":"blob"}', NOW)
    assert caught.value.code == "invalid_argument" and caught.value.field == "topology"
    assert "blob" in caught.value.message and "mesh" in str(caught.value)
    with pytest.raises(ruv_swarm.UnknownOperationError):
        core.call("swarm_dance", "{}", NOW)
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="is a command"):
        core.query("tick", "{}")
    with pytest.raises(ruv_swarm.NotFoundError):
        core.query("task_status", '{"taskId":"t9"}')
    with pytest.raises(ruv_swarm.CorruptError):
        Core.restore("{}")


def test_damage_leaves_the_state_as_it_was(core: Core) -> None:
    before = core.state_hash()
    line = core.call("agent_spawn", '{"type":"coder"}', NOW).events[0]
    for bad in ("", "{}", line.replace('"seq":2', '"seq":3'), line.replace('"s1"', '"s2"')):
        with pytest.raises(ruv_swarm.CorruptError):
            core.apply(bad)
        assert core.state_hash() == before


def test_every_code_of_the_core_has_its_class() -> None:
    classes = {kind.code: kind for kind in RuvSwarmError.__subclasses__()}
    rows = ruv_swarm.error_codes()
    assert {row[0] for row in rows} == classes.keys()
    for code, exit_code, _, _, name in rows:
        assert classes[code].__name__ == name and classes[code].exit_code == exit_code
        assert getattr(ruv_swarm, name) is classes[code]
    error = pickle.loads(pickle.dumps(ruv_swarm.NotFoundError("no task", "taskId")))
    assert (type(error), error.field) == (ruv_swarm.NotFoundError, "taskId")


def test_host_trouble_in_the_words_of_the_core() -> None:
    error = ruv_swarm.host_error("file_missing", "data", "x.csv", "")
    assert isinstance(error, ruv_swarm.NotFoundError)
    assert (error.message, error.field) == ('data: no file "x.csv"', "data")
    with pytest.raises(ruv_swarm.InvalidArgumentError, match="file_missing"):
        ruv_swarm.host_error("flood", "data", "x.csv", "")


def test_the_catalogue_and_the_schema() -> None:
    kinds = dict(ruv_swarm.operations())
    assert kinds["swarm_init"] == "command" and kinds["swarm_status"] == "query"
    assert ruv_swarm.operation_kind("tick") == "command"
    assert ruv_swarm.operation_kind("tock") is None
    database = sqlite3.connect(":memory:")
    database.executescript(ruv_swarm.SCHEMA_SQL)
    tables = {row[0] for row in database.execute("select name from sqlite_master")}
    assert {"event", "agent", "task", "goal", "artifact"} <= tables
    assert ruv_swarm.APPLICATION_ID == 0x52535731 and ruv_swarm.SCHEMA_VERSION >= 1


def test_text_for_people(core: Core) -> None:
    text = ruv_swarm.render("swarm_status", core.query("swarm_status", "{}").response)
    assert "mesh" in text
    line = core.call("agent_spawn", '{"type":"coder"}', NOW).events[0]
    assert "a1" in ruv_swarm.render_event(line)
    assert repr(core) == '<Core swarm_id="s1" version=1>'


def test_threads_share_a_core(core: Core) -> None:
    """Readers and a writer at once: every answer is of some whole state."""
    seen: list[int] = []

    def look() -> None:
        for _ in range(300):
            seen.append(json.loads(core.query("swarm_status", "{}").response)["version"])
            core.state_hash()

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(50):
        commit(core, "agent_spawn", '{"type":"coder"}')
    for reader in readers:
        reader.join()
    assert len(seen) == 900 and max(seen) <= core.version()
    assert json.loads(core.query("swarm_status", "{}").response)["agents"] == 50


def test_intent_of_orchestrate(core: Core) -> None:
    assert core.orchestrate_intent("anything", True) == "train"
    assert core.orchestrate_intent("train", False) == "sample"
    assert core.orchestrate_intent("write a poem", False) == "goal"
    with pytest.raises(ruv_swarm.InvalidArgumentError):
        core.orchestrate_intent("", False)
