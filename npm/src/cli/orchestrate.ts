/** orchestrate: train on data, plan a goal for workers, or go on with what was interrupted. */
import { basename } from 'node:path';
import { errorOf } from '../gen/errors.js';
import type { TaskOrchestrateResponse } from '../gen/types.js';
import { readWhole } from '../files.js';
import { runTraining, unfinishedTraining } from '../host/executor.js';
import type { Host } from '../host/host.js';
import { planTraining, resultJson, sampleDataset } from '../host/training.js';
import { hostError, kernel } from '../load/kernel.js';
import { NodeWorkers } from '../workers/node.js';
import type { Context } from './context.js';
import { interrupted } from './interrupt.js';
import { Live } from './live.js';

/** Most threads that may be asked for. */
const MAX_THREADS = 1024;

/** Runs the command. */
export async function orchestrate(context: Context): Promise<number> {
  const threads = threadCount(context);
  if (context.values.flag('resume')) return resume(context, threads);
  const text = (context.values.word('text') ?? '').trim();
  const host = await context.host();
  const request = common(context);
  if ((await host.orchestrateIntent(text, context.values.word('data') !== undefined)) === 'goal') {
    const response = await host.call('task_orchestrate', JSON.stringify({ ...request, task: text }));
    context.out.result(kernel().render('task_orchestrate', response), response);
    return 0;
  }
  const { bytes, name } = dataset(context);
  const options = { target: context.values.word('target'), task: context.values.word('task') };
  const response = await planTraining(host, { ...request, task: text || 'train' }, { bytes, name, ...options });
  context.out.text(kernel().render('task_orchestrate', response));
  return trainGoal(context, host, threads, (JSON.parse(response) as TaskOrchestrateResponse).goalId ?? '');
}

function threadCount(context: Context): number | undefined {
  const threads = context.values.number('threads');
  if (threads === undefined || (threads >= 1 && threads <= MAX_THREADS)) return threads;
  throw errorOf('invalid_argument', `threads: ${threads}; allowed: 1 to ${MAX_THREADS}`, 'threads');
}

/** Fields that goals of both kinds share. */
function common(context: Context): Record<string, unknown> {
  const agents = context.values.words('agents');
  return {
    strategy: context.values.word('strategy'),
    priority: context.values.word('priority'),
    agents: agents.length > 0 ? agents : undefined,
    maxAgents: context.values.number('maxAgents'),
  };
}

/** The dataset's bytes and their name; the bundled sample if none was given, which is said first. */
function dataset(context: Context): { bytes: Uint8Array; name: string } {
  const path = context.values.word('data');
  if (path !== undefined) return { bytes: readWhole('data', path), name: basename(path) };
  const message = kernel().sampleMessage();
  context.out.result(`${message}\n`, JSON.stringify({ message }));
  return sampleDataset();
}

async function resume(context: Context, threads: number | undefined): Promise<number> {
  const host = await context.host();
  const goals = await unfinishedTraining(host);
  if (goals.length === 0) context.out.result('no training goal is unfinished\n', '{"goals":[]}');
  for (const goal of goals) {
    context.out.text(`going on with ${goal}\n`);
    const code = await trainGoal(context, host, threads, goal);
    if (code !== 0) return code;
  }
  return 0;
}

/** Runs the goal to its end, shows how it goes, and prints what came of it. */
async function trainGoal(context: Context, host: Host, threads: number | undefined, goalId: string): Promise<number> {
  const live = new Live(context.out);
  const workers = new NodeWorkers();
  const results = await runTraining(host, goalId, { workers, threads, signal: interrupted, observe: (view) => live.show(view) });
  live.end();
  if (results.state === 'completed') {
    const response = await host.query('task_results', JSON.stringify({ goalId }));
    context.out.result(kernel().render('task_results', response), JSON.stringify(resultJson(results)));
    return 0;
  }
  if (results.state === 'cancelled' && interrupted.aborted) throw hostError('interrupted', '', '');
  if (results.state === 'cancelled') throw errorOf('cancelled', `goal ${goalId} was cancelled`);
  throw errorOf('work_failed', `goal ${goalId} failed: ${await why(host, goalId)}`);
}

async function why(host: Host, goalId: string): Promise<string> {
  const response = await host.query('task_status', JSON.stringify({ goalId }));
  const { goal } = JSON.parse(response) as { goal?: { error?: { message?: string } } };
  return goal?.error?.message ?? 'no reason was given';
}
