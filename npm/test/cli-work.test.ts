/** `work`: tasks done by programs; and the commands of the ledger. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import type { Task } from '@ruv/swarm';
import { CLI, cli, folder, lastJson, type Ran } from './helpers.ts';

/** A folder with a swarm and programs; gives back the command line of each. */
async function place(t: TestContext, programs: Readonly<Record<string, string>> = {}): Promise<{ at: string; exec: (name: string) => string }> {
  const at = folder(t);
  assert.equal((await cli(at, ['init', '--seed', '1'])).code, 0);
  for (const [name, source] of Object.entries(programs)) writeFileSync(join(at, `${name}.mjs`), source);
  return { at, exec: (name) => `'${process.execPath}' ${name}.mjs` };
}

async function submit(at: string, ...tasks: object[]): Promise<void> {
  const ran = await cli(at, ['submit', '--file', '-', '--json'], { input: JSON.stringify({ tasks }) });
  assert.equal(ran.code, 0, ran.stdout);
}

async function taskOf(at: string, id: string): Promise<Task> {
  return JSON.parse((await cli(at, ['query', '--task', id, '--json'])).stdout) as Task;
}

function lines(ran: Ran): Record<string, unknown>[] {
  return ran.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Waits until a program that the worker runs has left a file with a whole line. */
async function fileThere(path: string): Promise<string> {
  while (!existsSync(path) || !readFileSync(path, 'utf8').endsWith('\n')) await new Promise((resolve) => setTimeout(resolve, 20));
  return readFileSync(path, 'utf8').trim();
}

/** Whether a process runs: one that has ended may still be listed until somebody has waited for it. */
function alive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('the task is one line of JSON on standard input, the result what is printed', async (t) => {
  const { at, exec } = await place(t, {
    echo: `
      let text = '';
      for await (const chunk of process.stdin) text += chunk;
      const { RUV_SWARM_TASK, RUV_SWARM_AGENT, RUV_SWARM_EPOCH, RUV_SWARM_DB } = process.env;
      const told = [RUV_SWARM_TASK, RUV_SWARM_AGENT, RUV_SWARM_EPOCH, RUV_SWARM_DB.startsWith('/')];
      process.stdout.write(JSON.stringify([text.split('\\n').length, JSON.parse(text).payload, process.argv.slice(2), ...told]) + '\\n\\n');`,
  });
  await submit(at, { payload: 'grüße' });
  const ran = await cli(at, ['work', '--exec', `${exec('echo')} 'two words' $HOME *`, '--max-tasks', '1', '--json']);
  assert.deepEqual([ran.code, ran.stderr], [0, '']);
  assert.deepEqual(lines(ran), [
    { agentId: 'a1', epoch: 1, outcome: 'completed', state: 'completed', taskId: 't1' },
    { agentId: 'a1', completed: 1, failed: 0, released: 0, cancelled: 0 },
  ]);
  const { output, lastAgentId } = await taskOf(at, 't1');
  // nothing is expanded, and nothing trimmed
  assert.equal(output, '[2,"grüße",["two words","$HOME","*"],"t1","a1","1",true]\n\n');
  assert.equal(lastAgentId, 'a1');
});

test('what is no text, or too long for one, becomes an artifact', async (t) => {
  const { at, exec } = await place(t, {
    bytes: `process.stdout.write(Buffer.from([0xff, 0xfe, 0]));`,
    long: `process.stdout.write('é'.repeat(40000));`,
  });
  await submit(at, {}, {});
  for (const [i, name] of ['bytes', 'long'].entries()) {
    const ran = await cli(at, ['work', '--exec', exec(name), '--max-tasks', '1', '--output-limit', '100000']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, new RegExp(`^a${i + 1} works\nt${i + 1}( \\(.*\\))? attempt 1: started\nt${i + 1} attempt 1: completed\na${i + 1}: 1 completed, 0 failed, 0 given back, 0 cancelled\n$`));
  }
  const tasks = await Promise.all(['t1', 't2'].map((id) => taskOf(at, id)));
  assert.deepEqual(tasks.map(({ output = '' }) => output), ['', '']);
  const kept = await Promise.all(tasks.map(({ artifact }) => cli(at, ['call', 'artifact_get', JSON.stringify({ hash: artifact })])));
  const bytes = kept.map((ran) => Buffer.from(String(lastJson(ran)['content']), 'base64'));
  assert.deepEqual(bytes, [Buffer.from([0xff, 0xfe, 0]), Buffer.from('é'.repeat(40000))]);
});

test('a program that fails says so by its exit code, its signal, or what it may not do', async (t) => {
  const { at, exec } = await place(t, {
    exit: `console.error('first line'); console.error('the last line'); process.exitCode = 7;`,
    silent: `process.exitCode = 3;`,
    signal: `process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);`,
    slow: `setInterval(() => {}, 1000);`,
    chatty: `setInterval(() => process.stdout.write('x'.repeat(1000)), 1);`,
  });
  const failed = async (name: string, ...more: string[]): Promise<Record<string, unknown>> => {
    await submit(at, { maxRetries: 0 });
    const ran = await cli(at, ['work', '--exec', exec(name), '--max-tasks', '1', '--name', 'one', '--json', ...more]);
    assert.equal(ran.code, 0, ran.stderr);
    const [ended = {}, summary = {}] = lines(ran);
    assert.deepEqual([ended['outcome'], ended['state'], summary['failed']], ['failed', 'failed', 1]);
    assert.deepEqual((await taskOf(at, String(ended['taskId']))).error, ended['error']);
    return ended['error'] as Record<string, unknown>;
  };
  assert.deepEqual(await failed('exit'), { code: 'exit_7', message: 'first line\nthe last line' });
  assert.deepEqual(await failed('silent'), { code: 'exit_3', message: 'the program ended with exit code 3' });
  assert.deepEqual(await failed('signal'), { code: 'signal_9', message: 'signal 9 ended the program' });
  assert.deepEqual(await failed('slow', '--time-limit', '0.2'), { code: 'time_limit', message: 'not done after 0.2 s' });
  assert.deepEqual(await failed('chatty', '--output-limit', '5000'), { code: 'output_limit', message: 'more than 5000 bytes of output' });
});

test('a program that cannot be run is told before anything is claimed', async (t) => {
  const { at } = await place(t);
  await submit(at, {});
  const refused = async (text: RegExp, ...args: string[]): Promise<void> => {
    const ran = await cli(at, ['work', ...args]);
    assert.deepEqual([ran.code, ran.stdout], [2, '']);
    assert.match(ran.stderr, text);
  };
  await refused(/^error: exec: missing; give a program/);
  await refused(/^error: exec: no program "no-such-program" that can be run; give a path, or a name on PATH\n$/, '--exec', 'no-such-program --now');
  await refused(/^error: exec: no program ".\/swarm.db" that can be run/, '--exec', './swarm.db');
  await refused(/^error: exec: .*a ' has no end/, '--exec', "echo 'half");
  await refused(/^error: timeLimit: 0; allowed: seconds above 0/, '--exec', 'true', '--time-limit', '0');
  await refused(/^error: outputLimit: 0; allowed: 1 to 268435456/, '--exec', 'true', '--output-limit', '0');
  await refused(/^error: agentId: no agent "a7"/, '--exec', 'true', '--agent', 'a7');
  const lease = await cli(at, ['work', '--exec', 'true', '--lease-ms', '5']);
  assert.equal(lease.code, 2);
  assert.match(lease.stderr, /^error: leaseMs: 5 .*1000/);
  const { state, attempts } = await taskOf(at, 't1');
  assert.deepEqual([state, attempts], ['ready', 0]);
});

test('a program that takes longer than the lease keeps its task', async (t) => {
  const { at, exec } = await place(t, { slow: `setTimeout(() => console.log('done'), 3000);` });
  await submit(at, {});
  const ran = await cli(at, ['work', '--exec', exec('slow'), '--max-tasks', '1', '--lease-ms', '1000', '--json']);
  assert.equal(ran.code, 0, ran.stderr);
  const { state, attempts, output } = await taskOf(at, 't1');
  assert.deepEqual([state, attempts, output], ['completed', 1, 'done\n']);
});

test('Ctrl-C ends the program with all that it started and gives the task back', async (t) => {
  const { at, exec } = await place(t, {
    parent: `
      import { spawn } from 'node:child_process';
      import { writeFileSync } from 'node:fs';
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      writeFileSync('pid', child.pid + '\\n');
      setInterval(() => {}, 1000);`,
  });
  await submit(at, { maxRetries: 0 });
  let send = (_signal: NodeJS.Signals): void => {};
  const ended = cli(at, ['work', '--exec', exec('parent')], { started: (kill) => (send = kill) });
  const grandchild = Number(await fileThere(join(at, 'pid')));
  send('SIGINT');
  const ran = await ended;
  assert.deepEqual([ran.code, ran.stderr], [130, '']);
  assert.match(ran.stdout, /t1 attempt 1: released\na1: 0 completed, 0 failed, 1 given back, 0 cancelled\n$/);
  while (alive(grandchild)) await new Promise((resolve) => setTimeout(resolve, 10));
  const { state, released } = await taskOf(at, 't1');
  assert.deepEqual([state, released], ['ready', 1]);
});

test('a task that is called off ends its program and counts as cancelled', async (t) => {
  const { at, exec } = await place(t, {
    waits: `
      import { writeFileSync } from 'node:fs';
      writeFileSync('pid', process.pid + '\\n');
      setInterval(() => {}, 1000);`,
  });
  await submit(at, {});
  const ended = cli(at, ['work', '--exec', exec('waits'), '--max-tasks', '1', '--json']);
  const program = Number(await fileThere(join(at, 'pid')));
  assert.equal((await cli(at, ['cancel', 't1'])).code, 0);
  const ran = await ended;
  assert.deepEqual([ran.code, ran.stderr], [0, '']);
  assert.deepEqual(lines(ran), [
    { agentId: 'a1', epoch: 1, outcome: 'cancelled', state: 'cancelled', taskId: 't1' },
    { agentId: 'a1', completed: 0, failed: 0, released: 0, cancelled: 1 },
  ]);
  while (alive(program)) await new Promise((resolve) => setTimeout(resolve, 10));
});

test('a second Ctrl-C ends at once, and the program with it', async (t) => {
  const { at, exec } = await place(t, {
    deaf: `
      import { writeFileSync } from 'node:fs';
      process.on('SIGTERM', () => writeFileSync('asked', 'yes\\n'));
      writeFileSync('pid', process.pid + '\\n');
      setInterval(() => {}, 1000);`,
  });
  await submit(at, {});
  let send = (_signal: NodeJS.Signals): void => {};
  const ended = cli(at, ['work', '--exec', exec('deaf')], { started: (kill) => (send = kill) });
  const program = Number(await fileThere(join(at, 'pid')));
  send('SIGINT');
  await fileThere(join(at, 'asked'));
  assert.equal(alive(program), true);
  send('SIGINT');
  assert.equal((await ended).code, 130);
  while (alive(program)) await new Promise((resolve) => setTimeout(resolve, 10));
  // its lease is left to run out
  assert.equal((await taskOf(at, 't1')).state, 'running');
});

test('after kill -9 of a worker another one does its task', async (t) => {
  const { at, exec } = await place(t, {
    first: `
      import { writeFileSync } from 'node:fs';
      writeFileSync('pid', process.pid + '\\n');
      setInterval(() => {}, 1000);`,
    second: `console.log('by the other');`,
  });
  await submit(at, { maxRetries: 1, backoffMs: 0 });
  const worker = spawn(process.execPath, [CLI, 'work', '--exec', exec('first'), '--lease-ms', '1000'], { cwd: at, stdio: 'ignore' });
  const program = Number(await fileThere(join(at, 'pid')));
  const other = cli(at, ['work', '--exec', exec('second'), '--max-tasks', '1', '--json']);
  worker.kill('SIGKILL');
  const ran = await other;
  // nobody is left to end it
  process.kill(program, 'SIGKILL');
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(lines(ran)[0], { agentId: 'a2', epoch: 2, outcome: 'completed', state: 'completed', taskId: 't1' });
  assert.equal((await taskOf(at, 't1')).output, 'by the other\n');
  assert.equal(lastJson(await cli(at, ['replay', '--verify', '--json']))['ok'], true);
});

test('a worker that slept through its lease is refused', async (t) => {
  const { at, exec } = await place(t, {
    wait: `
      import { appendFileSync, existsSync } from 'node:fs';
      appendFileSync('begun-' + process.env.RUV_SWARM_EPOCH, 'yes\\n');
      const timer = setInterval(() => {
        if (!existsSync('go')) return;
        clearInterval(timer);
        console.log(process.env.RUV_SWARM_EPOCH);
      }, 20);`,
  });
  await submit(at, { backoffMs: 0 });
  const args = ['work', '--exec', exec('wait'), '--max-tasks', '1', '--lease-ms', '1000', '--json'];
  let send = (_signal: NodeJS.Signals): void => {};
  const first = cli(at, args, { started: (kill) => (send = kill) });
  await fileThere(join(at, 'begun-1'));
  send('SIGSTOP');
  const second = cli(at, args);
  await fileThere(join(at, 'begun-2'));
  send('SIGCONT');
  const slept = await first;
  assert.deepEqual([slept.code, slept.stderr], [0, '']);
  assert.deepEqual(lines(slept), [
    { agentId: 'a1', epoch: 1, outcome: 'lost', state: '', taskId: 't1' },
    { agentId: 'a1', completed: 0, failed: 0, released: 1, cancelled: 0 },
  ]);
  writeFileSync(join(at, 'go'), '');
  assert.deepEqual(lines(await second)[0], { agentId: 'a2', epoch: 2, outcome: 'completed', state: 'completed', taskId: 't1' });
  const { output, attempts } = await taskOf(at, 't1');
  assert.deepEqual([output, attempts], ['2\n', 2]);
});

test('two worker processes on one file do each task once', async (t) => {
  const { at, exec } = await place(t, {
    note: `
      import { appendFileSync } from 'node:fs';
      appendFileSync('done', process.env.RUV_SWARM_TASK + '\\n');`,
  });
  await submit(at, ...Array.from({ length: 16 }, () => ({})));
  const args = ['work', '--exec', exec('note'), '--until-idle', '--capacity', '2', '--json'];
  const both = await Promise.all([cli(at, args), cli(at, args)]);
  for (const ran of both) assert.deepEqual([ran.code, ran.stderr], [0, '']);
  assert.equal(both.reduce((sum, ran) => sum + Number(lastJson(ran)['completed']), 0), 16);
  const done = readFileSync(join(at, 'done'), 'utf8').trim().split('\n');
  assert.deepEqual([done.length, new Set(done).size], [16, 16]);
});

test('submit takes a task by flags or a whole request, and says what does not go together', async (t) => {
  const { at } = await place(t);
  const flags = ['build', '--priority', 'high', '--capabilities', 'rust, npm', '--exclusive', 'src/,docs/a.md', '--shared', 'core/', '--labels', 'x'];
  assert.deepEqual(lastJson(await cli(at, ['submit', ...flags, '--json'])), { taskIds: ['t1'] });
  const { name, priority, capabilities, resources, labels } = await taskOf(at, 't1');
  assert.deepEqual([name, priority, capabilities, labels], ['build', 75, ['rust', 'npm'], ['x']]);
  assert.deepEqual(resources?.map(({ key, mode = 'exclusive' }) => [key, mode]), [
    ['src/', 'exclusive'],
    ['docs/a.md', 'exclusive'],
    ['core/', 'shared'],
  ]);
  writeFileSync(join(at, 'plan.json'), JSON.stringify({ tasks: [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }] }));
  assert.equal((await cli(at, ['submit', '--file', 'plan.json'])).code, 0);
  assert.deepEqual((await taskOf(at, 't3')).dependsOn, ['t2']);
  const both = await cli(at, ['submit', '--file', 'plan.json', '--payload', 'x']);
  assert.deepEqual([both.code, both.stderr], [2, 'error: file: give the tasks in a file or by flags, not both; --payload was given too\n']);
});

test('a task goes its way by commands alone', async (t) => {
  const { at } = await place(t);
  const json = async (...args: string[]): Promise<Record<string, unknown>> => {
    const ran = await cli(at, [...args, '--json']);
    assert.deepEqual([ran.code, ran.stderr], [0, ''], ran.stdout);
    return lastJson(ran);
  };
  await json('spawn', 'coder', '--name', 'one', '--silence-ms', '60000');
  assert.deepEqual((await json('spawn', 'coder', '--name', 'one', '--silence-ms', '60000', '--join'))['agents'], [
    { id: 'a1', type: 'coder', pattern: 'convergent', capabilities: [] },
  ]);
  await json('submit', 'first', '--max-retries', '0');
  await json('submit', 'second', '--depends-on', 't1');
  assert.equal((await json('update', 't2', '--priority', '80'))['task'] instanceof Object, true);
  const { reasons } = (await json('explain', 't2')) as { reasons: { rule: string; taskId?: string }[] };
  assert.deepEqual([reasons[0]?.rule, reasons[0]?.taskId], ['dependency', 't1']);
  assert.deepEqual(((await json('tasks', '--state', 'blocked')) as { tasks: Task[] }).tasks.map(({ id }) => id), ['t2']);
  assert.equal((await json('pause', '--reason', 'lunch'))['changed'], true);
  assert.deepEqual(await json('claim', '--agent', 'a1'), {});
  assert.equal((await json('resume'))['changed'], true);
  const claimed = (await json('claim', '--agent', 'a1', '--lease-ms', '60000')) as { task: Task };
  assert.deepEqual([claimed.task.id, claimed.task.lease?.epoch], ['t1', 1]);
  assert.equal((await json('heartbeat', 't1', '--agent', 'a1', '--epoch', '1'))['cancelRequested'], false);
  const reported = await json('report', 't1', '--agent', 'a1', '--epoch', '1', '--outcome', 'failed', '--error', 'no way', '--code', 'stuck');
  assert.deepEqual((reported as { task: Task }).task.error, { code: 'stuck', message: 'no way' });
  assert.equal((await taskOf(at, 't2')).error?.code, 'dependency_failed');
  const { agents } = (await json('metrics', 'a1')) as { agents: { claimed: number; failed: number }[] };
  assert.deepEqual([agents[0]?.claimed, agents[0]?.failed], [1, 1]);
  await json('submit', 'third');
  assert.deepEqual((await json('cancel', 't3', '--reason', 'not wanted'))['cancelled'], ['t3']);
  assert.deepEqual((await json('retire', 'a1', '--replace'))['released'], []);
  const text = await cli(at, ['tasks', '--state', 'failed']);
  assert.match(text.stdout, /t1/);
});

test('call carries out any operation, and a key makes it happen once', async (t) => {
  const { at } = await place(t);
  const spawn = ['call', 'agent_spawn', '{"type":"coder"}', '--key', 'k1'];
  const first = await cli(at, spawn);
  assert.deepEqual([first.code, (lastJson(first)['agents'] as { id: string }[])[0]?.id], [0, 'a1']);
  assert.equal((await cli(at, spawn)).stdout, first.stdout);
  const piped = await cli(at, ['call', 'agent_list', '-'], { input: '{"filter":"idle"}' });
  assert.equal((lastJson(piped)['agents'] as unknown[]).length, 1);
  assert.equal(lastJson(await cli(at, ['call', 'swarm_status']))['agents'], 1);
  const none = await cli(at, ['call']);
  assert.deepEqual([none.code, none.stderr], [2, 'error: operation: missing; give one of the catalogue, for example: call swarm_status\n']);
  const unknown = await cli(at, ['call', 'agent_dance']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /^error: operation: unknown value "agent_dance"; allowed: swarm_init/);
});

test('monitor shows only what was asked for', async (t) => {
  const { at } = await place(t);
  await cli(at, ['spawn', 'coder']);
  await submit(at, {}, {});
  const ran = await cli(at, ['monitor', '--after', '0', '--duration', '0', '--kinds', 'TaskSubmitted,AgentSpawned', '--task', 't2', '--json']);
  assert.equal(ran.code, 0, ran.stderr);
  const events = lines(ran).slice(0, -1) as { kind: string; body: { taskId?: string } }[];
  assert.deepEqual(events.map(({ kind, body }) => [kind, body.taskId]), [['TaskSubmitted', 't2']]);
});
