/** MCP over stdio, asked by the official client and by a pipe. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { TOOLS } from '@ruv/swarm';
import { CLI, cli, folder } from './helpers.ts';

async function connect(t: TestContext, cwd: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0.0' });
  const transport = new StdioClientTransport({ command: process.execPath, args: [CLI, 'mcp', 'start', '--db', './swarm.db'], cwd, stderr: 'inherit' });
  await client.connect(transport);
  t.after(() => client.close());
  return client;
}

function textOf(result: { content?: unknown }): string {
  return ((result.content ?? []) as { type: string; text: string }[]).map(({ text }) => text).join('\n');
}

function errorOf(result: { structuredContent?: unknown }): { code: string; message: string; field: string } {
  return (result.structuredContent as { error: { code: string; message: string; field: string } }).error;
}

function call(id: number, name: string, args: object): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } };
}

/** Pipes messages into a server after the greeting; gives back its answers. */
async function pipe(at: string, ...messages: object[]): Promise<{ id: number; result: { structuredContent?: Record<string, unknown> } }[]> {
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'pipe', version: '1' } };
  const all = [{ jsonrpc: '2.0', id: 0, method: 'initialize', params: hello }, { jsonrpc: '2.0', method: 'notifications/initialized' }, ...messages];
  const ran = await cli(at, ['mcp', 'start', '--stdio'], { input: all.map((line) => `${JSON.stringify(line)}\n`).join('') });
  assert.deepEqual([ran.code, ran.stderr], [0, '']);
  return ran.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { id: number; result: object });
}

test('the official client lists every tool and gets structured answers', async (t) => {
  const client = await connect(t, folder(t));
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map(({ name }) => name), TOOLS.map(({ name }) => name));
  for (const { name, description, inputSchema, outputSchema } of tools) {
    assert.match(name, /^[a-zA-Z0-9_-]{1,64}$/);
    assert.ok(description && inputSchema && outputSchema, name);
  }
  const made = await client.callTool({ name: 'swarm_init', arguments: { topology: 'ring', seed: 3 } });
  assert.equal((made.structuredContent as { topology: string }).topology, 'ring');
  assert.match(textOf(made), /^created swarm s-/);
  const spawned = await client.callTool({ name: 'agent_spawn', arguments: { type: 'coder', unknownKey: true } });
  assert.equal((spawned.structuredContent as { agents: { id: string }[] }).agents[0]?.id, 'a1');
});

test('what is refused is an error and says what is allowed', async (t) => {
  const client = await connect(t, folder(t));
  const early = await client.callTool({ name: 'agent_spawn', arguments: { type: 'coder' } });
  assert.deepEqual([early.isError, errorOf(early).field], [true, 'db']);
  assert.match(textOf(early), /no swarm at ".\/swarm.db"/);
  await client.callTool({ name: 'swarm_init', arguments: {} });
  const refusals: [string, Record<string, unknown>, string, string][] = [
    ['task_status', { taskId: 't404' }, 'not_found', 'taskId'],
    ['agent_spawn', { type: 'coder', capacity: 'many' }, 'invalid_argument', 'capacity'],
    ['swarm_init', { topology: 'blob' }, 'invalid_argument', 'topology'],
    ['agent_spawn', { type: 'coder', idempotencyKey: 7 }, 'invalid_argument', 'idempotencyKey'],
    ['no_such_tool', {}, 'unknown_operation', 'operation'],
  ];
  for (const [name, args, code, field] of refusals) {
    const result = await client.callTool({ name, arguments: args });
    const error = errorOf(result);
    assert.deepEqual([result.isError, error.code, error.field], [true, code, field]);
    assert.equal(textOf(result), error.message);
  }
  const unknown = await client.callTool({ name: 'task_status', arguments: { taskId: 't99' } });
  assert.deepEqual([unknown.isError, textOf(unknown)], [true, 'taskId: no task "t99"']);
  const wrong = await client.callTool({ name: 'agent_spawn', arguments: { type: 'neural', pattern: 'sideways' } });
  assert.equal(wrong.isError, true);
  assert.match(textOf(wrong), /allowed: convergent/);
});

