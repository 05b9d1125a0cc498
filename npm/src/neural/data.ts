/** What is trained on, as the module takes it. */
import { errorOf } from '../gen/errors.js';

/** A dataset: CSV, FANN or Proben1 text, its bytes, or numbers. */
export type NetworkData = string | Uint8Array | NumberRows | NestedRows;

/** Rows of numbers in typed arrays, row after row. */
export interface NumberRows {
  /** `rows` times the number of inputs. */
  readonly inputs: Float32Array;
  /** `rows` times the number of targets. */
  readonly targets: Float32Array;
  /** How many rows there are. */
  readonly rows: number;
}

/** Rows of numbers as nested arrays. */
export interface NestedRows {
  /** A row each. */
  readonly inputs: readonly (readonly number[])[];
  /** A row each, or one number each. */
  readonly targets: readonly (readonly number[])[] | readonly number[];
}

/** A dataset in one of the two forms that the module takes. */
export type Source = { readonly bytes: Uint8Array } | NumberRows;

/** The dataset in the module's form. */
export function sourceOf(data: NetworkData): Source {
  if (typeof data === 'string') return { bytes: new TextEncoder().encode(data) };
  if (data instanceof Uint8Array) return { bytes: data };
  if ('rows' in data) return { inputs: data.inputs, targets: data.targets, rows: data.rows };
  const inputs = flat('inputs', data.inputs);
  const targets = flat('targets', data.targets);
  if (data.inputs.length !== data.targets.length) {
    throw errorOf('invalid_data', `targets: ${data.targets.length} rows for ${data.inputs.length} rows of inputs`, 'targets');
  }
  return { inputs, targets, rows: data.inputs.length };
}

/** All numbers in one array; rows that differ in length have no place in it. */
function flat(field: string, rows: readonly (number | readonly number[])[]): Float32Array {
  const width = (row: number | readonly number[] | undefined): number => (Array.isArray(row) ? row.length : 1);
  const columns = width(rows[0]);
  const uneven = rows.findIndex((row) => width(row) !== columns);
  if (uneven >= 0) {
    throw errorOf('invalid_data', `${field}: row ${uneven + 1} has ${width(rows[uneven])} numbers, row 1 has ${columns}`, field);
  }
  return Float32Array.from(rows.flat());
}
