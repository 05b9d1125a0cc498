/** Loads the small module beside the package's files, in a browser. */
import * as wasm from '../../wasm/neural/ruv_swarm_neural.js';
import { neuralLoaded, useNeuralKernel } from './kernel.js';

let loading: Promise<void> | undefined;

/** Fetches and instantiates the module, once a page; `source` names it where a bundler has moved it. */
export function load(source?: string | URL | WebAssembly.Module): Promise<void> {
  loading ??= instantiate(source).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function instantiate(source: string | URL | WebAssembly.Module | undefined): Promise<void> {
  if (neuralLoaded()) return;
  const compiled = source instanceof WebAssembly.Module ? source : await compile(source);
  useNeuralKernel(wasm, wasm.initSync({ module: compiled }).memory, compiled);
}

async function compile(source: string | URL | undefined): Promise<WebAssembly.Module> {
  const response = await fetch(source ?? new URL('../../wasm/neural/ruv_swarm_neural_bg.wasm', import.meta.url));
  // a server that does not know the media type is no reason not to start
  if (response.headers.get('content-type') !== 'application/wasm') return WebAssembly.compile(await response.arrayBuffer());
  return WebAssembly.compileStreaming(response);
}
