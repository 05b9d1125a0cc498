/** A trained model that predicts; the same file in every language. */
import type { Model } from '../wasm/web/ruv_swarm.js';
import { guarded, kernel } from './load/kernel.js';

/** A model file, loaded. Free it with `free` or a `using` declaration. */
export class TrainedModel {
  readonly #model: Model;

  private constructor(model: Model) {
    this.#model = model;
  }

  /** The model that a file's bytes hold. */
  static load(bytes: Uint8Array): TrainedModel {
    return new TrainedModel(guarded(() => kernel().Model.load(bytes)));
  }

  /** SHA-256 of the file, in hex. */
  get hash(): string {
    return this.#model.hash();
  }

  /** How many numbers a row has that `predict` takes. */
  get inputs(): number {
    return this.#model.inputs();
  }

  /** How many numbers a row has that `predict` gives. */
  get outputs(): number {
    return this.#model.outputs();
  }

  /** What it is: task, target, classes, members. */
  describe(): Record<string, unknown> {
    return JSON.parse(this.#model.describe()) as Record<string, unknown>;
  }

  /** Answers for rows of numbers, one after the other. */
  predict(values: Float32Array, rows: number): Float32Array {
    return guarded(() => this.#model.predictRows(values, rows));
  }

  /** Predictions for the rows of a CSV, as CSV. */
  predictCsv(csv: string | Uint8Array): { rows: number; csv: string } {
    const predicted = guarded(() => this.#model.predictCsv(bytesOf(csv)));
    return { rows: predicted.rows, csv: new TextDecoder().decode(predicted.csv) };
  }

  /** How well it does on the rows of a CSV. */
  evaluateCsv(csv: string | Uint8Array): Record<string, unknown> {
    return JSON.parse(guarded(() => this.#model.evaluateCsv(bytesOf(csv)))) as Record<string, unknown>;
  }

  /** Gives its memory back. */
  free(): void {
    this.#model.free();
  }

  /** Frees it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.free();
  }
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : data;
}
