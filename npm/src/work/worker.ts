/**
 * The worker: claims the tasks of one agent, runs a function for each, keeps the leases meanwhile and
 * reports what came of it.
 *
 * What may be claimed, and what becomes of a failed, lost or cancelled attempt, is decided by the
 * core alone; the worker asks, runs and tells. Calls of one turn of the event loop share a commit: so
 * do all its heartbeats, and a report with the claim of the next task.
 */
import type { RuvSwarmError } from '../gen/errors.js';
import type { Agent, Task, TaskClaimResponse, TaskHeartbeatResponse, TaskReportResponse, TaskStatusResponse } from '../gen/types.js';
import type { Call } from '../host/group.js';
import type { Host } from '../host/host.js';
import { nap } from '../host/news.js';
import { asError } from '../load/kernel.js';
import { Attempt } from './attempt.js';
import { badResult, completed, failed, type Outcome, RELEASED, reportCalls } from './outcome.js';
import { ABORTED, type AttemptEnd, type TaskFunction, type WorkOptions, type WorkSummary } from './types.js';

/** A lease if nothing else is said, in ms; the core's own default. */
const LEASE_MS = 30_000;
/** How often the log is looked at for a cancellation or a lost lease, long before a heartbeat is due. */
const GLANCE_MS = 200;
/** How long aborted functions may take to end before their tasks are given back all the same. */
const GRACE_MS = 5_000;
/** A store that is busy or full is tried again after this long. */
const AGAIN_MS = 200;
/** How soon the core is asked again when it cannot tell when. */
const PATIENCE_MS = 250;

/** Works until there is a reason to end: its options, trouble of the store, or a retired agent. */
export async function work(host: Host, run: TaskFunction, options: WorkOptions): Promise<WorkSummary> {
  const found = await host.query('swarm_query', JSON.stringify({ agentId: options.agentId }));
  return new Worker(host, (JSON.parse(found) as { agent: Agent }).agent, run, options).untilDone();
}

class Worker {
  readonly #host: Host;
  readonly #run: TaskFunction;
  readonly #options: WorkOptions;
  readonly #agentId: string;
  readonly #leaseMs: number;
  readonly #silenceMs: number;
  readonly #concurrency: number;
  readonly #active = new Set<Attempt>();
  readonly #counts = { completed: 0, failed: 0, released: 0, cancelled: 0 };
  /** How many tasks were begun, and how many claims are under way. */
  #begun = 0;
  #asked = 0;
  #stopping = false;
  #failure: RuvSwarmError | undefined;
  /** Aborted when there is a reason to look up. */
  #bell = new AbortController();
  #lastHeard = performance.now();
  #seen = 0;
  #beating = false;

  constructor(host: Host, agent: Agent, run: TaskFunction, options: WorkOptions) {
    this.#host = host;
    this.#run = run;
    this.#options = options;
    this.#agentId = options.agentId;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#silenceMs = agent.silenceMs || Infinity;
    this.#concurrency = options.concurrency ?? agent.capacity;
  }

