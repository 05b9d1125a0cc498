/** The commands that ask or change the swarm with one or two operations. */
import { errorOf } from '../gen/errors.js';
import type { Agent, SwarmInitResponse } from '../gen/types.js';
import { toHex } from '../host/bytes.js';
import { drawSeed, drawSwarmId } from '../host/random.js';
import { databaseExists, sharesSafely, sqliteVersion } from '../host/sqlite-open.js';
import { guarded, kernel } from '../load/kernel.js';
import { version } from '../version.js';
import type { Context } from './context.js';
import { interrupted } from './interrupt.js';
import { monitor } from './monitor.js';
import { call } from './operation.js';
import { orchestrate } from './orchestrate.js';
import { evaluate, inspect, predict } from './predict.js';
import { submit } from './submit.js';
import { train } from './train.js';
import { work } from './work.js';

/** How many events are read at a time. */
const BLOCK = 1000;

/** The code of each command that is more than one operation; it gives back the exit code. */
export const COMMAND_CODE: Readonly<Record<string, (context: Context) => Promise<number>>> = {
  init,
  spawn,
  orchestrate,
  train,
  evaluate,
  predict,
  inspect,
  status,
  query,
  monitor,
  log,
  replay,
  doctor,
  work,
  submit,
  call,
  mcp,
};

/** The named arguments that were given, as fields of a request. */
function fields(context: Context, names: readonly string[]): Record<string, string | number> {
  const given: Record<string, string | number> = {};
  for (const name of names) {
    const value = context.values.word(name) ?? context.values.number(name);
    if (value !== undefined) given[name] = value;
  }
  return given;
}

async function init(context: Context): Promise<number> {
  const persistence = context.values.word('persistence');
  if (persistence !== undefined && persistence !== 'sqlite') {
    throw errorOf('invalid_argument', `persistence: unknown value ${JSON.stringify(persistence)}; allowed: sqlite`, 'persistence');
  }
  const path = context.database(true);
  const request = fields(context, ['topology', 'strategy', 'maxAgents', 'seed']);
  // a refused request must not leave a file behind
  if (!databaseExists(path)) checkInit(request);
  const host = await context.open(path, true);
  const response = await host.call('swarm_init', JSON.stringify(request));
  const { swarmId, topology, seed } = JSON.parse(response) as SwarmInitResponse;
  const json = JSON.stringify({ swarmId, topology, db: path, seed });
  context.out.result(`${kernel().render('swarm_init', response)}database ${path}\n`, json);
  return 0;
}

function checkInit(request: Readonly<Record<string, unknown>>): void {
  const core = new (kernel().Core)();
  try {
    const drawn = { swarmId: drawSwarmId(), seed: drawSeed(), ...request };
    guarded(() => core.call('swarm_init', JSON.stringify(drawn), 1, ''));
  } finally {
    core.free();
  }
}

async function spawn(context: Context): Promise<number> {
  const capabilities = context.values.words('capabilities');
  const request: Record<string, unknown> = fields(context, ['type', 'model', 'pattern', 'name', 'capacity', 'silenceMs']);
  if (capabilities.length > 0) request['capabilities'] = capabilities;
  if (context.values.flag('join')) request['join'] = true;
  const count = context.values.number('parallel');
  if (count !== undefined) request['count'] = count;
  const host = await context.host();
  const response = await host.call('agent_spawn', JSON.stringify(request));
  const { agents } = JSON.parse(response) as { agents: Agent[] };
  const listed = agents.map(({ id, type, pattern = '', capabilities: words = [] }) => ({ id, type, pattern, capabilities: words }));
  context.out.result(kernel().render('agent_spawn', response), JSON.stringify({ agents: listed }));
  return 0;
}

async function status(context: Context): Promise<number> {
  const host = await context.host();
  const response = await host.query('swarm_status', JSON.stringify({ verbose: context.values.flag('verbose') }));
  context.out.result(kernel().render('swarm_status', response), statusJson(response));
  return 0;
}

