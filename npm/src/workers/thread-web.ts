/** The body of a Web Worker. */
import { load } from '../load/web.js';
import { obey } from './thread.js';
import type { WorkerNews, WorkerOrder } from './workers.js';

/** The part of the worker's global scope that is used; the DOM's types describe a page's. */
interface Scope {
  onmessage: ((event: MessageEvent<WorkerOrder>) => void) | null;
  postMessage(news: WorkerNews, transfer: ArrayBuffer[]): void;
}

const scope = globalThis as unknown as Scope;
scope.onmessage = async ({ data: order }) => {
  await load(order.module);
  await obey(order, (news, transfer) => scope.postMessage(news, transfer));
};
