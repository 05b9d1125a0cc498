/** `@ruv/swarm/neural` in a browser: networks alone, with the small module. */
import { neuralApi } from './api.js';
import { load } from './load-web.js';
import { openThread } from './threads-web.js';
import { openInline } from './training.js';

export * from './common.js';
export { load };

// where there are no workers, training is cut into slices on this thread
const api = neuralApi(async () => (typeof Worker === 'undefined' ? openInline : openThread), () => load());

/** Trains a network on a Web Worker and waits for it. */
export const train = api.train;
/** Starts training on a Web Worker and gives a hold of it. */
export const startTraining = api.startTraining;
/** Goes on from a checkpoint, on the same data and with the options that it holds. */
export const resumeTraining = api.resumeTraining;
