/** The command line: the quick start, its JSON, its exit codes, Ctrl-C. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { version } from '@ruv/swarm';
import { cli, folder, lastJson, xorCsv } from './helpers.ts';

test('the version comes at once and alone', async (t) => {
  const at = folder(t);
  const started = performance.now();
  const ran = await cli(at, ['--version']);
  assert.deepEqual(ran, { code: 0, stdout: `ruv-swarm ${version}\n`, stderr: '' });
  // 0.3 s on a quiet machine; loading the core would take several times as long on a busy one
  assert.ok(performance.now() - started < 3000);
  assert.equal(readFileSync(new URL('../dist/cli.js', import.meta.url), 'utf8').includes('load/node'), false);
});

test('the quick start runs as written', async (t) => {
  const at = folder(t);
  const run = async (line: string): Promise<string> => {
    const ran = await cli(at, line.split(' '));
    assert.deepEqual([ran.code, ran.stderr], [0, ''], ran.stderr);
    return ran.stdout;
  };
  assert.match(await run('init --persistence sqlite --db ./swarm.db'), /^created swarm s-[0-9a-f]{8}/);
  assert.match(await run('spawn neural --model ruv-fann --capabilities cascade-correlation,rprop'), /a1 .*cascade-correlation, rprop/);
  const trained = await run('orchestrate --strategy cognitive-diversity --parallel');
  assert.match(trained, /^no data was given: training on the bundled sample/);
  assert.match(trained, /g1: completed/);
  assert.match(trained, /model [0-9a-f]{64}\n$/);
  assert.match(await run('replay --verify'), /verified: chain, head, live state and projections agree/);
});

test('every command prints JSON lines and nothing else', async (t) => {
  const at = folder(t);
  writeFileSync(join(at, 'xor.csv'), xorCsv());
  writeFileSync(join(at, 'rows.csv'), 'a,b\n0,1\n1,1\n');
  const json = async (...args: string[]): Promise<Record<string, unknown>> => {
    const ran = await cli(at, [...args, '--json']);
    assert.deepEqual([ran.code, ran.stderr], [0, ''], ran.stdout);
    for (const line of ran.stdout.trimEnd().split('\n')) JSON.parse(line);
    return lastJson(ran);
  };
  const made = await json('init', '--seed', '42');
  assert.deepEqual([made['topology'], made['db'], made['seed']], ['mesh', './swarm.db', 42]);
  assert.deepEqual(await json('spawn', 'coder', '--capabilities', 'a,b'), {
    agents: [{ id: 'a1', type: 'coder', pattern: 'convergent', capabilities: ['a', 'b'] }],
  });
  const trained = await json('orchestrate', '--data', 'xor.csv', '--strategy', 'cognitive-diversity');
  assert.deepEqual(Object.keys(trained), ['goalId', 'state', 'modelHash', 'members', 'ensemble', 'stateHash']);
  const { testLoss, meanMemberLoss, ambiguity } = trained['ensemble'] as Record<string, number>;
  assert.ok(Math.abs((testLoss ?? 0) - ((meanMemberLoss ?? 0) - (ambiguity ?? 0))) < 1e-6);
  const predicted = await json('predict', '--model', String(trained['modelHash']), '--data', 'rows.csv', '--out', 'out.csv');
  assert.deepEqual(predicted, { rows: 2, out: 'out.csv' });
  assert.deepEqual(readFileSync(join(at, 'out.csv'), 'utf8').split('\n').map((line) => line.split(',')[0]), ['prediction', 'yes', 'no', '']);
  assert.equal((await json('query', '--agent', 'a1'))['type'], 'coder');
  assert.equal((await json('query', '--goal', 'g1'))['state'], 'completed');
  const status = await json('status');
  assert.deepEqual(Object.keys(status), ['swarmId', 'topology', 'agents', 'tasks', 'version', 'stateHash']);
  assert.deepEqual(await json('monitor', '--duration', '0'), status);
  const replayed = await json('replay', '--verify');
  assert.deepEqual([replayed['ok'], replayed['events'], replayed['stateHash']], [true, status['version'], status['stateHash']]);
  assert.equal((await json('log'))['seq'], status['version']);
  assert.deepEqual(Object.keys(await json('doctor')), ['version', 'core', 'sqlite', 'cpuFeatures', 'durability']);
  assert.deepEqual(await json('orchestrate', '--resume'), { goals: [] });
});

test('the log prints canonical lines with their chain', async (t) => {
  const at = folder(t);
  await cli(at, ['init', '--seed', '1']);
  await cli(at, ['spawn', 'coder', '--parallel', '3']);
  const { stdout } = await cli(at, ['log', '--json', '--chain']);
  let previous = Buffer.alloc(32);
  const { createHash } = await import('node:crypto');
  for (const line of stdout.trimEnd().split('\n')) {
    const [hash = '', body = ''] = line.split('\t');
    previous = createHash('sha256').update(previous).update(body).digest();
    assert.equal(previous.toString('hex'), hash);
  }
});

test('wrong use, wrong input and missing things exit with 2 and say what is wrong', async (t) => {
  const at = folder(t);
  const refused = async (args: string[], code: number, text: RegExp): Promise<void> => {
    const ran = await cli(at, args);
    assert.equal(ran.code, code, ran.stderr);
    assert.match(ran.stderr, text);
    assert.match(ran.stderr, /^error: [^A-Z]/);
    assert.equal(ran.stdout, '');
    const asJson = await cli(at, [...args, '--json']);
    assert.equal(asJson.code, code);
    assert.equal(asJson.stderr, '');
    assert.ok((lastJson(asJson)['error'] as { code: string }).code);
  };
  await refused(['status'], 2, /no swarm at ".\/swarm.db"; create one with: ruv-swarm init/);
  await refused(['init', '--topology', 'blob'], 2, /topology: unknown value "blob"; allowed: mesh/);
  await refused(['init', '--persistence', 'tape'], 2, /persistence: unknown value "tape"; allowed: sqlite/);
  assert.equal(existsSync(join(at, 'swarm.db')), false);
  await refused(['init', '--seed', 'x'], 2, /invalid value 'x' for '--seed'/);
  await refused(['init', '--nope'], 2, /--nope/);
  await refused(['init', '--seed', '1', '--seed', '2'], 2, /multiple times/);
  await refused(['nonsense'], 2, /nonsense/);
  await refused([], 2, /no command was given/);
  await cli(at, ['init']);
  await refused(['init', '--topology', 'ring'], 2, /topology: this swarm has "mesh", not "ring"/);
  await refused(['query', '--task', 't99'], 2, /no task "t99"/);
  await refused(['orchestrate', '--data', 'none.csv'], 2, /data: no file "none.csv"/);
  await refused(['orchestrate', '--threads', '0'], 2, /threads: 0; allowed: 1 to 1024/);
  await refused(['predict', '--data', 'x.csv'], 2, /model: missing/);
  await refused(['predict', '--model', 'ab'.repeat(32), '--data', 'x.csv'], 2, /model: no model/);
  await refused(['monitor', '--interval', '0'], 2, /interval: 0; allowed: 0.05 to 3600/);
  await refused(['mcp'], 2, /action: missing; allowed: start/);
  writeFileSync(join(at, 'text.db'), 'no database, but long enough to be looked at; '.repeat(9));
  await refused(['status', '--db', 'text.db'], 3, /not a ruv-swarm database/);
});

test('help tells every command and every flag', async (t) => {
  const at = folder(t);
  assert.match((await cli(at, ['--help'])).stdout, /orchestrate +Train on data/);
  assert.match((await cli(at, ['orchestrate', '--help'])).stdout, /--resume +Go on with/);
});

test('Ctrl-C cancels the running goal and exits with 130', async (t) => {
  const at = folder(t);
  // rows that no line separates: training goes on until it is called off
  const rows = Array.from({ length: 3000 }, (_, i) => [1, 2, 3, 4, 5, 6, 7, 8].map((k) => ((i * 7919 * k) % 1009) / 1009).join(',') + `,${(i * 31) % 7}`);
  writeFileSync(join(at, 'noise.csv'), `a,b,c,d,e,f,g,h,y\n${rows.join('\n')}\n`);
  await cli(at, ['init']);
  let sent = false;
  const ran = await cli(at, ['orchestrate', '--data', 'noise.csv'], {
    during: (send, stdout) => {
      if (!sent && stdout.includes('training')) {
        sent = true;
        send('SIGINT');
      }
    },
  });
  assert.deepEqual([ran.code, ran.stderr], [130, 'error: interrupted; the running goal was cancelled and all that was committed is kept\n']);
  assert.equal(lastJson(await cli(at, ['query', '--goal', 'g1', '--json']))['state'], 'cancelled');
  assert.equal(lastJson(await cli(at, ['replay', '--verify', '--json']))['ok'], true);
});

test('after a kill the training is resumed and ends in the same model', async (t) => {
  const model = async (at: string, kill: boolean): Promise<unknown> => {
    writeFileSync(join(at, 'xor.csv'), xorCsv());
    await cli(at, ['init', '--seed', '9']);
    let sent = false;
    await cli(at, ['orchestrate', '--data', 'xor.csv', '--strategy', 'cognitive-diversity'], {
      during: (send, stdout) => {
        if (kill && !sent && stdout.includes('training')) {
          sent = true;
          send('SIGKILL');
        }
      },
    });
    if (kill) await cli(at, ['orchestrate', '--resume']);
    return lastJson(await cli(at, ['query', '--goal', 'g1', '--json']))['modelHash'];
  };
  const whole = await model(folder(t), false);
  assert.match(String(whole), /^[0-9a-f]{64}$/);
  assert.equal(await model(folder(t), true), whole);
});
