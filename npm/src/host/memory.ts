/** A store in memory: for browsers, tests and throw-away swarms; gone with the page or process. */
import type { Row } from '../load/kernel.js';
import { errorOf } from '../gen/errors.js';
import type { Durability, Head, NewEvent, Store, StoredEvent, StoredSnapshot, Writing } from './store.js';

interface Contents {
  head: Head | undefined;
  events: StoredEvent[];
  artifacts: Map<string, Uint8Array>;
  snapshots: StoredSnapshot[];
  rows: Map<string, Map<string, Row>>;
}

/** The in-memory store; the same answers as a file, without its durability. */
export class MemoryStore implements Store {
  readonly shown = ':memory:';
  readonly durability: Durability = 'memory';
  readonly #contents: Contents = {
    head: undefined,
    events: [],
    artifacts: new Map(),
    snapshots: [],
    rows: new Map(),
  };

  async write<T>(body: (tx: Writing) => T): Promise<T> {
    const tx = new Transaction(this.#contents);
    const result = body(tx);
    // only now does anything change, so a body that throws leaves no trace
    tx.commit();
    return result;
  }

  async read<T>(body: (tx: Transaction) => T): Promise<T> {
    return body(new Transaction(this.#contents));
  }

  async check(): Promise<undefined> {
    return undefined;
  }

  close(): void {
    this.#contents.events.length = 0;
    this.#contents.artifacts.clear();
  }
}

class Transaction implements Writing {
  readonly #base: Contents;
  readonly #events: StoredEvent[] = [];
  readonly #artifacts = new Map<string, Uint8Array>();
  readonly #rows: Row[] = [];
  #head: Head | undefined;
  #snapshot: StoredSnapshot | undefined;

  constructor(base: Contents) {
    this.#base = base;
  }

  head(): Head | undefined {
    return this.#head ?? this.#base.head;
  }

  events(after: number, limit: number): StoredEvent[] {
    // seq runs 1, 2, 3, ..., so an event stands at its number less one
    const stored = this.#base.events.slice(after, after + limit);
    const skipped = Math.max(0, after - this.#base.events.length);
    return stored.concat(this.#events.slice(skipped, skipped + limit - stored.length));
  }

  artifact(hash: string): Uint8Array | undefined {
    return this.#artifacts.get(hash) ?? this.#base.artifacts.get(hash);
  }

  hasArtifact(hash: string): boolean {
    return this.#artifacts.has(hash) || this.#base.artifacts.has(hash);
  }

  snapshots(): StoredSnapshot[] {
    return this.#base.snapshots;
  }

  countRows(table: string): number {
    const ids = new Set(this.#base.rows.get(table)?.keys());
    for (const row of this.#rows) if (row.table === table) ids.add(row.id);
    return ids.size;
  }

  row(table: string, id: string): { state: string; body: string } | undefined {
    const written = this.#rows.findLast((row) => row.table === table && row.id === id);
    return written ?? this.#base.rows.get(table)?.get(id);
  }

  dataVersion(): number {
    // nobody else can commit to this memory
    return 0;
  }

  nested<T>(body: () => T): T {
    const [events, rows, artifacts] = [this.#events.length, this.#rows.length, [...this.#artifacts.keys()]];
    try {
      return body();
    } catch (error) {
      this.#events.length = events;
      this.#rows.length = rows;
      for (const hash of this.#artifacts.keys()) if (!artifacts.includes(hash)) this.#artifacts.delete(hash);
      throw error;
    }
  }

  append(event: NewEvent): void {
    const expected = this.#base.events.length + this.#events.length + 1;
    if (event.seq !== expected) {
      throw errorOf('internal', `event ${event.seq} does not follow event ${expected - 1}`);
    }
    this.#events.push({ seq: event.seq, body: event.body, chain: event.chain });
  }

  upsert(row: Row): void {
    this.#rows.push(row);
  }

  writeHead(head: Head): void {
    this.#head = head;
  }

  putArtifact(hash: string, bytes: Uint8Array): void {
    if (!this.hasArtifact(hash)) this.#artifacts.set(hash, bytes.slice());
  }

  writeSnapshot(snapshot: StoredSnapshot): void {
    this.#snapshot = snapshot;
  }

  commit(): void {
    const { events, artifacts, rows } = this.#base;
    for (const event of this.#events) events.push(event);
    for (const [hash, bytes] of this.#artifacts) artifacts.set(hash, bytes);
    for (const row of this.#rows) {
      const table = rows.get(row.table) ?? new Map<string, Row>();
      rows.set(row.table, table.set(row.id, row));
    }
    if (this.#head) this.#base.head = this.#head;
    if (this.#snapshot) this.#base.snapshots = [this.#snapshot, ...this.#base.snapshots].slice(0, 2);
  }
}
