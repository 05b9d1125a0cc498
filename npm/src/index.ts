/** `@ruv/swarm` in Node. */
import { MemoryStore } from './host/memory.js';
import { Host } from './host/host.js';
import { openSqliteStore } from './host/sqlite.js';
import { type Environment, type Persistence, Swarm, type SwarmOptions } from './facade.js';
import { errorOf } from './gen/errors.js';
import { load } from './load/node.js';
import type { McpTool } from './mcp/tools.js';
import { NodeWorkers } from './workers/node.js';

const NODE: Environment = {
  async open(persistence: Persistence): Promise<Host> {
    switch (persistence.type) {
      case 'memory':
        return Host.open(new MemoryStore());
      case 'sqlite': {
        const { path, durability } = persistence;
        return Host.open(await openSqliteStore(path, durability ? { create: true, durability } : { create: true }));
      }
      default: {
        const given = JSON.stringify((persistence as { type?: unknown }).type ?? null);
        throw errorOf('invalid_argument', `persistence.type: unknown value ${given}; allowed: sqlite, memory`, 'persistence.type');
      }
    }
  },
  workers: () => new NodeWorkers(),
};

/** The swarm that `RuvSwarm.init` made last, which `registerMCPTools` serves. */
let current: Swarm | undefined;

/** The entry points of the package. */
export const RuvSwarm = {
  /** Creates a swarm, or joins the one that is there if what is given equals what is there. */
  async init(options: SwarmOptions = {}): Promise<Swarm> {
    load();
    current = await Swarm.create(NODE, options);
    return current;
  },

  /**
   * The operations of a swarm as MCP tools: definitions and handlers to register with an MCP server.
   * Without an argument it serves the swarm that `init` made last.
   */
  async registerMCPTools(swarm: Swarm | undefined = current): Promise<McpTool[]> {
    if (!swarm) throw errorOf('failed_precondition', 'there is no swarm yet; call RuvSwarm.init first');
    return swarm.mcpTools();
  },
};

export * from './exports.js';
export * as neural from './neural/node.js';
export { openSqliteStore, type SqliteOptions } from './host/sqlite.js';
export { load } from './load/node.js';
export { NodeWorkers } from './workers/node.js';
