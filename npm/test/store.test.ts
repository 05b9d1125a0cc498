/** The store kit: every store gives the same answers to the same commands, and keeps its promises. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';

import { Host, load, MemoryStore, openSqliteStore, type Store, type TimeSource } from '@ruv/swarm';
import { folder } from './helpers.ts';

load();
const STORES: Record<string, (t: TestContext) => Promise<Store>> = {
  memory: async () => new MemoryStore(),
  sqlite: async (t) => openSqliteStore(join(folder(t), 'swarm.db'), { create: true }),
};
const INIT = JSON.stringify({ swarmId: 's-kit', seed: 3 });

/** A clock that stands still until it is moved. */
class Standing implements TimeSource {
  ms = 1_000_000;
  wall(): number {
    return this.ms;
  }
  monotonic(): number {
    return this.ms;
  }
}

function open(path: string): Promise<Host> {
  return openSqliteStore(path).then((store) => Host.open(store));
}

for (const [name, make] of Object.entries(STORES)) {
  test(`${name}: what is answered is stored, and replays to the same state`, async (t) => {
    const host = await Host.open(await make(t));
    await host.call('swarm_init', INIT);
    await host.call('agent_spawn', '{"type":"coder","count":3}');
    await host.call('task_submit', '{"tasks":[{"name":"x"}]}');
    assert.equal(await host.version(), 5);
    const { ok, events, stateHash } = await host.replay(true);
    assert.deepEqual([ok, events, stateHash], [true, 5, await host.stateHash()]);
    await host.close();
  });

  test(`${name}: calls of one turn share a transaction; a refusal does not touch the others`, async (t) => {
    const host = await Host.open(await make(t));
    const answers = await Promise.allSettled([
      host.call('swarm_init', INIT),
      host.call('agent_spawn', '{"type":"coder"}'),
      host.call('agent_spawn', '{"type":"coder","count":0}'),
      host.call('agent_spawn', '{"type":"tester"}'),
    ]);
    assert.deepEqual(answers.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    assert.equal(await host.version(), 3);
    await host.close();
  });

  test(`${name}: a unit of calls happens all or not at all`, async (t) => {
    const host = await Host.open(await make(t));
    await host.call('swarm_init', INIT);
    const before = await host.stateHash();
    const artifact = await Host.artifact(new TextEncoder().encode('bytes'), 'x', 'text/plain');
    const refused = { operation: 'agent_spawn', request: '{"type":"coder","count":0}', key: '' };
    await assert.rejects(host.callAll([artifact, refused]), { code: 'invalid_argument' });
    assert.equal(await host.stateHash(), before);
    await assert.rejects(host.getArtifact(artifact.hash), { code: 'not_found' });
    await host.callAll([artifact]);
    assert.equal(new TextDecoder().decode(await host.getArtifact(artifact.hash)), 'bytes');
    assert.ok((await host.replay(true)).ok);
    await host.close();
  });

  test(`${name}: an idempotency key makes a repetition harmless`, async (t) => {
    const host = await Host.open(await make(t));
    await host.call('swarm_init', INIT);
    const once = await host.call('agent_spawn', '{"type":"coder"}', 'k1');
    assert.equal(await host.call('agent_spawn', '{"type":"coder"}', 'k1'), once);
    await assert.rejects(host.call('agent_spawn', '{"type":"tester"}', 'k1'), { code: 'conflict' });
    await host.close();
  });

  test(`${name}: artifacts come as base64 too, and events are read back`, async (t) => {
    const host = await Host.open(await make(t));
    await host.call('swarm_init', INIT);
    const put = JSON.parse(await host.call('artifact_put', JSON.stringify({ content: btoa('hello') }))) as { artifact: { hash: string } };
    const got = JSON.parse(await host.query('artifact_get', JSON.stringify({ hash: put.artifact.hash }))) as { content: string };
    assert.equal(atob(got.content), 'hello');
    const { events } = JSON.parse(await host.query('swarm_query', '{"events":1}')) as { events: string[] };
    assert.deepEqual(events, (await host.events(0, 10)).map(({ body }) => body));
    const hash = 'ab'.repeat(32);
    await assert.rejects(host.call('artifact_put', JSON.stringify({ hash, size: 5 })), { field: 'content' });
    await host.close();
  });

  test(`${name}: a lease ends by the clock and a late report is refused`, async (t) => {
    const time = new Standing();
    const host = await Host.open(await make(t), time);
    await host.call('swarm_init', INIT);
    await host.call('agent_spawn', '{"type":"coder","count":2}');
    await host.call('task_submit', '{"tasks":[{"name":"x"}]}');
    const claim = async (agentId: string): Promise<number> =>
      (JSON.parse(await host.call('task_claim', JSON.stringify({ agentId, leaseMs: 1000 }))) as { task?: { lease: { epoch: number } } }).task?.lease.epoch ?? 0;
    const first = await claim('a1');
    time.ms += 60_000;
    await host.call('tick', '{}');
    time.ms += 60_000;
    const second = await claim('a2');
    assert.ok(second > first && first > 0);
    const late = JSON.stringify({ taskId: 't1', agentId: 'a1', epoch: first, outcome: 'completed' });
    await assert.rejects(host.call('task_report', late), { code: 'stale_epoch' });
    await host.close();
  });
}

test('the stores give the same log to the same commands', async (t) => {
  const logs = await Promise.all(
    Object.values(STORES).map(async (make) => {
      const host = await Host.open(await make(t), new Standing());
      await host.call('swarm_init', INIT);
      await host.call('agent_spawn', '{"type":"neural"}');
      await host.call('task_orchestrate', '{"task":"a goal"}');
      const events = (await host.events(0, 100)).map(({ body }) => body);
      const chain = await host.chainHead();
      await host.close();
      return { events, chain };
    }),
  );
  assert.deepEqual(logs[0], logs[1]);
});

test('several connections on one file take turns and see each other', async (t) => {
  const path = join(folder(t), 'swarm.db');
  const first = await Host.open(await openSqliteStore(path, { create: true }));
  await first.call('swarm_init', '{"maxAgents":1000}');
  const hosts = [first, await open(path), await open(path)];
  await Promise.all(
    hosts.map(async (host) => {
      for (let i = 0; i < 30; i++) await host.call('agent_spawn', '{"type":"coder"}');
    }),
  );
  const hashes = new Set(await Promise.all(hosts.map((host) => host.stateHash())));
  assert.equal(hashes.size, 1);
  assert.equal(await first.version(), 91);
  assert.ok((await first.replay(true)).ok);
  for (const host of hosts) await host.close();
});

test('a lock that is held for a while is waited for', async (t) => {
  const path = join(folder(t), 'swarm.db');
  const host = await Host.open(await openSqliteStore(path, { create: true }));
  await host.call('swarm_init', INIT);
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const spawned = host.call('agent_spawn', '{"type":"coder"}');
  setTimeout(() => other.exec('COMMIT'), 300);
  assert.match(await spawned, /"id":"a1"/);
  other.close();
  await host.close();
});

test('the file is marked, durable by default, and reopened from a snapshot or the log', async (t) => {
  const path = join(folder(t), 'swarm.db');
  const host = await Host.open(await openSqliteStore(path, { create: true }));
  await host.call('swarm_init', '{"swarmId":"s-1","seed":1,"maxAgents":100000}');
  for (let i = 0; i < 3; i++) await host.call('agent_spawn', '{"type":"coder","count":1000}');
  const state = await host.stateHash();
  await host.close();
  const look = new DatabaseSync(path);
  const pragma = (name: string): unknown => look.prepare(`PRAGMA ${name}`).get()?.[name];
  assert.deepEqual([pragma('application_id'), pragma('user_version'), pragma('journal_mode')], [0x52535731, 1, 'wal']);
  look.close();
  // the first opening writes a snapshot of the long log, the second reads it
  for (const expected of [1, 1]) {
    const again = await open(path);
    assert.equal(await again.stateHash(), state);
    await again.close();
    const counted = new DatabaseSync(path);
    assert.equal(counted.prepare('SELECT count(*) AS n FROM snapshot').get()?.['n'], expected);
    counted.close();
  }
});

test('files that are no swarm of ours are told apart before any write', async (t) => {
  const at = folder(t);
  const refused = async (name: string, code: string, text: RegExp): Promise<void> => {
    const path = join(at, name);
    const before = existsSync(path) && statSync(path).isFile() ? readFileSync(path) : undefined;
    await assert.rejects(openSqliteStore(path), (error: Error & { code: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, text);
      return true;
    });
    if (before) assert.deepEqual(readFileSync(path), before);
  };
  await refused('missing.db', 'not_found', /ruv-swarm init --db/);
  await refused('.', 'invalid_argument', /is a folder/);
  writeFileSync(join(at, 'text.db'), 'x'.repeat(5000));
  await refused('text.db', 'store_unavailable', /not a ruv-swarm database/);
  const foreign = new DatabaseSync(join(at, 'foreign.db'));
  foreign.exec('CREATE TABLE t (x)');
  foreign.close();
  await refused('foreign.db', 'store_unavailable', /not a ruv-swarm database/);
  const newer = new DatabaseSync(join(at, 'newer.db'));
  newer.exec(`PRAGMA application_id=${0x52535731}; PRAGMA user_version=99; CREATE TABLE t (x)`);
  newer.close();
  await refused('newer.db', 'unsupported_version', /schema version 99/);
});

test('a bit that flips in the log is found by the chain', async (t) => {
  const path = join(folder(t), 'swarm.db');
  const host = await Host.open(await openSqliteStore(path, { create: true }));
  await host.call('swarm_init', INIT);
  await host.call('agent_spawn', '{"type":"coder"}');
  await host.close();
  const db = new DatabaseSync(path);
  db.exec(`UPDATE event SET body = replace(body, 'coder', 'codes') WHERE seq = 2`);
  db.close();
  await assert.rejects(open(path), { code: 'corrupt' });
});
