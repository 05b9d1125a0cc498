/** Loads the small module from the package's folder, in Node. */
import { readFileSync } from 'node:fs';
import * as wasm from '../../wasm/neural/ruv_swarm_neural.js';
import { loadNeuralOnDemand, neuralLoaded, useNeuralKernel } from './kernel.js';

/** Instantiates the module, once a thread; it happens by itself at the first use. */
export function load(module?: WebAssembly.Module): void {
  if (neuralLoaded()) return;
  const compiled = module ?? new WebAssembly.Module(readFileSync(new URL('../../wasm/neural/ruv_swarm_neural_bg.wasm', import.meta.url)));
  useNeuralKernel(wasm, wasm.initSync({ module: compiled }).memory, compiled);
}

loadNeuralOnDemand(load);
