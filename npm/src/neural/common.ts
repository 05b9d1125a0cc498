/// <reference lib="esnext.disposable" preserve="true" />
/** What the entry points of networks for Node and for browsers have in common. */
export type { NetworkData, NestedRows, NumberRows } from './data.js';
export type { NeuralApi } from './api.js';
export { Network } from './network.js';
export type { Evaluation, NetworkOptions, NetworkProgress, NetworkReport } from './options.js';
export { Training, type TrainingControl } from './training.js';
