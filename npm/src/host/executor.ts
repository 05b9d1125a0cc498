/**
 * The executor of training goals: members on workers, leases kept, results committed.
 *
 * The event loop claims, keeps leases and reports; workers only compute. So the ledger sees one order
 * of things however many workers there are, and a member's result depends on the plan alone.
 */
import { asError } from '../load/kernel.js';
import { errorOf, type RuvSwarmError } from '../gen/errors.js';
import type { Goal, Task, TaskClaimResponse, TaskHeartbeatResponse, TaskResultsResponse } from '../gen/types.js';
import { Stopped, type Work } from '../workers/job.js';
import type { RunningJob, Workers } from '../workers/workers.js';
import { Host } from './host.js';
import { TrainingView } from './view.js';

/** How long a lease lasts: short, so that another process takes over soon after a crash. */
const LEASE_MS = 10_000;
/** How often a running member tells the ledger that it lives and how far it is. */
const BEAT_MS = 1_000;
/** How often the observer is called while work goes on. */
const GLANCE_MS = 100;
/** How long to wait before another look when all work is in other hands. */
const PATIENCE_MS = 250;

/** How a training goal is run. */
export interface ExecutorOptions {
  /** Who computes. */
  readonly workers: Workers;
  /** How many members train at once; default as many as the workers can. */
  readonly threads?: number | undefined;
  /** Cancels the goal. */
  readonly signal?: AbortSignal | undefined;
  /** Leaves the goal for another process to go on with. */
  readonly leave?: AbortSignal | undefined;
  /** Hears how the members stand, about ten times a second at most. */
  readonly observe?: ((view: TrainingView) => void) | undefined;
}

/** A task that this process runs. */
interface Active {
  readonly agentId: string;
  readonly epoch: number;
  readonly job: RunningJob;
  readonly name: string;
  lastBeat: number;
  /** The lease is lost: what the worker brings is of no use. */
  lost: boolean;
}

/** Runs a training goal to its end and gives back the answer of `task_results`. */
export async function runTraining(host: Host, goalId: string, options: ExecutorOptions): Promise<TaskResultsResponse> {
  const goal = await goalOf(host, goalId);
  if (goal.kind !== 'train') {
    throw errorOf('failed_precondition', `goalId: ${goalId} is no training goal`, 'goalId');
  }
  if (goal.state === 'running') {
    const run = new Run(host, goal, await host.getArtifact(goal.dataset ?? ''), options);
    try {
      await run.untilDone();
    } finally {
      await run.release();
    }
  }
  return JSON.parse(await host.query('task_results', JSON.stringify({ goalId }))) as TaskResultsResponse;
}

/** The ids of the training goals that are not finished, oldest first. */
export async function unfinishedTraining(host: Host): Promise<string[]> {
  const status = JSON.parse(await host.query('swarm_status', '{"verbose":true}')) as { goals?: Goal[] };
  const running = (status.goals ?? []).filter((goal) => goal.kind === 'train' && goal.state === 'running');
  return running.map((goal) => goal.id ?? '');
}

async function goalOf(host: Host, goalId: string): Promise<Goal & { plan?: string }> {
  return (JSON.parse(await host.query('swarm_query', JSON.stringify({ goalId }))) as { goal: Goal }).goal;
}

class Run {
  readonly #host: Host;
  readonly #options: ExecutorOptions;
  readonly #goalId: string;
  readonly #plan: string;
  readonly #data: Uint8Array;
  readonly #active = new Map<string, Active>();
  readonly #view: TrainingView;
  readonly #threads: number;
  #toldToStop = false;
  /** Why a result could not be committed. */
  #failure: unknown;
  #wake: () => void = () => {};

  constructor(host: Host, goal: Goal & { plan?: string }, data: Uint8Array, options: ExecutorOptions) {
    this.#host = host;
    this.#options = options;
    this.#goalId = goal.id ?? '';
    this.#plan = goal.plan ?? '';
    this.#data = shared(data);
    this.#view = new TrainingView(this.#goalId, this.#plan);
    this.#threads = Math.max(1, options.threads ?? options.workers.parallel);
  }

