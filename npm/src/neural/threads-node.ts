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
  // the streams of the process belong to its owner
  const worker = new Worker(new URL('./thread-node.js', import.meta.url), { workerData, stdout: false, stderr: false });
  worker.on('message', (news: News) => hear(news));
  worker.on('error', (error) => hear({ kind: 'error', error: errorJson(asError(error)) }));
  worker.on('exit', () => hear({ kind: 'error', error: errorJson(errorOf('internal', 'a training thread ended early')) }));
  return { say: (word) => worker.postMessage(word), end: () => void worker.terminate() };
};
