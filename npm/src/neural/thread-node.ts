/** The body of a thread of Node that trains a network. */
import { parentPort, workerData } from 'node:worker_threads';
import { load } from './load-node.js';
import type { Word } from './messages.js';
import { obey, type ThreadOrder } from './thread.js';

const port = parentPort;
if (port) {
  const { module, order } = workerData as ThreadOrder;
  load(module);
  const hear = obey(order, (news, transfer) => port.postMessage(news, transfer));
  port.on('message', (word: Word) => hear(word));
}
