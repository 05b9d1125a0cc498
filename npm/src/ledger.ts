/** The coordinating half of the API for programs: thin, typed calls of the operations, and agents. */
import type { NewTask, Operations, SwarmEvent, Task, TaskSubmitResponse } from './gen/types.js';
import type { Host } from './host/host.js';
import { type AgentHandle, type AgentOptions, startAgent } from './work/agent.js';
import { follow, type FollowOptions } from './work/follow.js';
import type { TaskFunction } from './work/types.js';

type Request<Name extends keyof Operations> = Operations[Name]['request'];
type Response<Name extends keyof Operations> = Operations[Name]['response'];

/** The backlog of a swarm and those who work on it. */
export class Ledger {
  /** The host loop below, for what is not named here. */
  readonly host: Host;
  readonly #closing = new AbortController();
  readonly #working = new Set<Promise<unknown>>();

  constructor(host: Host) {
    this.host = host;
  }

  /**
   * Carries out any operation of the catalogue; with an idempotency key, said twice it happens once.
   * Field names are those of the reference; the answer is typed by the caller.
   */
  async call<Answer = Record<string, unknown>>(operation: string, request: object = {}, idempotencyKey = ''): Promise<Answer> {
    return JSON.parse(await this.host.call(operation, JSON.stringify(request), idempotencyKey)) as Answer;
  }

  /**
   * Registers an agent and does its tasks with a function, several at once if its capacity allows;
   * heartbeats go by themselves. With a name, the agent of that name is joined if it is there.
   *
   * Heartbeats need the event loop: a function that computes for long without an `await` loses its
   * lease. Give it a lease that is long enough, or compute in a worker thread.
   */
  async agent(options: AgentOptions, run: TaskFunction): Promise<AgentHandle> {
    return startAgent(this.host, options, run, this.#closing.signal, (working) => {
      this.#working.add(working);
      const forget = (): void => void this.#working.delete(working);
      working.then(forget, forget);
    });
  }

  /** Adds tasks to the backlog, all or none; with `goal` they belong to a new goal of that text. */
  async submit(
    tasks: NewTask | readonly NewTask[],
    options: { readonly goal?: string; readonly idempotencyKey?: string } = {},
  ): Promise<TaskSubmitResponse> {
    const { goal, idempotencyKey } = options;
    return this.call('task_submit', { tasks: Array.isArray(tasks) ? tasks : [tasks], goal }, idempotencyKey);
  }

  /** Changes a task that waits. */
  async update(request: Request<'task_update'>): Promise<Task> {
    return (await this.call<{ task: Task }>('task_update', request)).task;
  }

  /** Takes the next task that the agent may run, or the one that is named; undefined if there is none. */
  async claim(request: Request<'task_claim'>): Promise<Task | undefined> {
    return (await this.call<Response<'task_claim'>>('task_claim', request)).task;
  }

  /** Extends the lease of a running task. */
  async heartbeat(request: Request<'task_heartbeat'>): Promise<Response<'task_heartbeat'>> {
    return this.call('task_heartbeat', request);
  }

  /** Ends the attempt of a running task. */
  async report(request: Request<'task_report'>): Promise<Response<'task_report'>> {
    return this.call('task_report', request);
  }

  /** Calls off a task, or a goal with all its tasks. */
  async cancel(request: Request<'task_cancel'>): Promise<Response<'task_cancel'>> {
    return this.call('task_cancel', request);
  }

  /** Tells why a task does not run, by the exact rule; with `agentId` also what keeps that agent from it. */
  async explain(taskId: string, agentId?: string): Promise<Response<'task_explain'>> {
    return this.call('task_explain', { taskId, agentId });
  }

  /** Lists tasks by state, goal, agent or label, a page at a time: `nextAfter` is where to go on. */
  async tasks(filter: Request<'task_list'> = {}): Promise<Response<'task_list'>> {
    return this.call('task_list', filter);
  }

  /** Holds back a task, a goal, an agent, or the whole swarm: nothing new starts. */
  async pause(request: Request<'swarm_pause'> = {}): Promise<Response<'swarm_pause'>> {
    return this.call('swarm_pause', request);
  }

  /** Lets go on what was held back. */
  async resume(request: Request<'swarm_resume'> = {}): Promise<Response<'swarm_resume'>> {
    return this.call('swarm_resume', request);
  }

  /** Takes an agent out for good; what it held is ready again. */
  async retire(request: Request<'agent_retire'>): Promise<Response<'agent_retire'>> {
    return this.call('agent_retire', request);
  }

  /** Counts what agents have done, from the log. */
  async metrics(request: Request<'agent_metrics'> = {}): Promise<Response<'agent_metrics'>> {
    return this.call('agent_metrics', request);
  }

  /**
   * The events after a cursor and those that come, each once and none left out; by default those
   * that come. It ends when `signal` is aborted, the loop is left, or the swarm is closed.
   */
  follow(options: FollowOptions = {}): AsyncGenerator<SwarmEvent, void, undefined> {
    const { signal, ...rest } = options;
    return follow(this.host, { ...rest, signal: AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])]) });
  }

  /** Stops the agents, waits for what is under way and gives the database back. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#working);
    await this.host.close();
  }

  /** Closes the swarm at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
