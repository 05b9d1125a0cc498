/** What every worker thread does with its order. */
import { asError, errorJson } from '../load/kernel.js';
import { runJob } from './job.js';
import type { WorkerNews, WorkerOrder } from './workers.js';

/** Does the job and tells what came of it. */
export async function obey(order: WorkerOrder, tell: (news: WorkerNews, transfer: ArrayBuffer[]) => void): Promise<void> {
  try {
    const { model, report } = await runJob(order.job, (progress) => tell({ progress }, []));
    tell({ result: { model, report } }, [model.buffer as ArrayBuffer]);
  } catch (error) {
    tell({ error: errorJson(asError(error)) }, []);
  }
}
