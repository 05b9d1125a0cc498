/** What the owner of a training and the thread that trains tell each other. */
import type { Source } from './data.js';
import type { NetworkProgress } from './options.js';

/** What is to be trained. */
export interface Order {
  /** The dataset. */
  readonly source: Source;
  /** The options as JSON text; a checkpoint brings its own. */
  readonly options: string;
  /** Where to go on from. */
  readonly checkpoint?: Uint8Array | undefined;
  /** Ends training after so many seconds of work. */
  readonly seconds?: number | undefined;
  /** A checkpoint after each so many epochs. */
  readonly checkpointEvery?: number | undefined;
}

/** What the owner says meanwhile. */
export type Word = 'pause' | 'resume' | 'stop' | 'checkpoint';

/** What the thread says. */
export type News =
  | { readonly kind: 'progress'; readonly progress: NetworkProgress }
  | { readonly kind: 'checkpoint'; readonly bytes: Uint8Array; readonly asked: boolean }
  | { readonly kind: 'result'; readonly model: Uint8Array; readonly report: string }
  | { readonly kind: 'error'; readonly error: { readonly code: string; readonly message: string; readonly field?: string } };
