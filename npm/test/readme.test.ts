/** What README.md shows of networks and workers runs as it is written there. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { CLI, folder, type Ran } from './helpers.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const [, SECTION = ''] = /^## Workers\n(.*?)^## /ms.exec(README) ?? [];
const blocks = (language: string): string[] => [...SECTION.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block);

async function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<Ran> {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}

/** Runs a snippet in a folder of its own; the package is found from here. */
async function snippet(at: string, block: string): Promise<Ran> {
  const source = block.replace(/^(import .*\n)+/, (imports) => `${imports}process.chdir(${JSON.stringify(at)});\n`);
  return run(process.execPath, ['--input-type=module-typescript', '--disable-warning=ExperimentalWarning', '--eval', source], HERE);
}

test('the network is learnt as written', async (t) => {
  const [, networks = ''] = /^## Networks\n(.*?)^## /ms.exec(README) ?? [];
  const [, block = ''] = /^```typescript\n(.*?)^```/ms.exec(networks) ?? [];
  const ran = await snippet(folder(t), block);
  assert.deepEqual([ran.code, ran.stderr], [0, '']);
  assert.deepEqual(ran.stdout.trim().split('\n'), [...block.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, said]) => said));
});

test('the function does its tasks', async (t) => {
  const [functionBlock = ''] = blocks('typescript');
  const ran = await snippet(folder(t), functionBlock);
  assert.deepEqual([ran.code, ran.stderr], [0, '']);
  const said = /console\.log\(await clerk\.done\); \/\/ (.*)/.exec(functionBlock)?.[1];
  assert.equal(ran.stdout, `${said}\n`);
});

test('the program does its tasks', async (t) => {
  const [block = ''] = blocks('bash');
  const script = block.replaceAll('npx @ruv/swarm', '"$NODE" "$CLI"').replaceAll('"node shout.mjs"', `"'$NODE' shout.mjs"`);
  const ran = await run('sh', ['-eu', '-c', script], folder(t), { ...process.env, NODE: process.execPath, CLI });
  assert.deepEqual([ran.code, ran.stderr], [0, '']);
  assert.match(ran.stdout, /t1 attempt 1: completed/);
  assert.match(ran.stdout, /HELLO/);
});

test('the follower sees what it waits for', async (t) => {
  const [, followBlock = ''] = blocks('typescript');
  const ran = await snippet(folder(t), followBlock);
  assert.deepEqual([ran.code, ran.stderr], [0, '']);
  const said = /console\.log\(event\.seq, event\.kind\); \/\/ (.*)/.exec(followBlock)?.[1] ?? '';
  assert.deepEqual(ran.stdout.trim().split('\n'), said.split(', '));
});
