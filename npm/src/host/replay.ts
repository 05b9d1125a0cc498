/** The state again from the log alone, and what `replay --verify` compares it with. */
import { kernel } from '../load/kernel.js';
import { RuvSwarmError } from '../gen/errors.js';
import { toHex } from './bytes.js';
import { BLOCK, type Core, sameBytes, type Session } from './session.js';
import type { Reading } from './store.js';

/** What a replay found. */
export interface Replay {
  /** How many events were replayed. */
  events: number;
  /** The hash of the rebuilt state, in hex. */
  stateHash: string;
  /** The hash chain up to the last event, in hex. */
  chain: string;
  /** True if all agrees. */
  ok: boolean;
  /** What does not agree. */
  problem?: RuvSwarmError;
}

type Rows = Map<string, Map<string, { state: string; body: string }>>;

const TABLES = ['agent', 'task', 'goal'];

/** Rebuilds the state; `verify` compares it with everything that is stored beside the log. */
export async function replay(session: Session, verify: boolean): Promise<Replay> {
  const rebuilt: Core = new (kernel().Core)();
  try {
    let problem = await session.store.read((tx) => {
      try {
        foldAll(session, tx, rebuilt);
        return compare(session, tx, rebuilt, verify ? byTable(rebuilt) : undefined);
      } catch (error) {
        // a log that cannot be folded is a finding, not a failure of the replay
        if (error instanceof RuvSwarmError && error.code === 'corrupt') return error;
        throw error;
      }
    });
    if (!problem && verify) {
      const report = await session.store.check();
      if (report) problem = session.damaged(report.toLowerCase());
    }
    const found = { events: rebuilt.version(), stateHash: rebuilt.stateHash(), chain: toHex(rebuilt.chainHead()) };
    return problem ? { ...found, ok: false, problem } : { ...found, ok: true };
  } finally {
    rebuilt.free();
  }
}

function foldAll(session: Session, tx: Reading, rebuilt: Core): void {
  for (;;) {
    const events = tx.events(rebuilt.version(), BLOCK);
    for (const event of events) session.fold(rebuilt, event, true);
    if (events.length < BLOCK) return;
  }
}

function byTable(rebuilt: Core): Rows {
  const rows: Rows = new Map(TABLES.map((table) => [table, new Map()]));
  for (const row of rebuilt.takeRows()) rows.get(row.table)?.set(row.id, row);
  return rows;
}

function compare(session: Session, tx: Reading, rebuilt: Core, rows: Rows | undefined): RuvSwarmError | undefined {
  const { version, chain } = tx.head() ?? { version: 0, chain: new Uint8Array(32) };
  const last = rebuilt.version();
  if (version !== last || !sameBytes(chain, rebuilt.chainHead())) {
    return session.damaged(`the log ends at event ${last} and its head says ${version}`);
  }
  if (!rows) return undefined;
  session.catchUp(tx);
  if (session.core().stateHash() !== rebuilt.stateHash()) return session.damaged('the live state is not the replayed one');
  for (const [table, expected] of rows) {
    const stored = tx.countRows(table);
    if (stored !== expected.size) {
      return session.damaged(`table ${table} has ${stored} rows and the log makes ${expected.size}`);
    }
    for (const [id, row] of expected) {
      const found = tx.row(table, id);
      if (found?.state !== row.state || found.body !== row.body) {
        return session.damaged(`row ${id} of table ${table} is not what the log makes of it`);
      }
    }
  }
  return undefined;
}
