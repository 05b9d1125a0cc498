/** Serves the operations as MCP tools over stdio; standard output carries JSON-RPC and nothing else. */
import { PassThrough } from 'node:stream';
import { type JSONRPCMessage, Server, type Transport } from '@modelcontextprotocol/server';
import { serveStdio as serve, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { runTraining } from '../host/executor.js';
import type { Host } from '../host/host.js';
import { asError } from '../load/kernel.js';
import { TOOLS, type ToolDefinition } from '../gen/tools.js';
import { version } from '../version.js';
import { NodeWorkers } from '../workers/node.js';
import { callTool, findTool } from './tools.js';
import { InOrder, Turns } from './turns.js';

const INSTRUCTIONS =
  'A swarm of agents on one durable log. Begin with swarm_init, then agent_spawn and task_orchestrate; ' +
  'workers take tasks with task_claim and end them with task_report.';

/** Serves until standard input ends and every request is answered, or `stop` says so. */
export async function serveStdio(host: Host, stop: AbortSignal): Promise<void> {
  const background = new Trainings(host);
  const transport = new PatientTransport();
  const closed = new Promise<void>((resolve) => transport.whenClosed(resolve));
  const handle = serve(() => server(host, (goalId) => background.start(goalId)), {
    transport,
    onerror: (error) => process.stderr.write(`mcp: ${error.message}\n`),
  });
  stop.addEventListener('abort', () => void handle.close(), { once: true });
  await closed;
  await background.leave();
}

function server(host: Host, planned: (goalId: string) => void): Server {
  const turns = new Turns();
  const served = new Server({ name: 'ruv-swarm', version }, { capabilities: { tools: {} }, instructions: INSTRUCTIONS });
  served.setRequestHandler('tools/list', () => ({ tools: TOOLS.map(listed) }));
  served.setRequestHandler('tools/call', async ({ params }) => {
    const { name, arguments: args = {} } = params;
    return turns.take(kindOf(name), async () => ({ ...(await callTool(host, name, args, planned)) }));
  });
  return served;
}

/** What is no operation is answered in the order of the queries. */
function kindOf(name: string): string {
  return findTool(name)?.kind ?? 'query';
}

/** The definition as clients see it: what is for hosts alone is left out. */
function listed({ name, title, description, annotations, inputSchema, outputSchema }: ToolDefinition): {
  name: string;
  title: string;
  description: string;
  annotations: ToolDefinition['annotations'];
  inputSchema: { type: 'object'; [key: string]: unknown };
  outputSchema: { type: 'object'; [key: string]: unknown };
} {
  return { name, title, description, annotations, inputSchema: { ...inputSchema }, outputSchema: { ...outputSchema } };
}

/** Training goals that this process runs while it serves. */
class Trainings {
  readonly #host: Host;
  readonly #leave = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #workers = new NodeWorkers();

  constructor(host: Host) {
    this.#host = host;
  }

  start(goalId: string): void {
    const run = runTraining(this.#host, goalId, { workers: this.#workers, leave: this.#leave.signal }).then(
      () => {},
      (error: unknown) => void process.stderr.write(`training of ${goalId}: ${asError(error).message}\n`),
    );
    this.#running.add(run);
    void run.then(() => this.#running.delete(run));
  }

  /** Hands unfinished goals back; `orchestrate --resume` or another host goes on with them. */
  async leave(): Promise<void> {
    this.#leave.abort();
    await Promise.all(this.#running);
  }
}

/**
 * Standard input and output, but patient: answers go out in the order of their requests, and the end
 * of the input is passed on only when every request before it has been answered.
 */
class PatientTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport['onmessage'];
  readonly #input = new PassThrough();
  readonly #inner = new StdioServerTransport(this.#input, process.stdout);
  readonly #pending = new InOrder<JSONRPCMessage>();
  #ended = false;
  #whenClosed: () => void = () => {};

  whenClosed(callback: () => void): void {
    this.#whenClosed = callback;
  }

  async start(): Promise<void> {
    this.#inner.onclose = () => {
      process.stdin.pause();
      this.onclose?.();
      this.#whenClosed();
    };
    this.#inner.onerror = (error) => this.onerror?.(error);
    this.#inner.onmessage = (message: JSONRPCMessage) => {
      if ('method' in message && 'id' in message) this.#pending.asked(message.id);
      this.onmessage?.(message);
      const cancelled = cancelledBy(message);
      // the SDK answers a cancelled request in one revision and not in the other
      if (cancelled !== undefined) void this.#sendAll(this.#pending.forget(cancelled));
    };
    await this.#inner.start();
    process.stdin.on('data', (chunk: Buffer) => this.#input.write(chunk));
    process.stdin.on('end', () => {
      this.#ended = true;
      this.#endWhenIdle();
    });
    process.stdin.on('error', (error) => this.onerror?.(error));
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const id = 'method' in message ? undefined : message.id;
    await this.#sendAll(id === undefined ? [message] : this.#pending.answered(id, message));
  }

  async #sendAll(messages: readonly JSONRPCMessage[]): Promise<void> {
    for (const message of messages) await this.#inner.send(message);
    this.#endWhenIdle();
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  #endWhenIdle(): void {
    if (!this.#ended) return;
    // a turn of the event loop, so that what is still in the buffer becomes a request first
    setImmediate(() => {
      if (this.#pending.settled && this.#input.readableLength === 0) this.#input.end();
    });
  }
}

/** The request that a notification calls off. */
function cancelledBy(message: JSONRPCMessage): string | number | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined;
  return (message.params as { requestId?: string | number } | undefined)?.requestId;
}
