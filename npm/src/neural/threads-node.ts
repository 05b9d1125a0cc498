/** Worker threads of Node for training: one a network. */
import { Worker } from 'node:worker_threads';
import { asError, errorJson } from '../load/kernel.js';
import { errorOf } from '../gen/errors.js';
import { neuralModule } from './kernel.js';
import type { News } from './messages.js';
import type { ThreadOrder } from './thread.js';
import type { OpenThread } from './training.js';

/** Starts a worker thread. */
export const openThread: OpenThread = (order, hear) => {
  const workerData: ThreadOrder = { module: neuralModule(), order };
  const worker = new Worker(new URL('./thread-node.js', import.meta.url), {
    workerData,
    // the streams of the process belong to its owner
    stdout: false,
    stderr: false,
    // flags that tell how the main program is to be read do not fit a file of ours
    execArgv: [],
  });
  worker.on('message', (news: News) => hear(news));
  worker.on('error', (error) => hear({ kind: 'error', error: errorJson(asError(error)) }));
  worker.on('exit', () => hear({ kind: 'error', error: errorJson(errorOf('internal', 'a training thread ended early')) }));
  return { say: (word) => worker.postMessage(word), end: () => void worker.terminate() };
};
