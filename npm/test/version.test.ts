import assert from 'node:assert/strict';
import { test } from 'node:test';

import { version } from '../dist/index.js';

test('the version is that of the package', async () => {
  const { default: manifest } = await import('../package.json', { with: { type: 'json' } });
  assert.equal(version, manifest.version);
});
