#!/usr/bin/env node
/** The `ruv-swarm` command. It loads the core only for a command that needs it. */
import { version } from './version.js';

const NEEDED: readonly [number, number] = [22, 13];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const [argument, ...more] = process.argv.slice(2);

if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(`error: ruv-swarm needs Node ${NEEDED.join('.')} or newer; this is Node ${process.versions.node}\n`);
  process.exitCode = 2;
} else if (more.length === 0 && (argument === '--version' || argument === '-V')) {
  process.stdout.write(`ruv-swarm ${version}\n`);
} else {
  const { run } = await import('./cli/main.js');
  process.exitCode = await run(process.argv.slice(2));
}
