/**
 * The core in Node as a target of the conformance harness: a JSON request a line on standard input,
 * a JSON answer a line on standard output, in the same order. See driver-core.mjs for the requests.
 */
import { createInterface } from 'node:readline';

import { kernel, load } from '../dist/index.js';
import { makeDriver } from './driver-core.mjs';

load();
const drive = makeDriver(kernel());

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line.trim() === '') continue;
  let answer;
  try {
    answer = drive(JSON.parse(line));
  } catch (error) {
    answer = { error: { code: 'invalid_argument', message: `the line is no JSON: ${error.message}` } };
  }
  // wait for a slow reader, or a long run would pile up in memory
  if (!process.stdout.write(`${JSON.stringify(answer)}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}
