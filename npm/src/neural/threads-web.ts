/** Web Workers for training: one a network. */
import { errorJson } from '../load/kernel.js';
import { errorOf } from '../gen/errors.js';
import { neuralModule } from './kernel.js';
import type { News } from './messages.js';
import type { ThreadOrder } from './thread.js';
import type { OpenThread } from './training.js';

/** Starts a worker. */
export const openThread: OpenThread = (order, hear) => {
  const worker = new Worker(new URL('./thread-web.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<News>) => hear(data);
  worker.onerror = (event) => {
    hear({ kind: 'error', error: errorJson(errorOf('internal', event.message || 'a training worker could not start')) });
  };
  worker.postMessage({ module: neuralModule(), order } satisfies ThreadOrder);
  return { say: (word) => worker.postMessage(word), end: () => worker.terminate() };
};
