/** One piece of training work: a pure function of the dataset's bytes and the plan. */
import { guarded, kernel } from '../load/kernel.js';

/** What a worker is to do. */
export type Work =
  | { readonly kind: 'train'; readonly member: number }
  | { readonly kind: 'fuse'; readonly models: readonly Uint8Array[] };

/** All that the result depends on. */
export interface Job {
  /** The dataset's bytes. */
  readonly data: Uint8Array;
  /** The resolved training plan as JSON text. */
  readonly plan: string;
  /** Which part of it. */
  readonly work: Work;
}

/** What came of it. */
export interface JobResult {
  /** The model file. */
  readonly model: Uint8Array;
  /** The core's report as JSON text. */
  readonly report: string;
}

/** How far it is. */
export interface JobProgress {
  /** Epochs done. */
  readonly done: number;
  /** Epochs at most. */
  readonly total: number;
  /** A short line for people. */
  readonly note: string;
}

/** What the core says after a slice. */
interface TrainerProgress {
  readonly epoch: number;
  readonly maxEpochs: number;
  readonly bestValidationLoss: number;
}

/** A slice lasts about this long: soon enough for news to be heard, long enough to cost nothing. */
const SLICE_MS = 50;

/** Does the work; `observe` hears of progress, and the event loop runs on between slices. */
export async function runJob(job: Job, observe: (progress: JobProgress) => void, stopped?: () => boolean): Promise<JobResult> {
  const { data, plan, work } = job;
  if (work.kind === 'fuse') return guarded(() => kernel().fuse(data, plan, [...work.models]));
  const trainer = guarded(() => new (kernel().Trainer)(data, plan, work.member));
  let epochs = 1;
  try {
    while (!trainer.done()) {
      if (stopped?.()) throw new Stopped();
      const started = performance.now();
      const progress = JSON.parse(guarded(() => trainer.run(epochs))) as TrainerProgress;
      epochs = nextSlice(epochs, performance.now() - started);
      const note = `validation loss ${progress.bestValidationLoss.toFixed(6)}`;
      observe({ done: progress.epoch, total: progress.maxEpochs, note });
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  } catch (error) {
    trainer.free();
    throw error;
  }
  return guarded(() => trainer.finish());
}

/** The work was called off before its end. */
export class Stopped extends Error {
  constructor() {
    super('stopped before its end');
  }
}

/** At most doubles, so that one slow epoch after a fast one does not last for seconds. */
export function nextSlice(epochs: number, tookMs: number): number {
  const fitting = Math.trunc((epochs * SLICE_MS) / Math.max(tookMs, 0.001));
  return Math.min(Math.max(fitting, 1), epochs * 2, 100_000);
}
