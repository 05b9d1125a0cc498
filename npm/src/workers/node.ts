/** Training on worker threads of Node: one thread a job. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { errorOf } from '../gen/errors.js';
import { compiledModule } from '../load/node.js';
import { asError } from '../load/kernel.js';
import { type Job, type JobProgress, type JobResult, Stopped } from './job.js';
import type { RunningJob, WorkerNews, WorkerOrder, Workers } from './workers.js';

/** Worker threads, as many side by side as the machine has cores. */
export class NodeWorkers implements Workers {
  readonly parallel = availableParallelism();

  start(job: Job): RunningJob {
    const order: WorkerOrder = { module: compiledModule(), job };
    const worker = new Worker(new URL('./thread-node.js', import.meta.url), {
      workerData: order,
      // the streams of the process belong to its owner
      stdout: false,
      stderr: false,
      // flags that tell how the main program is to be read do not fit a file of ours
      execArgv: [],
    });
    let latest: JobProgress | undefined;
    let stopped = false;
    const result = new Promise<JobResult>((resolve, reject) => {
      worker.on('message', (news: WorkerNews) => {
        if ('progress' in news) latest = news.progress;
        else if ('result' in news) resolve(news.result);
        else reject(errorOf(news.error.code, news.error.message, news.error.field));
      });
      worker.on('error', (error) => reject(asError(error)));
      worker.on('exit', () => reject(stopped ? new Stopped() : errorOf('internal', 'a training thread ended early')));
    });
    const stop = (): void => {
      stopped = true;
      void worker.terminate();
    };
    return { result, progress: () => latest, stop };
  }
}
