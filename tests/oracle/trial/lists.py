"""Operation lists that reach the rules: the model runs along, so that most steps make sense.

Times are drawn near the deadlines, retries and leases that the model knows of, a millisecond before,
at, or after them; words, keys and names come from small sets, so that they meet.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from model import Json, Ledger, Task

START_MS = 1_700_000_000_000
KEYS = ["src/", "src/", "src/a.rs", "src/b/", "src/b/c.rs", "srcs", "/etc/"]
BAD_KEYS = ["a//b", "./a", "a/../b", " a", "", "k" * 257]
WORDS = ["rust", "web"]
CODES = ["flaky", "fatal", ""]


class Dice:
    """Choices that follow from one number."""

    def __init__(self, number: int, place: int) -> None:
        self.random = random.Random(f"{place} {number}")

    def often(self, percent: int) -> bool:
        """True in so many of a hundred cases."""
        return self.random.random() * 100 < percent

    def pick(self, among: list[Any]) -> Any:
        """One of a few."""
        return self.random.choice(among)

    def some(self, among: list[Any], most: int = 2) -> list[Any]:
        """A few different ones."""
        different = list(dict.fromkeys(among))
        return self.random.sample(different, min(len(different), self.random.randint(0, most)))


def a_task(dice: Dice, model: Ledger, *states: str) -> str:
    """A task, mostly in one of the states; now and then any, seldom one that is not there."""
    fitting = [task.id for task in model.all_tasks() if model.state(task) in states]
    if dice.often(2):
        return "t99"
    if fitting and not dice.often(10):
        return str(dice.pick(fitting))
    return str(dice.pick(list(model.tasks) or ["t1"]))


def an_agent(dice: Dice, model: Ledger) -> str:
    """An agent, mostly one that is there and not retired."""
    fitting = [agent.id for agent in model.active()]
    if dice.often(2):
        return "a99"
    if fitting and not dice.often(5):
        return str(dice.pick(fitting))
    return str(dice.pick(list(model.agents) or ["a1"]))


def an_assignee(dice: Dice, model: Ledger) -> str:
    """An agent to assign a task to; one that has retired is left out, for what that means is open."""
    return str(dice.pick([agent.id for agent in model.active()] or ["a99"]))


def a_goal(dice: Dice, model: Ledger) -> str:
    """A goal, mostly one that runs."""
    fitting = [goal.id for goal in model.goals.values() if goal.state == "running"]
    if fitting and not dice.often(10):
        return str(dice.pick(fitting))
    return str(dice.pick(list(model.goals) or ["g1"]))


def lease(dice: Dice, request: Json) -> None:
    """How long a lease lasts."""
    if dice.often(70):
        request["leaseMs"] = 999 if dice.often(2) else dice.pick([1000, 2000, 5000])


def agent_spawn(dice: Dice, model: Ledger) -> Json:
    request: Json = {"type": dice.pick(["coder", "coder", "tester"])}
    if dice.often(25):
        name = dice.pick(["ada", "bob"])
        fixed = {"ada": 2, "bob": 1}
        capacity = fixed[name] + dice.often(10)
        return {"type": "coder", "name": name, "capacity": capacity, "join": True}
    if dice.often(60):
        request["capabilities"] = dice.some(WORDS)
    if dice.often(40):
        request["capacity"] = dice.pick([2, 3])
    if dice.often(25):
        request["count"] = dice.pick([2, 3])
    if dice.often(40):
        request["silenceMs"] = 999 if dice.often(3) else dice.pick([1000, 1500, 3000])
    return request


def resources(dice: Dice, few: int = 2) -> list[Json]:
    """Claims of different keys."""
    keys = [dice.pick(BAD_KEYS)] if dice.often(3) else dice.some(KEYS, few)
    claims: list[Json] = [{"key": key} for key in keys]
    for claim in claims:
        if dice.often(60):
            claim["mode"] = "shared"
    return claims


def policy(dice: Dice, request: Json) -> None:
    """Retries and deadlines."""
    if dice.often(60):
        request["maxRetries"] = 101 if dice.often(2) else dice.pick([0, 1, 2])
    if dice.often(70):
        request["backoffMs"] = dice.pick([0, 1, 100, 1000])
    if dice.often(20):
        request["maxBackoffMs"] = dice.pick([1, 150, 1500])
    if dice.often(20):
        request["jitter"] = dice.pick([50, 100])
    if dice.often(10):
        request["queueMs"] = dice.pick([1, 500, 1500, 3000])
    if dice.often(12):
        request["runMs"] = dice.pick([1, 500, 1500])
    if dice.often(10):
        request["totalMs"] = dice.pick([500, 1500, 4000, 6000])


def edges(dice: Dice, model: Ledger, names: list[str]) -> Json:
    """What a task waits for: names of the request and tasks that have not ended, mostly."""
    recent = model.all_tasks()[-6:]
    found: Json = {}
    for field, wrong in (
        ("dependsOn", ("failed", "cancelled")),
        ("afterFailure", ("completed", "cancelled")),
    ):
        fine = [task.id for task in recent if task.phase not in wrong or dice.often(3)]
        if names + fine and dice.often(50 if field == "dependsOn" else 40):
            chosen = dice.some(names + fine)
            # The same task under both lists is refused; now and then that is wanted.
            taken = found.get("dependsOn", [])
            found[field] = [id_ for id_ in chosen if id_ not in taken or dice.often(10)]
    return found


def new_task(dice: Dice, model: Ledger, place: int) -> Json:
    request: Json = {"name": "abcd"[place - (place > 0 and dice.often(2))]}
    request |= edges(dice, model, list("abcd"[: place + dice.often(2)]))
    if dice.often(50):
        words = ["low", "medium", "high", "critical", 0, 50, "75"]
        request["priority"] = "urgent" if dice.often(2) else dice.pick(words)
    if dice.often(20):
        request["capabilities"] = dice.some([*WORDS, "tester"])
    if dice.often(12):
        request["assignedTo"] = an_assignee(dice, model)
    if dice.often(60):
        request["resources"] = resources(dice)
    if dice.often(15):
        request["labels"] = dice.some(["x", "y"])
    if dice.often(20):
        request["nonRetryable"] = [dice.pick(["fatal", "lease_expired", "run_timeout"])]
    policy(dice, request)
    return request


def task_submit(dice: Dice, model: Ledger) -> Json:
    tasks = [new_task(dice, model, place) for place in range(dice.pick([1, 2, 3, 4]))]
    if dice.often(40):
        return {"tasks": tasks, "goal": "do it"}
    for task in tasks:
        if model.goals and dice.often(30):
            task["goalId"] = a_goal(dice, model)
    return {"tasks": tasks}


def task_update(dice: Dice, model: Ledger) -> Json:
    request: Json = {"taskId": a_task(dice, model, "blocked", "ready", "paused")}
    task = model.tasks.get(request["taskId"])
    kinds = ["edges", "edges", "policy", "priority", "words", "resources", "assigned"]
    kind = dice.pick(kinds)
    if kind == "edges":
        edit_edges(dice, model, request, task)
    elif kind == "policy":
        policy(dice, request)
    elif kind == "priority":
        request["priority"] = dice.pick([10, 50, 90])
    elif kind == "words":
        request["addCapabilities"] = dice.some(WORDS)
        if task and not request["addCapabilities"]:
            request["removeCapabilities"] = sorted(task.capabilities)
        request["addLabels"] = dice.some(["x", "y"])
    elif kind == "resources":
        request["addResources"] = resources(dice, 1)
        if task and not request["addResources"]:
            request["removeResources"] = sorted(task.resources)
    else:
        request["assignedTo"] = "" if dice.often(30) else an_assignee(dice, model)
    return request


def edit_edges(dice: Dice, model: Ledger, request: Json, task: Task | None) -> None:
    """Take edges away, or add some."""
    there = [*(task.depends if task else ()), *(task.after if task else ())]
    if task and there and dice.often(40):
        gone = dice.pick(sorted(there))
        field = "removeDependsOn" if gone in task.depends else "removeAfterFailure"
        request[field] = [gone]
    else:
        field = dice.pick(["addDependsOn", "addAfterFailure"])
        request[field] = [a_task(dice, model, "ready", "blocked", "running")]


def task_claim(dice: Dice, model: Ledger) -> Json:
    request: Json = {"agentId": an_agent(dice, model)}
    if dice.often(20):
        request["taskId"] = a_task(dice, model, "ready", "running")
    lease(dice, request)
    return request


def hold(dice: Dice, model: Ledger) -> Json:
    """The lease of a running task, or one that is over."""
    running = [task for task in model.all_tasks() if task.holder]
    over = [task for task in model.all_tasks() if task.attempts]
    if not over:
        return {"taskId": a_task(dice, model), "agentId": an_agent(dice, model), "epoch": 1}
    task = dice.pick(running if running and not dice.often(7) else over)
    epoch = max(task.attempts - dice.often(3), 0)
    agent = an_agent(dice, model) if dice.often(3) else task.last_agent
    return {"taskId": task.id, "agentId": agent, "epoch": epoch}


def task_heartbeat(dice: Dice, model: Ledger) -> Json:
    request = hold(dice, model)
    lease(dice, request)
    return request


def task_report(dice: Dice, model: Ledger) -> Json:
    request = hold(dice, model)
    outcomes = ["completed", "failed", "completed", "failed", "released"]
    request["outcome"] = "done" if dice.often(1) else dice.pick(outcomes)
    if request["outcome"] == "failed" and not dice.often(2):
        request["error"] = {"message": "it broke"}
        code = dice.pick(CODES)
        if code:
            request["error"]["code"] = code
    if dice.often(40):
        request["claimNext"] = True
        lease(dice, request)
    return request


def task_cancel(dice: Dice, model: Ledger) -> Json:
    if model.goals and dice.often(25):
        return {"goalId": a_goal(dice, model)}
    return {"taskId": a_task(dice, model, "running", "blocked", "ready")}


def agent_retire(dice: Dice, model: Ledger) -> Json:
    busy = [task.holder for task in model.all_tasks() if task.holder]
    wanted = dice.pick(busy) if busy and dice.often(60) else an_agent(dice, model)
    request: Json = {"agentId": wanted}
    if dice.often(60):
        request["replace"] = True
    return request


def target(dice: Dice, model: Ledger) -> Json:
    """Something to pause."""
    kind = dice.pick(["task", "task", "task", "goal", "goal", "agent", "agent", "all"])
    request: Json = {}
    if kind == "task" or dice.often(1):
        request["taskId"] = a_task(dice, model, "ready", "running", "blocked")
    if kind == "goal" and model.goals:
        request["goalId"] = a_goal(dice, model)
    if kind == "agent":
        request["agentId"] = an_agent(dice, model)
    return request


def paused_things(model: Ledger) -> list[Json]:
    """Whatever is held back."""
    tasks = [task for task in model.all_tasks() if task.held and not task.ended]
    found: list[Json] = [{"taskId": task.id} for task in tasks]
    found += [{"goalId": goal.id} for goal in model.goals.values() if goal.paused]
    found += [{"agentId": agent.id} for agent in model.active() if agent.paused]
    return found + ([{}] if model.paused else [])


def swarm_resume(dice: Dice, model: Ledger) -> Json:
    found = paused_things(model)
    return dice.pick(found) if found and not dice.often(10) else target(dice, model)


def task_list(dice: Dice, model: Ledger) -> Json:
    request: Json = {}
    kind = dice.pick(["all", "state", "goal", "agent", "label"])
    if kind == "state":
        request["state"] = dice.pick(["ready", "blocked", "running", "paused", "failed"])
    elif kind == "goal" and model.goals:
        request["goalId"] = dice.pick(list(model.goals))
    elif kind == "agent" and model.agents:
        request["agentId"] = dice.pick(list(model.agents))
    elif kind == "label":
        request["label"] = dice.pick(["x", "y"])
    if model.tasks and dice.often(30):
        request["after"] = dice.pick(list(model.tasks))
    if dice.often(50):
        request["limit"] = dice.pick([1, 2, 3])
    return request


def task_explain(dice: Dice, model: Ledger) -> Json:
    request: Json = {"taskId": a_task(dice, model, "ready", "blocked", "paused")}
    if dice.often(70):
        request["agentId"] = an_agent(dice, model)
    return request


def agent_metrics(dice: Dice, model: Ledger) -> Json:
    return {"agentId": an_agent(dice, model)} if dice.often(30) else {}


MAKERS: dict[str, Callable[[Dice, Ledger], Json]] = {
    "agent_spawn": agent_spawn,
    "agent_heartbeat": lambda dice, model: {"agentId": an_agent(dice, model)},
    "agent_retire": agent_retire,
    "agent_metrics": agent_metrics,
    "task_submit": task_submit,
    "task_update": task_update,
    "task_claim": task_claim,
    "task_heartbeat": task_heartbeat,
    "task_report": task_report,
    "task_cancel": task_cancel,
    "task_list": task_list,
    "task_explain": task_explain,
    "swarm_pause": target,
    "swarm_resume": swarm_resume,
    "tick": lambda _dice, _model: {},
}
WEIGHTS = {
    "agent_spawn": 2,
    "agent_heartbeat": 1,
    "agent_retire": 1,
    "agent_metrics": 1,
    "task_submit": 5,
    "task_update": 4,
    "task_claim": 3,
    "task_heartbeat": 1,
    "task_report": 1,
    "task_cancel": 1,
    "task_list": 1,
    "task_explain": 2,
    "swarm_pause": 2,
    "swarm_resume": 1,
    "tick": 2,
}


def likely(model: Ledger) -> list[str]:
    """Operations, each as often as it is likely to do something here."""
    weights = dict(WEIGHTS)
    if any(task.holder for task in model.tasks.values()):
        weights["task_report"] += 12
        weights["task_heartbeat"] += 3
    if any(model.next_task(agent) for agent in model.active()):
        weights["task_claim"] += 12
    elif not model.active():
        weights["agent_spawn"] += 10
    if paused_things(model):
        weights["swarm_resume"] += 4
    if any(model.is_over(timer[0]) for timer in model.timers()):
        weights["tick"] += 12
    return [name for name, weight in weights.items() for _ in range(weight)]


def later(dice: Dice, model: Ledger) -> int:
    """The next reading of the clock: mostly the same, or at, just before or just after what waits."""
    kind = dice.random.randint(0, 9)
    if kind < 5:
        return model.now
    waits = [timer[0] for timer in model.timers()[:3]]
    waits += [task.not_before for task in model.tasks.values()]
    ahead = sorted({time for time in waits if time > model.now})
    if ahead and kind < 9:
        return int(dice.pick(ahead[:3])) + int(dice.pick([0, -1, 1]))
    return model.now + int(dice.pick([1, 100, 1000, 3000, -500]))


def opening(dice: Dice, model: Ledger, place: int) -> tuple[str, Json]:
    """What a list begins with, so that the rest has something to work on."""
    if place == 0:
        seed = dice.random.randint(0, 2**53 - 1)
        return "swarm_init", {"swarmId": "s-1", "seed": seed, "maxAgents": dice.pick([100, 5])}
    if place == 1:
        return "agent_spawn", {"type": "coder", "capabilities": ["rust", "web"], "capacity": 2}
    name = "agent_spawn" if place == 2 else "task_submit"
    return name, MAKERS[name](dice, model)


def list_of(numbers: list[int], make: type[Ledger] = Ledger) -> list[Json]:
    """The list of steps that the numbers stand for, one each."""
    model = make()
    steps: list[Json] = []
    now = START_MS
    for place, number in enumerate(numbers):
        dice = Dice(number, place)
        if place < 4:
            operation, request = opening(dice, model, place)
        else:
            now = later(dice, model)
            model.now = max(now, model.last_at)
            operation = dice.pick(likely(model))
            request = MAKERS[operation](dice, model)
        model.step(operation, request, now)
        steps.append({"operation": operation, "request": json.dumps(request), "nowMs": now})
    return steps


def operation_lists(least: int = 20, most: int = 60) -> SearchStrategy[list[Json]]:
    """Lists of steps. What a number stands for depends on its place and on what came before."""
    numbers = st.lists(st.integers(0, 2**32 - 1), min_size=least, max_size=most)
    return numbers.map(list_of)
