/** Training in slices on whatever thread this is: between slices it hears what its owner says. */
import { guarded } from '../load/kernel.js';
import type { Session } from '../../wasm/neural/ruv_swarm_neural.js';
import { nextSlice } from '../workers/job.js';
import { neuralKernel } from './kernel.js';
import type { News, Order, Word } from './messages.js';
import type { NetworkProgress } from './options.js';

/** One training under way. */
export class TrainingLoop {
  readonly #order: Order;
  readonly #tell: (news: News) => void;
  #paused = false;
  #stopping = false;
  #ended = false;
  #checkpointsAsked = 0;
  #wake: () => void = () => {};

  /** `tell` hears of progress, checkpoints and the result. */
  constructor(order: Order, tell: (news: News) => void) {
    this.#order = order;
    this.#tell = tell;
  }

  /** Takes a word of the owner; it counts from the next slice on. */
  hear(word: Word): void {
    if (word === 'checkpoint') this.#checkpointsAsked += 1;
    else if (word === 'stop') this.#stopping = true;
    else this.#paused = word === 'pause';
    this.#wake();
  }

  /** Ends it without a result. */
  abandon(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Trains to the end and tells the result; throws what the core refuses. */
  async run(): Promise<void> {
    const session = open(this.#order);
    try {
      await this.#slices(session);
    } catch (error) {
      session.free();
      throw error;
    }
    if (this.#ended) return session.free();
    const { model, report } = guarded(() => session.finish());
    this.#tell({ kind: 'result', model, report });
  }

  async #slices(session: Session): Promise<void> {
    const { checkpointEvery: every = 0, seconds = Infinity } = this.#order;
    let epoch = (JSON.parse(session.progress()) as NetworkProgress).epoch;
    let slice = 1;
    let workedMs = 0;
    while (!session.done() && !this.#ended) {
      this.#answer(session);
      const over = this.#stopping ? 'cancelled' : workedMs >= seconds * 1000 ? 'time' : undefined;
      if (over !== undefined) {
        // what is kept is a training that goes on
        if (every > 0 && epoch % every > 0) this.#tell({ kind: 'checkpoint', bytes: session.checkpoint(), asked: false });
        session.stop(over);
      } else if (this.#paused) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      } else {
        const epochs = every > 0 ? Math.min(slice, every - (epoch % every)) : slice;
        const started = performance.now();
        guarded(() => session.run(epochs));
        const tookMs = performance.now() - started;
        workedMs += tookMs;
        // a slice that was cut for a checkpoint says little of how long a whole one takes
        slice = Math.min(nextSlice(epochs, tookMs), Math.max(1, Math.ceil((epochs * (seconds * 1000 - workedMs)) / Math.max(tookMs, 0.001))));
      }
      const progress = JSON.parse(session.progress()) as NetworkProgress;
      epoch = progress.epoch;
      this.#tell({ kind: 'progress', progress });
      if (over === undefined && every > 0 && (epoch % every === 0 || progress.done)) this.#tell({ kind: 'checkpoint', bytes: session.checkpoint(), asked: false });
      await turn();
    }
    this.#answer(session);
  }

  /** A checkpoint for each that was asked for. */
  #answer(session: Session): void {
    for (; this.#checkpointsAsked > 0; this.#checkpointsAsked -= 1) {
      this.#tell({ kind: 'checkpoint', bytes: session.checkpoint(), asked: true });
    }
  }
}

function open({ source, options, checkpoint }: Order): Session {
  const { Session } = neuralKernel();
  return guarded(() => {
    if ('bytes' in source) return checkpoint ? Session.resume(checkpoint, source.bytes) : new Session(source.bytes, options);
    const { inputs, targets, rows } = source;
    return checkpoint ? Session.resumeArrays(checkpoint, inputs, targets, rows) : Session.fromArrays(inputs, targets, rows, options);
  });
}

/** Lets the event loop hear of messages. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
