/** The API for programs: one class over the host loop. */
import { errorOf } from './gen/errors.js';
import type { Agent, SwarmInitResponse, SwarmStatusResponse, TaskOrchestrateResponse, TaskResultsResponse } from './gen/types.js';
import { TOOLS } from './gen/tools.js';
import { runTraining, unfinishedTraining } from './host/executor.js';
import type { Host, Replay } from './host/host.js';
import { planTraining, sampleDataset } from './host/training.js';
import type { TrainingView } from './host/view.js';
import { Ledger } from './ledger.js';
import { guarded, kernel } from './load/kernel.js';
import { TrainedModel } from './model.js';
import { callTool, type McpTool } from './mcp/tools.js';
import type { Workers } from './workers/workers.js';

/** Rows of numbers: nested arrays, or a typed array with its number of columns. */
export type Rows = readonly (readonly number[])[] | { readonly values: Float32Array; readonly columns: number };

/** What can be trained on: CSV or FANN text, its bytes, or numbers. */
export type TrainingData =
  | string
  | Uint8Array
  | {
      /** The features, a row each. */
      readonly inputs: Rows;
      /** What to predict: a row each, or one number each. */
      readonly targets: Rows | readonly number[];
    };

/** Where the log is kept. */
export type Persistence =
  | { readonly type: 'sqlite'; readonly path: string; readonly durability?: 'full' | 'normal' }
  | { readonly type: 'memory' };

/** How a swarm is created or joined. */
export interface SwarmOptions {
  /** mesh (default), hierarchical, ring or star. */
  readonly topology?: string;
  /** Where the log is kept; default memory. */
  readonly persistence?: Persistence;
  /** How many agents it may have; default 100. */
  readonly maxAgents?: number;
  /** How goals are planned when nothing else is said; default balanced. */
  readonly strategy?: string;
  /** Seed of all randomness; drawn if absent. */
  readonly seed?: number;
  /** The swarm's id; drawn if absent. */
  readonly swarmId?: string;
}

/** An agent to add. */
export interface SpawnOptions {
  /** neural, neural-processor, or a free word such as coder. */
  readonly type: string;
  /** A name for people. */
  readonly name?: string;
  /** convergent, divergent, lateral, systems, critical or abstract. */
  readonly pattern?: string;
  /** What it can do. */
  readonly capabilities?: readonly string[];
  /** The engine of a neural agent: ruv-fann. */
  readonly model?: string;
  /** How many tasks it may run at once; default 1. */
  readonly capacity?: number;
  /** Take the agent of this name that is there, if one is and it equals what is given. */
  readonly join?: boolean;
  /** How long it may be silent before it counts as lost, 1000 to 86400000 ms; default: leases alone decide. */
  readonly silenceMs?: number;
}

/** Training as a task. */
export interface TrainTask {
  /** Marks training. */
  readonly type: 'train';
  /** What to train on; the bundled sample if absent. */
  readonly data?: TrainingData;
  /** The column to predict; default the last. */
  readonly target?: string;
  /** classification or regression; default by the target's values. */
  readonly task?: 'classification' | 'regression';
}

/** A goal for the swarm. */
export interface OrchestrateOptions<T extends TrainTask | string = TrainTask | string> {
  /** Training, or a goal in words that workers claim. */
  readonly task: T;
  /** How to plan it, for example cognitive-diversity; default the swarm's own. */
  readonly strategy?: string;
  /** Cognitive patterns that take part; default the strategy's own. */
  readonly agents?: readonly string[];
  /** How many agents may take part. */
  readonly maxAgents?: number;
  /** low, medium (default), high or critical. */
  readonly priority?: string;
  /** How many members train at once; default the number of cores. */
  readonly threads?: number;
  /** Cancels the goal. */
  readonly signal?: AbortSignal;
  /** Hears how training goes. */
  readonly onProgress?: (view: TrainingView) => void;
}

/** Result of a goal: of training once it is done, of work as planned. */
export type OrchestrateResult<T extends TrainTask | string> = T extends TrainTask ? TaskResultsResponse : TaskOrchestrateResponse;

/** What an environment (Node, browser) brings along. */
export interface Environment {
  /** Opens the store that was asked for and the host on it. */
  open(persistence: Persistence): Promise<Host>;
  /** Who trains. */
  workers(): Workers;
}

/** A swarm: agents that coordinate and train, on one durable log. */
export class Swarm extends Ledger {
  /** The swarm's id. */
  readonly id: string;
  /** Its topology. */
  readonly topology: string;
  /** The seed of all its randomness. */
  readonly seed: number;
  readonly #workers: Workers;

  private constructor(host: Host, made: SwarmInitResponse, workers: Workers) {
    super(host);
    this.id = made.swarmId ?? '';
    this.topology = made.topology ?? '';
    this.seed = made.seed ?? 0;
    this.#workers = workers;
  }