  async untilDone(): Promise<void> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      await this.#cancelIfTold();
      if (this.#options.leave?.aborted) return;
      const { goal, tasks } = await this.#status();
      this.#view.note(tasks, this.#jobs(), this.#host.nowMs());
      this.#options.observe?.(this.#view);
      if (goal.state !== 'running') return;
      if (!this.#toldToStop) await this.#startReady(tasks);
      await this.#workAWhile();
    }
  }

  /** Stops what still runs and hands its tasks back at once, instead of letting their leases end. */
  async release(): Promise<void> {
    const left = [...this.#active];
    this.#active.clear();
    for (const [, active] of left) active.job.stop();
    const reports = left
      .filter(([, active]) => !active.lost)
      .map(([taskId, active]) => this.#report(taskId, active, { error: new Stopped() }));
    // trouble here costs a wait for the leases to end, and the caller has its own trouble to tell
    await Promise.allSettled(reports);
  }

  async #status(): Promise<{ goal: Goal; tasks: Task[] }> {
    const goalId = this.#goalId;
    // leases of crashed processes end by a tick, which a command brings along and nobody else may send
    await this.#host.call('tick', '{}');
    const status = JSON.parse(await this.#host.query('task_status', JSON.stringify({ goalId }))) as { goal: Goal; tasks?: Task[] };
    return { goal: status.goal, tasks: status.tasks ?? [] };
  }

  async #cancelIfTold(): Promise<void> {
    if (!this.#options.signal?.aborted || this.#toldToStop) return;
    this.#toldToStop = true;
    for (const active of this.#active.values()) active.job.stop();
    await this.#host.call('task_cancel', JSON.stringify({ goalId: this.#goalId, reason: 'interrupted' }));
  }

  /** Waits for results and keeps leases until there is a reason to look at the ledger again. */
  async #workAWhile(): Promise<void> {
    const { signal, leave, observe } = this.#options;
    if (this.#active.size === 0) {
      // the rest is with other processes, or waits for its time
      await this.#nap(PATIENCE_MS);
      return;
    }
    const before = this.#active.size;
    const until = performance.now() + 5_000;
    while (performance.now() < until && this.#active.size === before) {
      await this.#nap(GLANCE_MS);
      if ((signal?.aborted && !this.#toldToStop) || leave?.aborted) return;
      await this.#keepLeases();
      this.#view.glance(this.#jobs());
      observe?.(this.#view);
    }
  }

  /** Sleeps until the time is over, a job ends, or somebody calls the work off. */
  async #nap(ms: number): Promise<void> {
    const { signal, leave } = this.#options;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        leave?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#wake = wake;
      if (!this.#toldToStop) signal?.addEventListener('abort', wake, { once: true });
      leave?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Claims what is ready, as many as there are free workers, in one commit. */
  async #startReady(tasks: readonly Task[]): Promise<void> {
    const now = this.#host.nowMs();
    const free = this.#threads - this.#active.size;
    const ready = (task: Task): boolean =>
      task.state === 'ready' && (task.notBeforeMs ?? 0) <= now && !this.#active.has(task.id ?? '');
    const chosen = tasks.filter(ready).slice(0, Math.max(0, free));
    await Promise.all(
      chosen.map(async (task) => {
        const request = { agentId: task.assignedTo, taskId: task.id, leaseMs: LEASE_MS };
        let claimed: TaskClaimResponse;
        try {
          claimed = JSON.parse(await this.#host.call('task_claim', JSON.stringify(request))) as TaskClaimResponse;
        } catch (error) {
          // somebody else was faster, or the agent is at its capacity: look again later
          if (asError(error).code === 'failed_precondition') return;
          throw error;
        }
        if (claimed.task?.lease) await this.#start(claimed.task, tasks);
      }),
    );
  }

  async #start(task: Task, tasks: readonly Task[]): Promise<void> {
    const taskId = task.id ?? '';
    const members = tasks.filter(({ kind }) => kind === 'train');
    const index = members.findIndex(({ id }) => id === taskId);
    const work: Work =
      task.kind === 'fuse'
        ? { kind: 'fuse', models: await Promise.all(members.map(({ artifact }) => this.#host.getArtifact(artifact ?? ''))) }
        : { kind: 'train', member: memberIndex(task.payload) ?? index };
    const active: Active = {
      agentId: task.lease?.agentId ?? '',
      epoch: task.lease?.epoch ?? 0,
      job: this.#options.workers.start({ data: this.#data, plan: this.#plan, work }),
      name: task.kind === 'fuse' ? 'ensemble' : `member ${index + 1}`,
      lastBeat: performance.now(),
      lost: false,
    };
    this.#active.set(taskId, active);
    active.job.result.then(
      (result) => this.#ended(taskId, { result }),
      (error: unknown) => this.#ended(taskId, { error }),
    );
  }

  #ended(taskId: string, outcome: Outcome): void {
    const active = this.#active.get(taskId);
    // released, or lost to another host: nobody waits for it
    if (!active) return;
    const settled = (): void => {
      this.#active.delete(taskId);
      this.#wake();
    };
    if (active.lost) return settled();
    this.#report(taskId, active, outcome).then(settled, (error: unknown) => {
      this.#failure ??= error;
      settled();
    });
  }

  /** Heartbeats for all that are due, in one commit; a lost lease stops its member. */
  async #keepLeases(): Promise<void> {
    if (this.#failure) throw this.#failure;
    const due = [...this.#active].filter(([, { lost, lastBeat }]) => !lost && performance.now() - lastBeat >= BEAT_MS);
    await Promise.all(
      due.map(async ([taskId, active]) => {
        active.lastBeat = performance.now();
        const { agentId, epoch } = active;
        const progress = active.job.progress() ?? { done: 0, total: 0, note: '' };
        try {
          const request = JSON.stringify({ taskId, agentId, epoch, leaseMs: LEASE_MS, progress });
          const answer = JSON.parse(await this.#host.call('task_heartbeat', request)) as TaskHeartbeatResponse;
          if (answer.cancelRequested) active.job.stop();
        } catch (error) {
          if (!leaseIsLost(asError(error))) throw error;
          // a report that was committed meanwhile ends the lease too
          if (!this.#active.has(taskId)) return;
          active.lost = true;
          active.job.stop();
        }
      }),
    );
  }

  /** Commits what a worker brought: the model's bytes and the report in one transaction. */
  async #report(taskId: string, { agentId, epoch, name }: Active, outcome: Outcome): Promise<void> {
    const about = { taskId, agentId, epoch, leaseMs: LEASE_MS };
    const call = (request: object): { operation: string; request: string; key: string } => ({
      operation: 'task_report',
      request: JSON.stringify({ ...about, ...request }),
      key: '',
    });
    try {
      if ('result' in outcome) {
        const { model, report } = outcome.result;
        const artifact = await Host.artifact(model, name, 'application/x-ruv-swarm-model');
        await this.#host.callAll([artifact, call({ outcome: 'completed', output: report, artifact: artifact.hash })]);
      } else {
        await this.#host.callAll([call({ outcome: 'failed', error: reason(outcome.error) })]);
      }
    } catch (error) {
      // a report that comes too late is refused, and the task is somebody else's by now
      if (!leaseIsLost(asError(error))) throw error;
    }
  }

  #jobs(): ReadonlyMap<string, RunningJob> {
    return new Map([...this.#active].map(([taskId, { job }]) => [taskId, job]));
  }
}

type Outcome = { readonly result: { readonly model: Uint8Array; readonly report: string } } | { readonly error: unknown };

function reason(thrown: unknown): { code: string; message: string } {
  if (thrown instanceof Stopped) return { code: 'cancelled', message: thrown.message };
  const { code, message } = asError(thrown);
  return { code, message };
}

function leaseIsLost({ code }: RuvSwarmError): boolean {
  return code === 'stale_epoch' || code === 'failed_precondition' || code === 'not_found';
}

function memberIndex(payload: string | undefined): number | undefined {
  const member = (JSON.parse(payload || '{}') as { member?: unknown }).member;
  return typeof member === 'number' ? member : undefined;
}

/** The bytes where all threads can read them without a copy each, if that is to be had. */
function shared(bytes: Uint8Array): Uint8Array {
  if (typeof SharedArrayBuffer === 'undefined') return bytes;
  const view = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  view.set(bytes);
  return view;
}
