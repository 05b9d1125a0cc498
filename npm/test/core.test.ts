/** The binding: the core's functions as JavaScript sees them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { asError, hostError, kernel, load, InvalidArgumentError, TOOLS } from '@ruv/swarm';

load();
const { Core } = kernel();
const INIT = JSON.stringify({ swarmId: 's-test', seed: 7 });

function thrownBy(body: () => unknown): Record<string, unknown> {
  try {
    body();
  } catch (error) {
    return JSON.parse((error as Error).message) as Record<string, unknown>;
  }
  return assert.fail('nothing was thrown');
}

test('a call changes nothing until its events are applied', () => {
  using core = new Core();
  const decision = core.call('swarm_init', INIT, 1000, '');
  assert.equal(core.version(), 0);
  assert.equal(decision.events.length, 1);
  const applied = core.apply(decision.events[0] ?? '');
  assert.deepEqual([applied.seq, applied.atMs, applied.kind], [1, 1000, 'SwarmCreated']);
  assert.equal(applied.chain.length, 32);
  assert.deepEqual(applied.chain, core.chainHead());
  assert.equal(core.version(), 1);
  assert.equal(core.swarmId(), 's-test');
});

test('rows come with the events, and a snapshot restores the same state', () => {
  using core = new Core();
  for (const [operation, request] of [['swarm_init', INIT], ['agent_spawn', '{"type":"coder","count":3}']] as const) {
    const rows = core.call(operation, request, 1000, '').events.map((line) => (core.apply(line), core.takeRows()));
    if (operation === 'agent_spawn') assert.deepEqual(rows.flat().map(({ table, id }) => [table, id]), [['agent', 'a1'], ['agent', 'a2'], ['agent', 'a3']]);
  }
  using again = Core.restore(core.snapshot());
  assert.equal(again.stateHash(), core.stateHash());
  assert.match(core.stateHash(), /^[0-9a-f]{64}$/);
  using fork = core.fork();
  fork.apply(fork.call('agent_spawn', '{"type":"tester"}', 1000, '').events[0] ?? '');
  assert.notEqual(fork.stateHash(), core.stateHash());
});

test('an error is thrown as the JSON of the core', () => {
  using core = new Core();
  const error = thrownBy(() => core.call('swarm_init', '{"swarmId":"s","seed":1,"topology":"blob"}', 0, ''));
  assert.equal(error['code'], 'invalid_argument');
  assert.equal(error['field'], 'topology');
  assert.match(String(error['message']), /allowed: mesh, hierarchical, ring, star/);
  assert.equal(thrownBy(() => core.apply('no event'))['code'], 'corrupt');
  assert.equal(thrownBy(() => core.query('swarm_init', '{}'))['code'], 'invalid_argument');
});

test('errors become the classes of the package', () => {
  const error = asError(new Error('{"code":"invalid_argument","message":"x: no","field":"x"}'));
  assert.ok(error instanceof InvalidArgumentError);
  assert.deepEqual([error.message, error.field, error.exitCode], ['x: no', 'x', 2]);
  assert.equal(hostError('disk_full', 'db', './swarm.db').code, 'store_unavailable');
  const codes = JSON.parse(kernel().errorCodes()) as { code: string; exit: number }[];
  assert.ok(codes.some(({ code, exit }) => code === 'interrupted' && exit === 130));
});

test('the catalogue of tools is that of the core', () => {
  for (const { name, kind } of TOOLS) assert.equal(kernel().operationKind(name), kind, name);
  assert.equal(kernel().operationKind('no_such_operation'), undefined);
});

test('numbers pass as typed arrays', () => {
  const bytes = kernel().encodeArrays(Float32Array.of(1, 2, 3, 4), 2, 2, Float32Array.of(0, 1), 1, '');
  assert.equal(new TextDecoder().decode(bytes.subarray(0, 8)), 'RSARRAY1');
  assert.equal(thrownBy(() => kernel().encodeArrays(Float32Array.of(1), 1, 1, Float32Array.of(1), 1, 'guess'))['field'], 'task');
});
