/** monitor: events as they come, the status at the end. */
import { errorOf } from '../gen/errors.js';
import type { Host } from '../host/host.js';
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
  let after = context.values.number('after') ?? (await host.version());
  context.out.text(kernel().render('swarm_status', await host.query('swarm_status', '{}')));
  for (;;) {
    after = await show(context, host, after);
    const left = end - performance.now();
    if (left <= 0 || interrupted.aborted || context.out.closed) break;
    await nap(Math.min(intervalMs, left));
  }
  const status = await host.query('swarm_status', '{}');
  context.out.result(kernel().render('swarm_status', status), statusJson(status));
  return interrupted.aborted ? 130 : 0;
}

function inRange(field: string, value: number, low: number, high: number): number {
  if (value >= low && value <= high) return value;
  throw errorOf('invalid_argument', `${field}: ${value}; allowed: ${low} to ${high}`, field);
}

/** Prints what came after `after` and gives back the number of the last event. */
async function show(context: Context, host: Host, after: number): Promise<number> {
  for (let last = after; ; ) {
    const events = await host.events(last, BLOCK);
    for (const event of events) {
      context.out.result(kernel().renderEvent(event.body), event.body);
      last = event.seq;
    }
    if (events.length < BLOCK || interrupted.aborted || context.out.closed) return last;
  }
}

/** Sleeps until the time is over or the user has asked for an end. */
async function nap(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      interrupted.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    interrupted.addEventListener('abort', wake, { once: true });
  });
}
