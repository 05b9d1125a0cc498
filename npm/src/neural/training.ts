/** The owner's hold of a training that runs on another thread. */
import { errorOf } from '../gen/errors.js';
import { asError, errorJson } from '../load/kernel.js';
import { TrainingLoop } from './loop.js';
import type { News, Order, Word } from './messages.js';
import { Network } from './network.js';
import type { NetworkProgress, NetworkReport } from './options.js';

/** How a training is followed and bounded. */
export interface TrainingControl {
  /** Cancels it; the result is then an error with code `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /** Hears how far it is, about twenty times a second. */
  readonly onProgress?: ((progress: NetworkProgress) => void) | undefined;
  /** Takes a checkpoint after each so many epochs, and at the end. */
  readonly checkpointEvery?: number | undefined;
  /** Gets those checkpoints. */
  readonly onCheckpoint?: ((checkpoint: Uint8Array) => void) | undefined;
  /** Ends training after so many seconds of work, with what was learnt so far. */
  readonly seconds?: number | undefined;
  /** Trains on this thread, in slices of about 50 ms, in place of a worker. */
  readonly inline?: boolean | undefined;
}

/** A thread that trains. */
export interface Thread {
  /** Says a word to it. */
  say(word: Word): void;
  /** Ends it at once. */
  end(): void;
}

/** Starts a thread with its order. */
export type OpenThread = (order: Order, hear: (news: News) => void) => Thread;

/** A training under way. */
export class Training {
  /** The trained network; rejects if training was cancelled or refused. */
  readonly result: Promise<Network>;
  readonly #control: TrainingControl;
  readonly #waiting: { resolve: (bytes: Uint8Array) => void; reject: (error: unknown) => void }[] = [];
  readonly #said: Word[] = [];
  #progress: NetworkProgress | undefined;
  #thread: Thread | undefined;
  #over = false;
  #settle!: { resolve: (network: Network) => void; reject: (error: unknown) => void };

  /** Starts it on the thread that `opening` brings. */
  constructor(order: Order, control: TrainingControl, opening: Promise<OpenThread>) {
    this.#control = control;
    this.result = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // whoever holds the handle may never look at the result of what was cancelled
    this.result.catch(() => {});
    const { signal } = control;
    if (signal?.aborted) this.cancel();
    else signal?.addEventListener('abort', this.#abort);
    opening.then(
      (open) => this.#open(open, order),
      (error: unknown) => this.#end(() => this.#settle.reject(asError(error))),
    );
  }

  /** How far it is; undefined before the first slice. */
  get progress(): NetworkProgress | undefined {
    return this.#progress;
  }

  /** Holds after the present slice; the thread waits. */
  pause(): void {
    this.#say('pause');
  }

  /** Goes on after a pause. */
  resume(): void {
    this.#say('resume');
  }

  /** Ends it after the present slice with what was learnt so far. */
  stop(): void {
    this.#say('stop');
  }

  /** Ends it at once; the result is an error with code `cancelled`. */
  cancel(): void {
    this.#end(() => this.#settle.reject(errorOf('cancelled', 'the training was cancelled')));
  }

  /** All that it takes to go on later with `resumeTraining`, bit for bit. */
  checkpoint(): Promise<Uint8Array> {
    if (this.#over) return Promise.reject(errorOf('failed_precondition', 'the training is over; there is nothing to go on with'));
    const taken = new Promise<Uint8Array>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#say('checkpoint');
    return taken;
  }

  readonly #abort = (): void => this.cancel();

  #say(word: Word): void {
    if (this.#thread) this.#thread.say(word);
    else this.#said.push(word);
  }

  #open(open: OpenThread, order: Order): void {
    // cancelled while the thread was being made ready
    if (this.#over) return;
    try {
      this.#thread = open(order, (news) => this.#hear(news));
    } catch (error) {
      return this.#end(() => this.#settle.reject(asError(error)));
    }
    for (const word of this.#said.splice(0)) this.#thread.say(word);
  }

  #hear(news: News): void {
    if (this.#over) return;
    try {
      this.#take(news);
    } catch (error) {
      // what a listener throws is the caller's own, and ends what it listened to
      this.#end(() => this.#settle.reject(error));
    }
  }

  #take(news: News): void {
    switch (news.kind) {
      case 'progress':
        this.#progress = news.progress;
        return this.#control.onProgress?.(news.progress);
      case 'checkpoint':
        return news.asked ? this.#waiting.shift()?.resolve(news.bytes) : this.#control.onCheckpoint?.(news.bytes);
      case 'result': {
        const network = Network.load(news.model, JSON.parse(news.report) as NetworkReport);
        return this.#end(() => this.#settle.resolve(network));
      }
      case 'error': {
        const { code, message, field } = news.error;
        return this.#end(() => this.#settle.reject(errorOf(code, message, field)));
      }
    }
  }

  #end(settle: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#control.signal?.removeEventListener('abort', this.#abort);
    this.#thread?.end();
    settle();
    for (const { reject } of this.#waiting.splice(0)) reject(errorOf('failed_precondition', 'the training is over; there is nothing to go on with'));
  }
}

/** Trains on this thread, a slice at a time. */
export const openInline: OpenThread = (order, hear) => {
  const loop = new TrainingLoop(order, hear);
  loop.run().catch((error: unknown) => hear({ kind: 'error', error: errorJson(asError(error)) }));
  return { say: (word) => loop.hear(word), end: () => loop.abandon() };
};
