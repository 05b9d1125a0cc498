/** The SQLite store of Node: one swarm a file, shared by several processes. */
import { createHash } from 'node:crypto';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { hostError, type Row } from '../load/kernel.js';
import { errorOf, type RuvSwarmError } from '../gen/errors.js';
import { logIsLeft, openDatabase } from './sqlite-open.js';
import { isSqliteError, patiently, storeError, troubleDetail, troubleKind } from './trouble.js';
import type { Durability, Head, NewEvent, Store, StoredEvent, StoredSnapshot, Writing } from './store.js';

/** How a SQLite store is opened. */
export interface SqliteOptions {
  /** Make the database if there is none; default false. */
  create?: boolean;
  /** What an acknowledgement promises; default full. */
  durability?: Durability;
}

/** Opens the database file at `path`, or one in memory for `:memory:`. */
export async function openSqliteStore(path: string, options: SqliteOptions = {}): Promise<Store> {
  const durability = options.durability ?? 'full';
  const open = (create: boolean): Promise<DatabaseSync> => openDatabase(path, durability, create);
  return new SqliteStore(path, durability, await open(options.create ?? false), () => open(false));
}

class SqliteStore implements Store {
  readonly shown: string;
  readonly durability: Durability;
  readonly #reopen: () => Promise<DatabaseSync>;
  #connection: Connection | undefined;
  #opening: Promise<DatabaseSync> | undefined;

  constructor(shown: string, durability: Durability, db: DatabaseSync, reopen: () => Promise<DatabaseSync>) {
    this.shown = shown;
    this.durability = durability;
    this.#reopen = reopen;
    this.#connection = this.#connectionOf(db);
  }

  async write<T>(body: (tx: Writing) => T): Promise<T> {
    const connection = await this.#connected();
    return patiently(this.shown, () => connection.beginWrite(), () => {
      let result: T;
      try {
        result = body(connection);
      } catch (error) {
        connection.rollback();
        throw this.#asError(error);
      }
      this.#commit(connection);
      return result;
    });
  }

  async read<T>(body: (tx: Connection) => T): Promise<T> {
    const connection = await this.#connected();
    return patiently(this.shown, () => connection.beginRead(), () => {
      try {
        return body(connection);
      } catch (error) {
        throw this.#asError(error);
      } finally {
        connection.rollback();
      }
    });
  }

  async check(): Promise<string | undefined> {
    const report = await this.read((tx) => tx.quickCheck());
    return report === 'ok' ? undefined : report;
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #commit(connection: Connection): void {
    try {
      connection.run('COMMIT');
    } catch (error) {
      connection.rollback();
      const kind = troubleKind(error);
      // a full disk and a lock are met before the commit record is written; after any other error
      // the record may or may not have reached the disk, and the connection must not be used again
      if (kind === 'disk_full' || kind === 'busy' || kind === 'read_only') throw storeError(error, this.shown);
      if (this.shown !== ':memory:') this.close();
      throw hostError('outcome_unknown', 'db', this.shown, troubleDetail(error));
    }
  }

  async #connected(): Promise<Connection> {
    if (this.#connection) return this.#connection;
    this.#opening ??= this.#reopen().finally(() => (this.#opening = undefined));
    const db = await this.#opening;
    return (this.#connection ??= this.#connectionOf(db));
  }

  #connectionOf(db: DatabaseSync): Connection {
    return new Connection(db, this.shown, this.durability === 'full' && this.shown !== ':memory:' && logIsLeft(this.shown));
  }

  /** What the body threw: trouble of SQLite in the core's words, anything else as it is. */
  #asError(error: unknown): unknown {
    return isSqliteError(error) ? storeError(error, this.shown) : error;
  }
}

/** The number in an id, which is the key of its row: 17 of t17. */
function rowNumber(id: string): number {
  return Number(id.slice(1));
}

/** One connection with its prepared statements, as the transactions see it. */
class Connection implements Writing {
  readonly #db: DatabaseSync;
  readonly #shown: string;
  readonly #statements = new Map<string, StatementSync>();
  /** A log from before this connection is still to be folded in. */
  #logIsLeft: boolean;

  constructor(db: DatabaseSync, shown: string, logIsLeft: boolean) {
    this.#db = db;
    this.#shown = shown;
    this.#logIsLeft = logIsLeft;
  }

  head(): Omit<Head, 'config'> | undefined {
    const row = this.#get('SELECT id, version, chain FROM swarm LIMIT 1');
    return row && { swarmId: String(row['id']), version: Number(row['version']), chain: row['chain'] as Uint8Array };
  }

  events(after: number, limit: number): StoredEvent[] {
    const rows = this.#prepare('SELECT seq, body, chain FROM event WHERE seq > ? ORDER BY seq LIMIT ?').all(after, limit);
    return rows as unknown as StoredEvent[];
  }

  artifact(hash: string): Uint8Array | undefined {
    const bytes = this.#get('SELECT content FROM artifact WHERE hash = ?', hash)?.['content'] as Uint8Array | undefined;
    if (bytes && createHash('sha256').update(bytes).digest('hex') !== hash) {
      throw this.#damaged(`the bytes of artifact ${hash} do not have this hash`);
    }
    return bytes;
  }