  /** Creates the swarm, or joins the one that is there if what is given equals what is there. */
  static async create(environment: Environment, options: SwarmOptions): Promise<Swarm> {
    const { persistence = { type: 'memory' }, ...request } = options;
    const host = await environment.open(persistence);
    try {
      const made = JSON.parse(await host.call('swarm_init', JSON.stringify(request))) as SwarmInitResponse;
      return new Swarm(host, made, environment.workers());
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  /** Adds an agent. */
  async spawn(options: SpawnOptions): Promise<Agent> {
    const { agents } = await this.call<{ agents: Agent[] }>('agent_spawn', options);
    const [agent] = agents;
    if (!agent) throw errorOf('internal', 'the core spawned no agent');
    return agent;
  }

  /** The agents. */
  async agents(): Promise<Agent[]> {
    return (await this.call<{ agents: Agent[] }>('agent_list')).agents;
  }

  /** Trains an ensemble and waits for it, or plans a goal in words for workers to claim. */
  async orchestrate<T extends TrainTask | string>(options: OrchestrateOptions<T>): Promise<OrchestrateResult<T>> {
    const { task, threads, signal, onProgress, ...request } = options;
    if (typeof task === 'string') {
      return (await this.call<TaskOrchestrateResponse>('task_orchestrate', { ...request, task })) as OrchestrateResult<T>;
    }
    const train = task as TrainTask;
    if (train.type !== 'train') {
      throw errorOf('invalid_argument', `task.type: unknown value ${JSON.stringify(train.type)}; allowed: train`, 'task.type');
    }
    const { bytes, name } = train.data === undefined ? sampleDataset() : datasetOf(train.data, train.task);
    const planned = await planTraining(this.host, { ...request, task: 'train' }, { bytes, name, target: train.target, task: train.task });
    const { goalId = '' } = JSON.parse(planned) as TaskOrchestrateResponse;
    return (await this.train(goalId, { threads, signal, onProgress })) as OrchestrateResult<T>;
  }

  /** Runs a planned training goal to its end; throws if it failed or was cancelled. */
  async train(
    goalId: string,
    options: { threads?: number | undefined; signal?: AbortSignal | undefined; onProgress?: ((view: TrainingView) => void) | undefined } = {},
  ): Promise<TaskResultsResponse> {
    const { threads, signal, onProgress } = options;
    const results = await runTraining(this.host, goalId, { workers: this.#workers, threads, signal, observe: onProgress });
    if (results.state === 'completed') return results;
    if (results.state === 'cancelled') throw errorOf('cancelled', `goal ${goalId} was cancelled`);
    const { goal } = await this.call<{ goal?: { error?: { message?: string } } }>('task_status', { goalId });
    throw errorOf('work_failed', `goal ${goalId} failed: ${goal?.error?.message ?? 'no reason was given'}`);
  }

  /** Goes on with the training goals that are not finished, for example after a crash. */
  async resumeTraining(): Promise<TaskResultsResponse[]> {
    const results: TaskResultsResponse[] = [];
    for (const goalId of await unfinishedTraining(this.host)) results.push(await this.train(goalId));
    return results;
  }

  /** A trained model of this swarm by its hash. */
  async model(hash: string): Promise<TrainedModel> {
    return TrainedModel.load(await this.host.getArtifact(hash));
  }

  /** Predicts the rows of a CSV with a trained model; the predictions are CSV text too. */
  async predict(modelHash: string, csv: string | Uint8Array): Promise<{ rows: number; csv: string }> {
    using model = await this.model(modelHash);
    return model.predictCsv(csv);
  }

  /** How the swarm stands. */
  async status(options: { readonly verbose?: boolean } = {}): Promise<SwarmStatusResponse> {
    return this.call<SwarmStatusResponse>('swarm_status', options);
  }

  /** Rebuilds the state from the log and, with `verify`, compares it with all that is stored. */
  async replay(options: { readonly verify?: boolean } = {}): Promise<Replay> {
    return this.host.replay(options.verify ?? false);
  }

  /** The operations of this swarm as MCP tools, to be served by any MCP server. */
  mcpTools(): McpTool[] {
    return TOOLS.map((definition) => ({
      definition,
      call: (args: object) => callTool(this.host, definition.name, args),
    }));
  }
}

/** The canonical bytes of what a program trains on. */
export function datasetOf(data: TrainingData, task = ''): { bytes: Uint8Array; name: string } {
  if (typeof data === 'string') return { bytes: new TextEncoder().encode(data), name: 'data.csv' };
  if (data instanceof Uint8Array) return { bytes: data, name: 'data' };
  const inputs = flatten('inputs', data.inputs);
  const targets = flatten('targets', data.targets);
  if (inputs.rows !== targets.rows) {
    throw errorOf('invalid_data', `targets: ${targets.rows} rows for ${inputs.rows} rows of inputs`, 'targets');
  }
  const bytes = guarded(() =>
    kernel().encodeArrays(inputs.values, inputs.rows, inputs.columns, targets.values, targets.columns, task),
  );
  return { bytes, name: 'data.bin' };
}

function flatten(field: string, rows: Rows | readonly number[]): { values: Float32Array; rows: number; columns: number } {
  if ('values' in rows && 'columns' in rows) {
    const count = rows.values.length / rows.columns;
    if (!Number.isInteger(count)) {
      throw errorOf('invalid_data', `${field}: ${rows.values.length} numbers are no whole rows of ${rows.columns}`, field);
    }
    return { values: rows.values, rows: count, columns: rows.columns };
  }
  const nested = (rows as readonly (number | readonly number[])[]).map((row) => (typeof row === 'number' ? [row] : row));
  const columns = nested[0]?.length ?? 0;
  const uneven = nested.findIndex((row) => row.length !== columns);
  if (uneven >= 0) {
    throw errorOf('invalid_data', `${field}: row ${uneven + 1} has ${nested[uneven]?.length} numbers, row 1 has ${columns}`, field);
  }
  return { values: Float32Array.from(nested.flat()), rows: nested.length, columns };
}
