/** Agents that are functions: results, failures, leases, cancellation, stopping, waiting. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  type EndedAttempt,
  errorOf,
  Host,
  MemoryStore,
  type NewTask,
  openSqliteStore,
  RuvSwarm,
  type RuvSwarmError,
  type Swarm,
  type SwarmEvent,
  type Task,
  type TaskContext,
  TaskFailure,
  work,
  type Writing,
} from '@ruv/swarm';
import { folder } from './helpers.ts';

async function inMemory(t: TestContext): Promise<Swarm> {
  const swarm = await RuvSwarm.init({ seed: 1 });
  t.after(() => swarm.close());
  return swarm;
}

async function onFile(t: TestContext): Promise<{ swarm: Swarm; path: string }> {
  const path = join(folder(t), 'swarm.db');
  const swarm = await RuvSwarm.init({ seed: 1, persistence: { type: 'sqlite', path } });
  t.after(() => swarm.close());
  return { swarm, path };
}

async function taskOf(swarm: Swarm, taskId: string): Promise<Task> {
  return (await swarm.call<{ task: Task }>('task_status', { taskId })).task;
}

async function eventsOf(swarm: Swarm): Promise<SwarmEvent[]> {
  return (await swarm.host.events(0, 10_000)).map(({ body }) => JSON.parse(body) as SwarmEvent);
}

/** Waits for the first event that passes, from the beginning of the log on. */
async function eventually(swarm: Swarm, passes: (event: SwarmEvent) => boolean): Promise<SwarmEvent> {
  for await (const event of swarm.follow({ after: 0 })) if (passes(event)) return event;
  throw new Error('the swarm was closed before');
}

/** A function that runs until it is told to end, and then throws the reason. */
async function untilTold(_task: Task, { signal }: TaskContext): Promise<never> {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  throw signal.reason;
}

test('results of every kind are kept as they are', async (t) => {
  const swarm = await inMemory(t);
  const long = 'ü'.repeat(40_000);
  const results: readonly unknown[] = ['text ü', undefined, { a: [1, null] }, new Uint8Array([0, 255, 7]), long];
  await swarm.submit(results.map((_, i) => ({ payload: String(i) })));
  const agent = await swarm.agent({ type: 'coder', maxTasks: results.length }, async ({ payload }) => results[Number(payload)]);
  assert.deepEqual(await agent.done, { agentId: 'a1', completed: 5, failed: 0, released: 0, cancelled: 0 });
  const tasks = await Promise.all(results.map((_, i) => taskOf(swarm, `t${i + 1}`)));
  assert.deepEqual(tasks.map(({ state }) => state), Array(5).fill('completed'));
  assert.deepEqual(tasks.map(({ output = '' }) => output), ['text ü', '', '{"a":[1,null]}', '', '']);
  const [, , , bytes, text] = await Promise.all(tasks.map(({ artifact }) => (artifact ? swarm.host.getArtifact(artifact) : undefined)));
  assert.deepEqual(bytes, new Uint8Array([0, 255, 7]));
  assert.equal(new TextDecoder().decode(text), long);
});

test('what a function throws is the failure of its attempt', async (t) => {
  const swarm = await inMemory(t);
  const thrown: readonly unknown[] = [
    new TaskFailure('no_budget', 'the budget is spent'),
    Object.assign(new Error('no such file'), { code: 'ENOENT' }),
    new TypeError('not a function'),
    new Error(''),
    'a bare text',
    new Error('\ud800' + 'x'.repeat(20_000)),
    Object.create(null),
  ];
  await swarm.submit([...thrown.map((_, i) => ({ payload: String(i), maxRetries: 0 })), { payload: 'bigint', maxRetries: 0 }]);
  const agent = await swarm.agent({ type: 'coder', maxTasks: 8 }, ({ payload }, { progress }) => {
    progress(0.5, NaN, '\ud800');
    if (payload === 'bigint') return { count: 1n };
    throw thrown[Number(payload)];
  });
  assert.equal((await agent.done).failed, 8);
  const errors = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(async (n) => (await taskOf(swarm, `t${n}`)).error));
  assert.deepEqual(errors.slice(0, 5), [
    { code: 'no_budget', message: 'the budget is spent' },
    { code: 'ENOENT', message: 'no such file' },
    { code: 'type_error', message: 'not a function' },
    { code: 'error', message: 'error, without a message' },
    { code: 'failed', message: 'a bare text' },
  ]);
  assert.deepEqual(errors[5], { code: 'error', message: `\ufffd${'x'.repeat(16_384 - 3)}` });
  assert.equal(errors[6]?.message, 'failed, without a message');
  assert.equal(errors[7]?.code, 'type_error');
});

