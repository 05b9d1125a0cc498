/** Training of one network as functions; an entry point says where threads come from. */
import { guarded } from '../load/kernel.js';
import { neuralKernel } from './kernel.js';
import { sourceOf, type NetworkData } from './data.js';
import type { Network } from './network.js';
import type { NetworkOptions } from './options.js';
import { openInline, type OpenThread, Training, type TrainingControl } from './training.js';

/** The functions that train. */
export interface NeuralApi {
  /** Trains a network on a worker and waits for it. */
  train(data: NetworkData, options?: NetworkOptions, control?: TrainingControl): Promise<Network>;
  /** Starts training on a worker and gives a hold of it. */
  startTraining(data: NetworkData, options?: NetworkOptions, control?: TrainingControl): Training;
  /** Goes on from a checkpoint, on the same data and with the options that it holds. */
  resumeTraining(checkpoint: Uint8Array, data: NetworkData, control?: TrainingControl): Training;
}

/** The functions, on threads of `threads`; `ready` loads the module on this thread. */
export function neuralApi(threads: () => Promise<OpenThread>, ready: () => Promise<void>): NeuralApi {
  const start = (data: NetworkData, options: NetworkOptions, control: TrainingControl, checkpoint?: Uint8Array): Training => {
    const { seconds, checkpointEvery, inline } = control;
    const order = { source: sourceOf(data), options: JSON.stringify(options), checkpoint, seconds, checkpointEvery };
    const opening = ready().then(() => {
      guarded(() => neuralKernel().checkControl(checkpointEvery, seconds));
      return inline ? openInline : threads();
    });
    return new Training(order, control, opening);
  };
  return {
    train: async (data, options = {}, control = {}) => start(data, options, control).result,
    startTraining: (data, options = {}, control = {}) => start(data, options, control),
    resumeTraining: (checkpoint, data, control = {}) => start(data, {}, control, checkpoint),
  };
}
