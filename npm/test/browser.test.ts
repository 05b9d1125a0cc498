/** Agents in a page: the same worker on the store in memory, by the browser's entry point. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openPage } from './page.ts';

const PAGE = `<!doctype html><title>workers</title><script type="module">
import { RuvSwarm, TaskFailure } from '/dist/web.js';
const swarm = await RuvSwarm.init({ seed: 1 });
await swarm.submit([{ payload: 'a' }, { payload: 'b', maxRetries: 0 }]);
const agent = await swarm.agent({ type: 'coder', capacity: 2, maxTasks: 2 }, async ({ payload }) => {
  if (payload === 'b') throw new TaskFailure('no_b', 'not this one');
  return new TextEncoder().encode(payload);
});
const kinds = [];
for await (const { kind } of swarm.follow({ after: 0 })) {
  kinds.push(kind);
  if (kinds.includes('TaskCompleted') && kinds.includes('TaskFailed')) break;
}
const summary = await agent.done;
const { artifact } = (await swarm.call('task_status', { taskId: 't1' })).task;
const bytes = await swarm.host.getArtifact(artifact);
const { ok } = await swarm.replay({ verify: true });
await swarm.close();
globalThis.outcome = { summary, text: new TextDecoder().decode(bytes), ok };
</script>`;

test('a page has agents that are functions', async (t) => {
  const { page, errors } = await openPage(t, '/', PAGE);
  const outcome = await page.waitForFunction(() => (globalThis as { outcome?: unknown }).outcome, undefined, { timeout: 30_000 }).catch((error: unknown) => {
    throw errors.length > 0 ? new Error(errors.join('; ')) : error;
  });
  assert.deepEqual(await outcome.jsonValue(), {
    summary: { agentId: 'a1', completed: 1, failed: 1, released: 0, cancelled: 0 },
    text: 'a',
    ok: true,
  });
  assert.deepEqual(errors, []);
});
