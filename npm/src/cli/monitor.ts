/** monitor: events as they come, the status at the end. */
import { errorOf } from '../gen/errors.js';
import type { SwarmMonitorResponse } from '../gen/types.js';
import type { Host } from '../host/host.js';
import { nap } from '../host/news.js';
import { kernel } from '../load/kernel.js';
import { statusJson } from './commands.js';
import type { Context } from './context.js';
import { interrupted } from './interrupt.js';

/** How long it lasts where nobody could interrupt it. */
const DEFAULT_SECONDS = 10;
/** How many events are read at a time. */
const BLOCK = 1000;

/** Runs the command. */
export async function monitor(context: Context): Promise<number> {
  const intervalMs = 1000 * inRange('interval', context.values.number('interval') ?? 0.5, 0.05, 3600);
  const given = context.values.number('duration');
  const forever = given === undefined && process.stdout.isTTY === true;
  const seconds = forever ? Infinity : inRange('duration', given ?? DEFAULT_SECONDS, 0, 1e9);
  const end = performance.now() + seconds * 1000;
  const host = await context.host();
  const filters = wantedOnly(context);
  let after = context.values.number('after') ?? (await host.version());
  context.out.text(kernel().render('swarm_status', await host.query('swarm_status', '{}')));
  for (;;) {
    after = await show(context, host, filters, after);
    const left = end - performance.now();
    if (left <= 0 || interrupted.aborted || context.out.closed) break;
    await nap(Math.min(intervalMs, left), [interrupted]);
    // asked only when there is news: an answer comes with the swarm's whole status
    await host.waitForNews(after, { untilMs: host.nowMs() + Math.max(0, end - performance.now()), signal: interrupted });
  }
  const status = await host.query('swarm_status', '{}');
  context.out.result(kernel().render('swarm_status', status), statusJson(status));
  return interrupted.aborted ? 130 : 0;
}

function inRange(field: string, value: number, low: number, high: number): number {
  if (value >= low && value <= high) return value;
  throw errorOf('invalid_argument', `${field}: ${value}; allowed: ${low} to ${high}`, field);
}

/** The filters that were given, as fields of the request. */
function wantedOnly(context: Context): Record<string, unknown> {
  const kinds = context.values.list('kinds');
  const [taskId, agentId, goalId] = ['task', 'agent', 'goal'].map((name) => context.values.word(name));
  // absent fields are undefined, which JSON leaves out
  return { kinds, taskId, agentId, goalId };
}

/** Prints the events after `after` that pass the filters, and gives back the cursor to go on from. */
async function show(context: Context, host: Host, filters: object, after: number): Promise<number> {
  for (let cursor = after; ; ) {
    const answer = await host.query('swarm_monitor', JSON.stringify({ ...filters, after: cursor, limit: BLOCK }));
    const { events = [], nextAfter = cursor } = JSON.parse(answer) as SwarmMonitorResponse;
    for (const line of events) context.out.result(kernel().renderEvent(line), line);
    if (nextAfter <= cursor || interrupted.aborted || context.out.closed) return nextAfter;
    cursor = nextAfter;
  }
}
