/** An agent that is a function: registered in the swarm, working until it is told to stop. */
import type { Agent, Task } from '../gen/types.js';
import type { Host } from '../host/host.js';
import type { EndedAttempt, TaskFunction, WorkSummary } from './types.js';
import { work } from './worker.js';

/** Who the agent is and how it works. */
export interface AgentOptions {
  /** A free word, for example coder; it counts as a capability. */
  readonly type: string;
  /** A name; the agent of this name that is there is joined. Without one a new agent is made. */
  readonly name?: string | undefined;
  /** What it can do. */
  readonly capabilities?: readonly string[] | undefined;
  /** How many tasks it may run at once, 1 to 1000; default 1. */
  readonly capacity?: number | undefined;
  /** How long it may be silent before it counts as lost, 1000 to 86400000 ms; default: leases alone decide. */
  readonly silenceMs?: number | undefined;
  /** How long a lease lasts without a heartbeat, 1000 to 86400000 ms; default 30000. */
  readonly leaseMs?: number | undefined;
  /** How many tasks run here at once; default the agent's capacity. */
  readonly concurrency?: number | undefined;
  /** Ends after so many tasks. */
  readonly maxTasks?: number | undefined;
  /** Ends when no task is left that this agent could do now or later. */
  readonly untilIdle?: boolean | undefined;
  /** Ends the work: running tasks are aborted and given back. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of each task whose function begins. */
  readonly began?: ((task: Task) => void) | undefined;
  /** Hears of each attempt that has ended. */
  readonly ended?: ((attempt: EndedAttempt) => void) | undefined;
}

/** An agent at work. */
export interface AgentHandle extends AsyncDisposable {
  /** The agent's id. */
  readonly agentId: string;
  /** What it has done, once it has ended; rejects with what kept it from working, so look at it. */
  readonly done: Promise<WorkSummary>;
  /** Ends the work: running tasks are aborted, given a grace of five seconds, and given back. */
  stop(): Promise<WorkSummary>;
}

/** The agent that `options` describe, made or joined. */
export async function register(host: Host, options: AgentOptions): Promise<Agent> {
  const { type, name, capabilities, capacity, silenceMs } = options;
  const request = { type, name, capabilities, capacity, silenceMs, ...(name ? { join: true } : {}) };
  const { agents } = JSON.parse(await host.call('agent_spawn', JSON.stringify(request))) as { agents: [Agent] };
  return agents[0];
}

/** Registers an agent and sets it to work; `closing` ends it too, and `watch` gets to know of its end. */
export async function startAgent(
  host: Host,
  options: AgentOptions,
  run: TaskFunction,
  closing: AbortSignal,
  watch: (working: Promise<WorkSummary>) => void,
): Promise<AgentHandle> {
  const { leaseMs, concurrency, maxTasks, untilIdle, began, ended } = options;
  const { id: agentId } = await register(host, options);
  const own = new AbortController();
  const signal = AbortSignal.any([own.signal, closing, ...(options.signal ? [options.signal] : [])]);
  const working = work(host, run, { agentId, leaseMs, concurrency, maxTasks, untilIdle, began, ended, signal });
  // those who only wait for its end must not take the rejection away from its owner
  const done = working.then((summary) => summary);
  const stop = (): Promise<WorkSummary> => {
    own.abort();
    return done;
  };
  watch(working);
  return { agentId, done, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}
