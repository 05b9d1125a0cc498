/** Standard input as an argument. */
import { errorOf } from '../gen/errors.js';
import { systemWords } from '../host/sqlite-open.js';

/** All that standard input brings, as text for the argument `field`. */
export async function standardInput(field: string): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  } catch (error) {
    throw errorOf('invalid_argument', `${field}: cannot read standard input: ${systemWords(error)}`, field);
  }
  return asText(field, Buffer.concat(chunks));
}

/** The text that the bytes given as `field` are. */
export function asText(field: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw errorOf('invalid_argument', `${field}: not UTF-8 text`, field);
  }
}
