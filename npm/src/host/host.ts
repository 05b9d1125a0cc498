/**
 * The host: one core, one store, any number of callers and other processes.
 *
 * A call is decided, stored and answered in that order. Calls made in the same turn of the event
 * loop share one transaction (group commit). Other processes append to the same file; their events
 * are read first.
 */
import { asError, guarded, kernel } from '../load/kernel.js';
import { errorOf } from '../gen/errors.js';
import { sha256, toHex } from './bytes.js';
import type { TimeSource } from './clock.js';
import { type Answer, attach, type Call, runGroup, type Unit } from './group.js';
import { News, type Patience } from './news.js';
import { replay, type Replay } from './replay.js';
import { type Core, Session } from './session.js';
import type { Durability, Store, StoredEvent } from './store.js';

export type { Call } from './group.js';
export type { Replay } from './replay.js';

/** A training task that a host should run. */
export interface Effect {
  /** The effect's id. */
  id: string;
  /** train or fuse. */
  kind: string;
  /** The goal it serves. */
  goalId: string;
  /** The task to claim. */
  taskId: string;
  /** The agent to claim it as. */
  agentId: string;
  /** ready or running. */
  state: string;
  /** For train: `{"member":INDEX}`. */
  payload: string;
  /** The dataset's hash. */
  dataset: string;
  /** Not before this time, in ms since 1970. */
  notBeforeMs: number;
  /** When the lease of a running one ends, in ms since 1970. */
  leaseExpiresAtMs: number;
}

interface Waiting {
  unit: Unit;
  settle: (answer: Answer) => void;
}

/** A swarm with its store. */
export class Host {
  readonly #session: Session;
  #waiting: Waiting[] = [];
  #work: Promise<void> | undefined;
  /** Settles when the command that was called last has its answer. */
  #last: Promise<unknown> | undefined;
  readonly #news = new News();
  #closed = false;

  private constructor(session: Session) {
    this.#session = session;
  }

  /** Brings the core up to the end of the store's log. `time` replaces the clocks, for tests. */
  static async open(store: Store, time?: TimeSource): Promise<Host> {
    const host = new Host(new Session(store, time));
    await host.#session.open();
    return host;
  }

  /** The path of the database as people gave it. */
  get shown(): string {
    return this.#session.store.shown;
  }

  /** What an acknowledgement promises. */
  get durability(): Durability {
    return this.#session.store.durability;
  }

  /**
   * Carries out an operation: the answer is given once its events are stored and synced.
   *
   * `request` and the answer are JSON text; `key` is an idempotency key or empty.
   */
  async call(operation: string, request: string, key = ''): Promise<string> {
    if (kernel().operationKind(operation) !== 'command') return this.query(operation, request);
    const [answer] = await this.callAll([{ operation, request, key }]);
    return answer ?? '';
  }

  /** Carries out several commands in one transaction: all of them, or none if one is refused. */
  async callAll(calls: readonly Call[]): Promise<string[]> {
    this.#assertOpen();
    const settled = new Promise<Answer>((settle) => {
      this.#waiting.push({ unit: calls, settle });
      this.#work ??= this.#serve();
    });
    this.#last = settled;
    const answer = await settled;
    if ('error' in answer) throw answer.error;
    return answer.responses;
  }

