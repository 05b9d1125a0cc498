/** Planning a training goal: the dataset and the goal go into the store in one transaction. */
import type { TaskResultsResponse } from '../gen/types.js';
import { guarded, kernel } from '../load/kernel.js';
import { Host } from './host.js';

/** A dataset with what the caller said of it. */
export interface Dataset {
  /** CSV, FANN text, or the canonical bytes of arrays. */
  readonly bytes: Uint8Array;
  /** A name for people. */
  readonly name: string;
  /** The column to predict; default the last. */
  readonly target?: string | undefined;
  /** classification or regression; default by the target's values. */
  readonly task?: string | undefined;
}

/** The bundled sample. */
export function sampleDataset(): { bytes: Uint8Array; name: string } {
  return { bytes: kernel().sampleData(), name: 'iris.csv' };
}

/** Plans the training and gives back the answer of `task_orchestrate` as JSON text. */
export async function planTraining(host: Host, request: object, dataset: Dataset, key = ''): Promise<string> {
  // whatever is wrong with the data is found before anything is written
  const options = JSON.stringify({ target: dataset.target, task: dataset.task });
  const summary = guarded(() => kernel().inspectData(dataset.bytes, options));
  const artifact = await Host.artifact(dataset.bytes, dataset.name, mediaType(dataset.name));
  const whole = { ...request, dataset: { hash: artifact.hash, summary } };
  const answers = await host.callAll([artifact, { operation: 'task_orchestrate', request: JSON.stringify(whole), key }]);
  return answers.at(-1) ?? '';
}

function mediaType(name: string): string {
  if (name.endsWith('.csv')) return 'text/csv';
  return name.endsWith('.bin') ? 'application/octet-stream' : 'text/plain';
}

/** The result of a training goal as the doors print it. */
export function resultJson(results: TaskResultsResponse): object {
  const { goalId, state, modelHash = '', members = [], ensemble, stateHash } = results;
  const listed = members.map(({ agentId, pattern, algorithm, network, validationLoss, validationAccuracy = null }) => ({
    agentId,
    pattern,
    algorithm,
    network,
    validationLoss,
    validationAccuracy,
  }));
  return { goalId, state, modelHash, members: listed, ensemble, stateHash };
}
