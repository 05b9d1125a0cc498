"""Random operation lists: most steps make sense where the list stands, some are wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from kit.known import Known
from kit.targets import Target
from kit.values import ANYTHING, BASE64, NAMES, ODD_NUMBERS, REQUESTS, WORDS

Json = dict[str, Any]
START_MS = 1_700_000_000_000
PATTERNS = ["convergent", "divergent", "lateral", "systems", "critical", "abstract"]
STRATEGIES = [
    "balanced",
    "specialized",
    "adaptive",
    "parallel",
    "sequential",
    "cognitive-diversity",
    "cascade",
]
# Queries and refusals cost nothing; what moves the state comes more often.
WEIGHTS = {
    "swarm_init": 1,
    "agent_spawn": 3,
    "agent_list": 1,
    "agent_heartbeat": 1,
    "agent_retire": 1,
    "agent_metrics": 1,
    "task_submit": 4,
    "task_update": 3,
    "task_orchestrate": 3,
    "task_claim": 4,
    "task_heartbeat": 2,
    "task_report": 3,
    "task_cancel": 3,
    "task_status": 2,
    "task_list": 1,
    "task_explain": 2,
    "task_results": 2,
    "swarm_pause": 2,
    "swarm_resume": 3,
    "swarm_status": 1,
    "swarm_query": 2,
    "swarm_monitor": 1,
    "artifact_put": 2,
    "artifact_get": 1,
    "tick": 3,
}
OPERATIONS = [name for name, weight in WEIGHTS.items() for _ in range(weight)]


def seldom(draw: DrawFn, one_in: int) -> bool:
    """True once in so many times; shrinks to False."""
    return bool(draw(st.integers(1, one_in)) == one_in)


def one_of(draw: DrawFn, names: list[str], wrong: list[str]) -> str:
    """One of the names that are there, or now and then one that is not."""
    among = wrong if not names or seldom(draw, 15) else names[-8:]
    return str(draw(st.sampled_from(among)))


def agent(draw: DrawFn, known: Known) -> str:
    return one_of(draw, known.agents, ["a1", "a99", "a0", "", "A1"])


def task(draw: DrawFn, known: Known) -> str:
    return one_of(draw, known.tasks, ["t1", "t99", "", "t-1"])


def goal(draw: DrawFn, known: Known) -> str:
    return one_of(draw, known.goals, ["g1", "g99", "g"])


def maybe(draw: DrawFn, request: Json, name: str, values: SearchStrategy[Any]) -> None:
    """Set a field, or leave it out."""
    if draw(st.booleans()):
        request[name] = draw(values)


def swarm_init(draw: DrawFn, _: Known) -> Json:
    request: Json = {}
    maybe(draw, request, "swarmId", st.sampled_from(["s-1", "s-1", "S_2", "no good"]))
    maybe(draw, request, "seed", st.sampled_from([7, 7, 8, "7", 2**53 - 1]))
    maybe(draw, request, "topology", st.sampled_from(["mesh", "ring", "star", "hierarchical", "x"]))
    maybe(draw, request, "maxAgents", st.sampled_from([100, 20, 1, 0, 100_001]))
    maybe(draw, request, "strategy", st.sampled_from(STRATEGIES))
    return request


def agent_spawn(draw: DrawFn, _: Known) -> Json:
    type_ = draw(st.sampled_from(["coder", "coder", "tester", "neural", "neural-processor"]))
    request: Json = {"type": type_}
    fitting = ["rprop", "adam"] if type_.startswith("neural") else ["rust", "日本"]
    words = ["rprop", "rust"] if seldom(draw, 10) else fitting
    maybe(draw, request, "capabilities", st.lists(st.sampled_from(words), max_size=3))
    maybe(draw, request, "pattern", st.sampled_from(PATTERNS * 3 + ["sideways"]))
    maybe(draw, request, "count", st.integers(1, 4))
    maybe(draw, request, "capacity", st.integers(1, 3))
    maybe(draw, request, "name", NAMES)
    if draw(st.booleans()):
        request["silenceMs"] = draw(st.sampled_from([1000, 2000, 86_400_000] * 5 + [1]))
    if seldom(draw, 4):
        request |= {"name": "ann", "join": True}
        request.pop("count", None)
    return request


def agent_retire(draw: DrawFn, known: Known) -> Json:
    request: Json = {"agentId": agent(draw, known)}
    maybe(draw, request, "replace", st.booleans())
    maybe(draw, request, "reason", NAMES)
    return request


def resource(draw: DrawFn) -> Json:
    claim: Json = {"key": one_of(draw, ["src/a", "src/", "doc", "a/b"], ["a//b", ""])}
    maybe(draw, claim, "mode", st.sampled_from(["shared"] * 8 + ["exclusive", "both"]))
    return claim


def new_task(draw: DrawFn, known: Known, place: int) -> Json:
    request: Json = {}
    if place < 6 and not seldom(draw, 4):
        request["name"] = "a" if seldom(draw, 20) else "abcdef"[place]
    others = [*"abcdef"[: place + seldom(draw, 8)], *known.tasks[-3:]]
    if others:
        maybe(draw, request, "dependsOn", st.lists(st.sampled_from(others), max_size=3))
    levels = [*["low", "medium", "high", "critical", 0, 100, "7"] * 3, "urgent", 101]
    maybe(draw, request, "priority", st.sampled_from(levels))
    maybe(draw, request, "capabilities", st.lists(st.sampled_from(["rust", "日本"]), max_size=2))
    maybe(draw, request, "maxRetries", st.integers(0, 2))
    maybe(draw, request, "backoffMs", st.sampled_from([0, 1, 1000, 86_400_000]))
    if seldom(draw, 6):
        maybe(
            draw, request, "afterFailure", st.lists(st.sampled_from(others or ["t1"]), max_size=2)
        )
        maybe(draw, request, "labels", st.lists(st.sampled_from(["ui", "日本"]), max_size=2))
        maybe(draw, request, "goalId", st.sampled_from(known.goals[-3:] or ["g1"]))
        request["resources"] = [resource(draw) for _ in range(draw(st.integers(0, 2)))]
    if seldom(draw, 5):
        deadlines = st.sampled_from([*[1, 500, 1000, 2000, 60_000] * 4, 0])
        for name in ("queueMs", "runMs", "totalMs"):
            maybe(draw, request, name, deadlines)
        maybe(draw, request, "jitter", st.sampled_from([0, 10, 100] * 5 + [101]))
        maybe(draw, request, "maxBackoffMs", st.sampled_from([1, 1500] * 5 + [0]))
        codes = st.lists(st.sampled_from(["lease_expired", "run_timeout", "failed"]), max_size=2)
        maybe(draw, request, "nonRetryable", codes)
    if seldom(draw, 6):
        request["assignedTo"] = agent(draw, known)
        request["description"] = draw(NAMES)
        request["payload"] = draw(NAMES)
    return request


COUNTS = st.sampled_from([1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 0])


def task_submit(draw: DrawFn, known: Known) -> Json:
    return {"tasks": [new_task(draw, known, place) for place in range(draw(COUNTS))]}


def task_update(draw: DrawFn, known: Known) -> Json:
    waiting = [name for name in known.tasks[-8:] if name not in known.held]
    request: Json = {"taskId": one_of(draw, waiting, ["t1", "t99", ""])}
    if not seldom(draw, 3):
        request["priority"] = draw(st.sampled_from(["low", "high", 7]))
        request["addLabels"] = draw(st.lists(st.sampled_from(["ui", "db"]), max_size=2))
        return request
    others = st.lists(st.sampled_from(known.tasks[-6:] or ["t1"]), max_size=2)
    for name in ("addDependsOn", "removeDependsOn", "addAfterFailure", "removeAfterFailure"):
        if seldom(draw, 3):
            request[name] = draw(others)
    maybe(draw, request, "priority", st.sampled_from(["low", "high", 7, "urgent"]))
    words = st.lists(st.sampled_from(["rust", "ui", "日本"]), max_size=2)
    for name in ("addLabels", "removeLabels", "addCapabilities", "removeCapabilities"):
        if seldom(draw, 4):
            request[name] = draw(words)
    maybe(draw, request, "assignedTo", st.sampled_from(["", "", "a1", "a99"]))
    maybe(draw, request, "totalMs", st.sampled_from([0, 1000, 60_000]))
    return request


def held_back(draw: DrawFn, known: Known) -> Json:
    """A task, a goal, an agent, or nothing for the whole swarm; now and then two of them."""
    kind = draw(st.sampled_from(["task", "task", "goal", "agent", "agent", "swarm", "two"]))
    request: Json = {}
    if kind in ("task", "two"):
        request["taskId"] = task(draw, known)
    if kind == "goal":
        request["goalId"] = goal(draw, known)
    if kind in ("agent", "two"):
        request["agentId"] = agent(draw, known)
    return request


def resumed(draw: DrawFn, known: Known) -> Json:
    """Mostly what was paused not long ago."""
    if known.paused and not seldom(draw, 5):
        return dict(draw(st.sampled_from(known.paused[-3:])))
    return held_back(draw, known)


def task_list(draw: DrawFn, known: Known) -> Json:
    request: Json = {}
    maybe(draw, request, "state", st.sampled_from(["ready", "running", "failed", "done"]))
    maybe(draw, request, "label", st.sampled_from(["ui", "none"]))
    maybe(draw, request, "limit", LIMITS)
    if seldom(draw, 3):
        request["goalId"] = goal(draw, known)
    if seldom(draw, 3):
        request["agentId"] = agent(draw, known)
    return request


def task_explain(draw: DrawFn, known: Known) -> Json:
    request: Json = {"taskId": task(draw, known)}
    if draw(st.booleans()):
        request["agentId"] = agent(draw, known)
    return request


def task_orchestrate(draw: DrawFn, known: Known) -> Json:
    request: Json = {"task": draw(st.sampled_from(["write", "write", "review\n it", "train", ""]))}
    maybe(draw, request, "strategy", st.sampled_from([*STRATEGIES * 3, "fusion", "hope"]))
    maybe(draw, request, "agents", st.lists(st.sampled_from(PATTERNS), max_size=3))
    maybe(draw, request, "maxAgents", st.sampled_from([1, 2, 3, 4, 5, 100, 1, 2, 3, 0]))
    maybe(draw, request, "priority", st.sampled_from(["high", 3]))
    if seldom(draw, 7):
        hash_ = draw(st.sampled_from(known.artifacts))
        summary = draw(st.sampled_from(["{}", "", json.dumps({"hash": hash_}), "[]"]))
        request["dataset"] = {"hash": hash_, "summary": summary}
    return request


def task_claim(draw: DrawFn, known: Known) -> Json:
    request: Json = {"agentId": agent(draw, known)}
    if seldom(draw, 5):
        request["taskId"] = task(draw, known)
    leases = [1000, 5000, 60_000, 86_400_000]
    maybe(draw, request, "leaseMs", st.sampled_from(leases * 4 + [999]))
    return request


def hold(draw: DrawFn, known: Known) -> Json:
    """The fields of a hold: mostly one that is live, else an old or a wrong one."""
    if known.held and not seldom(draw, 10):
        name = draw(st.sampled_from(sorted(known.held)))
        holder, epoch = known.held[name]
    elif known.lost and draw(st.booleans()):
        name, holder, epoch = draw(st.sampled_from(known.lost))
    else:
        name, holder, epoch = task(draw, known), agent(draw, known), draw(st.integers(0, 3))
    if seldom(draw, 12):
        epoch = draw(st.sampled_from([0, epoch + 1, max(epoch - 1, 0), str(epoch)]))
    return {"taskId": name, "agentId": holder, "epoch": epoch}


def task_heartbeat(draw: DrawFn, known: Known) -> Json:
    request = hold(draw, known)
    progress = st.fixed_dictionaries({}, optional={"done": st.integers(0, 9), "note": NAMES})
    maybe(draw, request, "progress", progress)
    maybe(draw, request, "leaseMs", st.sampled_from([1000, 60_000, 60_000, 1]))
    return request


def task_report(draw: DrawFn, known: Known) -> Json:
    request = hold(draw, known)
    outcomes = [*["completed", "failed"] * 6, "completed", "released", "released", "done"]
    request["outcome"] = draw(st.sampled_from(outcomes))
    if request["outcome"] == "failed" and not seldom(draw, 10):
        message = NAMES if seldom(draw, 4) else st.just("it broke")
        request["error"] = {"message": draw(message), "code": draw(WORDS)}
    maybe(draw, request, "output", NAMES)
    maybe(draw, request, "claimNext", st.booleans())
    if seldom(draw, 6):
        request["artifact"] = draw(st.sampled_from(known.artifacts))
    return request


def task_cancel(draw: DrawFn, known: Known) -> Json:
    request = target_of(draw, known)
    maybe(draw, request, "reason", NAMES)
    return request


def target_of(draw: DrawFn, known: Known) -> Json:
    """A task or a goal; now and then both or neither."""
    request: Json = {}
    goals = bool(known.goals) and draw(st.booleans())
    odd = seldom(draw, 15)
    if not goals or odd:
        request["taskId"] = task(draw, known)
    if goals:
        request["goalId"] = goal(draw, known)
    return request if not odd or goals else {}


LIMITS = st.sampled_from([1, 2, 3, 10, 1000, 10_000, 0])


def swarm_query(draw: DrawFn, known: Known) -> Json:
    choices: list[Callable[[], Json]] = [
        lambda: {"agentId": agent(draw, known)},
        lambda: target_of(draw, known),
        lambda: {"events": draw(st.integers(0, 30)), "limit": draw(LIMITS)},
    ]
    return draw(st.sampled_from(choices))()


def swarm_monitor(draw: DrawFn, known: Known) -> Json:
    request: Json = {}
    maybe(draw, request, "after", st.integers(0, 20))
    maybe(draw, request, "limit", LIMITS)
    if draw(st.booleans()):
        kinds = ["TaskClaimed", "TaskSubmitted", "Paused", "AgentSpawned", "TaskDone"]
        request["kinds"] = draw(st.lists(st.sampled_from(kinds), max_size=2))
    if seldom(draw, 3):
        request["taskId"] = task(draw, known)
    if seldom(draw, 3):
        request["agentId"] = agent(draw, known)
    if seldom(draw, 3):
        request["goalId"] = goal(draw, known)
    return request


def artifact_put(draw: DrawFn, _: Known) -> Json:
    request: Json = {"content": draw(BASE64)}
    maybe(draw, request, "name", NAMES)
    maybe(draw, request, "mediaType", st.sampled_from(["text/plain", ""]))
    return request


MAKERS: dict[str, Callable[[DrawFn, Known], Json]] = {
    "swarm_init": swarm_init,
    "agent_spawn": agent_spawn,
    "agent_list": lambda draw, _: {"filter": draw(st.sampled_from(["", "idle", "busy", "gone"]))},
    "agent_heartbeat": lambda draw, known: {"agentId": agent(draw, known)},
    "agent_retire": agent_retire,
    "agent_metrics": lambda draw, known: {"agentId": agent(draw, known)},
    "task_submit": task_submit,
    "task_update": task_update,
    "task_orchestrate": task_orchestrate,
    "task_claim": task_claim,
    "task_heartbeat": task_heartbeat,
    "task_report": task_report,
    "task_cancel": task_cancel,
    "task_status": target_of,
    "task_results": target_of,
    "task_list": task_list,
    "task_explain": task_explain,
    "swarm_pause": held_back,
    "swarm_resume": resumed,
    "swarm_status": lambda draw, _: {"verbose": draw(st.booleans())},
    "swarm_query": swarm_query,
    "swarm_monitor": swarm_monitor,
    "artifact_put": artifact_put,
    "artifact_get": lambda draw, known: {"hash": draw(st.sampled_from(known.artifacts))},
    "tick": lambda _draw, _known: {},
}


def snake(name: str) -> str:
    """The proto's spelling of a field."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def spoil(draw: DrawFn, request: Json) -> Json:
    """Change something about a request: mostly into one that is refused."""
    names = sorted(request) or ["taskId"]
    name = draw(st.sampled_from(names))
    how = draw(st.integers(0, 5))
    if how == 0:
        return {snake(key): value for key, value in request.items()}
    if how == 1:
        return {key: value for key, value in request.items() if key != name}
    if how == 2:
        return {**request, "surprise": draw(ANYTHING)}
    if how == 3:
        return {**request, name: draw(ODD_NUMBERS)}
    if how == 4:
        return {**request, name: None}
    return {**request, name: draw(ANYTHING)}


