/** The body of a Web Worker that trains a network. */
import { load } from './load-web.js';
import type { News, Word } from './messages.js';
import { obey, type ThreadOrder } from './thread.js';

/** The part of the worker's global scope that is used; the DOM's types describe a page's. */
interface Scope {
  onmessage: ((event: MessageEvent<ThreadOrder | Word>) => void) | null;
  postMessage(news: News, transfer: ArrayBuffer[]): void;
}

const scope = globalThis as unknown as Scope;
let hear: ((word: Word) => void) | undefined;
const early: Word[] = [];
scope.onmessage = async ({ data }) => {
  if (typeof data === 'string') {
    if (hear) hear(data);
    else early.push(data);
    return;
  }
  await load(data.module);
  hear = obey(data.order, (news, transfer) => scope.postMessage(news, transfer));
  for (const word of early.splice(0)) hear(word);
};
