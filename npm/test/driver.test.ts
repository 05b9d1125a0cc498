/** The driver that the conformance harness uses. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

async function drive(requests: readonly object[]): Promise<{ ok?: unknown; error?: { code: string } }[]> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('driver.mjs', import.meta.url))], { stdio: ['pipe', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stdin.end(requests.map((request) => `${JSON.stringify(request)}\n`).join(''));
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0);
  return out.trimEnd().split('\n').map((line) => JSON.parse(line) as { ok?: unknown; error?: { code: string } });
}

test('the driver answers each line, with cores of its own', async () => {
  const answers = await drive([
    { do: 'new' },
    { do: 'run', operation: 'swarm_init', request: { swarmId: 's', seed: 1 }, nowMs: 5 },
    { do: 'state' },
    { do: 'call', operation: 'agent_spawn', request: '{"type":""}', nowMs: 6 },
    { do: 'state', core: 'other' },
    { do: 'nothing' },
    { do: 'inspect', data: btoa('a,b\n1,2\n') },
  ]);
  assert.deepEqual(answers.map(({ error }) => error?.code ?? 'ok'), [
    'ok',
    'ok',
    'ok',
    'invalid_argument',
    'invalid_argument',
    'unknown_operation',
    'invalid_data',
  ]);
  assert.equal((answers[2]?.ok as { version: number }).version, 1);
});
