/** The body of a worker thread of Node. */
import { parentPort, workerData } from 'node:worker_threads';
import { load } from '../load/node.js';
import { obey } from './thread.js';
import type { WorkerOrder } from './workers.js';

const port = parentPort;
if (port) {
  const order = workerData as WorkerOrder;
  load(order.module);
  await obey(order, (news, transfer) => port.postMessage(news, transfer));
}
