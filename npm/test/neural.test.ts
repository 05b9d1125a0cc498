/** Networks: learnt, run and carried on from JavaScript, with the same bits however training is cut. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { neural, RuvSwarmError } from '@ruv/swarm';
import { Network, startTraining, train } from '@ruv/swarm/neural';

import { xorCsv } from './helpers.ts';

const { resumeTraining } = neural;

/** XOR as numbers, all rows to learn from. */
const XOR = { inputs: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), targets: Float32Array.of(0, 1, 1, 0), rows: 4 };
const ALL = { task: 'regression', seed: 2, split: [100, 0, 0], scaling: 'none', targetScaling: 'none', outputActivation: 'logistic', hidden: 4, epochs: 1000, targetError: 1e-4 } as const;

/** Training that lasts a while, whatever it is cut into. */
const LONG = { hidden: [24, 16], epochs: 800, patience: 0 };

/** Two columns of numbers and a third that depends on them. */
function wavesCsv(rows = 700): string {
  const line = (i: number): string => {
    const [a, b] = [(i * 37) % 101, (i * 61) % 89];
    return `${a},${b},${Math.round(100 * Math.sin(a / 13) * Math.cos(b / 17))}`;
  };
  return `a,b,y\n${Array.from({ length: rows }, (_, i) => line(i)).join('\n')}\n`;
}

async function refusal(work: () => unknown): Promise<RuvSwarmError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof RuvSwarmError, String(error));
    return error;
  }
  return assert.fail('nothing was refused');
}

test('XOR is learnt from numbers in typed arrays', async () => {
  using network = await train(XOR, ALL);
  assert.deepEqual([network.inputs, network.outputs], [2, 1]);
  const answers = [...network.predict(XOR.inputs)];
  assert.deepEqual(answers.map(Math.round), [0, 1, 1, 0], String(answers));
  assert.equal(network.report?.modelHash, network.hash);
  assert.ok((network.report?.trainLoss ?? 1) < 0.01, JSON.stringify(network.report));
  // nested arrays are the same numbers
  using again = await train({ inputs: [[0, 0], [0, 1], [1, 0], [1, 1]], targets: [0, 1, 1, 0] }, ALL, { inline: true });
  assert.equal(again.hash, network.hash);
});

test('XOR is learnt from CSV, and the file says the same again', async () => {
  using network = await train(xorCsv(), { hidden: [4] });
  assert.equal(network.report?.testAccuracy, 1);
  using again = Network.load(network.toBytes());
  assert.equal(again.hash, network.hash);
  assert.equal(again.report, undefined);
  assert.deepEqual(again.describe()['classes'], ['no', 'yes']);
  assert.deepEqual([...again.run([0, 1])], [...network.run([0, 1])]);
  const { rows, csv } = again.predictCsv('a,b\n0,0\n0,1\n');
  assert.equal(rows, 2);
  assert.deepEqual(csv.split('\n').map((line) => line.split(',')[0]), ['prediction', 'no', 'yes', '']);
  const evaluation = again.evaluate(xorCsv(2));
  assert.deepEqual([evaluation.rows, evaluation.accuracy], [8, 1]);
});

test('one row a call and many rows a call give the same bits', async () => {
  using network = await train(wavesCsv(300), { hidden: [8, 5], epochs: 20 });
  const rows = 1000;
  const inputs = Float32Array.from({ length: rows * 2 }, (_, i) => ((i * 29) % 97) - 20);
  const many = network.predict(inputs);
  assert.equal(many.length, rows);
  const into = new Float32Array(1);
  for (let row = 0; row < rows; row += 1) {
    const one = inputs.subarray(row * 2, row * 2 + 2);
    assert.equal(network.run(one, into), into);
    assert.equal(into[0], many[row], `row ${row}`);
  }
  const out = new Float32Array(rows);
  assert.equal(network.predict(inputs, out), out);
  assert.deepEqual(out, many);
  // the module's memory grows under the network's feet when another one trains
  using other = await train(wavesCsv(20_000), { hidden: [64], epochs: 1 }, { inline: true });
  assert.equal(network.run(inputs.subarray(0, 2))[0], many[0]);
  assert.equal(other.outputs, 1);
});

