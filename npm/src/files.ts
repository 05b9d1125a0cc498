/** Files that people name: read whole, written at once or not at all, with the core's error texts. */
import { randomBytes } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorOf, RuvSwarmError } from './gen/errors.js';
import { hostError } from './load/kernel.js';
import { systemWords } from './host/sqlite-open.js';

/** The largest file that is read as a dataset or a model: 256 MiB, as the core's limit for artifacts. */
const MAX_BYTES = 256 * 1024 * 1024;
/** How much of a larger one is read at a time. */
const PIECE = 256 * 1024;

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** All bytes of the file that was given as `field`. */
export function readWhole(field: string, path: string): Uint8Array {
  try {
    const meta = statSync(path);
    if (meta.isDirectory()) throw hostError('file_is_folder', field, path);
    if (meta.size > MAX_BYTES) throw tooLarge(field, path);
    const bytes = readFileSync(path);
    // a pipe tells its length only at its end
    if (bytes.byteLength > MAX_BYTES) throw tooLarge(field, path);
    return bytes;
  } catch (error) {
    if (error instanceof RuvSwarmError) throw error;
    if (codeOf(error) === 'ENOENT') throw hostError('file_missing', field, path);
    throw hostError('file_unreadable', field, path, systemWords(error));
  }
}

function tooLarge(field: string, path: string): RuvSwarmError {
  const message = `${field}: "${path}" has more than ${MAX_BYTES} bytes (256 MiB), which is the limit`;
  return errorOf('limit_exceeded', message, field);
}

/** The file that was given as `field`, piece by piece, whatever its size; `-` is standard input. */
export async function* pieces(field: string, path: string): AsyncGenerator<Uint8Array> {
  try {
    if (path === '-') yield* process.stdin as AsyncIterable<Buffer>;
    else if (statSync(path).isDirectory()) throw hostError('file_is_folder', field, path);
    else yield* createReadStream(path, { highWaterMark: PIECE }) as AsyncIterable<Buffer>;
  } catch (error) {
    if (error instanceof RuvSwarmError) throw error;
    if (path === '-') throw errorOf('invalid_argument', `${field}: cannot read standard input: ${systemWords(error)}`, field);
    if (codeOf(error) === 'ENOENT') throw hostError('file_missing', field, path);
    throw hostError('file_unreadable', field, path, systemWords(error));
  }
}

/** All bytes of the file that was given as `field`, or of standard input for `-`. */
export async function readAll(field: string, path: string): Promise<Uint8Array> {
  if (path !== '-') return readWhole(field, path);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces(field, path)) {
    chunks.push(piece);
    size += piece.byteLength;
    if (size > MAX_BYTES) {
      throw errorOf('limit_exceeded', `${field}: standard input has more than ${MAX_BYTES} bytes (256 MiB), which is the limit`, field);
    }
  }
  return Buffer.concat(chunks);
}

/**
 * Refuses a path that was given as `field` and cannot be written: a folder, or one in no folder. What
 * takes long to make is asked about before it is made.
 */
export function checkTarget(field: string, path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw hostError('file_is_folder', field, path);
  if (!statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) {
    throw hostError('file_unwritable', field, path, 'its folder does not exist');
  }
}

/** Writes the file that was given as `field`: readers see the old file or the whole new one. */
export function writeAtomically(field: string, path: string, bytes: Uint8Array): void {
  const file = new NewFile(field, path);
  file.write(bytes);
  file.commit();
}

/** A file that is written piece by piece and seen by readers only when it is whole. */
export class NewFile {
  readonly #field: string;
  readonly #path: string;
  /** Where it is written until it is whole; none for a device or a pipe, which is written at once. */
  readonly #beside: string | undefined;
  #file: number | undefined;

  constructor(field: string, path: string) {
    this.#field = field;
    this.#path = path;
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw hostError('file_is_folder', field, path);
    // a device or a pipe cannot be replaced by a rename
    if (!there || there.isFile()) this.#beside = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.part`);
    this.#attempt(() => (this.#file = openSync(this.#beside ?? path, this.#beside === undefined ? 'w' : 'wx')));
  }

  /** Adds bytes. */
  write(bytes: Uint8Array): void {
    this.#attempt(() => {
      for (let at = 0; this.#file !== undefined && at < bytes.byteLength; ) at += writeSync(this.#file, bytes, at);
    });
  }

  /** Puts the whole file in its place. */
  commit(): void {
    this.#attempt(() => {
      if (this.#file === undefined) return;
      if (this.#beside !== undefined) fsyncSync(this.#file);
      closeSync(this.#file);
      this.#file = undefined;
      if (this.#beside !== undefined) renameSync(this.#beside, this.#path);
    });
  }

  /** Leaves nothing behind; after `commit` it does nothing. */
  abandon(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    if (this.#beside !== undefined) rmSync(this.#beside, { force: true });
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.abandon();
      if (this.#beside !== undefined) rmSync(this.#beside, { force: true });
      const words: Record<string, string> = { ENOENT: 'its folder does not exist', ENOSPC: 'no space left on the disk' };
      throw hostError('file_unwritable', this.#field, this.#path, words[codeOf(error) ?? ''] ?? systemWords(error));
    }
  }
}
