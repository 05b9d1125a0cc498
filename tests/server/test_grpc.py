"""gRPC with grpcio: every operation, and every way to be refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from process import Server
from ruv_swarm_server._gen import nouns_pb2 as nouns
from ruv_swarm_server._gen import service_pb2 as pb
from ruv_swarm_server._gen import service_pb2_grpc

Stub = service_pb2_grpc.SwarmServiceStub
SERVICE = "ruv_swarm.v1.SwarmService"


def refusal(action: Callable[[], Message]) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    with pytest.raises(grpc.RpcError) as caught:
        action()
    error = caught.value
    assert isinstance(error, grpc.Call)
    trailing = {key: str(value) for key, value in error.trailing_metadata() or ()}
    return error.code(), error.details() or "", trailing


def test_every_operation_of_the_catalogue(stub: Stub) -> None:
    called: set[str] = set()

    def call(name: str, request: Message) -> Message:
        called.add(name)
        return getattr(stub, name)(request)

    made = call("SwarmInit", pb.SwarmInitRequest(seed=7, max_agents=10, topology="ring"))
    assert (made.seed, made.created, made.topology) == (7, True, "ring")
    spawn = pb.AgentSpawnRequest(type="coder", count=2, capabilities=["rust"])
    agents = call("AgentSpawn", spawn).agents
    assert [agent.id for agent in agents] == ["a1", "a2"]
    assert list(call("AgentList", pb.AgentListRequest(filter="idle")).agents) == list(agents)
    tasks = [
        pb.NewTask(name="one", description="first"),
        pb.NewTask(description="second", depends_on=["one"], priority="high"),
    ]
    assert list(call("TaskSubmit", pb.TaskSubmitRequest(tasks=tasks)).task_ids) == ["t1", "t2"]
    task = call("TaskClaim", pb.TaskClaimRequest(agent_id="a1", lease_ms=5000)).task
    assert (task.id, task.lease.epoch, task.state) == ("t1", 1, "running")
    hold = {"task_id": "t1", "agent_id": "a1", "epoch": 1}
    beat = pb.TaskHeartbeatRequest(**hold, progress=nouns.Progress(done=1, total=2, note="half"))
    assert call("TaskHeartbeat", beat).lease.expires_at_ms > task.lease.expires_at_ms
    content = b"the result's bytes\x00\xff"
    put = call("ArtifactPut", pb.ArtifactPutRequest(content=content, name="result"))
    assert put.artifact.hash == hashlib.sha256(content).hexdigest()
    got = call("ArtifactGet", pb.ArtifactGetRequest(hash=put.artifact.hash))
    assert got.content == content
    report = pb.TaskReportRequest(
        **hold, outcome="completed", output="done", artifact=put.artifact.hash
    )
    assert call("TaskReport", report).task.state == "completed"
    assert call("TaskStatus", pb.TaskStatusRequest(task_id="t2")).task.state == "ready"
    assert call("TaskResults", pb.TaskResultsRequest(task_id="t1")).task.output == "done"
    assert list(call("TaskCancel", pb.TaskCancelRequest(task_id="t2")).cancelled) == ["t2"]
    goal = call("TaskOrchestrate", pb.TaskOrchestrateRequest(task="write a book"))
    assert goal.state == "running"
    assert call("TaskStatus", pb.TaskStatusRequest(goal_id=goal.goal_id)).goal.id == goal.goal_id
    waits = goal.task_ids[0]
    change = pb.TaskUpdateRequest(task_id=waits, priority="low", add_labels=["book"], name="")
    assert call("TaskUpdate", change).task.priority == 25
    assert call("TaskUpdate", pb.TaskUpdateRequest(task_id=waits, name="it")).task.name == "it"
    listed = call("TaskList", pb.TaskListRequest(label="book")).tasks
    assert [task.id for task in listed] == [waits]
    assert call("SwarmPause", pb.SwarmPauseRequest(goal_id=goal.goal_id)).changed
    told = call("TaskExplain", pb.TaskExplainRequest(task_id=waits)).reasons[0]
    assert (told.rule, told.message) == ("goal_paused", f"goal {goal.goal_id} is paused")
    assert call("SwarmResume", pb.SwarmResumeRequest(goal_id=goal.goal_id)).changed
    assert call("AgentHeartbeat", pb.AgentHeartbeatRequest(agent_id="a2")).agent.id == "a2"
    retired = call("AgentRetire", pb.AgentRetireRequest(agent_id="a2", replace=True))
    assert (retired.agent.state, retired.replacement.id) == ("retired", "a3")
    [metric] = call("AgentMetrics", pb.AgentMetricsRequest(agent_id="a1")).agents
    assert (metric.claimed, metric.completed) == (1, 1)
    status = call("SwarmStatus", pb.SwarmStatusRequest(verbose=True))
    assert status.agent_list[0].id == "a1"
    assert status.tasks.completed == 1
    assert call("SwarmQuery", pb.SwarmQueryRequest(goal_id=goal.goal_id)).goal.kind == "work"
    events = call("SwarmQuery", pb.SwarmQueryRequest(events=1)).events
    assert [json.loads(line)["seq"] for line in events] == list(range(1, status.version + 1))
    monitor = call("SwarmMonitor", pb.SwarmMonitorRequest(after=2))
    assert list(monitor.events) == list(events[2:])
    assert monitor.next_after == status.version
    assert call("Tick", pb.TickRequest()).next_deadline_ms == 0
    assert called == {
        method.name for method in pb.DESCRIPTOR.services_by_name["SwarmService"].methods
    }


def test_an_unknown_id_is_not_found_with_code_and_field(stub: Stub) -> None:
    stub.SwarmInit(pb.SwarmInitRequest())
    code, details, trailing = refusal(lambda: stub.TaskStatus(pb.TaskStatusRequest(task_id="t9")))
    assert code is grpc.StatusCode.NOT_FOUND
    assert "t9" in details
    assert trailing["ruv-swarm-code"] == "not_found"
    assert trailing["ruv-swarm-field"] == "taskId"


@pytest.mark.parametrize(
    ("action", "status", "field"),
    [
        (lambda s: s.SwarmInit(pb.SwarmInitRequest(topology="x")), "INVALID_ARGUMENT", "topology"),
        (lambda s: s.SwarmInit(pb.SwarmInitRequest(topology="star")), "ALREADY_EXISTS", "topology"),
        (lambda s: s.AgentSpawn(pb.AgentSpawnRequest()), "INVALID_ARGUMENT", "type"),
        (lambda s: s.ArtifactGet(pb.ArtifactGetRequest(hash="0" * 64)), "NOT_FOUND", "hash"),
        (
            lambda s: s.TaskOrchestrate(pb.TaskOrchestrateRequest(task="x", strategy="luck")),
            "INVALID_ARGUMENT",
            "strategy",
        ),
        (
            lambda s: s.TaskReport(
                pb.TaskReportRequest(task_id="t1", agent_id="a1", epoch=9, outcome="completed")
            ),
            "NOT_FOUND",
            "taskId",
        ),
    ],
)
def test_refusals_have_the_status_of_the_error_table(
    shared: Server, action: Callable[[Stub], Message], status: str, field: str
) -> None:
    with grpc.insecure_channel(shared.grpc) as channel:
        stub = Stub(channel)
        before = stub.SwarmStatus(pb.SwarmStatusRequest())
        code, details, trailing = refusal(lambda: action(stub))
        assert stub.SwarmStatus(pb.SwarmStatusRequest()) == before
    assert (code.name, trailing["ruv-swarm-field"]) == (status, field)
    assert details == details.strip()
    assert details.startswith(field)


def test_text_outside_ascii_comes_through(stub: Stub) -> None:
    stub.SwarmInit(pb.SwarmInitRequest())
    name = "Zoë 東京 \U0001f41d"
    assert stub.AgentSpawn(pb.AgentSpawnRequest(type="coder", name=name)).agents[0].name == name


def test_an_idempotency_key_travels_as_metadata(stub: Stub) -> None:
    stub.SwarmInit(pb.SwarmInitRequest())
    key = (("idempotency-key", "spawn-once"),)
    request = pb.AgentSpawnRequest(type="coder")
    first = stub.AgentSpawn(request, metadata=key)
    assert stub.AgentSpawn(request, metadata=key) == first
    assert len(stub.AgentList(pb.AgentListRequest()).agents) == 1
    other = pb.AgentSpawnRequest(type="tester")
    code, _, trailing = refusal(lambda: stub.AgentSpawn(other, metadata=key))
    assert code is grpc.StatusCode.ALREADY_EXISTS
    assert trailing["ruv-swarm-field"] == "idempotencyKey"


def test_messages_up_to_the_limit_pass_and_larger_ones_do_not(stub: Stub) -> None:
    stub.SwarmInit(pb.SwarmInitRequest())
    content = b"x" * (4 * 1024 * 1024 - 1024)
    assert stub.ArtifactPut(pb.ArtifactPutRequest(content=content)).artifact.size == len(content)
    over = pb.ArtifactPutRequest(content=content + b"x" * 2048)
    assert refusal(lambda: stub.ArtifactPut(over))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_response_over_the_limit_says_so(stub: Stub) -> None:
    stub.SwarmInit(pb.SwarmInitRequest())
    tasks = [pb.NewTask(payload="x" * 60_000)] * 40
    for _ in range(2):
        stub.TaskSubmit(pb.TaskSubmitRequest(tasks=tasks))
    code, details, trailing = refusal(lambda: stub.SwarmQuery(pb.SwarmQueryRequest(events=1)))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details.startswith("response: ")
    assert trailing["ruv-swarm-code"] == "limit_exceeded"
    assert len(stub.SwarmQuery(pb.SwarmQueryRequest(events=1, limit=40)).events) == 40


def test_bytes_that_are_no_message_are_refused(shared: Server) -> None:
    with grpc.insecure_channel(shared.grpc) as channel:
        raw = channel.unary_unary(f"/{SERVICE}/SwarmInit")
        code, details, _ = refusal(lambda: raw(b"\xff\xff\xff\xff"))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert details == "request: not a ruv_swarm.v1.SwarmInitRequest message"
        unknown = channel.unary_unary(f"/{SERVICE}/SwarmFly")
        assert refusal(lambda: unknown(b""))[0] is grpc.StatusCode.UNIMPLEMENTED


def test_health_says_serving(shared: Server) -> None:
    with grpc.insecure_channel(shared.grpc) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", SERVICE):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_describes_the_service(shared: Server) -> None:
    with grpc.insecure_channel(shared.grpc) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert SERVICE in database.get_services()
        found = DescriptorPool(database).FindServiceByName(SERVICE)
        here = pb.DESCRIPTOR.services_by_name["SwarmService"]
        assert [method.name for method in found.methods] == [method.name for method in here.methods]


def test_a_token_is_asked_for_where_one_is_set(
    start: Callable[..., Server],
) -> None:
    server = start(env={"RUV_SWARM_TOKEN": "secret-word"})
    with grpc.insecure_channel(server.grpc) as channel:
        stub = Stub(channel)
        for metadata in ((), (("authorization", "Bearer wrong"),)):
            code, details, _ = refusal(
                lambda metadata=metadata: stub.SwarmInit(pb.SwarmInitRequest(), metadata=metadata)
            )
            assert code is grpc.StatusCode.UNAUTHENTICATED
            assert "secret-word" not in details
        token = (("authorization", "Bearer secret-word"),)
        assert stub.SwarmInit(pb.SwarmInitRequest(), metadata=token).created
