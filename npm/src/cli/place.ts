/** Which database file is meant. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The name of the file that belongs to a folder and those below it. */
const NAME = 'swarm.db';

/**
 * The file of `--db`, else of `RUV_SWARM_DB`, else `./swarm.db` or, unless a new one is wanted, the
 * nearest one upwards, as git finds its folder.
 */
export function databasePath(given: string | undefined, wantsNew: boolean): string {
  if (given !== undefined) return given;
  const variable = process.env['RUV_SWARM_DB'];
  if (variable) return variable;
  const here = `./${NAME}`;
  if (wantsNew || existsSync(here)) return here;
  for (let folder = process.cwd(); dirname(folder) !== folder; ) {
    folder = dirname(folder);
    const above = join(folder, NAME);
    if (statSync(above, { throwIfNoEntry: false })?.isFile()) return above;
  }
  return here;
}
