import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kernel, load, version } from '@ruv/swarm';

test('the version is that of the package and of the core', async () => {
  const { default: manifest } = await import('../package.json', { with: { type: 'json' } });
  assert.equal(version, manifest.version);
  load();
  assert.equal(kernel().version(), manifest.version);
});
