/** What the command line prints: JSON lines or text, and no crash when nobody reads it. */
import { writeSync } from 'node:fs';
import { hostError } from '../load/kernel.js';
import { systemWords } from '../host/sqlite-open.js';

/** Standard output with its mode. */
export class Output {
  /** True if only JSON lines may be printed. */
  readonly json: boolean;
  /** True if a person looks on, so that a table may be redrawn. */
  readonly terminal: boolean;
  #closed = false;
  #trouble: NodeJS.ErrnoException | undefined;

  constructor(json: boolean) {
    this.json = json;
    this.terminal = process.stdout.isTTY === true && !json;
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      this.#closed = true;
      // a reader that has seen enough (`| head`) is no trouble
      if (error.code !== 'EPIPE') this.#trouble = error;
    });
  }

  /** True once the reader has gone: there is no use in printing more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Text for people; nothing in JSON mode. */
  text(text: string): void {
    if (!this.json) this.bytes(text);
  }

  /** The text or the JSON line, by mode. */
  result(text: string, json: string): void {
    if (this.json) this.line(json);
    else this.bytes(text);
  }

  /** A line in any mode. */
  line(line: string): void {
    this.bytes(`${line}\n`);
  }

  /** Bytes in any mode. */
  bytes(bytes: string | Uint8Array): void {
    if (!this.#closed) process.stdout.write(bytes);
  }

  /** Waits until all is written; throws what kept the output from its reader, if anything did. */
  async finish(): Promise<void> {
    if (!this.#closed) await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
    if (this.#trouble) throw hostError('file_unwritable', 'out', 'standard output', systemWords(this.#trouble));
  }
}

/** An error in words on standard error. */
export function complain(message: string): void {
  try {
    writeSync(2, `error: ${message}\n`);
  } catch {
    // with standard error gone there is nobody left to tell
  }
}
