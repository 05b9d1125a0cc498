/** A page of a Chromium that is served the package's folder. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium, type Page } from 'playwright-core';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Opens the page at `path`; `content`, if given, is served there in place of a file. */
export async function openPage(t: TestContext, path: string, content?: string): Promise<{ page: Page; errors: string[] }> {
  const served = createServer((request, response) => {
    const asked = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    const found = content !== undefined && asked === path ? Promise.resolve(content) : readFile(join(ROOT, asked));
    found.then(
      (body) => response.setHeader('content-type', TYPES[extname(asked)] ?? 'text/html').end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => served.listen(0, '127.0.0.1', done));
  t.after(() => served.close());
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
  t.after(() => browser.close());
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`http://127.0.0.1:${(served.address() as AddressInfo).port}${path}`);
  return { page, errors };
}
