// One case of neural.py in Node: rows through the package's `Network`, epochs through the session of
// its WebAssembly module, which the package's own workers call the same way.
import { readFileSync } from 'node:fs';

const home = new URL('../npm/', import.meta.url);
const { load, Network } = await import(new URL('dist/neural/node.js', home).href);
const { Session } = await import(new URL('wasm/neural/ruv_swarm_neural.js', home).href);
load();

const words = process.argv.slice(2);
const said = Object.fromEntries(words.flatMap((word, i) => (i % 2 ? [] : [[word.slice(2), words[i + 1]]])));
const shape = said.shape.split('-').map(Number);
const [repTime, reps] = [Number(said['rep-time'] ?? 0.2), Number(said.reps ?? 7)];
const [width, outputs] = [shape[0], shape.at(-1)];
const RESTART = 100;
const RATES = { batch: 0.7, incremental: 0.05, quickprop: 0.7, adam: 0.01 };

/** Rows of a small generator; the class is the group of inputs with the largest sum. */
function synthetic(rows) {
  let state = 12345;
  const inputs = Float32Array.from({ length: rows * width }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 8388608 - 1;
  });
  const targets = new Float32Array(rows * outputs);
  const group = Math.floor(width / outputs);
  for (let row = 0; row < rows; row += 1) {
    const sums = Array.from({ length: outputs }, (_, c) => {
      const from = row * width + c * group;
      return inputs.subarray(from, from + group).reduce((sum, x) => sum + x, 0);
    });
    targets[row * outputs + sums.indexOf(Math.max(...sums))] = 1;
  }
  return { inputs, targets, rows };
}

/** Rows of FANN text, or the training rows of Proben1 text. */
function read(data) {
  if (data.startsWith('synth:')) return synthetic(Number(data.slice(6)));
  const lines = readFileSync(data, 'utf8').split('\n');
  const proben = lines[0].startsWith('bool_in');
  const rows = proben ? Number(lines[4].split('=')[1]) : Number(lines[0].trim().split(/\s+/)[0]);
  const numbers = lines.slice(proben ? 7 : 1).join(' ').trim().split(/\s+/);
  const [inputs, targets] = [new Float32Array(rows * width), new Float32Array(rows * outputs)];
  for (let row = 0, at = 0; row < rows; row += 1) {
    for (let i = 0; i < width; i += 1) inputs[row * width + i] = Number(numbers[at++]);
    for (let i = 0; i < outputs; i += 1) targets[row * outputs + i] = Number(numbers[at++]);
  }
  return { inputs, targets, rows };
}

const { inputs, targets, rows } = read(said.data);

function session(op) {
  const options = {
    task: 'regression', scaling: 'none', targetScaling: 'none', split: [100, 0, 0], splitBy: 'ordered',
    hidden: shape.slice(1, -1), activation: 'logistic', outputActivation: 'logistic', loss: 'squared',
    init: 'uniform', initRange: 0.2, algorithm: op, epochs: RESTART,
  };
  if (op in RATES) options.learningRate = RATES[op];
  if (op === 'batch') options.momentum = 0;
  if (op === 'adam') options.batchRows = 0;
  return Session.fromArrays(inputs, targets, rows, JSON.stringify(options));
}

/** Epochs of a training that starts again every 100; the start is not timed. */
function epochs(op) {
  let [training, left] = [session(op), RESTART];
  return (n) => {
    let seconds = 0;
    for (let todo = n; todo > 0; ) {
      if (left === 0) {
        training.free();
        [training, left] = [session(op), RESTART];
      }
      const slice = Math.min(todo, left);
      const started = performance.now();
      training.run(slice);
      seconds += (performance.now() - started) / 1000;
      left -= slice;
      todo -= slice;
    }
    return seconds;
  };
}

function timed(work) {
  return (n) => {
    const started = performance.now();
    work(n);
    return (performance.now() - started) / 1000;
  };
}

/** How much a repetition does, and the sorted seconds of one unit of each. */
function measure(run) {
  let n = 1;
  for (let i = 0; i < 4; i += 1) n = Math.max(1, Math.min(Math.floor((n * repTime) / Math.max(run(n), 1e-7)), n * 1000));
  const seconds = Array.from({ length: reps }, () => run(n) / n).sort((a, b) => a - b);
  return { n, seconds };
}

function network() {
  const training = session('rprop');
  training.run(1);
  return Network.load(training.finish().model);
}

/** One row a call, in the plain form, or with an array for the answer. */
function single(out) {
  const answering = network();
  const each = Array.from({ length: Math.min(rows, 256) }, (_, row) => inputs.slice(row * width, (row + 1) * width));
  let sum = 0;
  const work = (n) => {
    for (let i = 0, k = 0; i < n; i += 1) {
      sum += answering.run(each[k], out)[0];
      if (++k === each.length) k = 0;
    }
  };
  const found = measure(timed(work));
  if (Number.isNaN(sum)) throw new Error('an answer is no number');
  return found;
}

function whole() {
  const answering = network();
  const out = new Float32Array(rows * outputs);
  const { n, seconds } = measure(timed((n) => { for (let i = 0; i < n; i += 1) answering.predict(inputs, out); }));
  return { n: n * rows, seconds: seconds.map((time) => time / rows) };
}

let [weights, connections] = [0, 0];
for (let i = 0; i + 1 < shape.length; i += 1) {
  weights += shape[i] * shape[i + 1];
  connections += (shape[i] + 1) * shape[i + 1];
}
for (const op of said.ops.split(',')) {
  const running = op.startsWith('run');
  const kinds = { run1: () => single(new Float32Array(outputs)), 'run1-plain': () => single(undefined), runN: whole };
  const { n, seconds } = (kinds[op] ?? (() => measure(epochs(op))))();
  const [median, least] = [seconds[seconds.length >> 1], seconds[0]];
  const units = running ? 1 : rows;
  const flops = running ? 2 * weights : 6 * weights - 2 * shape[0] * shape[1];
  console.log(JSON.stringify({
    engine: 'ours-wasm', case: said.name, shape: said.shape, rows, op, threads: 1, n, reps: seconds.length,
    median_s: median, min_s: least, per_s: 1 / median, best_per_s: 1 / least,
    mcups: (connections * units) / median / 1e6, gflops: (flops * units) / median / 1e9, node: process.version,
  }));
}
