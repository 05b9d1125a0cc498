/** submit: one task from flags, or a whole request from a file. */
import { COMMANDS } from '../gen/commands.js';
import { errorOf } from '../gen/errors.js';
import { readWhole } from '../files.js';
import { kernel } from '../load/kernel.js';
import type { Context } from './context.js';
import { asText, standardInput } from './input.js';
import { requestOf } from './operation.js';

const ARGUMENTS = COMMANDS.find(({ name }) => name === 'submit')?.args ?? [];

/** Runs the command. */
export async function submit(context: Context): Promise<number> {
  const request = await wanted(context);
  const host = await context.host();
  const response = await host.call('task_submit', request);
  context.out.result(kernel().render('task_submit', response), response);
  return 0;
}

async function wanted(context: Context): Promise<string> {
  const { file, exclusive, shared, ...task } = requestOf(ARGUMENTS, context.values);
  if (typeof file !== 'string') {
    const resources = [...claims(exclusive, 'exclusive'), ...claims(shared, 'shared')];
    return JSON.stringify({ tasks: [resources.length > 0 ? { ...task, resources } : task] });
  }
  const other = ARGUMENTS.find(({ name }) => name !== 'file' && context.values.given(name));
  if (other) {
    const shown = other.flag ?? other.name;
    throw errorOf('invalid_argument', `file: give the tasks in a file or by flags, not both; ${shown} was given too`, 'file');
  }
  return file === '-' ? standardInput('file') : asText('file', readWhole('file', file));
}

function claims(keys: unknown, mode: string): { key: string; mode: string }[] {
  return ((keys ?? []) as string[]).map((key) => ({ key, mode }));
}
