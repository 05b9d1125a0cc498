/**
 * The core as the rest of the package uses it: the one place that holds the WebAssembly module and
 * that turns what it throws into the error classes of the project.
 */
import type * as Wasm from '../../wasm/web/ruv_swarm.js';
import { errorFromJson, errorOf, RuvSwarmError } from '../gen/errors.js';

/** The functions and classes of the WebAssembly module. */
export type Kernel = typeof Wasm;

export type { Applied, Attach, Decision, Row } from '../../wasm/web/ruv_swarm.js';

let loaded: Kernel | undefined;
let demanded: (() => void) | undefined;

/** Hands the instantiated module to the package; a loader calls it once. */
export function useKernel(module: Kernel): void {
  loaded = module;
}

/** Names who loads the module at its first use, where that can be done without waiting. */
export function loadOnDemand(loader: () => void): void {
  demanded = loader;
}

/** The module; in a browser an entry point has loaded it before anything else runs. */
export function kernel(): Kernel {
  if (!loaded) demanded?.();
  if (!loaded) throw errorOf('failed_precondition', 'the WebAssembly module is not loaded yet; await load() first');
  return loaded;
}

/** Whether a loader has run. */
export function kernelLoaded(): boolean {
  return loaded !== undefined;
}

/** Runs `body` and throws its failure as an error of the project. */
export function guarded<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw asError(error);
  }
}

/** The error of the project for anything thrown: the core's JSON text becomes its class. */
export function asError(error: unknown): RuvSwarmError {
  if (error instanceof RuvSwarmError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (text.startsWith('{"code":')) {
    try {
      return errorFromJson(text);
    } catch {
      // not the core's JSON after all: the text itself is the message
    }
  }
  // a trap inside the module arrives as a RuntimeError and is a defect of ours
  return errorOf('internal', text);
}

/** Trouble that only a host meets, by the core's word for it. */
export type HostTrouble =
  | 'file_missing'
  | 'file_is_folder'
  | 'file_unreadable'
  | 'file_unwritable'
  | 'no_database'
  | 'not_a_database'
  | 'newer_database'
  | 'damaged_database'
  | 'disk_full'
  | 'read_only'
  | 'busy'
  | 'store_failed'
  | 'outcome_unknown'
  | 'interrupted';

/** The error for trouble of the host, in the core's words. */
export function hostError(kind: HostTrouble, field: string, path: string, detail = ''): RuvSwarmError {
  return errorFromJson(kernel().hostError(kind, field, path, detail));
}

/** An error as the doors print it: `{"code","message","field"}`, an empty field omitted. */
export function errorJson(error: RuvSwarmError): { code: string; message: string; field?: string } {
  const plain = { code: error.code, message: error.message };
  return error.field ? { ...plain, field: error.field } : plain;
}
