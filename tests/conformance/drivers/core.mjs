// What the Node and the Chromium driver share: the protocol over the package's WebAssembly module.
// It uses nothing but the module and what both Node and a page have.

/** Hex of bytes. */
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** SHA-256 of bytes, in hex. */
const sha256 = async (bytes) => hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));

const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.codePointAt(0));

/** The core's error in what the module threw; anything else is trouble of the driver's. */
function failure(error) {
  const text = error instanceof Error ? error.message : String(error);
  if (text.startsWith('{"code":')) return JSON.parse(text);
  throw error;
}

/** A host without a store: applies what was decided, and keeps log and artifacts to attach. */
class Host {
  constructor(kernel) {
    this.kernel = kernel;
    this.core = new kernel.Core();
    this.log = [];
    this.artifacts = new Map();
  }

  async step({ operation, request, nowMs, key }) {
    let decision;
    try {
      decision = this.core.call(operation, request, nowMs, key ?? '');
    } catch (error) {
      return { error: failure(error), events: [] };
    }
    const { events, attach } = decision;
    for (const line of events) {
      this.core.apply(line);
      this.log.push(line);
    }
    if (operation === 'artifact_put') await this.keep(request);
    let response = decision.response;
    if (attach?.kind === 'events') {
      const lines = this.log.slice(attach.after, attach.after + attach.limit);
      response = this.kernel.attachEvents(response, lines, attach.filter);
    } else if (attach) {
      response = this.kernel.attachArtifact(response, this.artifacts.get(attach.hash) ?? new Uint8Array());
    }
    return { response, events, text: this.kernel.render(operation, response) };
  }

  async keep(request) {
    const { content } = JSON.parse(request);
    if (typeof content !== 'string') return;
    const bytes = fromBase64(content);
    this.artifacts.set(await sha256(bytes), bytes);
  }
}

/** What a list or a replay ends with. */
function end(kernel, core) {
  const snapshot = core.snapshot();
  let restoredHash;
  try {
    restoredHash = kernel.Core.restore(snapshot).stateHash();
  } catch (error) {
    restoredHash = failure(error);
  }
  return {
    version: core.version(),
    lastAtMs: core.lastAtMs(),
    swarmId: core.swarmId(),
    stateHash: core.stateHash(),
    restoredHash,
    chain: hex(core.chainHead()),
    pendingEffects: core.pendingEffects(),
    nextDeadline: core.nextDeadline() ?? null,
    snapshot,
  };
}

async function run(kernel, { steps }) {
  const host = new Host(kernel);
  const answers = [];
  for (const step of steps) answers.push(await host.step(step));
  const answer = { ...end(kernel, host.core), steps: answers };
  host.core.free();
  return answer;
}

function replay(kernel, { events, snapshot, hashes }) {
  const core = snapshot == null ? new kernel.Core() : kernel.Core.restore(snapshot);
  const applied = [];
  let trouble = {};
  for (const line of events) {
    try {
      const { seq, atMs, kind, chain } = core.apply(line);
      const list = core.takeRows().map((row) => [row.table, row.id, row.state, row.body]);
      const state = hashes ? { stateHash: core.stateHash() } : {};
      applied.push({ seq, atMs, kind, chain: hex(chain), rows: list, ...state });
    } catch (error) {
      trouble = { error: failure(error) };
      break;
    }
  }
  const answer = { ...end(kernel, core), applied, ...trouble };
  core.free();
  return answer;
}

async function train(kernel, { data, plan, epochs }) {
  const bytes = fromBase64(data);
  const models = [];
  const members = [];
  const count = JSON.parse(plan).members?.length ?? 0;
  for (let member = 0; member < count; member++) {
    const trainer = new kernel.Trainer(bytes, plan, member);
    while (!trainer.done()) trainer.run(epochs);
    const { model, report } = trainer.finish();
    models.push(model);
    members.push({ hash: await sha256(model), report });
  }
  const fused = kernel.fuse(bytes, plan, models);
  const model = kernel.Model.load(fused.model);
  const predicted = model.predictCsv(bytes);
  return {
    members,
    report: fused.report,
    modelHash: model.hash(),
    modelBytes: fused.model.length,
    describe: model.describe(),
    evaluate: model.evaluateCsv(bytes),
    predictions: await sha256(predicted.csv),
    rows: predicted.rows,
  };
}

async function session({ neural }, { data, options, epochs }) {
  const bytes = fromBase64(data);
  const begun = new neural.Session(bytes, options);
  begun.run(epochs);
  const training = neural.Session.resume(begun.checkpoint(), bytes);
  begun.free();
  while (!training.done()) training.run(epochs);
  const checkpointHash = await sha256(training.checkpoint());
  const { model, report } = training.finish();
  return { checkpointHash, modelHash: await sha256(model), report: JSON.parse(report) };
}

const OPS = {
  run,
  replay,
  train,
  session,
  inspect: (kernel, { data, options }) => ({ summary: kernel.inspectData(fromBase64(data), options) }),
};

/** Answers one line of the protocol with one line; `kernel` is the module with the small one as `neural`. */
export async function answer(kernel, line) {
  const { id, op, ...request } = JSON.parse(line);
  try {
    return JSON.stringify({ ...(await OPS[op](kernel, request)), id });
  } catch (error) {
    try {
      return JSON.stringify({ error: failure(error), id });
    } catch (other) {
      return JSON.stringify({ trouble: String(other?.stack ?? other), id });
    }
  }
}
