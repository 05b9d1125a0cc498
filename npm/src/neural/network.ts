/** A trained network: the same file, and the same answers to the last bit, in every language. */
import type { Network as Answering } from '../../wasm/neural/ruv_swarm_neural.js';
import { errorFromJson, errorOf } from '../gen/errors.js';
import { guarded } from '../load/kernel.js';
import { neuralKernel, neuralMemory } from './kernel.js';
import type { Evaluation, NetworkReport } from './options.js';

/** How many numbers pass into the module at a time: what a processor's second cache holds well. */
const CHUNK_NUMBERS = 32_768;
/** Rows with more numbers than this are copied by the engine's own loop, shorter ones by ours. */
const FEW = 24;
/** Rows are answered in blocks of so many. */
const BLOCK = 64;

/** A network, ready to answer. Free it with `free` or a `using` declaration. */
export class Network {
  /** What came of its training; undefined for one that was loaded from a file. */
  readonly report: NetworkReport | undefined;
  /** How many numbers a row has. */
  readonly inputs: number;
  /** How many numbers an answer has. */
  readonly outputs: number;
  readonly #bytes: Uint8Array;
  readonly #network: Answering;
  readonly #chunkRows: number;
  #input = new Float32Array(0);
  #output = new Float32Array(0);

  private constructor(bytes: Uint8Array, network: Answering, report: NetworkReport | undefined) {
    this.#bytes = bytes;
    this.#network = network;
    this.report = report;
    this.inputs = network.inputs();
    this.outputs = network.outputs();
    const rows = Math.floor(CHUNK_NUMBERS / Math.max(this.inputs + this.outputs, 1) / BLOCK) * BLOCK;
    this.#chunkRows = Math.max(rows, BLOCK);
  }

  /** The network that a model file's bytes hold; `report` is kept beside it. */
  static load(bytes: Uint8Array, report?: NetworkReport): Network {
    const own = bytes.slice();
    return new Network(own, guarded(() => neuralKernel().Network.load(own)), report);
  }

  /** The model file. */
  toBytes(): Uint8Array {
    return this.#bytes.slice();
  }

  /** SHA-256 of the model file, in hex. */
  get hash(): string {
    return this.#network.hash();
  }

  /** What it is: task, target, classes, layers. */
  describe(): Record<string, unknown> {
    return JSON.parse(this.#network.describe()) as Record<string, unknown>;
  }

  /** Answers one row; with `out` given, nothing is allocated. */
  run(row: ArrayLike<number>, out: Float32Array = new Float32Array(this.outputs)): Float32Array {
    const { inputs, outputs } = this;
    if (row.length !== inputs) throw wrongLength('row', row.length, `${inputs}`);
    if (out.length !== outputs) throw wrongLength('out', out.length, `${outputs}`);
    // a memory that has grown leaves views of no length behind
    if (this.#input.length === 0) this.#look(1);
    const input = this.#input;
    if (inputs > FEW) input.set(row);
    else for (let i = 0; i < inputs; i += 1) input[i] = row[i] as number;
    if (!this.#network.run()) throw this.#refused();
    const output = this.#output.length > 0 ? this.#output : this.#look(1);
    for (let i = 0; i < outputs; i += 1) out[i] = output[i] as number;
    return out;
  }

  /** Answers rows of numbers, one after the other; the answers stand in `out` in the same order. */
  predict(inputs: Float32Array, out?: Float32Array): Float32Array {
    const rows = inputs.length / this.inputs;
    if (!Number.isInteger(rows)) throw wrongLength('inputs', inputs.length, `whole rows of ${this.inputs}`);
    const answers = out ?? new Float32Array(rows * this.outputs);
    if (answers.length !== rows * this.outputs) throw wrongLength('out', answers.length, `${rows} answers of ${this.outputs}`);
    for (let first = 0; first < rows; first += this.#chunkRows) this.#chunk(inputs, answers, first, Math.min(this.#chunkRows, rows - first));
    return answers;
  }

  /** Predictions for the rows of a CSV, as CSV. */
  predictCsv(csv: string | Uint8Array): { rows: number; csv: string } {
    const predicted = guarded(() => this.#network.predictCsv(bytesOf(csv)));
    return { rows: predicted.rows, csv: new TextDecoder().decode(predicted.csv) };
  }

  /** How well it does on the rows of a file that holds the targets too. */
  evaluate(data: string | Uint8Array): Evaluation {
    return JSON.parse(guarded(() => this.#network.evaluate(bytesOf(data)))) as Evaluation;
  }

  /** Gives its memory back. */
  free(): void {
    this.#network.free();
  }

  /** Frees it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.free();
  }

  #chunk(inputs: Float32Array, out: Float32Array, first: number, rows: number): void {
    if (this.#input.length < rows * this.inputs) this.#look(rows);
    const [from, to] = [first * this.inputs, (first + rows) * this.inputs];
    // a whole array needs no view of a part of it
    this.#input.set(from === 0 && to === inputs.length ? inputs : inputs.subarray(from, to));
    if (!this.#network.runRows(rows, first)) throw this.#refused();
    if (this.#output.length === 0) this.#look(1);
    const cells = rows * this.outputs;
    if (cells <= FEW) for (let i = 0; i < cells; i += 1) out[first * this.outputs + i] = this.#output[i] as number;
    else out.set(this.#output.length === cells ? this.#output : this.#output.subarray(0, cells), first * this.outputs);
  }

  /** Makes room in the module for so many rows, and looks at it; gives the view of the answers. */
  #look(rows: number): Float32Array {
    this.#network.reserve(rows);
    const { buffer } = neuralMemory();
    const room = this.#network.room();
    this.#input = new Float32Array(buffer, this.#network.inputAddress(), room * this.inputs);
    this.#output = new Float32Array(buffer, this.#network.outputAddress(), room * this.outputs);
    return this.#output;
  }

  #refused(): Error {
    const refusal = this.#network.refusal();
    return refusal === '' ? errorOf('internal', 'the network gave no answer') : errorFromJson(refusal);
  }
}

function wrongLength(field: string, length: number, allowed: string): Error {
  return errorOf('invalid_argument', `${field}: ${length} numbers; allowed: ${allowed}`, field);
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : data;
}
