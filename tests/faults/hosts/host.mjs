// The npm package's host, driven from outside; the words are those of fault_host.rs.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { asError, Host, openSqliteStore } from '../../../npm/dist/index.js';

const host = await Host.open(await openSqliteStore(process.argv[2], { create: true }));
let seen = await host.version();
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  writeSync(1, `${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
await host.close();

async function answer({ op, request = {}, key = '' }) {
  try {
    if (op === 'replay') {
      const { ok, events } = await host.replay(true);
      return { ok: { ok, events } };
    }
    const ok = JSON.parse(await host.call(op, JSON.stringify(request), key));
    const events = (await host.events(seen, 1_000_000)).map(({ seq, body, chain }) => [seq, body, Buffer.from(chain).toString('hex')]);
    seen += events.length;
    return { ok, events };
  } catch (thrown) {
    const { code, message } = asError(thrown);
    return { error: { code, message } };
  }
}
