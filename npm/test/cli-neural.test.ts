/** One network on the command line: trained, interrupted, carried on, asked. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { cli, folder, lastJson, xorCsv } from './helpers.ts';

test('a network is trained, measured, shown and asked without a swarm', async (t) => {
  const at = folder(t);
  writeFileSync(join(at, 'xor.csv'), xorCsv());
  const trained = lastJson(await cli(at, ['train', '--data', 'xor.csv', '--hidden', '4,3', '--decay', '-0.001', '--out', 'm.rsn', '--json']));
  assert.deepEqual([trained['testAccuracy'], trained['out']], [1, 'm.rsn']);
  const measured = lastJson(await cli(at, ['evaluate', '--model', 'm.rsn', '--data', '-', '--json'], { input: xorCsv(3) }));
  assert.deepEqual([measured['rows'], measured['accuracy']], [12, 1]);
  const shown = await cli(at, ['inspect', '--model', 'm.rsn']);
  assert.match(shown.stdout, /network 2-4-3-2/);
  const asked = await cli(at, ['predict', '--model', 'm.rsn', '--data', '-', '--out', 'p.csv'], { input: 'a,b\n0,1\n1,1\n' });
  assert.equal(asked.stdout, 'predicted 2 rows into p.csv\n');
  const answers = readFileSync(join(at, 'p.csv'), 'utf8').split('\n').map((line) => line.split(',')[0]);
  assert.deepEqual(answers, ['prediction', 'yes', 'no', '']);
  assert.equal(existsSync(join(at, 'swarm.db')), false);
});

test('Ctrl-C leaves a checkpoint to go on from', async (t) => {
  const at = folder(t);
  writeFileSync(join(at, 'xor.csv'), xorCsv());
  const args = ['train', '--data', 'xor.csv', '--patience', '0', '--epochs', '1000000000', '--out', 'm.rsn', '--checkpoint', 'c.rsc', '--every', '10'];
  const broken = await cli(at, args, {
    started: (send) => {
      const whenKept = async (): Promise<void> => {
        while (!existsSync(join(at, 'c.rsc'))) await sleep(20);
        send('SIGINT');
      };
      void whenKept();
    },
  });
  assert.equal(broken.code, 130);
  assert.match(broken.stderr, /interrupted after epoch \d+; go on with: ruv-swarm train --resume c\.rsc/);
  assert.equal(existsSync(join(at, 'm.rsn')), false);
  const more = lastJson(await cli(at, ['train', '--resume', 'c.rsc', '--seconds', '0.2', '--json']));
  assert.deepEqual([more['stopped'], more['out']], ['time', 'm.rsn']);
  const straight = ['train', '--data', 'xor.csv', '--patience', '0', '--epochs', String(more['epochs']), '--json'];
  assert.equal(lastJson(await cli(at, straight))['modelHash'], more['modelHash']);
  const refused = await cli(at, ['train', '--resume', 'c.rsc', '--hidden', '3']);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /hidden: given beside resume/);
});
