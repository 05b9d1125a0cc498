/** What people see of a training goal while it runs. */
import type { Task } from '../gen/types.js';
import type { RunningJob } from '../workers/workers.js';

/** Where a member stands. */
export type MemberState = 'waiting' | 'training' | 'elsewhere' | 'done' | 'failed' | 'cancelled';

/** One member of the ensemble. */
export interface MemberView {
  /** Its task. */
  readonly taskId: string;
  /** Its agent. */
  readonly agentId: string;
  /** Its cognitive pattern. */
  readonly pattern: string;
  /** Its learning algorithm. */
  readonly algorithm: string;
  /** Where it stands; `elsewhere` means in another process. */
  state: MemberState;
  /** Epochs done. */
  done: number;
  /** Epochs at most; 0 if not known yet. */
  total: number;
  /** A short line, for example the validation loss. */
  note: string;
  /** When the lease of another process ends, in ms from now. */
  readonly leaseLeftMs: number;
}

interface PlanMember {
  recipe?: { pattern?: string; algorithm?: string };
}

/** The goal with its members, in the order of the plan. */
export class TrainingView {
  /** The goal. */
  readonly goalId: string;
  /** Its members. */
  members: MemberView[] = [];
  /** True while the members' models are put together here. */
  fusing = false;
  readonly #recipes: PlanMember[];

  /** The view of a goal whose plan is `plan`, as JSON text. */
  constructor(goalId: string, plan: string) {
    this.goalId = goalId;
    this.#recipes = (JSON.parse(plan || '{}') as { members?: PlanMember[] }).members ?? [];
  }

  /** True if nothing is computed here and another process is waited for. */
  get waitsForOthers(): boolean {
    const any = (state: MemberState): boolean => this.members.some((member) => member.state === state);
    return !any('training') && !this.fusing && any('elsewhere');
  }

  /** Takes over the ledger's tasks. */
  note(tasks: readonly Task[], jobs: ReadonlyMap<string, RunningJob>, nowMs: number): void {
    this.fusing = tasks.some(({ kind, id }) => kind === 'fuse' && jobs.has(id ?? ''));
    this.members = tasks
      .filter(({ kind }) => kind === 'train')
      .map((task, i) => {
        const { done = 0, total = 0, note = '' } = this.members[i] ?? task.progress ?? {};
        return {
          taskId: task.id ?? '',
          agentId: task.assignedTo ?? '',
          pattern: this.#recipes[i]?.recipe?.pattern ?? '',
          algorithm: this.#recipes[i]?.recipe?.algorithm ?? '',
          state: stateOf(task),
          done,
          total,
          note,
          leaseLeftMs: Math.max(0, (task.lease?.expiresAtMs ?? 0) - nowMs),
        };
      });
    this.glance(jobs);
  }

  /** Takes over how far the workers of this process are. */
  glance(jobs: ReadonlyMap<string, RunningJob>): void {
    for (const member of this.members) {
      const job = jobs.get(member.taskId);
      if (job) Object.assign(member, job.progress(), { state: 'training' });
    }
  }
}

function stateOf({ state }: Task): MemberState {
  switch (state) {
    case 'completed':
      return 'done';
    case 'failed':
    case 'cancelled':
      return state;
    case 'running':
      return 'elsewhere';
    default:
      return 'waiting';
  }
}
