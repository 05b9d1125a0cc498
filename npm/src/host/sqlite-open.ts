/** Opening a database file, or making one: whose file it is and how new is settled before any write. */
import { accessSync, closeSync, constants, existsSync, openSync, readSync, realpathSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getSystemErrorMessage } from 'node:util';
import type { DatabaseSync } from 'node:sqlite';
import { type HostTrouble, hostError, kernel } from '../load/kernel.js';
import { errorOf, RuvSwarmError } from '../gen/errors.js';
import { patiently, storeError, troubleKind } from './trouble.js';
import type { Durability } from './store.js';

const MAGIC = 'SQLite format 3\0';
const HEADER = 100;
const VERSION_AT = 60;
const APPLICATION_AT = 68;
const SYNCHRONOUS: Readonly<Record<Durability, string>> = { full: 'FULL', normal: 'NORMAL', memory: 'OFF' };

/** Node's own SQLite, without the warning that it is young: both streams belong to our users. */
export function sqliteModule(): typeof import('node:sqlite') {
  const warn = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = warn;
  }
}

/** Whether there is something at the path that could be opened. */
export function databaseExists(path: string): boolean {
  const meta = statSync(path, { throwIfNoEntry: false });
  return meta !== undefined && (!meta.isFile() || meta.size > 0);
}

/** Opens and prepares one connection. */
export async function openDatabase(path: string, durability: Durability, create: boolean): Promise<DatabaseSync> {
  if (!(durability in SYNCHRONOUS)) {
    throw errorOf('invalid_argument', `durability: unknown value "${durability}"; allowed: full, normal, memory`, 'durability');
  }
  const memory = path === ':memory:';
  if (!memory) lookAt(path, create);
  const { DatabaseSync } = sqliteModule();
  let db: DatabaseSync | undefined;
  try {
    // waiting for locks is done by `patiently`, which lets the event loop run on
    db = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: false });
    await prepare(db, path, durability, create, memory);
    return db;
  } catch (error) {
    db?.close();
    throw error instanceof RuvSwarmError ? error : storeError(error, path);
  }
}

function fail(kind: HostTrouble, path: string, detail = ''): never {
  throw hostError(kind, 'db', path, detail);
}

/** Reads the file as plain bytes: missing, a folder, foreign or newer files are told apart before SQLite touches them. */
function lookAt(path: string, create: boolean): void {
  let meta: Stats | undefined;
  try {
    meta = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    fail('file_unreadable', path, systemWords(error));
  }
  if (!meta) {
    if (!create) fail('no_database', path);
    if (!statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) {
      fail('file_unwritable', path, 'its folder does not exist');
    }
    return;
  }
  if (meta.isDirectory()) fail('file_is_folder', path);
  if (meta.size === 0 && !create) fail('no_database', path);
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    // with a journal beside it a crash has left the first page half written: SQLite puts it right
    const crashed = existsSync(`${path}-journal`);
    if (meta.size > 0 && !crashed && !checkHeader(readHeader(path), path)) lookInside(path);
  } catch (error) {
    if (error instanceof RuvSwarmError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') fail('read_only', path);
    fail('file_unreadable', path, systemWords(error));
  }
}

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(HEADER);
  const file = openSync(path, 'r+');
  try {
    return header.subarray(0, readSync(file, header, 0, HEADER, 0));
  } finally {
    closeSync(file);
  }
}

/** True if the header says that the file is ours. */
function checkHeader(header: Buffer, path: string): boolean {
  if (header.length < HEADER || header.toString('latin1', 0, MAGIC.length) !== MAGIC) fail('not_a_database', path);
  const application = header.readUInt32BE(APPLICATION_AT);
  if (application !== 0) checkOwner(application, header.readUInt32BE(VERSION_AT), path);
  return application !== 0;
}

/**
 * Whose file it is, read without a lock and without the files that SQLite puts beside a database in
 * use: a file that is refused is left as it was, and its folder too.
 */
function lookInside(path: string): void {
  // in use, or left by a crash: the first page may be in the log, and SQLite has to be asked
  if (existsSync(`${path}-wal`)) return;
  const url = pathToFileURL(path);
  url.search = '?immutable=1';
  let [tables, application, version]: unknown[] = [];
  try {
    const db = new (sqliteModule().DatabaseSync)(url, { readOnly: true });
    try {
      // one transaction: another process may be making the tables just now
      db.exec('BEGIN');
      [application, version] = [pragma(db, 'application_id'), pragma(db, 'user_version')];
      tables = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'];
    } finally {
      db.close();
    }
  } catch (error) {
    if (troubleKind(error) === 'not_a_database') throw storeError(error, path);
    // whatever else it is shows again, and with certainty, under a lock
    return;
  }
  if (application !== 0 || tables !== 0) checkOwner(Number(application), Number(version), path);
}

function checkOwner(application: number, version: number, path: string): void {
  if (application !== kernel().applicationId()) fail('not_a_database', path);
  if (version > kernel().schemaVersion()) fail('newer_database', path, String(version));
}

async function prepare(db: DatabaseSync, path: string, durability: Durability, create: boolean, memory: boolean): Promise<void> {
  const application = await patiently(path, () => pragma(db, 'application_id'));
  if (application === 0) await createSchema(db, path, create);
  else checkOwner(Number(application), Number(pragma(db, 'user_version')), path);
  if (!memory) {
    const mode = await patiently(path, () => db.prepare('PRAGMA journal_mode=WAL').get()?.['journal_mode']);
    if (mode !== 'wal') fail('store_failed', path, `write-ahead logging is not to be had here (journal mode ${String(mode)})`);
  }
  db.exec(`PRAGMA synchronous=${SYNCHRONOUS[durability]}`);
}

/** Whether there is a log beside the database from before this connection. */
export function logIsLeft(path: string): boolean {
  // SQLite keeps it beside the file itself, not beside a link to it
  return (statSync(`${realpathSync(path)}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/**
 * Makes the tables in one transaction, before the switch to WAL: so the mark of ownership is in the
 * file itself from its first moment. Several processes may come here at once.
 */
async function createSchema(db: DatabaseSync, path: string, create: boolean): Promise<void> {
  const tables = await patiently(path, () => db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n']);
  // another process may have made the tables since we looked
  if (tables !== 0 && pragma(db, 'application_id') === 0) fail('not_a_database', path);
  if (!create) fail('no_database', path);
  await patiently(path, () => db.exec('BEGIN IMMEDIATE'));
  try {
    const application = pragma(db, 'application_id');
    if (application !== 0) {
      checkOwner(Number(application), Number(pragma(db, 'user_version')), path);
    } else {
      db.exec(kernel().schemaSql());
      db.exec(`PRAGMA application_id=${kernel().applicationId()}; PRAGMA user_version=${kernel().schemaVersion()}`);
    }
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function pragma(db: DatabaseSync, name: string): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name];
}

/** The system's words for an I/O error, lower case and without its number. */
export function systemWords(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  return (errno === undefined ? message : getSystemErrorMessage(errno)).toLowerCase();
}

/** The version of the SQLite that Node brings. */
export function sqliteVersion(): string {
  const { DatabaseSync } = sqliteModule();
  const db = new DatabaseSync(':memory:');
  try {
    return String(db.prepare('SELECT sqlite_version() AS version').get()?.['version']);
  } finally {
    db.close();
  }
}

/** False for releases before 3.51.3, which can lose data when two connections reset the log at once. */
export function sharesSafely(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major * 1_000_000 + minor * 1_000 + patch >= 3_051_003;
}
