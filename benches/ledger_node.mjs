// The mix of core/examples/bench_ledger.rs in Node, a JSON line a kind of command.
// `inside MODULE TASKS BLOCKS`: the loop itself runs in WebAssembly (bench_ledger_wasm.rs).
// `boundary TASKS BLOCKS`: the loop runs in JavaScript and calls the published module's Core.
import { readFileSync } from 'node:fs';

// CPU time of this thread in ms: other processes of the machine do not count
const now = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e3;
};

const BLOCK = 1000;
const CLASSES = 32;
const AGENTS = 1000;
const GOALS = 64;
const LEASE_MS = 86_400_000;

const say = (what, tasks, n, ms) =>
  console.log(JSON.stringify({ what, tasks, n, ms, perSecond: Math.round((n / ms) * 1e3) }));

function inside(path, tasks, blocks) {
  let memory;
  const decoder = new TextDecoder();
  const bench = {
    now_ms: now,
    say: (at, bytes) => console.log(decoder.decode(new Uint8Array(memory.buffer, at, bytes))),
  };
  const module = new WebAssembly.Module(readFileSync(path));
  const { exports } = new WebAssembly.Instance(module, { bench });
  memory = exports.memory;
  exports.bench(tasks, blocks);
}

async function boundary(tasks, blocks) {
  const home = new URL('../npm/wasm/web/', import.meta.url);
  const wasm = await import(new URL('ruv_swarm.js', home).href);
  wasm.initSync({ module: new WebAssembly.Module(readFileSync(new URL('ruv_swarm_bg.wasm', home))) });
  const core = new wasm.Core();
  const log = [];
  let time = 1000;
  const call = (operation, request) => {
    time += 1;
    const { response, events } = core.call(operation, request, time, '');
    for (const line of events) {
      core.apply(line);
      log.push(line);
    }
    return response;
  };
  const task = (i, goal) =>
    JSON.stringify({
      name: `task ${i}`,
      priority: `${(i * 31) % 101}`,
      capabilities: [`c${(i * 13) % CLASSES}`],
      ...(goal ? { goalId: goal } : {}),
    });
  fill(call, task, tasks);
  mix(call, task, 2, () => {});
  mix(call, task, blocks, (what, n, ms) => say(what, tasks, n, ms));
  const from = now();
  const replayed = new wasm.Core();
  for (const line of log) replayed.apply(line);
  say('replay', tasks, log.length, now() - from);
  if (replayed.stateHash() !== core.stateHash()) throw new Error('the replayed state is another');
}

function fill(call, task, tasks) {
  call('swarm_init', JSON.stringify({ swarmId: 's-bench', seed: 1, maxAgents: AGENTS }));
  for (let c = 0; c < CLASSES; c += 1) {
    const count = Math.floor(AGENTS / CLASSES) + (c < AGENTS % CLASSES ? 1 : 0);
    const capabilities = [`c${c}`];
    call('agent_spawn', JSON.stringify({ type: 'coder', pattern: 'convergent', capabilities, capacity: 1000, count }));
  }
  for (let g = 0; g < GOALS; g += 1) {
    const to = Math.floor((tasks * (g + 1)) / GOALS);
    let goal = '';
    for (let at = Math.floor((tasks * g) / GOALS); at < to; at += 1000) {
      const list = [];
      for (let i = at; i < Math.min(to, at + 1000); i += 1) list.push(task(i, goal));
      const made = goal ? '' : `"goal":"goal ${g}",`;
      goal = JSON.parse(call('task_submit', `{${made}"tasks":[${list.join(',')}]}`)).goalId ?? goal;
    }
  }
}

function mix(call, task, blocks, told) {
  const sums = new Map();
  const time = (what, work) => {
    const from = now();
    const made = work();
    sums.set(what, (sums.get(what) ?? 0) + now() - from);
    return made;
  };
  const each = (block, work) => Array.from({ length: BLOCK }, (_, i) => work(block * BLOCK + i));
  for (let block = 0; block < blocks; block += 1) {
    time('submit', () => each(block, (i) => call('task_submit', `{"tasks":[${task(i, '')}]}`)));
    const held = time('claim', () =>
      each(block, (i) => {
        const agentId = `a${1 + ((i * 7919) % AGENTS)}`;
        const answer = call('task_claim', JSON.stringify({ agentId, leaseMs: LEASE_MS }));
        return { agentId, taskId: /"id":"([^"]+)"/.exec(answer)[1], epoch: 1 };
      }),
    );
    time('heartbeat', () => held.map((h) => call('task_heartbeat', JSON.stringify({ ...h, leaseMs: LEASE_MS }))));
    time('report', () => held.map((h) => call('task_report', JSON.stringify({ ...h, outcome: 'completed' }))));
  }
  for (const [what, ms] of sums) told(what, blocks * BLOCK, ms);
}

const [what, ...rest] = process.argv.slice(2);
if (what === 'inside') inside(rest[0], Number(rest[1]), Number(rest[2]));
else await boundary(Number(rest[0]), Number(rest[1]));
