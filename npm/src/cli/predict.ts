/** predict, evaluate and inspect: what is done with a model of the store or of a file. */
import type { Model } from '../../wasm/web/ruv_swarm.js';
import { errorOf } from '../gen/errors.js';
import { NewFile, pieces, readWhole } from '../files.js';
import { asError, guarded, kernel } from '../load/kernel.js';
import type { Context } from './context.js';

/** Rows in, predictions out, piece by piece. */
export async function predict(context: Context): Promise<number> {
  const model = await modelOf(context);
  const data = given(context, 'data', 'a CSV file with the rows to predict');
  const out = context.values.word('out');
  const file = out === undefined ? undefined : new NewFile('out', out);
  try {
    const rows = await predictInto(context, model, data, file);
    file?.commit();
    if (out !== undefined) context.out.result(`predicted ${rows} rows into ${out}\n`, JSON.stringify({ rows, out }));
  } finally {
    file?.abandon();
  }
  return 0;
}

async function predictInto(context: Context, model: Model, data: string, file: NewFile | undefined): Promise<number> {
  const stream = guarded(() => new (kernel().PredictStream)(model));
  // with --json and no file the predictions are a text of the answer, so they are gathered
  const gathers = file === undefined && context.out.json;
  const kept: Uint8Array[] = [];
  const passOn = async (made: Uint8Array): Promise<void> => {
    if (file) file.write(made);
    else if (gathers) kept.push(made);
    else {
      context.out.bytes(made);
      await context.out.finish();
    }
  };
  for await (const piece of pieces('data', data)) {
    await passOn(guarded(() => stream.push(piece)));
    if (context.out.closed) break;
  }
  if (context.out.closed) return 0;
  const { csv, rows } = guarded(() => stream.finish());
  await passOn(csv);
  if (gathers) context.out.line(JSON.stringify({ rows, out: null, csv: new TextDecoder().decode(Buffer.concat(kept)) }));
  return rows;
}

/** How well a model does on rows with targets. */
export async function evaluate(context: Context): Promise<number> {
  const model = await modelOf(context);
  const data = given(context, 'data', 'a CSV file with rows and their targets');
  const stream = guarded(() => new (kernel().EvaluateStream)(model));
  for await (const piece of pieces('data', data)) guarded(() => stream.push(piece));
  const found = guarded(() => stream.finish());
  context.out.result(kernel().render('evaluate', found), found);
  return 0;
}

/** What a model file holds. */
export async function inspect(context: Context): Promise<number> {
  const found = (await modelOf(context)).describe();
  context.out.result(kernel().render('inspect', found), found);
  return 0;
}

function given(context: Context, field: string, what: string): string {
  const value = context.values.word(field);
  if (value === undefined) throw errorOf('invalid_argument', `${field}: missing; give ${what}`, field);
  return value;
}

async function modelOf(context: Context): Promise<Model> {
  const bytes = await modelBytes(context, given(context, 'model', "a model's hash or the path of a model file"));
  return guarded(() => kernel().Model.load(bytes));
}

/** A word of hexadecimal digits names a model of the store, anything else a file. */
async function modelBytes(context: Context, model: string): Promise<Uint8Array> {
  if (!/^[0-9a-f]{8,}$/i.test(model)) return readWhole('model', model);
  const host = await context.host();
  try {
    return await host.getArtifact(model.toLowerCase());
  } catch (error) {
    if (asError(error).code !== 'not_found') throw error;
    throw errorOf('not_found', `model: no model ${JSON.stringify(model)}`, 'model');
  }
}
