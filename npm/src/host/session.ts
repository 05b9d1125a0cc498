/** The core beside its store: loading, catching up with other processes, starting over after trouble. */
import { type Applied, guarded, hostError, kernel, type Kernel } from '../load/kernel.js';
import { RuvSwarmError } from '../gen/errors.js';
import { Clock, type TimeSource } from './clock.js';
import type { Reading, Store, StoredEvent } from './store.js';

/** The state machine of one swarm. */
export type Core = InstanceType<Kernel['Core']>;

/** Events are read in blocks of this many, so that a long log is never in memory as a whole. */
export const BLOCK = 1000;

/** A longer tail than this is worth a snapshot. */
const LONG_TAIL = 2000;

/** What one host holds: its store and the state as of the last event it has seen. */
export class Session {
  readonly store: Store;
  readonly clock: Clock;
  #core: Core | undefined;
  #dataVersion = -1;

  constructor(store: Store, time?: TimeSource) {
    this.store = store;
    this.clock = new Clock(time);
  }

  /** Loads the state; writes a snapshot if that took long. */
  async open(): Promise<void> {
    const tail = await this.store.read((tx) => this.#load(tx));
    if (tail > LONG_TAIL) {
      const core = this.core();
      const snapshot = { seq: core.version(), body: core.snapshot() };
      // only the next opening gains by it: trouble here is no trouble of the caller
      await this.store.write((tx) => tx.writeSnapshot(snapshot)).catch(() => {});
    }
  }

  /** The state; only inside a transaction that has caught up. */
  core(): Core {
    if (!this.#core) throw new TypeError('the session has no state yet');
    return this.#core;
  }

  /** Drops the state, which may be ahead of the store; the next use loads it anew. */
  forget(): void {
    this.#core?.free();
    this.#core = undefined;
    this.#dataVersion = -1;
  }

  /** Puts the state back to what it was when `core` was forked off it. */
  goBack(core: Core): void {
    this.#core?.free();
    this.#core = core;
  }

  /** Brings the state to the end of the log, if another connection has committed. */
  catchUpIfNews(tx: Reading): void {
    const version = tx.dataVersion();
    if (!this.#core || version !== this.#dataVersion) {
      this.catchUp(tx);
      this.#dataVersion = version;
    }
  }

  /** Brings the state to the end of the log. */
  catchUp(tx: Reading): void {
    if (!this.#core) {
      this.#load(tx);
      return;
    }
    const { version, chain } = headOf(tx);
    if (version > this.#core.version()) this.#readTail(tx, this.#core);
    if (this.#core.version() !== version || !sameBytes(this.#core.chainHead(), chain)) {
      // the file was put back to an older copy, or replaced: what we know is of another log
      this.#load(tx);
    }
  }

  /** Newest readable snapshot, then the tail; gives back how many events the tail had. */
  #load(tx: Reading): number {
    this.forget();
    const { version, chain } = headOf(tx);
    const core = newestSnapshot(tx, version) ?? new (kernel().Core)();
    const from = core.version();
    try {
      this.#readTail(tx, core);
      this.clock.note(core.lastAtMs());
      if (core.version() !== version || !sameBytes(core.chainHead(), chain)) {
        throw this.damaged(`the log ends at event ${core.version()} and its head says ${version}`);
      }
    } catch (error) {
      core.free();
      throw error;
    }
    this.#core = core;
    return version - from;
  }

  #readTail(tx: Reading, core: Core): void {
    for (;;) {
      const events = tx.events(core.version(), BLOCK);
      for (const event of events) this.clock.note(this.fold(core, event).atMs);
      if (events.length < BLOCK) return;
    }
  }

  /** Applies one stored event and compares the hash chain with the stored one; `rows` if they are wanted of it. */
  fold(core: Core, event: StoredEvent, rows = false): Applied {
    let applied: Applied;
    try {
      applied = guarded(() => (rows ? core.apply(event.body) : core.replay(event.body)));
    } catch (error) {
      throw this.damaged(`event ${event.seq}: ${(error as Error).message}`);
    }
    if (applied.seq !== event.seq || !sameBytes(applied.chain, event.chain)) {
      throw this.damaged(`event ${event.seq} does not fit the hash chain`);
    }
    return applied;
  }

  /** The error for a log that is not what was written. */
  damaged(detail: string): RuvSwarmError {
    return hostError('damaged_database', 'db', this.store.shown, detail);
  }
}

function headOf(tx: Reading): { version: number; chain: Uint8Array } {
  return tx.head() ?? { version: 0, chain: new Uint8Array(32) };
}

function newestSnapshot(tx: Reading, version: number): Core | undefined {
  for (const { seq, body } of tx.snapshots()) {
    if (seq > version) continue;
    try {
      return kernel().Core.restore(body);
    } catch {
      // one that this release cannot read costs time, not data: the log has it all
    }
  }
  return undefined;
}

/** Whether two byte strings are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
