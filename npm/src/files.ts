/** Files that people name: read whole, written at once or not at all, with the core's error texts. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorOf, RuvSwarmError } from './gen/errors.js';
import { hostError } from './load/kernel.js';
import { systemWords } from './host/sqlite-open.js';

/** The largest file that is read as a dataset or a model: 256 MiB, as the core's limit for artifacts. */
const MAX_BYTES = 256 * 1024 * 1024;

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

/** Writes the file that was given as `field`: readers see the old file or the whole new one. */
export function writeAtomically(field: string, path: string, bytes: Uint8Array): void {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw hostError('file_is_folder', field, path);
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.part`);
  try {
    // a device or a pipe cannot be replaced by a rename
    if (there && !there.isFile()) return writeFileSync(path, bytes);
    const file = openSync(beside, 'wx');
    try {
      for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    const words: Record<string, string> = { ENOENT: 'its folder does not exist', ENOSPC: 'no space left on the disk' };
    throw hostError('file_unwritable', field, path, words[codeOf(error) ?? ''] ?? systemWords(error));
  }
}
