"""Tasks come and change: task_submit and task_update."""

from __future__ import annotations

import copy
from typing import Any

from model import resources
from model.changes import Changes
from model.nouns import WORDS, Agent, Goal, Json, Refused, Task, none_refused

NUMBERS = {
    "maxRetries": ("max_retries", 100),
    "backoffMs": ("backoff", 86_400_000),
    "maxBackoffMs": ("max_backoff", 86_400_000),
    "jitter": ("jitter", 100),
    "queueMs": ("queue", 31_536_000_000),
    "runMs": ("run", 31_536_000_000),
    "totalMs": ("total", 31_536_000_000),
}
SETS = {
    "capabilities": "capabilities",
    "labels": "labels",
    "nonRetryable": "non_retryable",
}


def priority(given: object) -> int:
    """A priority as a number."""
    if given in WORDS:
        return WORDS[str(given)]
    text = str(given)
    if not text.isdecimal() or int(text) > 100:
        raise Refused("invalid_argument")
    return int(text)


def set_numbers(task: Task, request: Json) -> None:
    """Take over the limits and times that a request gives."""
    for name, (attribute, most) in NUMBERS.items():
        if request.get(name) is not None:
            value = int(request[name])
            if not 0 <= value <= most:
                raise Refused("invalid_argument")
            setattr(task, attribute, value)


