// The Node target: the npm package's own loader, spoken to in JSON lines; see ../protocol.md.
import { createInterface } from 'node:readline';
import { load } from '../../../npm/dist/load/node.js';
import { neuralKernel } from '../../../npm/dist/neural/kernel.js';
import { load as loadNeural } from '../../../npm/dist/neural/load-node.js';
import { answer } from './core.mjs';

const [major] = process.versions.node.split('.');
if (Number(major) < 22) throw new Error(`node ${process.version}, 22 or later is needed`);

loadNeural();
const kernel = { ...load(), neural: neuralKernel() };
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  process.stdout.write(`${await answer(kernel, line)}\n`);
}
