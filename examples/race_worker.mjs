// One process of race.py: clients that claim tasks from a swarm's file, each an agent.
//
// race_worker.mjs DB FOLDER AGENT...: all clients with one host, in one event loop.
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Host, openSqliteStore } from '../npm/dist/index.js';

const [db, folder, ...agents] = process.argv.slice(2);
const host = await Host.open(await openSqliteStore(db));
await Promise.all(agents.map(client));
await host.close();

/** Claims, works and reports until nothing is left; notes each answer before it goes on. */
async function client(agentId) {
  const notes = openSync(join(folder, `${agentId}.jsonl`), 'w');
  const note = (said) => writeSync(notes, `${JSON.stringify(said)}\n`);
  let longestMs = 0;
  const call = async (operation, request) => {
    const start = performance.now();
    const answer = JSON.parse(await host.call(operation, JSON.stringify(request)));
    longestMs = Math.max(longestMs, performance.now() - start);
    return answer;
  };
  let { task } = await call('task_claim', { agentId });
  while (task) {
    const output = createHash('sha256').update(task.payload).digest('hex');
    const lease = { taskId: task.id, agentId, epoch: task.lease.epoch };
    const answer = await call('task_report', { ...lease, outcome: 'completed', output: JSON.stringify(output), claimNext: true });
    note({ task: task.id, epoch: lease.epoch, output });
    task = answer.next;
  }
  note({ longestMs });
  closeSync(notes);
}
