/** One attempt at a task: what the function is told, and what the worker knows of it. */
import type { RuvSwarmError } from '../gen/errors.js';
import type { Progress, Task } from '../gen/types.js';
import { type Outcome, presentable, RELEASED } from './outcome.js';
import type { TaskContext } from './types.js';

/** An attempt under way. */
export class Attempt {
  /** The task as it was claimed. */
  readonly task: Task;
  /** The task's id. */
  readonly taskId: string;
  /** The epoch of the lease. */
  readonly epoch: number;
  /** What its function gets. */
  readonly context: TaskContext;
  /** When the lease was extended last, by the monotonic clock. */
  lastBeat = performance.now();
  /** What was told last of how far it is. */
  progress: Progress | undefined;
  /** Its report is under way or done. */
  closed = false;
  /** Its report brought the next task, which takes its place. */
  followed = false;
  /** What was reported. */
  reported: Outcome = RELEASED;
  /** Settles when nothing more happens to it. */
  ended: Promise<void> = Promise.resolve();
  readonly #controller = new AbortController();
  readonly #told = new Set<'lost' | 'cancelled' | 'stopped'>();

  constructor(task: Task) {
    this.task = task;
    this.taskId = task.id;
    this.epoch = task.lease?.epoch ?? 0;
    this.context = {
      agentId: task.lease?.agentId ?? '',
      epoch: this.epoch,
      signal: this.#controller.signal,
      progress: (done, total = 0, note = '') => {
        this.progress = { done: count(done), total: count(total), note: presentable(note) };
      },
    };
  }

  /** The lease is lost: what the function brings is of no use. */
  get lost(): boolean {
    return this.#told.has('lost');
  }

  /** The worker stops, and nothing else speaks against the attempt. */
  get stopped(): boolean {
    return this.#told.has('stopped') && !this.#told.has('cancelled');
  }

  /** Whether there is a lease to keep. */
  get kept(): boolean {
    return !this.closed && !this.lost;
  }

  /** Tells the function to end; the first reason is the one that it hears. */
  abort(why: 'lost' | 'cancelled' | 'stopped', reason: RuvSwarmError): void {
    this.#told.add(why);
    this.#controller.abort(reason);
  }
}

/** A number of units as the log holds it: whole and not below 0. */
function count(units: number): number {
  return Math.min(Math.max(Math.trunc(units) || 0, 0), Number.MAX_SAFE_INTEGER);
}
