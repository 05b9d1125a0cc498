/** One transaction for a group of units of work. */
import { type Decision, guarded, kernel } from '../load/kernel.js';
import { errorOf, RuvSwarmError } from '../gen/errors.js';
import { fromBase64 } from './bytes.js';
import { drawSeed, drawSwarmId } from './random.js';
import type { Core, Session } from './session.js';
import type { Reading, Writing } from './store.js';

/** One operation with its request. */
export interface Call {
  /** An operation of the catalogue. */
  readonly operation: string;
  /** Its request as JSON text. */
  readonly request: string;
  /** An idempotency key: said twice, it happens once; empty for none. */
  readonly key: string;
  /** The bytes of an `artifact_put`, which then never pass through JSON. */
  readonly content?: Uint8Array;
}

/** Calls that happen all or not at all. */
export type Unit = readonly Call[];

/** The answers of a unit, or the refusal. */
export type Answer = { readonly responses: string[] } | { readonly error: RuvSwarmError };

/** Ends a transaction that has nothing to commit. */
class NothingToCommit extends Error {
  readonly answers: Answer[];

  constructor(answers: Answer[]) {
    super('nothing to commit');
    this.answers = answers;
  }
}

/** Decides, stores and answers `units`: all answers are given after the one commit. */
export async function runGroup(session: Session, units: readonly Unit[]): Promise<Answer[]> {
  try {
    return await session.store.write((tx) => decideAll(session, tx, units));
  } catch (error) {
    if (error instanceof NothingToCommit) return error.answers;
    // the transaction is not in the store, or may not be: the state must not be ahead of it
    session.forget();
    throw error;
  }
}

/** Applies the units one after the other: a later one sees what an earlier one did. */
function decideAll(session: Session, tx: Writing, units: readonly Unit[]): Answer[] {
  session.catchUp(tx);
  const before = session.core().version();
  // one tick handles so many timers and no more
  while ((session.core().nextDeadline() ?? Infinity) <= session.clock.nowMs()) {
    runCall(session, tx, { operation: 'tick', request: '{}', key: '' });
  }
  const answers = units.map((unit) => runUnit(session, tx, unit));
  const core = session.core();
  if (core.version() === before) throw new NothingToCommit(answers);
  // each row that the group has touched, once
  for (const row of core.takeRows()) tx.upsert(row, row.seq);
  tx.writeHead({ swarmId: core.swarmId(), version: core.version(), chain: core.chainHead(), config: core.configJson() });
  return answers;
}

function runUnit(session: Session, tx: Writing, unit: Unit): Answer {
  const [first] = unit;
  if (unit.length === 1 && first) return answered(() => [runCall(session, tx, first)]);
  // a later call of the unit may be refused, and then the earlier ones must not have happened
  const core = session.core().fork();
  const answer = answered(() => tx.nested(() => unit.map((call) => runCall(session, tx, call))));
  if ('responses' in answer) {
    core.free();
    return answer;
  }
  session.goBack(core);
  return answer;
}

/** A refusal of the core is the answer of its unit; trouble of the store ends the group. */
function answered(body: () => string[]): Answer {
  try {
    return { responses: body() };
  } catch (error) {
    if (error instanceof Refusal) return { error: error.error };
    throw error;
  }
}

/** The core says no to this one request. */
class Refusal extends Error {
  readonly error: RuvSwarmError;

  constructor(error: RuvSwarmError) {
    super(error.message);
    this.error = error;
  }
}

function refusing<T>(body: () => T): T {
  try {
    return guarded(body);
  } catch (error) {
    throw error instanceof RuvSwarmError ? new Refusal(error) : error;
  }
}

function runCall(session: Session, tx: Writing, call: Call): string {
  const core = session.core();
  const request = call.operation === 'swarm_init' ? withDrawn(core, call.request) : call.request;
  const decision = refusing(() => core.call(call.operation, request, session.clock.nowMs(), call.key));
  if (call.operation === 'artifact_put') keepContent(tx, call, decision.response);
  for (const line of decision.events) {
    const applied = guarded(() => core.apply(line));
    const { seq, atMs, kind, chain } = applied;
    tx.append({ seq, atMs, kind, chain, body: line }, core.swarmId());
    session.clock.note(atMs);
  }
  return attach(session, tx, decision);
}

/** A new swarm needs an id and a seed, which the core cannot draw; one that is there keeps its own. */
function withDrawn(core: Core, request: string): string {
  if (core.version() > 0) return request;
  let fields: unknown;
  try {
    fields = JSON.parse(request);
  } catch {
    return request; // the core says what is wrong with it
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return request;
  const given = fields as Record<string, unknown>;
  const drawn: Record<string, unknown> = { ...given };
  if (!given['swarmId'] && !given['swarm_id']) drawn['swarmId'] = drawSwarmId();
  if (given['seed'] === undefined || given['seed'] === null) drawn['seed'] = drawSeed();
  return JSON.stringify(drawn);
}

/** Stores the bytes of an `artifact_put`, in the transaction of its event. */
function keepContent(tx: Writing, call: Call, response: string): void {
  const { hash } = (JSON.parse(response) as { artifact: { hash: string } }).artifact;
  const given = (JSON.parse(call.request) as { content?: string | null }).content;
  const bytes = call.content ?? (given == null ? undefined : fromBase64(given));
  if (bytes) tx.putArtifact(hash, bytes);
  else if (!tx.hasArtifact(hash)) {
    throw new Refusal(errorOf('invalid_argument', 'content: the bytes are missing; give them in base64', 'content'));
  }
}

/** Adds what only the store has to the answer of the core: events or the bytes of an artifact. */
export function attach(session: Session, tx: Reading, decision: Decision): string {
  const wanted = decision.attach;
  if (!wanted) return decision.response;
  if (wanted.kind === 'events') {
    const lines = tx.events(wanted.after, wanted.limit).map((event) => event.body);
    return kernel().attachEvents(decision.response, lines, wanted.filter);
  }
  const bytes = tx.artifact(wanted.hash);
  if (!bytes) throw session.damaged(`the bytes of artifact ${wanted.hash} are missing`);
  return kernel().attachArtifact(decision.response, bytes);
}
