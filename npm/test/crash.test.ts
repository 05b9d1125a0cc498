/** What was answered survives: kill -9 of a writer, and the end of a server in the middle of training. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

import { Host, openSqliteStore } from '@ruv/swarm';
import { cli, folder, lastJson } from './helpers.ts';

const WRITER = `
import { Host, openSqliteStore } from '@ruv/swarm';
const host = await Host.open(await openSqliteStore(process.argv[1]));
for (;;) {
  const answers = await Promise.all([1, 2, 3].map(() => host.call('agent_spawn', '{"type":"coder"}')));
  for (const answer of answers) process.stdout.write(JSON.parse(answer).agents[0].id + '\\n');
}`;

/** Starts a writer and kills it once it has answered so many calls; gives back what it answered. */
async function writeAndKill(path: string, answers: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', WRITER, path], {
    cwd: new URL('.', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (out.split('\n').length > answers) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.on('close', resolve));
  // the last line may have been cut
  return out.slice(0, out.lastIndexOf('\n')).split('\n');
}

test('a writer that is killed again and again loses no answer', async (t) => {
  const path = join(folder(t), 'swarm.db');
  const host = await Host.open(await openSqliteStore(path, { create: true }));
  await host.call('swarm_init', '{"maxAgents":100000}');
  const answered: string[] = [];
  for (const answers of [1, 10, 25, 40]) {
    // two at once: they share the file with each other and with us
    const written = await Promise.all([writeAndKill(path, answers), writeAndKill(path, answers)]);
    answered.push(...written.flat());
  }
  assert.equal(new Set(answered).size, answered.length);
  const { agents } = JSON.parse(await host.query('agent_list', '{}')) as { agents: { id: string }[] };
  const there = new Set(agents.map(({ id }) => id));
  assert.deepEqual(answered.filter((id) => !there.has(id)), []);
  assert.ok((await host.replay(true)).ok);
  await host.close();
});

test('a server that ends in the middle of training hands it back', async (t) => {
  const at = folder(t);
  await cli(at, ['init', '--seed', '4']);
  const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'task_orchestrate', arguments: { task: 'train', strategy: 'cognitive-diversity' } } };
  const open = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'pipe', version: '1' } } };
  const served = await cli(at, ['mcp', 'start'], { input: `${JSON.stringify(open)}\n${JSON.stringify(call)}\n` });
  assert.deepEqual([served.code, served.stderr], [0, '']);
  const resumed = await cli(at, ['orchestrate', '--resume', '--json']);
  assert.deepEqual([resumed.code, lastJson(resumed)['state']], [0, 'completed'], resumed.stderr);
  assert.equal(lastJson(await cli(at, ['replay', '--verify', '--json']))['ok'], true);
});
