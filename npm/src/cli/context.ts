/** One command with its arguments and its output. */
import { Host } from '../host/host.js';
import { openSqliteStore } from '../host/sqlite.js';
import { hostError } from '../load/kernel.js';
import type { Arguments } from './arguments.js';
import type { Output } from './output.js';
import { databasePath } from './place.js';

/** What every command gets. */
export class Context {
  readonly values: Arguments;
  readonly out: Output;
  #host: Host | undefined;

  constructor(values: Arguments, out: Output) {
    this.values = values;
    this.out = out;
  }

  /** The database file that is meant. */
  database(wantsNew: boolean): string {
    return databasePath(this.values.word('db'), wantsNew);
  }

  /** The swarm that is there; the error says how to make one. */
  async host(): Promise<Host> {
    const path = this.database(false);
    const host = await this.open(path, false);
    if ((await host.version()) === 0) throw hostError('no_database', 'db', path);
    return host;
  }

  /** Opens the file; it is closed at the end of the command. */
  async open(path: string, create: boolean): Promise<Host> {
    this.#host ??= await Host.open(await openSqliteStore(path, { create }));
    return this.#host;
  }

  /** Gives the file back. */
  async close(): Promise<void> {
    await this.#host?.close();
  }
}
