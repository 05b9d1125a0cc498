/** The command table, generated from the catalogue, as a parser. */
import { parseArgs } from 'node:util';
import { COMMANDS, type CommandArgument, type CommandDefinition, GLOBAL_ARGUMENTS } from '../gen/commands.js';
import { errorOf, type RuvSwarmError } from '../gen/errors.js';

const ABOUT = 'Swarms of agents on one durable file: plan, train, follow and prove.';

/** What was asked for: a command with its arguments, or a text to print. */
export type Parsed = { readonly command: string; readonly values: Arguments } | { readonly print: string };

/** The arguments of one command by their names. */
export class Arguments {
  readonly #values: ReadonlyMap<string, string | number | boolean>;

  constructor(values: ReadonlyMap<string, string | number | boolean>) {
    this.#values = values;
  }

  /** A text, if it was given. */
  word(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === 'string' ? value : undefined;
  }

  /** A number, if it was given. */
  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === 'number' ? value : undefined;
  }

  /** Whether a flag was given. */
  flag(name: string): boolean {
    return this.#values.get(name) === true;
  }

  /** Whether anything was given. */
  given(name: string): boolean {
    return this.#values.has(name);
  }

  /** The words of a list that is separated by commas; undefined if it was not given. */
  list(name: string): string[] | undefined {
    return this.word(name)?.split(',').map((word) => word.trim()).filter((word) => word !== '');
  }

  /** The words of a list that is separated by commas; none if it was not given. */
  words(name: string): string[] {
    return this.list(name) ?? [];
  }
}

/** Reads the command line; wrong use throws `invalid_argument`. */
export function parse(args: readonly string[], version: string): Parsed {
  const at = args.findIndex((arg, i) => !arg.startsWith('-') && !takesValue(args[i - 1]));
  const before = at < 0 ? args : args.slice(0, at);
  if (before.some((arg) => arg === '--help' || arg === '-h')) return { print: help() };
  if (before.some((arg) => arg === '--version' || arg === '-V')) return { print: `ruv-swarm ${version}\n` };
  if (at < 0) {
    const unknown = before.find((arg) => arg.startsWith('-') && !GLOBAL_ARGUMENTS.some(({ flag }) => arg.split('=')[0] === flag));
    throw wrongUse(unknown ? `unexpected argument '${unknown}' found` : 'no command was given; see: ruv-swarm --help');
  }
  const name = args[at] ?? '';
  const command = COMMANDS.find((entry) => entry.name === name);
  if (!command) throw wrongUse(`unrecognized subcommand '${name}'; allowed: ${COMMANDS.map((entry) => entry.name).join(', ')}`);
  return parseCommand(command, [...before, ...args.slice(at + 1)]);
}

function takesValue(arg: string | undefined): boolean {
  return GLOBAL_ARGUMENTS.some(({ flag, kind }) => kind === 'option' && flag === arg);
}

function parseCommand(command: CommandDefinition, args: readonly string[]): Parsed {
  const known = [...GLOBAL_ARGUMENTS, ...command.args];
  const named = known.filter(({ flag }) => flag !== undefined);
  const options = Object.fromEntries(named.map((entry) => [key(entry), { type: entry.kind === 'flag' ? 'boolean' : 'string' } as const]));
  let parsed: { values: Record<string, unknown>; positionals: string[]; tokens: { kind: string; name?: string }[] };
  try {
    parsed = parseArgs({
      args: joined(args, named),
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
      tokens: true,
    });
  } catch (error) {
    throw wrongUse(error instanceof Error ? firstSentence(error.message) : String(error));
  }
  if (parsed.values['help'] === true) return { print: commandHelp(command) };
  const given = parsed.tokens.flatMap(({ kind, name }) => (kind === 'option' && name ? [name] : []));
  const twice = given.find((name, i) => given.indexOf(name) !== i);
  if (twice !== undefined) throw wrongUse(`the argument '--${twice}' cannot be used multiple times`);
  const values = new Map<string, string | number | boolean>();
  for (const entry of named) {
    const value = parsed.values[key(entry)];
    if (value !== undefined) values.set(entry.name, convert(entry, value as string | boolean));
  }
  const places = command.args.filter(({ kind }) => kind === 'positional');
  if (parsed.positionals.length > places.length) throw wrongUse(`unexpected argument '${parsed.positionals[places.length]}' found`);
  parsed.positionals.forEach((value, i) => values.set(places[i]?.name ?? '', value));
  return { command: command.name, values: new Arguments(values) };
}

