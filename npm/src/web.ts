/** `@ruv/swarm` in a browser. */
import { errorOf } from './gen/errors.js';
import { type Environment, type Persistence, Swarm, type SwarmOptions } from './facade.js';
import { Host } from './host/host.js';
import { MemoryStore } from './host/memory.js';
import { load } from './load/web.js';
import { WebWorkers } from './workers/web.js';

/** How a swarm is created in a browser. */
export interface WebOptions extends SwarmOptions {
  /** Where the WebAssembly module is, if a bundler has moved it. */
  readonly module?: string | URL;
}

/** The entry points of the package. */
export const RuvSwarm = {
  /** Creates a swarm in the memory of this page. */
  async init(options: WebOptions = {}): Promise<Swarm> {
    const { module, ...request } = options;
    const bytes = await fetch(module ?? new URL('../wasm/web/ruv_swarm_bg.wasm', import.meta.url));
    const compiled = await WebAssembly.compileStreaming(bytes);
    await load(compiled);
    const environment: Environment = {
      async open(persistence: Persistence): Promise<Host> {
        if (persistence.type === 'memory') return Host.open(new MemoryStore());
        const given = JSON.stringify(persistence.type);
        throw errorOf('invalid_argument', `persistence.type: ${given} is not to be had in a browser; allowed: memory`, 'persistence.type');
      },
      workers: () => new WebWorkers(compiled),
    };
    return Swarm.create(environment, request);
  },
};

export * from './exports.js';
export { load } from './load/web.js';
export * as neural from './neural/web.js';
export { WebWorkers } from './workers/web.js';
