// The Chromium target: the npm package's browser loader in a headless page, spoken to in JSON lines;
// see ../protocol.md. A page of 127.0.0.1 imports the built package as a site would.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join, normalize } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const { chromium } = createRequire(join(ROOT, 'npm/package.json'))('playwright-core');
const FLAGS = '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };
const PAGE = `<!doctype html><title>conformance</title><script type="module">
import { load } from '/npm/dist/load/web.js';
import { neuralKernel } from '/npm/dist/neural/kernel.js';
import { load as loadNeural } from '/npm/dist/neural/load-web.js';
import { answer } from '/tests/conformance/drivers/core.mjs';
await loadNeural();
const kernel = { ...(await load()), neural: neuralKernel() };
globalThis.answer = (line) => answer(kernel, line);
</script>`;

const served = createServer(async (request, response) => {
  const path = normalize(new URL(request.url, 'http://localhost').pathname);
  try {
    const content = path === '/' ? PAGE : await readFile(join(ROOT, path));
    response.setHeader('content-type', TYPES[extname(path)] ?? 'text/html');
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((done) => served.listen(0, '127.0.0.1', done));

const executablePath = process.argv[2];
const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS.split(' ') });
const page = await browser.newPage();
page.on('pageerror', (error) => process.stderr.write(`${error.stack}\n`));
page.on('console', (message) => process.stderr.write(`${message.text()}\n`));
await page.goto(`http://127.0.0.1:${served.address().port}/`);
await page.waitForFunction(() => globalThis.answer !== undefined, null, { timeout: 30_000 });

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  process.stdout.write(`${await page.evaluate((text) => globalThis.answer(text), line)}\n`);
}
await browser.close();
served.close();
