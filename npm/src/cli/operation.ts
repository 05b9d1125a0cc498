/** Commands that are one operation of the catalogue, and the one that is any of them. */
import type { CommandArgument, CommandDefinition } from '../gen/commands.js';
import { errorOf } from '../gen/errors.js';
import { kernel } from '../load/kernel.js';
import type { Arguments } from './arguments.js';
import type { Context } from './context.js';
import { standardInput } from './input.js';

/** The arguments that were given, as the fields of the request that they stand for. */
export function requestOf(args: readonly CommandArgument[], values: Arguments): Record<string, unknown> {
  const request: Record<string, unknown> = {};
  for (const { name, field = name, type } of args) {
    const value = type === 'list' ? values.list(name) : (values.word(name) ?? values.number(name) ?? (values.flag(name) || undefined));
    if (value !== undefined) put(request, field.split('.'), value);
  }
  return request;
}

/** Puts a value at a path, for example `error.message`. */
function put(request: Record<string, unknown>, [first = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    request[first] = value;
    return;
  }
  const inner = (request[first] ??= {}) as Record<string, unknown>;
  put(inner, rest, value);
}

/** Runs a command that is `operation`. */
export async function runOperation(context: Context, { args }: CommandDefinition, operation: string): Promise<number> {
  const request = JSON.stringify(requestOf(args, context.values));
  const host = await context.host();
  const response = await host.call(operation, request);
  context.out.result(kernel().render(operation, response), response);
  return 0;
}

/** call: any operation with a request in JSON; its answer is JSON in any mode. */
export async function call(context: Context): Promise<number> {
  const operation = context.values.word('operation');
  if (operation === undefined) {
    throw errorOf('invalid_argument', 'operation: missing; give one of the catalogue, for example: call swarm_status', 'operation');
  }
  const given = context.values.word('request') ?? '{}';
  const request = given === '-' ? await standardInput('request') : given;
  const host = await context.host();
  context.out.line(await host.call(operation, request, context.values.word('key') ?? ''));
  return 0;
}
