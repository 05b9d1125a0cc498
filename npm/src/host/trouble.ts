/** What SQLite reports, in the words of the core; and patience while another process writes. */
import { type HostTrouble, hostError } from '../load/kernel.js';
import type { RuvSwarmError } from '../gen/errors.js';
import { drawJitterMs } from './random.js';

/** How long a transaction waits for other processes before it gives up, in ms. */
export const PATIENCE_MS = 10_000;

/** `SQLITE_IOERR_SHMSIZE`: the shared-memory index could not grow, which a full disk causes. */
const IOERR_SHMSIZE = 4874;

/** The primary result codes of SQLite that mean something to people. */
const KINDS: ReadonlyMap<number, HostTrouble> = new Map([
  [5, 'busy'], // SQLITE_BUSY
  [6, 'busy'], // SQLITE_LOCKED
  [15, 'busy'], // SQLITE_PROTOCOL: a race for the locks of the log
  [26, 'not_a_database'], // SQLITE_NOTADB
  [11, 'damaged_database'], // SQLITE_CORRUPT
  [13, 'disk_full'], // SQLITE_FULL
  [8, 'read_only'], // SQLITE_READONLY
  [3, 'read_only'], // SQLITE_PERM
  // the file itself was looked at before; what cannot be opened now is the log beside it
  [14, 'read_only'], // SQLITE_CANTOPEN
]);

function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code : undefined;
}

/** Whether SQLite reported it, or Node's reading of its values. */
export function isSqliteError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ERR_SQLITE_ERROR' || code === 'ERR_OUT_OF_RANGE';
}

/** The kind of trouble that an error of the database means. */
export function troubleKind(error: unknown): HostTrouble {
  const code = resultCode(error);
  // no error of SQLite but of the values read: the file does not hold what it should
  if (code === undefined) return 'damaged_database';
  if (code === IOERR_SHMSIZE) return 'disk_full';
  return KINDS.get(code & 0xff) ?? 'store_failed';
}

/** SQLite's own words, one line, lower case as all our messages are. */
export function troubleDetail(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).toLowerCase();
  const code = resultCode(error);
  return code === undefined ? text : `${text} (sqlite code ${code})`;
}

/** The error of the project for an error of the database that people call `path`. */
export function storeError(error: unknown, path: string): RuvSwarmError {
  const kind = troubleKind(error);
  return hostError(kind, 'db', path, kind === 'busy' ? String(PATIENCE_MS) : troubleDetail(error));
}

/** Whether another process holds the lock, so that repeating can help. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) !== undefined && troubleKind(error) === 'busy';
}

/**
 * Repeats `attempt` while another process holds the lock, for as long as people may wait.
 *
 * The event loop runs on meanwhile, but not between the attempt and the return of `then`: a
 * transaction that was begun is ended before anybody else gets to use the connection.
 */
export async function patiently<T>(path: string, attempt: () => T): Promise<T>;
export async function patiently<A, T>(path: string, attempt: () => A, then: (begun: A) => T): Promise<T>;
export async function patiently<A, T>(path: string, attempt: () => A, then?: (begun: A) => T): Promise<A | T> {
  const start = performance.now();
  for (;;) {
    let begun: A;
    try {
      begun = attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() - start > PATIENCE_MS) throw storeError(error, path);
      // waits with jitter: processes that wait in step would find the lock taken in step
      await new Promise((resolve) => setTimeout(resolve, drawJitterMs(3)));
      continue;
    }
    return then ? then(begun) : begun;
  }
}
