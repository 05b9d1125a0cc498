/** Loads the WebAssembly module beside the package's files, in a browser. */
import init, * as wasm from '../../wasm/web/ruv_swarm.js';
import { type Kernel, kernel, kernelLoaded, useKernel } from './kernel.js';

/** Fetches and instantiates the module; `source` names it where a bundler has moved it. */
export async function load(source?: string | URL | Response | BufferSource | WebAssembly.Module): Promise<Kernel> {
  if (!kernelLoaded()) {
    await init({ module_or_path: source ?? new URL('../../wasm/web/ruv_swarm_bg.wasm', import.meta.url) });
    useKernel(wasm);
  }
  return kernel();
}
