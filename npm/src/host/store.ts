/** What a host needs of a store. A store keeps what the core hands out and knows no rules. */
import type { Row } from '../load/kernel.js';

/** One event as it is stored. */
export interface StoredEvent {
  /** Its place in the log: 1, 2, 3, ... */
  seq: number;
  /** The canonical line, byte for byte as the core wrote it. */
  body: string;
  /** The hash chain up to this event, 32 bytes. */
  chain: Uint8Array;
}

/** An event to append, with what the core said of it. */
export interface NewEvent extends StoredEvent {
  /** When it was decided, in ms since 1970. */
  atMs: number;
  /** The name of its body's message. */
  kind: string;
}

/** Where the log ends. */
export interface Head {
  /** The swarm's id. */
  swarmId: string;
  /** The number of the last event. */
  version: number;
  /** The hash chain up to it. */
  chain: Uint8Array;
  /** What the swarm was created with, as JSON text. */
  config: string;
}

/** A state as of an event. */
export interface StoredSnapshot {
  /** The number of the last event that it holds. */
  seq: number;
  /** The core's canonical text. */
  body: string;
}

/** What can be read within one transaction. */
export interface Reading {
  /** Where the log ends; undefined in a store that holds no swarm yet. */
  head(): Omit<Head, 'config'> | undefined;
  /** Up to `limit` events after `after`, in order. */
  events(after: number, limit: number): StoredEvent[];
  /** The bytes that have this hash. */
  artifact(hash: string): Uint8Array | undefined;
  /** Whether there are bytes with this hash. */
  hasArtifact(hash: string): boolean;
  /** The snapshots, newest first; those whose bytes are not what was written are left out. */
  snapshots(): StoredSnapshot[];
  /** A number that changes when somebody else has committed. */
  dataVersion(): number;
  /** How many rows a projection has. */
  countRows(table: string): number;
  /** State and body of one projection row. */
  row(table: string, id: string): { state: string; body: string } | undefined;
}

/** What can be written within one transaction. */
export interface Writing extends Reading {
  /** Appends one event. */
  append(event: NewEvent, swarmId: string): void;
  /** Puts a projection row, as of event `seq`, in place of the former one, whatever it says. */
  upsert(row: Row, seq: number): void;
  /** Writes where the log ends now. */
  writeHead(head: Head): void;
  /** Keeps bytes under their hash; the same bytes a second time change nothing. */
  putArtifact(hash: string, bytes: Uint8Array): void;
  /** Keeps a snapshot and the one before it. */
  writeSnapshot(snapshot: StoredSnapshot): void;
  /** Runs `body`; if it throws, what it wrote is undone and the rest of the transaction stands. */
  nested<T>(body: () => T): T;
}

/** A store: transactions on one swarm's log. */
export interface Store {
  /** The path as people gave it. */
  readonly shown: string;
  /** What an acknowledgement promises: full (power cut), normal (crash) or memory (nothing). */
  readonly durability: Durability;
  /**
   * Runs `body` in one write transaction and commits; what it throws undoes everything.
   *
   * Throws `outcome_unknown` when the commit failed and may have happened: the state that the
   * body built must then be dropped.
   */
  write<T>(body: (tx: Writing) => T): Promise<T>;
  /** Runs `body` on one committed state of the store. */
  read<T>(body: (tx: Reading) => T): Promise<T>;
  /** The store's own check of what it holds: undefined, or what is wrong. */
  check(): Promise<string | undefined>;
  /** Gives the store back; nothing may be called after it. */
  close(): void;
}

/** What an acknowledgement promises. */
export type Durability = 'full' | 'normal' | 'memory';
