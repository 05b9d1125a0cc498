/** What a function returned or threw, as the fields of `task_report`. */
import type { RuvSwarmError } from '../gen/errors.js';
import type { Task, TaskReportRequest } from '../gen/types.js';
import type { Call } from '../host/group.js';
import { Host } from '../host/host.js';

/** Text beyond this is kept as an artifact: the core's limit for the output of a task, in bytes. */
const OUTPUT_BYTES = 64 * 1024;
/** As much of a message or note as the core keeps, in bytes. */
const TEXT_BYTES = 16 * 1024;
/** As much of an error's code as the core keeps, in characters. */
const CODE_CHARS = 100;

/** The end of an attempt, ready to be reported. */
export interface Outcome {
  /** completed, failed or released. */
  readonly outcome: 'completed' | 'failed' | 'released';
  /** The result. */
  readonly output?: string;
  /** The bytes of the result, to be stored in the transaction of the report. */
  readonly artifact?: Call & { readonly hash: string };
  /** Why it failed. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** The end of an attempt that is given back. */
export const RELEASED: Outcome = { outcome: 'released' };

/** The result that a function returned; throws what JSON cannot hold. */
export async function completed(task: Task, value: unknown): Promise<Outcome> {
  if (value instanceof Uint8Array) return kept(task, value, '');
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
  if (text === undefined) throw new TypeError(`a ${typeof value} is no result; return text, bytes or what JSON can hold`);
  const bytes = new TextEncoder().encode(text);
  if (bytes.byteLength <= OUTPUT_BYTES) return { outcome: 'completed', output: text };
  return kept(task, bytes, typeof value === 'string' ? 'text/plain; charset=utf-8' : 'application/json');
}

async function kept(task: Task, bytes: Uint8Array, mediaType: string): Promise<Outcome> {
  return { outcome: 'completed', artifact: await Host.artifact(bytes, `output of ${task.id}`, mediaType) };
}

/** The failure that a function threw. */
export function failed(thrown: unknown): Outcome {
  const code = codeOf(thrown);
  const message = presentable(wordsOf(thrown));
  return { outcome: 'failed', error: { code, message: message.trim() === '' ? `${code}, without a message` : message } };
}

/** The failure of an attempt whose result the core does not take, for example one that is too large. */
export function badResult({ message }: RuvSwarmError): Outcome {
  return { outcome: 'failed', error: { code: 'bad_result', message: presentable(message) } };
}

/** The report of an outcome with all that goes into its transaction. */
export function reportCalls(about: TaskReportRequest, { artifact, ...fields }: Outcome): Call[] {
  const request = { ...about, ...fields, ...(artifact ? { artifact: artifact.hash } : {}) };
  const report = { operation: 'task_report', request: JSON.stringify(request), key: '' };
  return artifact ? [artifact, report] : [report];
}

function codeOf(thrown: unknown): string {
  const { code, name } = (thrown ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code === 'string' && /^\w+$/.test(code)) return code.slice(0, CODE_CHARS);
  return thrown instanceof Error && typeof name === 'string' ? snakeCase(name) : 'failed';
}

function snakeCase(name: string): string {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/([A-Z])([A-Z][a-z])/g, '$1_$2');
  return words.replace(/\W+/g, '_').toLowerCase().slice(0, CODE_CHARS) || 'error';
}

function wordsOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown);
  } catch {
    // an object that cannot even be turned into text
    return '';
  }
}

/** A text as the core takes it: of a length that fits into an event, and without halves of characters. */
export function presentable(text: string): string {
  const bytes = new TextEncoder().encode(text).subarray(0, TEXT_BYTES);
  // with more to come, a character that was cut in two is held back
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true });
}