def request_text(draw: DrawFn, operation: str, known: Known) -> str:
    """The text of a request."""
    request = MAKERS[operation](draw, known)
    if seldom(draw, 30):
        return str(draw(REQUESTS))
    if seldom(draw, 8):
        request = spoil(draw, request)
    spaces = (", ", " : ") if seldom(draw, 10) else (",", ":")
    return json.dumps(request, ensure_ascii=draw(st.booleans()), separators=spaces)


def later(draw: DrawFn, now: int) -> int:
    """The host's next clock reading: mostly a little later, now and then far off or back."""
    steps = [0, 0, 0, 1, 10, 100, 500, 500, 999, 1000, 1001, 2000, -1000]
    far = [5000, 30_000, 60_000, 86_400_000, -now, 2**53]
    return now + draw(st.sampled_from(far if seldom(draw, 10) else steps))


KEYS = st.sampled_from([""] * 20 + ["k1", "k2", "ключ", "k" * 201])


def likely(known: Known) -> list[str]:
    """Operations to choose from: half of them move on what is there, the others are any."""
    onward = ["task_report"] * 3 + ["task_heartbeat", "task_claim", "tick"]
    if not known.agents:
        onward = ["agent_spawn"]
    elif not known.tasks:
        onward = ["task_submit"]
    elif not known.held:
        onward = ["task_claim"]
    times = len(OPERATIONS) // len(onward)
    return [*onward * times, *OPERATIONS, "task_explode"]


