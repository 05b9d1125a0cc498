/** predict: rows in, predictions out, with a model of the store or of a file. */
import { errorOf } from '../gen/errors.js';
import { readWhole, writeAtomically } from '../files.js';
import { asError, guarded, kernel } from '../load/kernel.js';
import type { Context } from './context.js';

/** Runs the command. */
export async function predict(context: Context): Promise<number> {
  const given = (field: string, what: string): string => {
    const value = context.values.word(field);
    if (value === undefined) throw errorOf('invalid_argument', `${field}: missing; give ${what}`, field);
    return value;
  };
  const named = given('model', "a model's hash or the path of a model file");
  const data = given('data', 'a CSV file with the rows to predict');
  const bytes = await modelBytes(context, named);
  const model = guarded(() => kernel().Model.load(bytes));
  const { csv, rows } = guarded(() => model.predictCsv(readWhole('data', data)));
  const out = context.values.word('out');
  if (out === undefined) {
    if (context.out.json) context.out.line(JSON.stringify({ rows, out: null, csv: new TextDecoder().decode(csv) }));
    else context.out.bytes(csv);
    return 0;
  }
  writeAtomically('out', out, csv);
  context.out.result(`predicted ${rows} rows into ${out}\n`, JSON.stringify({ rows, out }));
  return 0;
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
