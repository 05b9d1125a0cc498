/** What several tests need: a folder that goes away, the command line as a process, data. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The command's script. */
export const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

/** A folder that is removed after the test. */
export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'ruv-swarm-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** What a process printed and how it ended. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in a folder; `during` may act on the process while it runs, `started` gets a hold of it. */
export async function cli(
  cwd: string,
  args: readonly string[],
  options: {
    input?: string;
    during?: (send: (signal: NodeJS.Signals) => void, stdout: string) => void;
    started?: (send: (signal: NodeJS.Signals) => void) => void;
  } = {},
): Promise<Ran> {
  const env = { ...process.env };
  delete env['RUV_SWARM_DB'];
  const child = spawn(process.execPath, [CLI, ...args], { cwd, env });
  options.started?.((signal) => void child.kill(signal));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    options.during?.((signal) => void child.kill(signal), stdout);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { code, stdout, stderr };
}

/** The last line of the output as JSON. */
export function lastJson(ran: Ran): Record<string, unknown> {
  return JSON.parse(ran.stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

/** XOR as CSV, each row several times, so that every part of the split has all four. */
export function xorCsv(copies = 25): string {
  const rows = ['0,0,no', '0,1,yes', '1,0,yes', '1,1,no'];
  return `a,b,xor\n${Array.from({ length: copies }, () => rows.join('\n')).join('\n')}\n`;
}