SEEDS = st.integers(0, 2**53 - 1)
# What most lists begin with, so that the rest has something to work on.
OPENING = ["swarm_init", "agent_spawn", "task_submit"]


@st.composite
def operation_lists(draw: DrawFn, guide: Target, most: int = 40) -> list[Json]:
    """A list of steps. `guide` runs along, so that later steps can name what earlier ones made."""
    known = Known()
    steps: list[Json] = []
    now = START_MS
    opened = not seldom(draw, 20)
    for place in range(draw(st.integers(1, most))):
        key = draw(KEYS)
        if opened and place == 0:
            operation, key = OPENING[0], ""
            request = json.dumps({"swarmId": "s-1", "seed": draw(SEEDS)})
        elif opened and place < len(OPENING):
            operation = OPENING[place]
            request = json.dumps(MAKERS[operation](draw, known))
        else:
            operation = draw(st.sampled_from(likely(known)))
            request = request_text(draw, operation if operation in MAKERS else "tick", known)
        step = {"operation": operation, "request": request, "key": key}
        if len(steps) > 3 and seldom(draw, 15):
            # The same step again, a little later: what a client does that lost the answer.
            step = dict(draw(st.sampled_from(steps[-4:])))
        now = later(draw, now)
        step["nowMs"] = min(max(now, 0), 2**53 - 1)
        now = max(now, START_MS) if now < 2**53 else START_MS
        answer = guide.ask({"op": "step", "fresh": not steps, "step": step})["step"]
        for line in answer["events"]:
            known.see(line)
        steps.append(step)
    return steps