test('a result that the core does not take is a failure that says so', async (t) => {
  const swarm = await inMemory(t);
  await swarm.submit({ maxRetries: 0 });
  // half of a character: no text that could be written
  const agent = await swarm.agent({ type: 'coder', maxTasks: 1 }, () => '\ud800');
  await agent.done;
  assert.equal((await taskOf(swarm, 't1')).error?.code, 'bad_result');
});

test('a failed attempt is tried again after its back-off, without news', async (t) => {
  const swarm = await inMemory(t);
  await swarm.submit({ maxRetries: 1, backoffMs: 100 });
  const epochs: number[] = [];
  const agent = await swarm.agent({ type: 'coder', maxTasks: 2 }, (_task, { epoch }) => {
    epochs.push(epoch);
    if (epoch === 1) throw new TaskFailure('flaky', 'the first time');
    return 'done';
  });
  assert.deepEqual(await agent.done, { agentId: 'a1', completed: 1, failed: 1, released: 0, cancelled: 0 });
  assert.deepEqual(epochs, [1, 2]);
  assert.equal((await taskOf(swarm, 't1')).state, 'completed');
});

/** A store that notes where each commit ends. */
class NotingStore extends MemoryStore {
  readonly commits: number[] = [];

  override write<T>(body: (tx: Writing) => T): Promise<T> {
    return super.write((tx) => {
      const result = body(tx);
      this.commits.push(tx.head()?.version ?? 0);
      return result;
    });
  }

  /** The events of the log by the commit that they came in, as kind and task. */
  async groups(host: Host): Promise<string[][]> {
    const events = (await host.events(0, 10_000)).map(({ body }) => JSON.parse(body) as SwarmEvent);
    const names = events.map(({ kind, body }) => `${kind} ${(body as { taskId?: string }).taskId ?? ''}`);
    return this.commits.map((end, i) => names.slice(this.commits[i - 1] ?? 0, end));
  }
}

async function noting(agent: object, tasks: number): Promise<{ store: NotingStore; host: Host }> {
  const store = new NotingStore();
  const host = await Host.open(store);
  await host.call('swarm_init', '{"seed":1}');
  await host.call('agent_spawn', JSON.stringify(agent));
  await host.call('task_submit', JSON.stringify({ tasks: Array.from({ length: tasks }, () => ({})) }));
  return { store, host };
}

test('as many tasks run at once as the capacity says, and their heartbeats are one commit', async () => {
  const { store, host } = await noting({ type: 'coder', capacity: 3 }, 7);
  let running = 0;
  let most = 0;
  const hasBeat = async (): Promise<boolean> => (await store.groups(host)).flat().includes('TaskHeartbeat t3');
  const summary = await work(
    host,
    async ({ id }, { progress }) => {
      most = Math.max(most, ++running);
      progress(1, 2, `half of ${id}`);
      // the first three wait for a heartbeat of their own
      while (['t1', 't2', 't3'].includes(id) && !(await hasBeat())) await sleep(10);
      running -= 1;
    },
    { agentId: 'a1', leaseMs: 1000, maxTasks: 7 },
  );
  assert.deepEqual([summary.completed, most], [7, 3]);
  const beats = (await store.groups(host)).find((group) => group.includes('TaskHeartbeat t3'));
  assert.deepEqual(beats?.toSorted(), ['TaskHeartbeat t1', 'TaskHeartbeat t2', 'TaskHeartbeat t3']);
  const lines = (await host.events(0, 10_000)).map(({ body }) => JSON.parse(body) as SwarmEvent);
  const beat = lines.find(({ kind, body }) => kind === 'TaskHeartbeat' && (body as { taskId: string }).taskId === 't1');
  assert.deepEqual((beat?.body as { progress?: unknown }).progress, { done: 1, total: 2, note: 'half of t1' });
  await host.close();
});

test('a report and the claim of the next task are one commit', async () => {
  const { store, host } = await noting({ type: 'coder' }, 3);
  assert.equal((await work(host, () => 'done', { agentId: 'a1', maxTasks: 3 })).completed, 3);
  const groups = (await store.groups(host)).slice(3);
  assert.deepEqual(groups, [['TaskClaimed t1'], ['TaskCompleted t1', 'TaskClaimed t2'], ['TaskCompleted t2', 'TaskClaimed t3'], ['TaskCompleted t3']]);
  await host.close();
});

test('a job that takes longer than its lease keeps it', async (t) => {
  const { swarm } = await onFile(t);
  await swarm.submit({});
  const agent = await swarm.agent({ type: 'coder', leaseMs: 1000, maxTasks: 1 }, async (_task, { signal }) => {
    await sleep(3000);
    return String(signal.aborted);
  });
  assert.equal((await agent.done).completed, 1);
  const { attempts, output } = await taskOf(swarm, 't1');
  assert.deepEqual([attempts, output], [1, 'false']);
});

