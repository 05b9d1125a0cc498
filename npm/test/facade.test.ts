/** The API for programs: learning, the founding document's lines, closing. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { kernel, RuvSwarm, TrainedModel, type TrainingData } from '@ruv/swarm';
import { folder, xorCsv } from './helpers.ts';

test('the module is loaded at its first use', () => {
  assert.throws(() => TrainedModel.load(new Uint8Array(10)), { code: 'invalid_data' });
});

test('the lines of the founding document run as written', async (t) => {
  const before = process.cwd();
  process.chdir(folder(t));
  t.after(() => process.chdir(before));
  const trainingData: TrainingData = xorCsv();

  // Initialize with persistence
  const swarm = await RuvSwarm.init({
    topology: 'mesh',
    persistence: {
      type: 'sqlite',
      path: './swarm.db'
    }
  });

  // Spawn specialized agent
  const agent = await swarm.spawn({
    type: 'neural-processor',
    model: 'ruv-fann',
    capabilities: ['cascade-correlation', 'rprop']
  });

  // Process with cognitive diversity
  const result = await swarm.orchestrate({
    strategy: 'neuro-divergent',
    agents: ['convergent', 'divergent', 'lateral'],
    task: {
      type: 'train',
      data: trainingData
    }
  });

  const tools = await RuvSwarm.registerMCPTools();

  assert.equal(agent.id, 'a1');
  assert.equal(result.state, 'completed');
  assert.match(result.modelHash ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(result.members?.map(({ pattern }) => pattern).sort(), ['convergent', 'divergent', 'lateral']);
  assert.ok(tools.some(({ definition }) => definition.alias === 'ruv-swarm.orchestrate'));
  const status = tools.find(({ definition }) => definition.name === 'swarm_status');
  assert.equal((await status?.call({}))?.structuredContent['agents'], 3);
  await swarm.close();
});

test('XOR and iris are learned, and the same seed gives the same model', async () => {
  const learn = async (data: TrainingData): Promise<{ hash: string; accuracy: number }> => {
    await using swarm = await RuvSwarm.init({ seed: 42 });
    const { modelHash = '', ensemble } = await swarm.orchestrate({ strategy: 'cognitive-diversity', task: { type: 'train', data } });
    return { hash: modelHash, accuracy: ensemble?.testAccuracy ?? 0 };
  };
  const xor = await learn(xorCsv());
  assert.equal(xor.accuracy, 1);
  const sample = new TextDecoder().decode(kernel().sampleData());
  const [iris, again] = [await learn(sample), await learn(new TextEncoder().encode(sample))];
  assert.ok(iris.accuracy >= 0.9, `iris: ${iris.accuracy}`);
  assert.equal(again.hash, iris.hash);
});

test('the number of threads changes no bit', async () => {
  const hashes = new Set<string>();
  for (const threads of [1, 4]) {
    await using swarm = await RuvSwarm.init({ seed: 5 });
    const { modelHash = '' } = await swarm.orchestrate({ threads, strategy: 'cognitive-diversity', task: { type: 'train', data: xorCsv() } });
    hashes.add(modelHash);
  }
  assert.equal(hashes.size, 1);
});

test('arrays train and a model predicts rows and CSV', async () => {
  await using swarm = await RuvSwarm.init({ seed: 1 });
  const inputs = Array.from({ length: 80 }, (_, i) => [(i >> 1) & 1, i & 1]);
  const targets = inputs.map(([a = 0, b = 0]) => a ^ b);
  const { modelHash = '' } = await swarm.orchestrate({ task: { type: 'train', data: { inputs, targets } }, agents: ['convergent'] });
  using model = await swarm.model(modelHash);
  assert.equal(model.hash, modelHash);
  assert.deepEqual([model.inputs, model.outputs], [2, 2]);
  const outputs = model.predict(Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), 4);
  const classes = [0, 1, 2, 3].map((row) => ((outputs[row * 2 + 1] ?? 0) > (outputs[row * 2] ?? 0) ? 1 : 0));
  assert.deepEqual(classes, [0, 1, 1, 0]);
  assert.throws(() => model.predict(Float32Array.of(1), 4), { code: 'invalid_argument' });
});

test('uneven or unmatched arrays are refused before anything is written', async () => {
  await using swarm = await RuvSwarm.init({ seed: 1 });
  const train = (data: TrainingData): Promise<unknown> => swarm.orchestrate({ task: { type: 'train', data } });
  await assert.rejects(train({ inputs: [[1, 2], [3]], targets: [0, 1] }), /row 2 has 1 numbers, row 1 has 2/);
  await assert.rejects(train({ inputs: [[1], [2]], targets: [0] }), /1 rows for 2 rows of inputs/);
  await assert.rejects(train('a,b\n1,2\n'), { code: 'invalid_data' });
  assert.equal((await swarm.status()).version, 1);
});

test('a cancelled goal is cancelled in the log and the caller hears of it', async () => {
  await using swarm = await RuvSwarm.init({ seed: 1 });
  const controller = new AbortController();
  const training = swarm.orchestrate({ task: { type: 'train' }, signal: controller.signal, onProgress: () => controller.abort() });
  await assert.rejects(training, { code: 'cancelled' });
  assert.equal((await swarm.status({ verbose: true })).goals?.length, 0);
});

test('a goal in words is planned for workers, and any operation can be called', async () => {
  await using swarm = await RuvSwarm.init({ seed: 1 });
  const planned = await swarm.orchestrate({ task: 'write a report' });
  assert.equal(planned.state, 'running');
  assert.match(planned.message ?? '', /no worker/);
  const agent = await swarm.spawn({ type: 'coder' });
  const { task } = await swarm.call<{ task: { id: string; lease: { epoch: number } } }>('task_claim', { agentId: agent.id });
  await swarm.call('task_report', { taskId: task.id, agentId: agent.id, epoch: task.lease.epoch, outcome: 'completed', output: 'done' });
  const results = await swarm.call<{ state: string }>('task_results', { goalId: planned.goalId });
  assert.equal(results.state, 'completed');
});

test('a closed swarm and an unknown store say so', async (t) => {
  const swarm = await RuvSwarm.init();
  await swarm.close();
  await assert.rejects(swarm.status(), { code: 'failed_precondition' });
  // @ts-expect-error: what the types forbid is refused at run time too
  await assert.rejects(RuvSwarm.init({ persistence: { type: 'tape' } }), /allowed: sqlite, memory/);
  const path = join(folder(t), 'no', 'such', 'folder.db');
  await assert.rejects(RuvSwarm.init({ persistence: { type: 'sqlite', path } }), { code: 'invalid_argument', field: 'db' });
});

test('the ledger by its methods', async () => {
  await using swarm = await RuvSwarm.init({ seed: 3 });
  const { id: agentId } = await swarm.spawn({ type: 'coder', name: 'one', silenceMs: 60_000 });
  assert.equal((await swarm.spawn({ type: 'coder', name: 'one', silenceMs: 60_000, join: true })).id, agentId);
  const plan = [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }];
  const submitted = await swarm.submit(plan, { goal: 'both', idempotencyKey: 'once' });
  assert.deepEqual(await swarm.submit(plan, { goal: 'both', idempotencyKey: 'once' }), submitted);
  assert.deepEqual(submitted, { taskIds: ['t1', 't2'], goalId: 'g1' });
  assert.equal((await swarm.update({ taskId: 't2', priority: 'high' })).priority, 75);
  assert.deepEqual((await swarm.explain('t2', agentId)).reasons.map(({ rule }) => rule), ['dependency']);
  assert.equal((await swarm.pause({ goalId: 'g1' })).changed, true);
  assert.equal(await swarm.claim({ agentId }), undefined);
  assert.deepEqual(await swarm.resume({ goalId: 'g1' }), { resumed: 'g1', changed: true });
  const task = await swarm.claim({ agentId, leaseMs: 60_000 });
  const held = { taskId: task?.id ?? '', agentId, epoch: task?.lease?.epoch ?? 0 };
  assert.equal((await swarm.heartbeat({ ...held, leaseMs: 60_000 })).cancelRequested, false);
  const { task: done, next } = await swarm.report({ ...held, outcome: 'completed', output: 'yes', claimNext: true });
  assert.deepEqual([done.state, next?.id], ['completed', 't2']);
  assert.deepEqual((await swarm.tasks({ state: 'running' })).tasks.map(({ id }) => id), ['t2']);
  assert.deepEqual(await swarm.cancel({ taskId: 't2' }), { cancelled: [], stopping: ['t2'] });
  const { cancelled = [], released } = await swarm.retire({ agentId });
  assert.deepEqual([cancelled, released], [['t2'], []]);
  const [metric] = (await swarm.metrics({ agentId })).agents;
  assert.deepEqual([metric?.state, metric?.claimed, metric?.completed, metric?.cancelled], ['retired', 2, 1, 1]);
});