test('orchestrate with data really trains, and the model predicts', async (t) => {
  const at = folder(t);
  const client = await connect(t, at);
  await client.callTool({ name: 'swarm_init', arguments: { seed: 42 } });
  const planned = await client.callTool({ name: 'task_orchestrate', arguments: { task: 'train', strategy: 'cognitive-diversity' } });
  assert.match(textOf(planned), /^no data was given: training on the bundled sample/);
  const { goalId } = planned.structuredContent as { goalId: string };
  let state = 'running';
  let results: { modelHash?: string; members?: unknown[] } = {};
  for (const end = Date.now() + 120_000; state === 'running' && Date.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const answer = await client.callTool({ name: 'task_results', arguments: { goalId } });
    results = answer.structuredContent as typeof results;
    state = (answer.structuredContent as { state: string }).state;
  }
  assert.equal(state, 'completed');
  assert.equal(results.members?.length, 4);
  assert.match(results.modelHash ?? '', /^[0-9a-f]{64}$/);
});

test('a dataset that the client stored is trained on', async (t) => {
  const client = await connect(t, folder(t));
  await client.callTool({ name: 'swarm_init', arguments: { seed: 42 } });
  const csv = `a,b,y\n${Array.from({ length: 40 }, (_, i) => `${i % 2},${(i >> 1) % 2},${(i ^ (i >> 1)) & 1}`).join('\n')}\n`;
  const put = await client.callTool({ name: 'artifact_put', arguments: { content: btoa(csv), mediaType: 'text/csv' } });
  const { hash } = (put.structuredContent as { artifact: { hash: string } }).artifact;
  const planned = await client.callTool({ name: 'task_orchestrate', arguments: { task: 'train', agents: ['convergent'], dataset: { hash } } });
  assert.equal(planned.isError ?? false, false, textOf(planned));
  assert.equal((planned.structuredContent as { taskIds: string[] }).taskIds.length, 2);
});

test('a pipe gets an answer to every request, in order, and nothing else', async (t) => {
  const spawns = Array.from({ length: 20 }, (_, i) => call(i + 2, 'ruv-swarm.spawn', { type: 'coder' }));
  // listing and failing take no time, and yet do not come first
  const rest = [{ jsonrpc: '2.0', id: 22, method: 'tools/list' }, call(23, 'no_such_tool', {}), call(24, 'ruv-swarm.query', { agentId: 'a20' })];
  const answers = await pipe(folder(t), call(1, 'swarm_init', {}), ...spawns, ...rest);
  assert.deepEqual(answers.map(({ id }) => id), Array.from({ length: 25 }, (_, i) => i));
  assert.equal((answers[24]?.result.structuredContent?.['agent'] as { id: string }).id, 'a20');
});

test('a query sees what stood at its place between commands', async (t) => {
  const calls = [call(1, 'swarm_init', {})];
  const add = (name: string, args: object): unknown => calls.push(call(calls.length + 1, name, args));
  for (let step = 0; step < 5; step++) {
    for (let i = 0; i < 3; i++) add('agent_spawn', { type: 'coder' });
    for (let i = 0; i < 2; i++) add('swarm_status', {});
  }
  const answers = await pipe(folder(t), ...calls);
  const seen = answers.map(({ result }) => result.structuredContent?.['agents']).filter((agents) => typeof agents === 'number');
  assert.deepEqual(seen, [3, 3, 6, 6, 9, 9, 12, 12, 15, 15]);
});

test('four servers on one file keep all that they acknowledged', async (t) => {
  const at = folder(t);
  const first = await connect(t, at);
  await first.callTool({ name: 'swarm_init', arguments: { maxAgents: 1000 } });
  const clients = [first, await connect(t, at), await connect(t, at), await connect(t, at)];
  const ids = await Promise.all(
    clients.flatMap((client) =>
      Array.from({ length: 25 }, async () => {
        const { structuredContent } = await client.callTool({ name: 'agent_spawn', arguments: { type: 'coder' } });
        return (structuredContent as { agents: { id: string }[] }).agents[0]?.id;
      }),
    ),
  );
  assert.equal(new Set(ids).size, 100);
  const { structuredContent } = await first.callTool({ name: 'swarm_status', arguments: {} });
  assert.equal((structuredContent as { agents: number }).agents, 100);
});
