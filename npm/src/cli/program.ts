/** A program of the user's: one process a task, without a shell, in a process group of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { errorOf } from '../gen/errors.js';
import type { Task } from '../gen/types.js';
import { systemWords } from '../host/sqlite-open.js';
import { type TaskContext, TaskFailure } from '../work/types.js';

/** How long a program may take to end once it is asked to, before it is killed. */
const GRACE_MS = 2_000;
/** As much of the end of standard error as becomes the message of a failure, in bytes. */
const TAIL_BYTES = 2_000;

const WINDOWS = process.platform === 'win32';

/** The programs that run now; none of them outlives a worker that leaves without waiting. */
const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => signalGroup(child, 'SIGKILL')));

/** How a program is run. */
export interface ProgramOptions {
  /** The program and its arguments. */
  readonly words: readonly string[];
  /** The database file, for the program's own calls. */
  readonly db: string;
  /** How long one task may take, in ms. */
  readonly timeLimitMs: number;
  /** How many bytes of output a task may have. */
  readonly outputLimit: number;
}

/** Refuses a program that cannot be run, before anything is claimed. */
export function checkProgram(words: readonly string[]): void {
  const [program = ''] = words;
  const places = program.includes('/') ? [program] : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder || '.', program));
  if (WINDOWS || places.some(isProgram)) return;
  const message = `exec: no program ${JSON.stringify(program)} that can be run; give a path, or a name on PATH`;
  throw errorOf('not_found', message, 'exec');
}

function isProgram(path: string): boolean {
  try {
    const meta = statSync(path);
    return meta.isFile() && (meta.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** Does a task with the program: its result is what the program prints. */
export async function runProgram(options: ProgramOptions, task: Task, context: TaskContext): Promise<string | Uint8Array> {
  const run = new Run(options, task, context);
  const output = await run.ended();
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(output);
  } catch {
    return output;
  }
}

class Run {
  readonly #options: ProgramOptions;
  readonly #context: TaskContext;
  readonly #child: ChildProcess;
  readonly #output: Buffer[] = [];
  #outputBytes = 0;
  #tail: Buffer = Buffer.alloc(0);
  /** Why it was told to end, by us. */
  #verdict: Error | undefined;
  #killer: NodeJS.Timeout | undefined;

  constructor(options: ProgramOptions, task: Task, context: TaskContext) {
    this.#options = options;
    this.#context = context;
    const [program = '', ...rest] = options.words;
    const env = {
      ...process.env,
      RUV_SWARM_TASK: task.id,
      RUV_SWARM_AGENT: context.agentId,
      RUV_SWARM_EPOCH: String(context.epoch),
      RUV_SWARM_DB: options.db,
    };
    this.#child = spawn(program, rest, { detached: !WINDOWS, windowsHide: true, stdio: ['pipe', 'pipe', 'pipe'], env });
    running.add(this.#child);
    const { stdin, stdout, stderr } = this.#child;
    // a program that reads no input is none the worse for it
    stdin?.on('error', () => {});
    stdin?.end(`${JSON.stringify(task)}\n`);
    stdout?.on('data', (chunk: Buffer) => this.#take(chunk));
    stderr?.on('data', (chunk: Buffer) => (this.#tail = Buffer.concat([this.#tail, chunk]).subarray(-TAIL_BYTES)));
  }

  /** The output of a program that ended well; throws the failure of any other. */
  async ended(): Promise<Buffer> {
    const { timeLimitMs } = this.#options;
    const { signal } = this.#context;
    const stop = (): void => this.#end(signal.reason as Error);
    const timer = setTimeout(
      () => this.#end(new TaskFailure('time_limit', `not done after ${timeLimitMs / 1000} s`)),
      Math.min(timeLimitMs, 2 ** 31 - 1),
    );
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      const [code, killedBy] = await this.#closed();
      if (this.#verdict) throw this.#verdict;
      if (killedBy) {
        const number = constants.signals[killedBy];
        throw this.#failure(`signal_${number}`, `signal ${number} ended the program`);
      }
      if (code !== 0) throw this.#failure(`exit_${code}`, `the program ended with exit code ${code}`);
      return Buffer.concat(this.#output);
    } finally {
      clearTimeout(timer);
      clearTimeout(this.#killer);
      signal.removeEventListener('abort', stop);
    }
  }

  #closed(): Promise<[number | null, NodeJS.Signals | null]> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      child.on('error', (error) => {
        running.delete(child);
        const program = JSON.stringify(this.#options.words[0]);
        reject(new TaskFailure('exec_failed', `cannot start ${program}: ${systemWords(error)}`));
      });
      child.on('exit', () => {
        // what it left running must not outlive its lease
        signalGroup(child, 'SIGKILL');
        running.delete(child);
        clearTimeout(this.#killer);
        // a process that has left the group may hold the output open
        this.#killer = setTimeout(() => [child.stdout, child.stderr].forEach((stream) => stream?.destroy()), GRACE_MS);
      });
      child.on('close', (code, signal) => resolve([code, signal]));
    });
  }

  #take(chunk: Buffer): void {
    this.#outputBytes += chunk.byteLength;
    if (this.#outputBytes <= this.#options.outputLimit) this.#output.push(chunk);
    else this.#end(new TaskFailure('output_limit', `more than ${this.#options.outputLimit} bytes of output`));
  }

  /** Asks the whole group to end, and ends it if it does not. */
  #end(why: Error): void {
    if (this.#verdict) return;
    this.#verdict = why;
    signalGroup(this.#child, 'SIGTERM');
    this.#killer = setTimeout(() => signalGroup(this.#child, 'SIGKILL'), GRACE_MS);
  }

  #failure(code: string, otherwise: string): TaskFailure {
    return new TaskFailure(code, this.#tail.toString('utf8').trim() || otherwise);
  }
}

function signalGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  const { pid } = child;
  if (pid === undefined) return;
  // without process groups it is the system's own command that ends a program and what it started
  if (WINDOWS) {
    spawnSync('taskkill', ['/T', '/PID', String(pid), ...(signal === 'SIGKILL' ? ['/F'] : [])], { stdio: 'ignore' });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // the group has gone by itself
  }
}
