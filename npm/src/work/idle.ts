/** What a worker with free hands asks: is there anything to wait for? */
import type { Task, TaskExplainResponse, TaskListResponse } from '../gen/types.js';
import type { Host } from '../host/host.js';

/** States of tasks that may run yet. */
const OPEN = ['ready', 'running', 'blocked', 'paused'] as const;
/** Rules of `task_explain` that keep a task from an agent for good. */
const LASTING: ReadonlySet<string> = new Set(['assigned', 'capability', 'agent_retired']);
/** How many tasks are listed at a time. */
const PAGE = 1000;

/** The tasks in a state, page by page. */
async function* tasksIn(host: Host, state: string): AsyncGenerator<Task> {
  for (let after = ''; ; ) {
    const { tasks = [], nextAfter } = await list(host, state, after);
    yield* tasks;
    if (!nextAfter) return;
    after = nextAfter;
  }
}

/** Whether there is a task that the agent could do now or later, as the core explains it. */
export async function anythingLeft(host: Host, agentId: string): Promise<boolean> {
  for (const state of OPEN) {
    for await (const { id: taskId } of tasksIn(host, state)) {
      const answer = await host.query('task_explain', JSON.stringify({ taskId, agentId }));
      const { reasons = [] } = JSON.parse(answer) as TaskExplainResponse;
      if (!reasons.some(({ rule = '' }) => LASTING.has(rule))) return true;
    }
  }
  return false;
}

async function list(host: Host, state: string, after: string): Promise<TaskListResponse> {
  return JSON.parse(await host.query('task_list', JSON.stringify({ state, after, limit: PAGE }))) as TaskListResponse;
}
