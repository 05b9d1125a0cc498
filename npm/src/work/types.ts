/** What a worker is given and what it gives back. */
import { errorOf } from '../gen/errors.js';
import type { Task } from '../gen/types.js';

/** What a task's function is told besides the task. */
export interface TaskContext {
  /** The agent that holds the task. */
  readonly agentId: string;
  /** The epoch of its lease, the number of this attempt. */
  readonly epoch: number;
  /**
   * Aborted when the work is of no more use: the lease is lost, the task was called off, or the
   * worker stops. Its reason is a `RuvSwarmError` with code `stale_epoch`, `cancelled` or `interrupted`.
   */
  readonly signal: AbortSignal;
  /** Tells how far the task is: units done, units in all (0 if unknown), a short line for people. */
  progress(done: number, total?: number, note?: string): void;
}

/**
 * Does one task and returns its result: a text as it is; nothing for an empty one; bytes, which are
 * kept as an artifact; any other value as JSON. Text of more than 64 KiB is kept as an artifact too.
 * What it throws is the failure of this attempt: its code is the error's `code` if that is a word,
 * else the error's name in snake_case.
 */
export type TaskFunction = (task: Task, context: TaskContext) => unknown;

/** A failure of a task with a code of your own, which `nonRetryable` of the task may name. */
export class TaskFailure extends Error {
  /** A stable word, up to 100 characters. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TaskFailure';
    this.code = code;
  }
}

/** How tasks are worked on. */
export interface WorkOptions {
  /** The agent that works. */
  readonly agentId: string;
  /** How long a lease lasts without a heartbeat, 1000 to 86400000 ms; default 30000. */
  readonly leaseMs?: number | undefined;
  /** How many tasks at once; default the agent's capacity. */
  readonly concurrency?: number | undefined;
  /** Ends after so many tasks. */
  readonly maxTasks?: number | undefined;
  /** Ends when no task is left that this agent could do now or later. */
  readonly untilIdle?: boolean | undefined;
  /** Ends the work: running tasks are aborted and given back. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of each task whose function begins. */
  readonly began?: ((task: Task) => void) | undefined;
  /** Hears of each attempt that has ended. */
  readonly ended?: ((attempt: EndedAttempt) => void) | undefined;
}

/** How an attempt ended here: `lost` means that the lease was lost and nothing was reported. */
export type AttemptEnd = 'completed' | 'failed' | 'released' | 'cancelled' | 'lost';

/** An attempt that has ended. */
export interface EndedAttempt {
  /** The task as it stands after the report; as it was claimed if the lease was lost. */
  readonly task: Task;
  /** The number of the attempt. */
  readonly epoch: number;
  /** How this attempt ended; the task itself may be ready again. */
  readonly end: AttemptEnd;
  /** Why, of a failed attempt. */
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}

/** What a worker has done. */
export interface WorkSummary {
  /** The agent that worked. */
  readonly agentId: string;
  /** How many tasks it completed. */
  readonly completed: number;
  /** How many attempts failed. */
  readonly failed: number;
  /** How many attempts were given back or lost. */
  readonly released: number;
  /** How many attempts ended because their task was called off. */
  readonly cancelled: number;
}

/** Why a task's signal is aborted. */
export const ABORTED = {
  lost: (taskId: string) => errorOf('stale_epoch', `the lease of ${taskId} is lost: the result would come too late`),
  cancelled: (taskId: string) => errorOf('cancelled', `${taskId} was cancelled`),
  stopped: (taskId: string) => errorOf('interrupted', `the worker stops; ${taskId} is given back`),
} as const;
