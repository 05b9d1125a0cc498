/** Networks in a page: learnt on Web Workers, with the bits of Node. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { train } from '@ruv/swarm/neural';

import { openPage } from './page.ts';

const line = (i: number): string => `${(i * 37) % 101},${(i * 61) % 89},${((i * i) % 97) / 8}`;
const DATA = `a,b,y\n${Array.from({ length: 400 }, (_, i) => line(i)).join('\n')}\n`;

test('a page trains, pauses, carries on and answers as Node does', async (t) => {
  const { page, errors } = await openPage(t, '/test/browser/neural.html');
  const outcome = await page.waitForFunction(() => (globalThis as { outcome?: unknown }).outcome, undefined, { timeout: 120_000 }).catch((error: unknown) => {
    throw errors.length > 0 ? new Error(errors.join('; ')) : error;
  });
  using network = await train(DATA, { hidden: [16, 8], epochs: 600, patience: 0, task: 'regression' });
  const answers = [...network.predict(Float32Array.of(1, 2, 30, 40))].map(String);
  assert.deepEqual(await outcome.jsonValue(), {
    hashes: Array.from({ length: 5 }, () => network.hash),
    answers,
    one: answers,
    frames: true,
    refused: 'invalid_argument',
    cancelled: 'cancelled',
  });
  assert.deepEqual(errors, []);
});
