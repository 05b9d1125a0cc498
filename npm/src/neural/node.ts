/** `@ruv/swarm/neural` in Node: networks alone, with the small module. */
import { neuralApi } from './api.js';
import { load } from './load-node.js';

export * from './common.js';
export { load };

// threads are looked for when they are first needed: most programs only run a network
const api = neuralApi(
  async () => (await import('./threads-node.js')).openThread,
  async () => load(),
);

/** Trains a network on a worker thread and waits for it. */
export const train = api.train;
/** Starts training on a worker thread and gives a hold of it. */
export const startTraining = api.startTraining;
/** Goes on from a checkpoint, on the same data and with the options that it holds. */
export const resumeTraining = api.resumeTraining;