  /** Answers a query from what is committed, by this process and by others. */
  async query(operation: string, request: string): Promise<string> {
    return this.#read((core, session, tx) => {
      // a command is refused; a query tells what holds now, not what held at the last event
      const asks = kernel().operationKind(operation) === 'query';
      const now = session.clock.nowMs();
      const decision = guarded(() => (asks ? core.call(operation, request, now, '') : core.query(operation, request)));
      return attach(session, tx, decision);
    });
  }

  /** `artifact_put` of bytes that never pass through JSON, to be used with `callAll`. */
  static async artifact(content: Uint8Array, name: string, mediaType: string): Promise<Call & { hash: string }> {
    const hash = await sha256(content);
    const request = JSON.stringify({ name, mediaType, hash, size: content.byteLength });
    return { operation: 'artifact_put', request, key: '', content, hash };
  }

  /** The bytes that the swarm keeps under `hash`. */
  async getArtifact(hash: string): Promise<Uint8Array> {
    const bytes = await this.#read((_core, _session, tx) => tx.artifact(hash));
    if (!bytes) throw errorOf('not_found', `hash: no artifact "${hash}"`, 'hash');
    return bytes;
  }

  /** Up to `limit` stored events after `after`. */
  async events(after: number, limit: number): Promise<StoredEvent[]> {
    return this.#read((_core, _session, tx) => tx.events(after, limit));
  }

  /** The number of the last committed event; 0 while there is no swarm. */
  async version(): Promise<number> {
    return this.#read((core) => core.version());
  }

  /** Whether a command would leave events if it were carried out now; a refused one counts as one that would. */
  async wouldChange(operation: string, request: string): Promise<boolean> {
    return this.#read((core) => {
      try {
        return core.call(operation, request, this.nowMs(), '').events.length > 0;
      } catch {
        // what is wrong with it is told when it is carried out
        return true;
      }
    });
  }

  /** When a tick is due, which the next command brings along, in ms of swarm time; undefined if nothing waits. */
  async nextDeadline(): Promise<number | undefined> {
    return this.#read((core) => core.nextDeadline());
  }

  /**
   * When something changes though nobody calls, in ms of swarm time: a lease or deadline ends, or a
   * back-off is over; undefined if nothing waits for time.
   */
  async nextChange(): Promise<number | undefined> {
    return this.#read((core, session) => core.nextChange(session.clock.nowMs()));
  }

  /** Whether a task that has not ended is for this agent, now or later. */
  async hasWorkFor(agentId: string): Promise<boolean> {
    return this.#read((core) => guarded(() => core.hasWorkFor(agentId)));
  }

  /**
   * Waits until the log has grown past event `after`, by this host or by another process. It comes
   * back without news at swarm time `untilMs`, when `signal` is aborted, and when the host is closed.
   */
  async waitForNews(after: number, patience: Patience = {}): Promise<void> {
    await this.#news.wait(
      {
        // nobody else can commit to a store in memory
        shared: this.shown !== ':memory:',
        nowMs: () => this.nowMs(),
        version: async () => (this.#closed ? Infinity : this.version()),
      },
      after,
      patience,
    );
  }

  /** The hash of the state, in hex. */
  async stateHash(): Promise<string> {
    return this.#read((core) => core.stateHash());
  }

  /** The chain hash of the last event, in hex. */
  async chainHead(): Promise<string> {
    return this.#read((core) => toHex(core.chainHead()));
  }

  /** What orchestrate means by `text`: `train` on the data, train on the bundled `sample`, or plan a `goal`. */
  async orchestrateIntent(text: string, hasData: boolean): Promise<string> {
    return this.#read((core) => guarded(() => core.orchestrateIntent(text, hasData)));
  }

  /** The training tasks that a host should run. */
  async pendingEffects(): Promise<Effect[]> {
    return this.#read((core) => JSON.parse(core.pendingEffects()) as Effect[]);
  }

  /** Swarm time in ms since 1970, as this host would hand it to the core now. */
  nowMs(): number {
    return this.#session.clock.nowMs();
  }

  /**
   * Rebuilds the state from the log alone; `verify` also checks the hash chain against the stored
   * one and compares the result with the stored head, the live state and the projections.
   */
  async replay(verify: boolean): Promise<Replay> {
    this.#assertOpen();
    return replay(this.#session, verify);
  }

  /** Waits for what is under way and gives the store back. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#news.tell();
    await this.#work;
    this.#session.forget();
    this.#session.store.close();
  }

  async #read<T>(look: (core: Core, session: Session, tx: Parameters<Parameters<Store['read']>[0]>[0]) => T): Promise<T> {
    this.#assertOpen();
    // a query sees what was commanded before it, as the caller's program says
    await this.#last;
    const session = this.#session;
    return session.store.read((tx) => {
      session.catchUpIfNews(tx);
      return look(session.core(), session, tx);
    });
  }

  /** Takes all that wait, runs them as one group, answers, and goes on while there are more. */
  async #serve(): Promise<void> {
    // whoever calls in this turn of the event loop shares the transaction
    await nextTurn();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        const answers = await runGroup(this.#session, group.map(({ unit }) => unit));
        group.forEach(({ settle }, i) => settle(answers[i] ?? { error: errorOf('internal', 'the host gave no answer') }));
      } catch (thrown) {
        const error = asError(thrown);
        for (const { settle } of group) settle({ error });
      }
      this.#news.tell();
    }
    this.#work = undefined;
  }

  #assertOpen(): void {
    if (this.#closed) throw errorOf('failed_precondition', 'the swarm is closed; open it again to go on');
  }
}

/** The next turn of the event loop, after all that is due in this one. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
