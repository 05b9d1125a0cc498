/** Loads the WebAssembly module from the package's folder, in Node. */
import { readFileSync } from 'node:fs';
import * as wasm from '../../wasm/web/ruv_swarm.js';
import { type Kernel, kernel, kernelLoaded, loadOnDemand, useKernel } from './kernel.js';

let compiled: WebAssembly.Module | undefined;

/** The compiled module; worker threads get it handed over and need not compile it again. */
export function compiledModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('../../wasm/web/ruv_swarm_bg.wasm', import.meta.url)));
  return compiled;
}

/** Instantiates the module, once a thread. */
export function load(module?: WebAssembly.Module): Kernel {
  if (!kernelLoaded()) {
    compiled = module ?? compiledModule();
    wasm.initSync({ module: compiled });
    useKernel(wasm);
  }
  return kernel();
}

loadOnDemand(load);
