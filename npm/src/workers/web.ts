/** Training on Web Workers: one worker a job. */
import { errorOf } from '../gen/errors.js';
import { type Job, type JobProgress, type JobResult, Stopped } from './job.js';
import type { RunningJob, WorkerNews, WorkerOrder, Workers } from './workers.js';

/** Web Workers, as many side by side as the browser says the machine has cores. */
export class WebWorkers implements Workers {
  readonly parallel = Math.max(1, navigator.hardwareConcurrency || 1);
  readonly #module: WebAssembly.Module;

  /** `module` is compiled once and handed to every worker. */
  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  start(job: Job): RunningJob {
    const worker = new Worker(new URL('./thread-web.js', import.meta.url), { type: 'module' });
    let latest: JobProgress | undefined;
    let stop = (): void => {};
    const result = new Promise<JobResult>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<WorkerNews>) => {
        if ('progress' in data) latest = data.progress;
        else if ('result' in data) resolve(data.result);
        else reject(errorOf(data.error.code, data.error.message, data.error.field));
      };
      worker.onerror = (event) => reject(errorOf('internal', event.message || 'a training worker could not start'));
      stop = () => reject(new Stopped());
    }).finally(() => worker.terminate());
    worker.postMessage({ module: this.#module, job } satisfies WorkerOrder);
    return { result, progress: () => latest, stop: () => stop() };
  }
}