/** The status as the doors print it. */
export function statusJson(response: string): string {
  const all = JSON.parse(response) as Record<string, unknown>;
  const shown = ['swarmId', 'topology', 'agents', 'tasks', 'version', 'stateHash', 'agentList', 'goals'];
  // absent fields are undefined, which JSON leaves out
  return JSON.stringify(Object.fromEntries(shown.map((name) => [name, all[name]])));
}

async function query(context: Context): Promise<number> {
  const ids = fields(context, ['task', 'agent', 'goal']);
  const request = {
    ...Object.fromEntries(Object.entries(ids).map(([name, id]) => [`${name}Id`, id])),
    ...fields(context, ['events', 'limit']),
  };
  const host = await context.host();
  const response = await host.query('swarm_query', JSON.stringify(request));
  if (!context.out.json) {
    context.out.text(kernel().render('swarm_query', response));
    return 0;
  }
  const { agent, task, goal, events } = JSON.parse(response) as Record<string, unknown>;
  for (const object of [agent, task, goal]) if (object !== undefined) context.out.line(JSON.stringify(object));
  for (const event of (events ?? []) as string[]) context.out.line(event);
  return 0;
}

async function log(context: Context): Promise<number> {
  const host = await context.host();
  const chain = context.values.flag('chain');
  let after = Math.max(context.values.number('from') ?? 1, 1) - 1;
  let left = context.values.number('limit') ?? Number.MAX_SAFE_INTEGER;
  while (left > 0 && !context.out.closed && !interrupted.aborted) {
    const events = await host.events(after, Math.min(BLOCK, left));
    if (events.length === 0) break;
    left -= events.length;
    for (const event of events) {
      if (chain) context.out.bytes(`${toHex(event.chain)}\t`);
      context.out.result(kernel().renderEvent(event.body), event.body);
      after = event.seq;
    }
    // a long log is handed on as fast as its reader takes it
    await context.out.finish();
  }
  return interrupted.aborted ? 130 : 0;
}

async function replay(context: Context): Promise<number> {
  const host = await context.host();
  const verify = context.values.flag('verify');
  const { problem, ...found } = await host.replay(verify);
  const json = JSON.stringify(found);
  if (problem) {
    if (context.out.json) context.out.line(json);
    throw problem;
  }
  const agrees = verify ? 'verified: chain, head, live state and projections agree\n' : '';
  context.out.result(`replayed ${found.events} events\nstate ${found.stateHash}\nchain ${found.chain}\n${agrees}`, json);
  return 0;
}

async function doctor(context: Context): Promise<number> {
  const core = kernel().version();
  const sqlite = sqliteVersion();
  const safe = sharesSafely(sqlite) ? '' : ', which may lose data when processes share a file; use a Node that brings 3.51.3 or newer';
  const features = ['simd128'];
  context.out.text(
    `ruv-swarm ${version}\ncore ${core}\nsqlite ${sqlite}${safe}\ncpu features: ${features.join(', ')}\n` +
      'durability: full (an answer is given after its sync)\n',
  );
  const path = context.database(false);
  if (databaseExists(path) || context.values.word('db') !== undefined) {
    const host = await context.host();
    const { swarmId, version: events } = JSON.parse(await host.query('swarm_status', '{}')) as { swarmId: string; version: number };
    context.out.text(`database ${path}: swarm ${swarmId}, ${events} events\n`);
  }
  if (context.out.json) context.out.line(JSON.stringify({ version, core, sqlite, cpuFeatures: features, durability: 'full' }));
  return 0;
}

async function mcp(context: Context): Promise<number> {
  const action = context.values.word('action');
  if (action === undefined) throw errorOf('invalid_argument', 'action: missing; allowed: start', 'action');
  if (action !== 'start') {
    throw errorOf('invalid_argument', `action: unknown value ${JSON.stringify(action)}; allowed: start`, 'action');
  }
  // the MCP library is loaded by this command alone
  const { serveStdio } = await import('../mcp/stdio.js');
  await serveStdio(await context.open(context.database(false), true), interrupted);
  return 0;
}
