/** Who does training work: threads where there are any, else this thread in slices. */
import { type Job, type JobProgress, type JobResult, runJob } from './job.js';

/** One job under way. */
export interface RunningJob {
  /** The result; rejects with `Stopped` after `stop`. */
  readonly result: Promise<JobResult>;
  /** How far it is; undefined before the first slice. */
  progress(): JobProgress | undefined;
  /** Calls it off. */
  stop(): void;
}

/** Starts jobs; each runs beside the others and beside the event loop. */
export interface Workers {
  /** How many jobs run side by side at full speed. */
  readonly parallel: number;
  /** Starts a job. */
  start(job: Job): RunningJob;
}

/** Runs jobs on this thread, a slice at a time: for environments without workers. */
export class InlineWorkers implements Workers {
  readonly parallel = 1;

  start(job: Job): RunningJob {
    let latest: JobProgress | undefined;
    let stopped = false;
    const result = runJob(job, (progress) => (latest = progress), () => stopped);
    return { result, progress: () => latest, stop: () => void (stopped = true) };
  }
}

/** What a worker thread tells its owner. */
export type WorkerNews =
  | { readonly progress: JobProgress }
  | { readonly result: JobResult }
  | { readonly error: { readonly code: string; readonly message: string; readonly field?: string } };

/** What a worker thread gets. */
export interface WorkerOrder {
  /** The compiled WebAssembly module. */
  readonly module: WebAssembly.Module;
  /** The job. */
  readonly job: Job;
}