test('many rows pass in pieces, and a refused one is named by its own number', async () => {
  using network = await train(wavesCsv(300), { hidden: [3], epochs: 5 });
  const rows = 60_000;
  const inputs = Float32Array.from({ length: rows * 2 }, (_, i) => i % 50);
  const many = network.predict(inputs);
  assert.equal(many[59_999], network.run(inputs.subarray(-2))[0]);
  inputs[2 * 54_321 + 1] = NaN;
  const error = await refusal(() => network.predict(inputs));
  assert.deepEqual([error.code, error.field], ['invalid_data', 'inputs']);
  assert.match(error.message, /row 54322, column 2/);
  assert.equal((await refusal(() => network.run([1, Infinity]))).code, 'invalid_data');
  assert.equal(network.run([1, 2]).length, 1);
});

test('pause, resume and slices change no bit', async () => {
  const data = wavesCsv();
  using undisturbed = await train(data, LONG);
  const seen: number[] = [];
  const training = startTraining(data, LONG, { onProgress: ({ epoch }) => seen.push(epoch) });
  await until(() => seen.length > 0);
  training.pause();
  await quiet(seen);
  const at = training.progress?.epoch ?? 0;
  assert.ok(at > 0 && at < LONG.epochs, `paused in epoch ${at}`);
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(training.progress?.epoch, at);
  training.resume();
  using network = await training.result;
  assert.equal(network.hash, undisturbed.hash);
  assert.equal(network.report?.epochs, LONG.epochs);
  assert.deepEqual(seen, [...seen].sort((a, b) => a - b));
  using inline = await train(data, LONG, { inline: true });
  assert.equal(inline.hash, undisturbed.hash);
});

test('training goes on from a checkpoint bit for bit', async () => {
  const data = wavesCsv();
  using undisturbed = await train(data, LONG);
  const training = startTraining(data, LONG);
  await until(() => (training.progress?.epoch ?? 0) > 20);
  const checkpoint = await training.checkpoint();
  training.cancel();
  assert.equal((await refusal(() => training.result)).code, 'cancelled');
  assert.equal((await refusal(() => training.checkpoint())).code, 'failed_precondition');
  using network = await resumeTraining(checkpoint, data).result;
  assert.equal(network.hash, undisturbed.hash);
  const error = await refusal(() => resumeTraining(checkpoint, wavesCsv(650)).result);
  assert.deepEqual([error.code, error.field], ['invalid_data', 'data']);
  const damaged = checkpoint.slice();
  damaged[40] = (damaged[40] ?? 0) ^ 1;
  const refused = await refusal(() => resumeTraining(damaged, data).result);
  assert.equal(refused.exitCode, 2);
});

test('checkpoints come at the epochs that were asked for', async () => {
  const data = wavesCsv(200);
  const options = { hidden: [4], epochs: 95 };
  const taken: Uint8Array[] = [];
  using network = await train(data, options, { checkpointEvery: 30, onCheckpoint: (bytes) => taken.push(bytes) });
  assert.equal(taken.length, 4);
  for (const checkpoint of taken) {
    using again = await resumeTraining(checkpoint, data, { inline: true }).result;
    assert.equal(again.hash, network.hash);
  }
});

test('a signal, cancel and a limit end it', async () => {
  const data = wavesCsv();
  const endless = { ...LONG, epochs: 1_000_000 };
  assert.equal((await refusal(() => train(data, endless, { signal: AbortSignal.abort() }))).code, 'cancelled');
  for (const inline of [false, true]) {
    assert.equal((await refusal(() => train(data, endless, { inline, signal: AbortSignal.timeout(200) }))).code, 'cancelled');
    using network = await train(data, endless, { inline, seconds: 0.3 });
    assert.equal(network.report?.stopped, 'time');
    // the same number of epochs gives the same bits
    using again = await train(data, { ...endless, epochs: network.report?.epochs ?? 0 });
    assert.equal(again.hash.length, 64);
    assert.equal(again.report?.trainLoss, network.report?.trainLoss);
  }
  const training = startTraining(data, endless);
  await until(() => training.progress !== undefined);
  training.stop();
  using kept = await training.result;
  assert.equal(kept.report?.stopped, 'cancelled');
  const mine = new Error('my own');
  await assert.rejects(train(data, endless, { onProgress: () => { throw mine; } }), mine);
});