test('a lost lease aborts the function, and its result is thrown away', async (t) => {
  const { swarm, path } = await onFile(t);
  await swarm.submit({ maxRetries: 0 });
  let reason: unknown;
  const ended: EndedAttempt[] = [];
  const agent = await swarm.agent({ type: 'coder', maxTasks: 1, ended: (attempt) => ended.push(attempt) }, async (_task, { signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    reason = signal.reason;
    return 'too late';
  });
  await eventually(swarm, ({ kind }) => kind === 'TaskClaimed');
  // another host whose clock is a minute ahead ends the lease
  const ahead = await Host.open(await openSqliteStore(path), { wall: () => Date.now() + 60_000, monotonic: () => performance.now() });
  await ahead.call('tick', '{}');
  await ahead.close();
  assert.deepEqual(await agent.done, { agentId: 'a1', completed: 0, failed: 0, released: 1, cancelled: 0 });
  assert.equal((reason as RuvSwarmError).code, 'stale_epoch');
  assert.deepEqual(ended.map(({ end, epoch }) => [end, epoch]), [['lost', 1]]);
  const task = await taskOf(swarm, 't1');
  assert.deepEqual([task.state, task.error?.code, task.output], ['failed', 'lease_expired', undefined]);
});

test('a task that is called off is aborted soon and ends as cancelled', async (t) => {
  const swarm = await inMemory(t);
  await swarm.submit([{}, {}]);
  const reasons: unknown[] = [];
  const agent = await swarm.agent({ type: 'coder', capacity: 2, maxTasks: 2 }, async (task, { signal }) => {
    if (task.id === 't2') return 'done';
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    reasons.push(signal.reason);
    throw signal.reason;
  });
  await eventually(swarm, ({ kind }) => kind === 'TaskCompleted');
  assert.deepEqual(await swarm.cancel({ taskId: 't1', reason: 'changed my mind' }), { cancelled: [], stopping: ['t1'] });
  assert.deepEqual(await agent.done, { agentId: 'a1', completed: 1, failed: 0, released: 0, cancelled: 1 });
  assert.deepEqual(reasons.map((reason) => (reason as RuvSwarmError).code), ['cancelled']);
  assert.equal((await taskOf(swarm, 't1')).state, 'cancelled');
});

test('a worker that stops gives its tasks back without fault', async (t) => {
  const swarm = await inMemory(t);
  await swarm.submit([{ maxRetries: 0 }, { maxRetries: 0 }]);
  const agent = await swarm.agent({ type: 'coder', name: 'one', capacity: 2 }, untilTold);
  await eventually(swarm, ({ kind, body }) => kind === 'TaskClaimed' && (body as { taskId: string }).taskId === 't2');
  assert.deepEqual(await agent.stop(), { agentId: 'a1', completed: 0, failed: 0, released: 2, cancelled: 0 });
  const task = await taskOf(swarm, 't1');
  assert.deepEqual([task.state, task.attempts, task.released], ['ready', 1, 1]);
  // by its name it is the same agent again
  const again = await swarm.agent({ type: 'coder', name: 'one', capacity: 2, maxTasks: 2 }, () => 'done');
  assert.equal(again.agentId, 'a1');
  assert.equal((await again.done).completed, 2);
});

test('closing the swarm stops its agents and ends its followers', async (t) => {
  const { swarm, path } = await onFile(t);
  await swarm.submit({});
  const agent = await swarm.agent({ type: 'coder' }, untilTold);
  await eventually(swarm, ({ kind }) => kind === 'TaskClaimed');
  const followed = (async () => {
    for await (const { kind } of swarm.follow()) if (kind === 'TaskReleased') return kind;
    return undefined;
  })();
  await swarm.close();
  assert.equal((await agent.done).released, 1);
  await followed;
  await using again = await RuvSwarm.init({ persistence: { type: 'sqlite', path } });
  assert.equal((await taskOf(again, 't1')).state, 'ready');
});

test('an idle worker hears of tasks that come, from here and from another connection', async (t) => {
  const { swarm, path } = await onFile(t);
  const seen: string[] = [];
  const agent = await swarm.agent({ type: 'coder', maxTasks: 2 }, ({ payload = '' }) => void seen.push(payload));
  await swarm.submit({ payload: 'here' });
  await eventually(swarm, ({ kind }) => kind === 'TaskCompleted');
  const other = await Host.open(await openSqliteStore(path));
  await other.call('task_submit', JSON.stringify({ tasks: [{ payload: 'there' }] }));
  await other.close();
  await agent.done;
  assert.deepEqual(seen, ['here', 'there']);
});

test('until idle: what is for others alone is not waited for', async (t) => {
  const swarm = await inMemory(t);
  const tasks: NewTask[] = [{ name: 'first' }, { dependsOn: ['first'] }, { capabilities: ['welding'] }, { maxRetries: 1, backoffMs: 50 }];
  await swarm.submit(tasks);
  const agent = await swarm.agent({ type: 'coder', untilIdle: true }, (task, { epoch }) => {
    if (task.id === 't4' && epoch === 1) throw new TaskFailure('flaky', 'once');
  });
  assert.deepEqual(await agent.done, { agentId: 'a1', completed: 3, failed: 1, released: 0, cancelled: 0 });
  assert.equal((await taskOf(swarm, 't3')).state, 'ready');
});

test('a worker whose agent is retired ends with the reason', async (t) => {
  const swarm = await inMemory(t);
  const agent = await swarm.agent({ type: 'coder' }, () => 'done');
  await swarm.retire({ agentId: agent.agentId });
  await assert.rejects(agent.done, (error: RuvSwarmError) => error.code === 'failed_precondition' && /a1 is retired/.test(error.message));
});

test('an agent that may count as lost is heard of while it has nothing to do', async (t) => {
  const swarm = await inMemory(t);
  const agent = await swarm.agent({ type: 'coder', silenceMs: 1000 }, () => 'done');
  for (let heard = 0; heard < 2; heard++) {
    const after = await swarm.host.version();
    for await (const { kind } of swarm.follow({ after })) if (kind === 'AgentHeartbeat') break;
  }
  await agent.stop();
  assert.equal((await eventsOf(swarm)).some(({ kind }) => kind === 'AgentLost'), false);
});

test('two workers on one file do each task once', async (t) => {
  const { swarm, path } = await onFile(t);
  await swarm.submit(Array.from({ length: 40 }, () => ({})));
  const other = await RuvSwarm.init({ persistence: { type: 'sqlite', path } });
  t.after(() => other.close());
  const done: string[] = [];
  const run = ({ id = '' }: Task): void => void done.push(id);
  const agents = [await swarm.agent({ type: 'coder', untilIdle: true }, run), await other.agent({ type: 'coder', untilIdle: true }, run)];
  const counts = await Promise.all(agents.map(async ({ done: summary }) => (await summary).completed));
  assert.equal(counts.reduce((a, b) => a + b, 0), 40);
  assert.equal(new Set(done).size, 40);
  assert.equal(done.length, 40);
});

test('trouble of the store that passes delays a worker and does not end it', async () => {
  class TroubledStore extends MemoryStore {
    trouble = 0;

    override write<T>(body: (tx: Writing) => T): Promise<T> {
      if (this.trouble <= 0) return super.write(body);
      this.trouble -= 1;
      return Promise.reject(errorOf('store_unavailable', 'db: busy'));
    }
  }
  const store = new TroubledStore();
  const host = await Host.open(store);
  await host.call('swarm_init', '{"seed":1}');
  await host.call('agent_spawn', '{"type":"coder"}');
  await host.call('task_submit', '{"tasks":[{},{}]}');
  store.trouble = 2;
  const summary = await work(host, () => void (store.trouble = 2), { agentId: 'a1', maxTasks: 2 });
  assert.deepEqual(summary, { agentId: 'a1', completed: 2, failed: 0, released: 0, cancelled: 0 });
  assert.equal(store.trouble, 0);
  await host.close();
});

test('followers see every event once, in order, while two hosts write', async (t) => {
  const { swarm, path } = await onFile(t);
  const other = await Host.open(await openSqliteStore(path));
  const stop = new AbortController();
  const seen: number[] = [];
  const following = (async () => {
    for await (const { seq } of swarm.follow({ after: 0, signal: stop.signal })) {
      seen.push(seq ?? 0);
      if (seen.length === 81) stop.abort();
    }
  })();
  for (let i = 0; i < 20; i++) {
    await Promise.all([swarm.spawn({ type: 'coder' }), other.call('agent_spawn', '{"type":"tester"}')]);
    await Promise.all([swarm.submit({}), other.call('task_submit', '{"tasks":[{}]}')]);
  }
  await following;
  await other.close();
  assert.deepEqual(seen, Array.from({ length: 81 }, (_, i) => i + 1));
});

test('followers of some kinds miss none of them', async (t) => {
  const swarm = await inMemory(t);
  const kinds: string[] = [];
  const following = (async () => {
    for await (const { kind } of swarm.follow({ after: 0, kinds: ['TaskSubmitted', 'TaskCompleted'] })) {
      kinds.push(kind);
      if (kinds.filter((word) => word === 'TaskCompleted').length === 3) return;
    }
  })();
  const agent = await swarm.agent({ type: 'coder', maxTasks: 3 }, () => 'done');
  await swarm.submit([{}, {}, {}]);
  await agent.done;
  await following;
  assert.deepEqual(kinds, [...Array(3).fill('TaskSubmitted'), ...Array(3).fill('TaskCompleted')]);
});
