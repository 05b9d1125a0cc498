/** What every thread that trains a network does. */
import { asError, errorJson } from '../load/kernel.js';
import { TrainingLoop } from './loop.js';
import type { News, Order, Word } from './messages.js';

/** What a thread gets first; then come words. */
export interface ThreadOrder {
  /** The compiled module. */
  readonly module: WebAssembly.Module;
  /** What to train. */
  readonly order: Order;
}

/** Trains as ordered; gives back who takes the owner's words. */
export function obey(order: Order, tell: (news: News, transfer: ArrayBuffer[]) => void): (word: Word) => void {
  const loop = new TrainingLoop(order, (news) => {
    // what is told once only need not be copied
    if (news.kind === 'result') tell(news, [news.model.buffer as ArrayBuffer]);
    else tell(news, news.kind === 'checkpoint' ? [news.bytes.buffer as ArrayBuffer] : []);
  });
  loop.run().catch((error: unknown) => tell({ kind: 'error', error: errorJson(asError(error)) }, []));
  return (word) => loop.hear(word);
}