test('bad input is refused with the field', async () => {
  const cases: readonly [string, string, () => unknown][] = [
    ['invalid_argument', 'hidden', () => train(xorCsv(), { hidden: [0] })],
    ['invalid_argument', 'algorithm', () => train(xorCsv(), { algorithm: 'magic' })],
    ['invalid_argument', 'learningRate', () => train(xorCsv(), { learningRate: -1 })],
    ['invalid_argument', 'layers', () => train(xorCsv(), { layers: 3 } as object)],
    ['invalid_argument', 'seconds', () => train(xorCsv(), {}, { seconds: -1 })],
    ['invalid_argument', 'checkpointEvery', () => train(xorCsv(), {}, { checkpointEvery: 2.5 })],
    ['invalid_data', 'data', () => train('')],
    ['invalid_data', 'targets', () => train({ inputs: [[1], [2]], targets: [1] })],
    ['invalid_data', 'inputs', () => train({ inputs: [[1, 2], [2]], targets: [1, 2] })],
    ['invalid_data', 'data', () => train({ inputs: new Float32Array(5), targets: new Float32Array(2), rows: 2 })],
    ['invalid_data', 'data', () => train({ inputs: Float32Array.of(1, NaN, 3), targets: Float32Array.of(1, 2, 3), rows: 3 })],
  ];
  for (const [code, field, work] of cases) {
    const error = await refusal(work);
    assert.deepEqual([error.code, error.field], [code, field], `${work}: ${error.message}`);
  }
  using network = await train(XOR, { ...ALL, epochs: 1 });
  const lengths: readonly [string, () => unknown][] = [
    ['row', () => network.run([1])],
    ['out', () => network.run([1, 2], new Float32Array(2))],
    ['inputs', () => network.predict(new Float32Array(3))],
    ['out', () => network.predict(new Float32Array(4), new Float32Array(1))],
  ];
  for (const [field, work] of lengths) assert.deepEqual([(await refusal(work)).code, field], ['invalid_argument', field]);
  const bytes = network.toBytes();
  assert.equal((await refusal(() => Network.load(bytes.subarray(0, 50)))).code, 'invalid_data');
  bytes[20] = (bytes[20] ?? 0) ^ 4;
  await refusal(() => Network.load(bytes));
});

/** What a file of vectors says: trainings, and what comes of them. */
function vectors(name: string): { data: Uint8Array; options: object; expected: unknown[] }[] {
  const shared = new URL('../../tests/', import.meta.url);
  interface Case {
    readonly data: string;
    readonly options: string;
    readonly modelHash: string;
    readonly report: unknown;
  }
  const { cases } = JSON.parse(readFileSync(new URL(`vectors/neural/${name}`, shared), 'utf8')) as { cases: Case[] };
  assert.ok(cases.length > 10);
  return cases.map(({ data, options, modelHash, report }) => ({
    data: readFileSync(new URL(`data/${data}`, shared)),
    options: JSON.parse(options) as object,
    expected: [modelHash, report],
  }));
}

test('every network of the vectors has the bits that were stored', async () => {
  for (const { data, options, expected } of vectors('session.json')) {
    using network = await train(data, options, { inline: true });
    assert.deepEqual([network.hash, network.report], expected, JSON.stringify(options));
  }
});

test('workers side by side give the bits that were stored', async () => {
  const cases = vectors('thousand.json');
  for (const threads of [1, 2, 5]) {
    const waiting = cases.values();
    const work = async (): Promise<void> => {
      for (const { data, options, expected } of waiting) {
        using network = await train(data, options);
        assert.deepEqual([network.hash, network.report], expected, JSON.stringify(options));
      }
    };
    await Promise.all(Array.from({ length: threads }, work));
  }
});

/** Waits until `holds`, which something outside brings about. */
async function until(holds: () => boolean): Promise<void> {
  const patience = AbortSignal.timeout(30_000);
  while (!holds()) {
    patience.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits until nothing more comes in. */
async function quiet(seen: readonly unknown[]): Promise<void> {
  for (let before = -1; before !== seen.length; ) {
    before = seen.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}