  async untilDone(): Promise<WorkSummary> {
    const { signal } = this.#options;
    const stop = (): void => this.#stop();
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    const keeper = setInterval(() => void this.#keep(), Math.min(GLANCE_MS, this.#rhythm() / 2));
    try {
      await this.#untilEnd();
    } catch (error) {
      this.#failure ??= asError(error);
    }
    try {
      await this.#wayOut();
    } finally {
      clearInterval(keeper);
      signal?.removeEventListener('abort', stop);
    }
    if (this.#failure) throw this.#failure;
    return { agentId: this.#agentId, ...this.#counts };
  }

  /** Claims and waits in turn until nothing more is to be begun and nothing runs. */
  async #untilEnd(): Promise<void> {
    while (!this.#stopping && !this.#failure) {
      this.#bell = new AbortController();
      try {
        if (await this.#turn(this.#bell.signal)) return;
      } catch (error) {
        // leases are kept meanwhile, if it passes soon
        if (!passesBy(asError(error))) throw error;
        await nap(AGAIN_MS, [this.#bell.signal]);
      }
    }
  }

  /** Claims what there is, then waits for a reason to look again; true if it is time to end. */
  async #turn(bell: AbortSignal): Promise<boolean> {
    // read before the claim: what is committed after it is news
    const version = await this.#host.version();
    await this.#claim();
    const spent = this.#mayBegin() <= 0;
    const resting = this.#active.size === 0;
    if (spent && resting) return true;
    if (spent || this.#active.size >= this.#concurrency) {
      await nap(Infinity, [bell]);
      return false;
    }
    if (this.#options.untilIdle && resting && !(await this.#host.hasWorkFor(this.#agentId))) return true;
    const [change, now] = [await this.#host.nextChange(), this.#host.nowMs()];
    // a change that is over brought nothing for this agent, and hides those that come after it
    const untilMs = change !== undefined && change <= now ? now + PATIENCE_MS : change;
    await this.#host.waitForNews(version, { untilMs, signal: bell });
    return false;
  }

  /** How many more tasks may be begun, now or later. */
  #mayBegin(): number {
    return (this.#options.maxTasks ?? Infinity) - this.#begun - this.#asked;
  }

  /** Fills the free places: twice as many claims a commit as in the one before, while all bring a task. */
  async #claim(): Promise<void> {
    const request = JSON.stringify({ agentId: this.#agentId, leaseMs: this.#leaseMs });
    const places = (): number => Math.min(this.#concurrency - this.#active.size, this.#mayBegin());
    // a claim in earnest would keep other writers waiting
    let more = places() > 0 && (await this.#worthAClaim(request));
    for (let most = 1; more; most *= 2) {
      const count = Math.min(most, places());
      if (count <= 0 || this.#stopping) return;
      this.#asked += count;
      const claims = Array.from({ length: count }, () => this.#claimOne(request));
      const answers = await Promise.allSettled(claims);
      for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
      more = answers.every((answer) => answer.status === 'fulfilled' && answer.value);
    }
  }

  /** Whether a claim would bring something, by the core's own word on the state that is there. */
  async #worthAClaim(request: string): Promise<boolean> {
    const deadline = (await this.#host.nextDeadline()) ?? Infinity;
    return deadline <= this.#host.nowMs() || this.#host.wouldChange('task_claim', request);
  }

  async #claimOne(request: string): Promise<boolean> {
    try {
      const { task } = JSON.parse(await this.#patiently([{ operation: 'task_claim', request, key: '' }])) as TaskClaimResponse;
      if (task) this.#begin(task);
      return task !== undefined;
    } finally {
      this.#asked -= 1;
    }
  }

  #begin(task: Task): void {
    const attempt = new Attempt(task);
    this.#active.add(attempt);
    this.#begun += 1;
    this.#lastHeard = performance.now();
    // claimed in the moment of the stop: it is told so at once
    if (this.#stopping) attempt.abort('stopped', ABORTED.stopped(attempt.taskId));
    attempt.ended = this.#carryOut(attempt)
      .catch((error: unknown) => {
        this.#failure ??= asError(error);
      })
      .finally(() => {
        this.#active.delete(attempt);
        if (!attempt.followed) this.#bell.abort();
      });
  }

  async #carryOut(attempt: Attempt): Promise<void> {
    let outcome: Outcome;
    this.#options.began?.(attempt.task);
    try {
      outcome = await completed(attempt.task, await this.#run(attempt.task, attempt.context));
    } catch (thrown) {
      outcome = attempt.stopped ? RELEASED : failed(thrown);
    }
    await this.#report(attempt, outcome);
  }

  /** Commits how the attempt ended, and the claim of the next task with it. */
  async #report(attempt: Attempt, outcome: Outcome): Promise<void> {
    if (attempt.closed) return;
    attempt.closed = true;
    if (attempt.lost) return this.#ended(attempt, 'lost', attempt.task);
    const claimNext = !this.#stopping && outcome !== RELEASED && this.#mayBegin() > 0;
    if (claimNext) this.#asked += 1;
    try {
      const { task = attempt.task, next } = await this.#commit(attempt, outcome, claimNext);
      this.#lastHeard = performance.now();
      const end = task.state === 'cancelled' ? 'cancelled' : attempt.reported.outcome;
      this.#ended(attempt, end, task);
      if (next) this.#begin(next);
      attempt.followed = next !== undefined;
    } catch (error) {
      // with the store out of reach for as long as a lease, others have the task by now
      if (!leaseIsLost(asError(error)) && !passesBy(asError(error))) throw error;
      this.#ended(attempt, 'lost', attempt.task);
    } finally {
      if (claimNext) this.#asked -= 1;
    }
  }

  async #commit(attempt: Attempt, outcome: Outcome, claimNext: boolean): Promise<TaskReportResponse> {
    const { taskId, epoch } = attempt;
    const about = { taskId, agentId: this.#agentId, epoch, outcome: outcome.outcome, ...(claimNext ? { claimNext, leaseMs: this.#leaseMs } : {}) };
    attempt.reported = outcome;
    try {
      return JSON.parse(await this.#patiently(reportCalls(about, outcome))) as TaskReportResponse;
    } catch (thrown) {
      const error = asError(thrown);
      const refused = error.code === 'invalid_argument' || error.code === 'limit_exceeded';
      if (!refused || outcome.outcome !== 'completed') throw error;
      // the core takes no such result: that is what failed
      return this.#commit(attempt, badResult(error), claimNext);
    }
  }

  #ended(attempt: Attempt, end: AttemptEnd, task: Task): void {
    this.#counts[end === 'lost' ? 'released' : end] += 1;
    this.#options.ended?.({ task, end, epoch: attempt.epoch, error: end === 'failed' ? attempt.reported.error : undefined });
  }

  /** The answer of the last call; trouble of the store that may pass is waited out, a lease long. */
  async #patiently(calls: readonly Call[]): Promise<string> {
    for (const end = performance.now() + this.#leaseMs; ; ) {
      try {
        return (await this.#host.callAll(calls)).at(-1) ?? '';
      } catch (thrown) {
        if (!passesBy(asError(thrown)) || performance.now() > end) throw thrown;
        await nap(AGAIN_MS);
      }
    }
  }

  /** A third of the lease, so that two heartbeats may fail before it is lost; likewise of the silence. */
  #rhythm(): number {
    return Math.min(this.#leaseMs, this.#silenceMs) / 3;
  }

  /** Sends heartbeats when they are due, and looks for news of the running tasks. */
  async #keep(): Promise<void> {
    if (this.#beating) return;
    this.#beating = true;
    try {
      const kept = [...this.#active].filter((attempt) => attempt.kept);
      const due = performance.now() - this.#lastBeat(kept) >= this.#rhythm() ? kept : await this.#touched(kept);
      await Promise.all(due.map((attempt) => this.#heartbeat(attempt)));
      if (performance.now() - this.#lastHeard >= this.#silenceMs / 3) await this.#showUp();
    } catch (thrown) {
      const error = asError(thrown);
      // a store that is busy is asked again soon; anything else ends the worker
      if (!passesBy(error)) this.#fail(error);
    } finally {
      this.#beating = false;
    }
  }

  /** When the lease that is oldest was extended last: one that is due takes all others along. */
  #lastBeat(kept: readonly Attempt[]): number {
    return Math.min(Infinity, ...kept.map(({ lastBeat }) => lastBeat));
  }

  /** Those of which the log says something new; their heartbeats bring the core's word. */
  async #touched(kept: readonly Attempt[]): Promise<Attempt[]> {
    if (kept.length === 0) return [];
    const version = await this.#host.version();
    if (version === this.#seen) return [];
    this.#seen = version;
    const touched = await Promise.all(
      kept.map(async (attempt) => {
        const status = await this.#host.query('task_status', JSON.stringify({ taskId: attempt.taskId }));
        const { task } = JSON.parse(status) as TaskStatusResponse;
        const calledOff = task?.cancelRequested === true && !attempt.context.signal.aborted;
        return (calledOff || task?.lease?.epoch !== attempt.epoch) && attempt.kept;
      }),
    );
    return kept.filter((_, i) => touched[i]);
  }

  async #heartbeat(attempt: Attempt): Promise<void> {
    const { taskId, epoch, progress } = attempt;
    const request = { taskId, agentId: this.#agentId, epoch, leaseMs: this.#leaseMs, ...(progress ? { progress } : {}) };
    try {
      const answer = JSON.parse(await this.#host.call('task_heartbeat', JSON.stringify(request))) as TaskHeartbeatResponse;
      attempt.lastBeat = this.#lastHeard = performance.now();
      if (answer.cancelRequested) attempt.abort('cancelled', ABORTED.cancelled(taskId));
    } catch (error) {
      if (!leaseIsLost(asError(error))) throw error;
      // a report that went first has ended the lease in order
      if (!attempt.closed) attempt.abort('lost', ABORTED.lost(taskId));
    }
  }

  /** An agent that may count as lost says that it is there, though it has nothing to do. */
  async #showUp(): Promise<void> {
    await this.#host.call('agent_heartbeat', JSON.stringify({ agentId: this.#agentId }));
    this.#lastHeard = performance.now();
  }

  #fail(error: RuvSwarmError): void {
    this.#failure ??= error;
    this.#bell.abort();
  }

  #stop(): void {
    this.#stopping = true;
    for (const attempt of this.#active) attempt.abort('stopped', ABORTED.stopped(attempt.taskId));
    this.#bell.abort();
  }

  /** Lets what runs come to its end, but no longer than the grace; then it is given back. */
  async #wayOut(): Promise<void> {
    if (this.#active.size === 0) return;
    this.#stop();
    const done = new AbortController();
    void Promise.all([...this.#active].map(({ ended }) => ended)).then(() => done.abort());
    await nap(GRACE_MS, [done.signal]);
    // in one commit; trouble here costs a wait for the leases to end
    await Promise.allSettled([...this.#active].map((attempt) => this.#report(attempt, RELEASED)));
  }
}

function leaseIsLost({ code }: RuvSwarmError): boolean {
  return code === 'stale_epoch' || code === 'failed_precondition' || code === 'not_found';
}

/** Whether the same call may well succeed a little later. */
function passesBy({ code }: RuvSwarmError): boolean {
  return code === 'store_unavailable' || code === 'outcome_unknown';
}
