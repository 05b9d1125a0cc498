/** work: the tasks of the backlog, done by a program of the user's. */
import { resolve } from 'node:path';
import { errorOf } from '../gen/errors.js';
import type { Task } from '../gen/types.js';
import type { Host } from '../host/host.js';
import { guarded, kernel } from '../load/kernel.js';
import { register } from '../work/agent.js';
import type { EndedAttempt, WorkSummary } from '../work/types.js';
import { work as workOn } from '../work/worker.js';
import type { Context } from './context.js';
import { interrupted } from './interrupt.js';
import type { Output } from './output.js';
import { checkProgram, type ProgramOptions, runProgram } from './program.js';

/** The limit of a task's output if nothing else is said, and the most that may be said, in bytes. */
const OUTPUT_LIMIT = 64 * 1024;
const MOST_OUTPUT = 256 * 1024 * 1024;

/** Runs the command. */
export async function work(context: Context): Promise<number> {
  const { out, values } = context;
  const program = programOf(context);
  const host = await context.host();
  const agentId = await worker(context, host);
  const gone = new AbortController();
  const told = (): void => {
    if (out.closed) gone.abort();
  };
  out.text(`${agentId} works\n`);
  const summary = await workOn(host, (task, attempt) => runProgram(program, task, attempt), {
    agentId,
    leaseMs: values.number('leaseMs'),
    concurrency: values.number('capacity'),
    maxTasks: values.number('maxTasks'),
    untilIdle: values.flag('untilIdle'),
    signal: AbortSignal.any([interrupted, gone.signal]),
    began: (task) => {
      out.text(beganText(task));
      told();
    },
    ended: (attempt) => {
      out.result(endedText(attempt), endedJson(agentId, attempt));
      told();
    },
  });
  tellSummary(out, summary);
  return interrupted.aborted ? 130 : 0;
}

/** The program with its limits: whatever is wrong with it is found before anything is claimed. */
function programOf(context: Context): ProgramOptions {
  const { values } = context;
  const exec = values.word('exec');
  if (exec === undefined) {
    throw errorOf('invalid_argument', "exec: missing; give a program with its arguments, for example: --exec 'python3 worker.py'", 'exec');
  }
  const words = guarded(() => kernel().splitWords('exec', exec));
  checkProgram(words);
  const seconds = values.number('timeLimit') ?? Infinity;
  if (!(seconds > 0)) throw errorOf('invalid_argument', `timeLimit: ${seconds}; allowed: seconds above 0`, 'timeLimit');
  const outputLimit = values.number('outputLimit') ?? OUTPUT_LIMIT;
  if (outputLimit < 1 || outputLimit > MOST_OUTPUT) {
    throw errorOf('invalid_argument', `outputLimit: ${outputLimit}; allowed: 1 to ${MOST_OUTPUT}`, 'outputLimit');
  }
  return { words, timeLimitMs: 1000 * seconds, outputLimit, db: resolve(context.database(false)) };
}

/** The agent that works: the one that was named by its id or its name, or a new one. */
async function worker({ values }: Context, host: Host): Promise<string> {
  const given = values.word('agent');
  if (given !== undefined) {
    // one that is not there is told before anything else is said
    await host.query('swarm_query', JSON.stringify({ agentId: given }));
    return given;
  }
  const [type = 'worker', name] = [values.word('type'), values.word('name')];
  const { id } = await register(host, { type, name, capabilities: values.list('capabilities'), capacity: values.number('capacity') });
  return id;
}

function beganText({ id, name, lease }: Task): string {
  return `${id}${name ? ` (${name})` : ''} attempt ${lease?.epoch}: started\n`;
}

function endedText({ task, end, epoch, error }: EndedAttempt): string {
  const last = error?.message.trimEnd().split('\n').at(-1) ?? '';
  const why = error ? ` with ${error.code}: ${last}; the task is ${task.state}` : '';
  return `${task.id} attempt ${epoch}: ${end}${why}\n`;
}

function endedJson(agentId: string, { task, end, epoch, error }: EndedAttempt): string {
  // the state after a lost lease is not known here; an absent error is left out
  const state = end === 'lost' ? '' : task.state;
  return JSON.stringify({ taskId: task.id, agentId, epoch, outcome: end, state, error });
}

function tellSummary(out: Output, { agentId, completed, failed, released, cancelled }: WorkSummary): void {
  out.result(
    `${agentId}: ${completed} completed, ${failed} failed, ${released} given back, ${cancelled} cancelled\n`,
    JSON.stringify({ agentId, completed, failed, released, cancelled }),
  );
}
