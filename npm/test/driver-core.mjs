/**
 * The core as a target of the conformance harness: one JSON request in, one JSON answer out.
 *
 * The same code drives Node (driver.mjs) and a page (browser/driver.html). A request is an object
 * with `do` and the arguments below; the answer is `{"ok":…}` or `{"error":{"code","message","field"}}`.
 * Bytes are base64, requests of operations are JSON text or objects, `core` names one of several
 * cores (default "0").
 *
 * | do | arguments | ok |
 * |---|---|---|
 * | new | core | true |
 * | restore | core, snapshot | true |
 * | fork | core, as | true |
 * | call | core, operation, request, nowMs, key | {response, events, attach?} |
 * | query | core, operation, request | {response, events, attach?} |
 * | apply | core, event | {seq, atMs, kind, chain (hex), rows: all that it touched} |
 * | run | core, operation, request, nowMs, key | call, then apply of its events: {response, events} |
 * | state | core | {version, stateHash, chainHead, lastAtMs, swarmId, nextDeadline, pendingEffects} |
 * | snapshot | core | text |
 * | render | operation, response | text |
 * | renderEvent | event | text |
 * | operationKind | operation | command, query or null |
 * | attachEvents | response, lines | text |
 * | attachArtifact | response, content | text |
 * | hostError | kind, field, path, detail | {code, message, field} |
 * | errorCodes | | list |
 * | schemaSql | | text |
 * | sample | | bytes |
 * | encodeArrays | inputs, rows, nInputs, targets, nTargets, task | bytes |
 * | inspect | data, options | summary text |
 * | train | data, plan, member, slice (epochs a slice) | {model, report, slices} |
 * | fuse | data, plan, models | {model, report} |
 * | describe | model | {hash, inputs, outputs, description} |
 * | predictCsv | model, csv | {rows, csv} |
 * | predictRows | model, inputs, rows | numbers |
 * | evaluateCsv | model, csv | text |
 * | version | | text |
 */

/** Makes the driver of a loaded kernel. */
export function makeDriver(kernel) {
  const cores = new Map();
  const coreOf = ({ core = '0' }) => {
    const found = cores.get(core);
    if (!found) throw new Error(JSON.stringify({ code: 'invalid_argument', message: `core: no core "${core}"; make it with new`, field: 'core' }));
    return found;
  };
  const put = (name, core) => {
    cores.get(name)?.free();
    cores.set(name, core);
    return true;
  };
  const text = (request) => (typeof request === 'string' ? request : JSON.stringify(request ?? {}));
  const using = (model, use) => {
    const loaded = kernel.Model.load(fromBase64(model));
    try {
      return use(loaded);
    } finally {
      loaded.free();
    }
  };
  const apply = (core, event) => {
    const { chain, ...applied } = core.apply(event);
    return { ...applied, chain: toHex(chain), rows: core.takeRows() };
  };
  const call = (args) => coreOf(args).call(args.operation, text(args.request), args.nowMs ?? 0, args.key ?? '');
  const trained = ({ model, report }) => ({ model: toBase64(model), report });

  const verbs = {
    new: ({ core = '0' }) => put(core, new kernel.Core()),
    restore: ({ core = '0', snapshot }) => put(core, kernel.Core.restore(snapshot)),
    fork: (args) => put(args.as, coreOf(args).fork()),
    call,
    query: (args) => coreOf(args).query(args.operation, text(args.request)),
    apply: (args) => apply(coreOf(args), args.event),
    run: (args) => {
      const { response, events } = call(args);
      for (const event of events) apply(coreOf(args), event);
      return { response, events };
    },
    state: (args) => stateOf(coreOf(args)),
    snapshot: (args) => coreOf(args).snapshot(),
    render: ({ operation, response }) => kernel.render(operation, text(response)),
    renderEvent: ({ event }) => kernel.renderEvent(event),
    operationKind: ({ operation }) => kernel.operationKind(operation) ?? null,
    attachEvents: ({ response, lines }) => kernel.attachEvents(response, lines, ''),
    attachArtifact: ({ response, content }) => kernel.attachArtifact(response, fromBase64(content)),
    hostError: ({ kind, field, path, detail = '' }) => JSON.parse(kernel.hostError(kind, field, path, detail)),
    errorCodes: () => JSON.parse(kernel.errorCodes()),
    schemaSql: () => kernel.schemaSql(),
    sample: () => toBase64(kernel.sampleData()),
    encodeArrays: ({ inputs, rows, nInputs, targets, nTargets, task = '' }) =>
      toBase64(kernel.encodeArrays(Float32Array.from(inputs), rows, nInputs, Float32Array.from(targets), nTargets, task)),
    inspect: ({ data, options = {} }) => kernel.inspectData(fromBase64(data), text(options)),
    train: ({ data, plan, member, slice = 50 }) => {
      const trainer = new kernel.Trainer(fromBase64(data), text(plan), member);
      let slices = 0;
      for (; !trainer.done(); slices += 1) trainer.run(slice);
      return { ...trained(trainer.finish()), slices };
    },
    fuse: ({ data, plan, models }) => trained(kernel.fuse(fromBase64(data), text(plan), models.map(fromBase64))),
    describe: ({ model }) =>
      using(model, (m) => ({ hash: m.hash(), inputs: m.inputs(), outputs: m.outputs(), description: JSON.parse(m.describe()) })),
    predictCsv: ({ model, csv }) =>
      using(model, (m) => {
        const predicted = m.predictCsv(new TextEncoder().encode(csv));
        return { rows: predicted.rows, csv: new TextDecoder().decode(predicted.csv) };
      }),
    predictRows: ({ model, inputs, rows }) => using(model, (m) => Array.from(m.predictRows(Float32Array.from(inputs), rows))),
    evaluateCsv: ({ model, csv }) => using(model, (m) => m.evaluateCsv(new TextEncoder().encode(csv))),
    version: () => kernel.version(),
  };

  return (request) => {
    const verb = Object.hasOwn(verbs, request.do) ? verbs[request.do] : undefined;
    if (!verb) return refused('unknown_operation', `do: unknown value ${JSON.stringify(request.do)}; allowed: ${Object.keys(verbs).join(', ')}`, 'do');
    try {
      return { ok: verb(request) };
    } catch (error) {
      return errorAnswer(error);
    }
  };
}

function stateOf(core) {
  return {
    version: core.version(),
    stateHash: core.stateHash(),
    chainHead: toHex(core.chainHead()),
    lastAtMs: core.lastAtMs(),
    swarmId: core.swarmId(),
    nextDeadline: core.nextDeadline() ?? null,
    pendingEffects: JSON.parse(core.pendingEffects()),
  };
}

function refused(code, message, field) {
  return { error: { code, message, field } };
}

function errorAnswer(error) {
  try {
    const parsed = JSON.parse(error.message);
    if (typeof parsed.code === 'string') return { error: parsed };
  } catch {
    // not the core's JSON: a defect, told as one
  }
  return { error: { code: 'internal', message: String(error?.message ?? error) } };
}

function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function toBase64(bytes) {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
