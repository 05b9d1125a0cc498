/** work: the tasks of the backlog, done by a program of the user's. */
import { errorOf } from '../gen/errors.js';
import type { Host } from '../host/host.js';
import { guarded, kernel } from '../load/kernel.js';
import { register } from '../work/agent.js';
import type { EndedAttempt, WorkSummary } from '../work/types.js';
import { work as workOn } from '../work/worker.js';
import type { Context } from './context.js';
import { interrupted } from './interrupt.js';
import { checkProgram, runProgram } from './program.js';

/** The limit of a task's output if nothing else is said, and the most that may be said, in bytes. */
const OUTPUT_LIMIT = 64 * 1024;
const MOST_OUTPUT = 256 * 1024 * 1024;

/** Runs the command. */
export async function work(context: Context): Promise<number> {
  const exec = context.values.word('exec');
  if (exec === undefined) throw errorOf('invalid_argument', 'exec: missing; give a program with its arguments', 'exec');
  const words = guarded(() => kernel().splitWords('exec', exec));
  const outputLimit = inRange('outputLimit', context.values.number('outputLimit') ?? OUTPUT_LIMIT, 1, MOST_OUTPUT);
  const timeLimitMs = 1000 * inRange('timeLimit', context.values.number('timeLimit') ?? Infinity, 0, Infinity);
  checkProgram(words);
  const db = context.database(false);
  const host = await context.host();
  const agentId = await worker(context, host);
  const summary = await workOn(host, (task, told) => runProgram({ words, db, timeLimitMs, outputLimit }, task, told), {
    agentId,
    leaseMs: context.values.number('leaseMs'),
    maxTasks: context.values.number('maxTasks'),
    untilIdle: context.values.flag('untilIdle'),
    signal: interrupted,
    ended: (attempt) => context.out.result(attemptText(agentId, attempt), JSON.stringify(attemptJson(agentId, attempt))),
  });
  context.out.result(summaryText(summary), JSON.stringify(summaryJson(summary)));
  return interrupted.aborted ? 130 : 0;
}

function inRange(field: string, value: number, low: number, high: number): number {
  if (value >= low && value <= high) return value;
  throw errorOf('invalid_argument', `${field}: ${value}; allowed: ${low} to ${high}`, field);
}

/** The agent that works: the one that was named by its id or its name, or a new one. */
async function worker({ values }: Context, host: Host): Promise<string> {
  const given = values.word('agent');
  if (given !== undefined) return given;
  const [name, capabilities] = [values.word('name'), values.list('capabilities')];
  const { id = '' } = await register(host, { type: values.word('type') ?? 'worker', name, capabilities, capacity: values.number('capacity') });
  return id;
}

function attemptText(agentId: string, { task, end, epoch, error }: EndedAttempt): string {
  const why = error ? ` with ${error.code}: ${error.message}` : '';
  return `${task.id} ${task.name}: attempt ${epoch} by ${agentId} ${end}${why}\n`;
}

function attemptJson(agentId: string, { task, end, epoch, error }: EndedAttempt): object {
  return { agentId, taskId: task.id, epoch, outcome: end, state: end === 'lost' ? '' : task.state, ...(error ? { error } : {}) };
}

function summaryText({ agentId, completed, failed, released }: WorkSummary): string {
  return `${agentId}: ${completed} completed, ${failed} failed, ${released} released\n`;
}

function summaryJson({ agentId, completed, failed, released }: WorkSummary): object {
  return { agentId, completed, failed, released };
}