  hasArtifact(hash: string): boolean {
    return this.#get('SELECT 1 FROM artifact WHERE hash = ?', hash) !== undefined;
  }

  snapshots(): StoredSnapshot[] {
    const rows = this.#prepare('SELECT seq, body, hash FROM snapshot ORDER BY seq DESC').all();
    const whole = (row: Record<string, unknown>): boolean =>
      createHash('sha256').update(String(row['body'])).digest().equals(row['hash'] as Uint8Array);
    return rows.filter(whole).map((row) => ({ seq: Number(row['seq']), body: String(row['body']) }));
  }

  countRows(table: string): number {
    return Number(this.#get(`SELECT count(*) AS n FROM ${this.#table(table)}`)?.['n']);
  }

  row(table: string, id: string): { state: string; body: string } | undefined {
    const row = this.#get(`SELECT state, body FROM ${this.#table(table)} WHERE number = ?`, rowNumber(id));
    return row && { state: String(row['state']), body: String(row['body']) };
  }

  dataVersion(): number {
    return Number(this.#get('PRAGMA data_version')?.['data_version']);
  }

  quickCheck(): string {
    return String(this.#get('PRAGMA quick_check(1)')?.['quick_check']);
  }

  append(event: NewEvent, swarmId: string): void {
    this.#prepare('INSERT INTO event (seq, swarm, at_ms, kind, body, chain) VALUES (?, ?, ?, ?, ?, ?)').run(
      event.seq,
      swarmId,
      event.atMs,
      event.kind,
      event.body,
      event.chain,
    );
  }

  upsert(row: Row, seq: number): void {
    const sql = `INSERT INTO ${this.#table(row.table)} (number, state, seq, body) VALUES (?, ?, ?, ?)
                 ON CONFLICT (number) DO UPDATE SET state = excluded.state, seq = excluded.seq, body = excluded.body`;
    this.#prepare(sql).run(rowNumber(row.id), row.state, seq, row.body);
  }

  writeHead(head: Head): void {
    // the epoch grows when a log is compacted or restored; a new file begins at 0
    const sql = `INSERT INTO swarm (id, version, chain, epoch, config) VALUES (?, ?, ?, 0, ?)
                 ON CONFLICT (id) DO UPDATE SET version = excluded.version, chain = excluded.chain`;
    this.#prepare(sql).run(head.swarmId, head.version, head.chain, head.config);
  }

  putArtifact(hash: string, bytes: Uint8Array): void {
    const sql = 'INSERT INTO artifact (hash, size, content) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING';
    this.#prepare(sql).run(hash, bytes.byteLength, bytes);
  }

  writeSnapshot(snapshot: StoredSnapshot): void {
    const hash = createHash('sha256').update(snapshot.body).digest();
    this.#prepare('INSERT OR REPLACE INTO snapshot (seq, body, hash) VALUES (?, ?, ?)').run(snapshot.seq, snapshot.body, hash);
    // the one before stays, should this one prove unreadable
    this.run('DELETE FROM snapshot WHERE seq NOT IN (SELECT seq FROM snapshot ORDER BY seq DESC LIMIT 2)');
  }

  nested<T>(body: () => T): T {
    this.run('SAVEPOINT nested');
    try {
      return body();
    } catch (error) {
      this.run('ROLLBACK TO nested');
      throw error;
    } finally {
      this.run('RELEASE nested');
    }
  }

  run(sql: string): void {
    this.#prepare(sql).run();
  }

  /** The one writer's transaction. */
  beginWrite(): void {
    if (this.#logIsLeft) this.#foldInLog();
    this.run('BEGIN IMMEDIATE');
  }

  /**
   * Writes what a crash left in the log into the database, and syncs it, before anything is answered.
   *
   * After a sync that failed, the system shows the log's last commits from its memory and may never
   * have written them; a later sync does not try again. SQLite takes such commits for good when it
   * reads the log anew, and whoever is answered on their ground would lose that in a power cut.
   */
  #foldInLog(): void {
    // an answer that says busy is no trouble: others have the file open, so the log was not read anew
    this.#get('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#logIsLeft = false;
  }

  /** One transaction, so that several reads see one state of the file; the first read fixes which. */
  beginRead(): void {
    this.run('BEGIN');
    try {
      this.head();
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  rollback(): void {
    try {
      this.run('ROLLBACK');
    } catch {
      // there is no transaction any more, or it ends with the connection
    }
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #get(sql: string, ...values: SQLInputValue[]): Record<string, unknown> | undefined {
    return this.#prepare(sql).get(...values) as Record<string, unknown> | undefined;
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  /** Table names come from the core; none but these is ever put into SQL. */
  #table(name: string): string {
    if (name !== 'agent' && name !== 'task' && name !== 'goal') throw errorOf('internal', `no projection table "${name}"`);
    return name;
  }

  #damaged(detail: string): RuvSwarmError {
    return hostError('damaged_database', 'db', this.#shown, detail);
  }
}

