// The cases of core/examples/bench_training.rs in WebAssembly: `node training_node.mjs FOLDER` prints
// a JSON line a case, and one with the time that the module takes to instantiate.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const home = new URL('../npm/wasm/web/', import.meta.url);
const wasm = await import(new URL('ruv_swarm.js', home).href);
const bytes = readFileSync(new URL('ruv_swarm_bg.wasm', home));
const started = performance.now();
wasm.initSync({ module: new WebAssembly.Module(bytes) });
const core = new wasm.Core();
core.free();
console.log(JSON.stringify({ instantiationMs: performance.now() - started, rawBytes: bytes.length }));

if (folder) {
  for (const { name, epochs } of JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'))) {
    const data = readFileSync(join(folder, `${name}.data`));
    const plan = readFileSync(join(folder, `${name}.plan`), 'utf8');
    // V8 compiles the hot functions anew while they run: the figure is that of the settled code
    new wasm.Trainer(data, plan, 0).run(epochs);
    const trainer = new wasm.Trainer(data, plan, 0);
    trainer.run(1);
    const from = performance.now();
    trainer.run(epochs);
    const seconds = (performance.now() - from) / 1000;
    const { model } = trainer.finish();
    const hash = createHash('sha256').update(model).digest('hex');
    console.log(JSON.stringify({ case: name, epochs, seconds, hash }));
  }
}