function key({ flag }: CommandArgument): string {
  return (flag ?? '').replace(/^--/, '');
}

/** A negative number after the flag of a number is its value, and no flag. */
function joined(args: readonly string[], known: readonly CommandArgument[]): string[] {
  const numbers = new Set(known.filter(({ setting, type }) => setting && type === 'float').map(({ flag }) => flag));
  const whole: string[] = [];
  for (const arg of args) {
    const before = whole.at(-1);
    if (before !== undefined && numbers.has(before) && /^-\.?\d/.test(arg)) whole.splice(-1, 1, `${before}=${arg}`);
    else whole.push(arg);
  }
  return whole;
}

/** Which words and numbers are allowed is the core's to say; here only numbers are read, and not those of options of training. */
function convert(entry: CommandArgument, value: string | boolean): string | number | boolean {
  if (typeof value === 'boolean' || entry.setting === true || entry.type === 'string' || entry.type === 'list') return value;
  const number = Number(value);
  const wanted = entry.type === 'uint' ? /^\+?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  if (!wanted.test(value) || (entry.type === 'uint' && !Number.isSafeInteger(number))) {
    const what = entry.type === 'uint' ? 'a whole number from 0 to 2^53 - 1' : 'a number';
    throw wrongUse(`invalid value '${value}' for '${entry.flag}': give ${what}`);
  }
  return number;
}

/** Node's words, but for what the other doors say in theirs. */
function firstSentence(text: string): string {
  const unknown = /^Unknown option '([^']+)'/.exec(text)?.[1];
  if (unknown !== undefined) return `unexpected argument '${unknown}' found`;
  return (text.split(/\. |\n/)[0] ?? text).replace(/^\w/, (letter) => letter.toLowerCase());
}

function wrongUse(message: string): RuvSwarmError {
  return errorOf('invalid_argument', message);
}

/** The help of the whole command line. */
function help(): string {
  const rows = COMMANDS.map(({ name, help: text }) => [name, text] as const);
  return `${ABOUT}\n\nUsage: ruv-swarm [OPTIONS] <COMMAND>\n\nCommands:\n${table(rows)}\n\nOptions:\n${table(optionRows(GLOBAL_ARGUMENTS))}\n`;
}

function commandHelp(command: CommandDefinition): string {
  const places = command.args.filter(({ kind }) => kind === 'positional');
  const usage = ['ruv-swarm', command.name, '[OPTIONS]', ...places.map(({ name }) => `[${name.toUpperCase()}]`)].join(' ');
  const rows = places.map(({ name, help: text }) => [`[${name.toUpperCase()}]`, text] as const);
  const arguments_ = rows.length > 0 ? `\n\nArguments:\n${table(rows)}` : '';
  const options = command.args.filter(({ flag }) => flag !== undefined);
  return `${command.help}\n\nUsage: ${usage}${arguments_}\n\nOptions:\n${table(optionRows([...options, ...GLOBAL_ARGUMENTS]))}\n`;
}

function optionRows(entries: readonly CommandArgument[]): (readonly [string, string])[] {
  const value = ({ kind, type, name, setting }: CommandArgument): string => {
    if (kind === 'flag') return '';
    if (setting && type === 'float') return ' <NUMBER>';
    return type === 'uint' ? ' <N>' : type === 'float' ? ' <SECONDS>' : ` <${name.toUpperCase()}>`;
  };
  const rows = entries.map((entry) => [`${entry.flag}${value(entry)}`, entry.help] as const);
  return [...rows, ['-h, --help', 'Print help'], ['-V, --version', 'Print version']];
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join('\n');
}