class Graph(Changes):
    """The operations that make tasks and edit those that wait."""

    def task_submit(self, request: Json) -> Json:
        """Add all tasks or none."""
        given: list[Json] = request.get("tasks", [])
        if not given:
            raise Refused("invalid_argument")
        first = len(self.tasks) + 1
        ids = [f"t{first + place}" for place in range(len(given))]
        names = {
            entry["name"]: id_ for entry, id_ in zip(given, ids, strict=True) if "name" in entry
        }
        if len(names) != sum("name" in entry for entry in given):
            raise Refused("invalid_argument")
        new_goal = f"g{len(self.goals) + 1}" if request.get("goal") else ""
        new, codes = [], set()
        for place, entry in enumerate(given):
            try:
                task = self.read_task(ids[place], first + place, entry, names)
            except Refused as refused:
                codes |= refused.codes
                continue
            task.goal = new_goal or task.goal
            new.append(task)
        codes |= self.wrong_edges(new)
        if codes:
            raise Refused(*codes)
        if new_goal:
            self.emit("GoalPlanned", goalId=new_goal, task=request["goal"])
            self.goals[new_goal] = Goal(new_goal, self.sequence)
        for task in new:
            self.tasks[task.id] = task
        for task in new:
            self.emit("TaskSubmitted", taskId=task.id, goalId=task.goal)
            self.note_ready(task)
        return {"taskIds": ids, "goalId": new_goal}

    def read_task(self, id_: str, number: int, entry: Json, names: dict[str, str]) -> Task:
        """One task of a submission; others of the request go by their names."""
        task = Task(id_, number, self.now, payload=entry.get("payload", ""))
        none_refused(
            lambda: self.read_edges(task, entry, names),
            lambda: self.read_words(task, entry),
            lambda: set_numbers(task, entry),
            lambda: self.running_goal(entry["goalId"]) if "goalId" in entry else None,
            lambda: self.agent(entry, "assignedTo") if "assignedTo" in entry else None,
        )
        task.goal = entry.get("goalId", "")
        task.assigned = entry.get("assignedTo", "")
        return task

    def read_edges(self, task: Task, entry: Json, names: dict[str, str]) -> None:
        """What a new task waits for."""
        words = {*entry.get("dependsOn", []), *entry.get("afterFailure", [])}
        task.depends = {names.get(word, word) for word in entry.get("dependsOn", [])}
        task.after = {names.get(word, word) for word in entry.get("afterFailure", [])}
        codes = self.wrong_edges_of(task)
        if not words <= {*names, *self.tasks}:
            codes.add("not_found")
        if codes:
            raise Refused(*codes)

    def read_words(self, task: Task, entry: Json) -> None:
        """Priority, lists of words, and resources of a new task."""
        for field, attribute in SETS.items():
            setattr(task, attribute, set(entry.get(field, [])))
        task.priority = priority(entry.get("priority", 50))
        task.resources = resources.read(entry.get("resources", []))

    def wrong_edges(self, new: list[Task]) -> set[str]:
        """Why the edges of new tasks are refused, if they are."""
        before = self.tasks
        self.tasks = before | {task.id: task for task in new}
        codes = {code for task in new for code in self.wrong_edges_of(task)}
        self.tasks = before
        return codes

    def wrong_edges_of(self, task: Task) -> set[str]:
        """Why the edges of one task are refused: a contradiction, a cycle, or no end."""
        codes = set()
        if task.depends & task.after or self.reaches(task.depends | task.after, task.id):
            codes.add("invalid_argument")
        if self.can_never_end(task.depends, task.after):
            codes.add("failed_precondition")
        return codes

    def task_update(self, request: Json) -> Json:
        """Change a task that waits."""
        task = self.task(request)
        if task.phase != "waiting":
            raise Refused("failed_precondition")
        was = self.state(task)
        changed = copy.deepcopy(task)
        self.edit(changed, request)
        if task.depends != changed.depends or task.after != changed.after:
            codes = self.wrong_edges_of(changed)
            if codes:
                raise Refused(*codes)
        if changed != task:
            self.tasks[task.id] = changed
            self.emit("TaskUpdated", taskId=task.id, priority=changed.priority)
            if was != "ready":
                self.note_ready(changed)
        return {"task": task.id}

    def edit(self, task: Task, request: Json) -> None:
        """Write what a request changes into a copy of the task."""
        if request.get("priority"):
            task.priority = priority(request["priority"])
        if request.get("payload") is not None:
            task.payload = request["payload"]
        set_numbers(task, request)
        for name in ("Capabilities", "Labels"):
            words = getattr(task, name.lower())
            words -= set(request.get(f"remove{name}", []))
            words |= set(request.get(f"add{name}", []))
        for key in request.get("removeResources", []):
            task.resources.pop(key, None)
        task.resources |= resources.read(request.get("addResources", []))
        if request.get("assignedTo") is not None:
            task.assigned = request["assignedTo"]
            if task.assigned:
                self.agent(request, "assignedTo")
        for name, edges in (("DependsOn", task.depends), ("AfterFailure", task.after)):
            edges -= set(request.get(f"remove{name}", []))
            for id_ in request.get(f"add{name}", []):
                if id_ not in self.tasks:
                    raise Refused("not_found")
                edges.add(id_)

    # Agents.

    def agent_spawn(self, request: Json) -> Json:
        """Add agents, or join the one of this name."""
        if not request.get("type"):
            raise Refused("invalid_argument")
        if request.get("join") and not request.get("name"):
            raise Refused("invalid_argument")
        silence = request.get("silenceMs", 0)
        if silence and not 1000 <= silence <= 86_400_000:
            raise Refused("invalid_argument")
        if request.get("join"):
            there = [agent for agent in self.active() if agent.name == request["name"]]
            if there:
                return self.join(there[0], request)
        count = request.get("count", 1)
        if len(self.active()) + count > self.made["maxAgents"]:
            raise Refused("limit_exceeded")
        kind: Json = {
            "type": request["type"],
            "name": request.get("name", ""),
            "capabilities": set(request.get("capabilities", [])),
            "capacity": request.get("capacity", 1),
            "silence": silence,
        }
        return {"agents": [self.add_agent(**kind).id for _ in range(count)], "joined": False}

    def active(self) -> list[Agent]:
        """Agents that are not retired."""
        return [agent for agent in self.agents.values() if not agent.retired]

    def add_agent(self, **kind: Any) -> Agent:
        """One more agent."""
        number = len(self.agents) + 1
        agent = Agent(f"a{number}", number, last_seen=self.now, **kind)
        self.agents[agent.id] = agent
        self.emit("AgentSpawned", agentId=agent.id)
        return agent

    def join(self, agent: Agent, request: Json) -> Json:
        """Take the agent that is there if all that was given equals what it has."""
        has = {"type": agent.type, "capacity": agent.capacity, "silenceMs": agent.silence}
        if any(request.get(name, value) != value for name, value in has.items()):
            raise Refused("conflict")
        if set(request.get("capabilities", agent.capabilities)) != agent.capabilities:
            raise Refused("conflict")
        self.emit("AgentHeartbeat", agentId=agent.id)
        self.heard_of(agent)
        return {"agents": [agent.id], "joined": True}
