/** The small WebAssembly module of the networks alone: the one place that holds it. */
import type * as Wasm from '../../wasm/neural/ruv_swarm_neural.js';
import { errorOf } from '../gen/errors.js';

/** The functions and classes of the module. */
export type NeuralKernel = typeof Wasm;

interface Loaded {
  readonly kernel: NeuralKernel;
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
}

let loaded: Loaded | undefined;
let demanded: (() => void) | undefined;

/** Hands the instantiated module to the package; a loader calls it once. */
export function useNeuralKernel(kernel: NeuralKernel, memory: WebAssembly.Memory, module: WebAssembly.Module): void {
  loaded = { kernel, memory, module };
}

/** Names who loads the module at its first use, where that can be done without waiting. */
export function loadNeuralOnDemand(loader: () => void): void {
  demanded = loader;
}

function get(): Loaded {
  if (!loaded) demanded?.();
  if (!loaded) throw errorOf('failed_precondition', 'the WebAssembly module of the networks is not loaded yet; await neural.load() first');
  return loaded;
}

/** The module; in a page it has to be loaded before. */
export function neuralKernel(): NeuralKernel {
  return get().kernel;
}

/** Its memory, for rows that are written in place. */
export function neuralMemory(): WebAssembly.Memory {
  return get().memory;
}

/** Its compiled form, to be handed to workers. */
export function neuralModule(): WebAssembly.Module {
  return get().module;
}

/** Whether a loader has run. */
export function neuralLoaded(): boolean {
  return loaded !== undefined;
}
