/** The command line: the same commands, texts, JSON and exit codes as the other doors. */
import { load } from '../load/node.js';
import { asError, errorJson } from '../load/kernel.js';
import { COMMANDS } from '../gen/commands.js';
import { errorOf, type RuvSwarmError } from '../gen/errors.js';
import { version } from '../version.js';
import { parse } from './arguments.js';
import { COMMAND_CODE } from './commands.js';
import { Context } from './context.js';
import { listen } from './interrupt.js';
import { runOperation } from './operation.js';
import { complain, Output } from './output.js';

/**
 * Runs the command line `args` and gives back its exit code: 0 done, 1 the work failed, 2 bad use,
 * bad input or unknown id, 3 store trouble, 130 interrupted.
 */
export async function run(args: readonly string[]): Promise<number> {
  const out = new Output(args.includes('--json'));
  let context: Context | undefined;
  try {
    const parsed = parse(args, version);
    if ('print' in parsed) {
      out.bytes(parsed.print);
      await out.finish();
      return 0;
    }
    load();
    listen();
    context = new Context(parsed.values, out);
    const code = await carryOut(parsed.command, context);
    await out.finish();
    return code;
  } catch (error) {
    return report(out, asError(error));
  } finally {
    await context?.close();
  }
}

async function carryOut(name: string, context: Context): Promise<number> {
  const code = COMMAND_CODE[name];
  if (code) return code(context);
  const command = COMMANDS.find((entry) => entry.name === name);
  if (command?.operation === undefined) throw errorOf('internal', `no code for the command "${name}"`);
  return runOperation(context, command, command.operation);
}

/** Tells the error once, in the form of the mode, and gives back its exit code. */
function report(out: Output, error: RuvSwarmError): number {
  if (out.json) out.line(JSON.stringify({ error: errorJson(error) }));
  else complain(error.message);
  return error.exitCode;
}
