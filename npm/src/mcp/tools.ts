/** The operations as MCP tools: the same call into the core as at every other door. */
import { errorOf, type RuvSwarmError } from '../gen/errors.js';
import { type ToolDefinition, TOOLS } from '../gen/tools.js';
import type { Host } from '../host/host.js';
import { planTraining, sampleDataset } from '../host/training.js';
import { asError, errorJson, guarded, hostError, kernel } from '../load/kernel.js';

/** What a tool answers. */
export interface ToolResult {
  /** The text for people, as the core renders it. */
  readonly content: { readonly type: 'text'; readonly text: string }[];
  /** The answer of the operation, or `{"error":{"code","message","field"}}`. */
  readonly structuredContent: Record<string, unknown>;
  /** True if the call was refused. */
  readonly isError?: boolean;
}

/** A tool with its handler. */
export interface McpTool {
  /** Name, description, schemas. */
  readonly definition: ToolDefinition;
  /** Carries it out; a refusal is a result with `isError`. */
  call(args: object): Promise<ToolResult>;
}

/** The tool of a listed or a dotted name. */
export function findTool(name: string): ToolDefinition | undefined {
  return TOOLS.find((tool) => tool.name === name || tool.alias === name);
}

/** Carries out a tool call. `planned` hears of a goal that the host should train. */
export async function callTool(host: Host, name: string, args: object, planned?: (goalId: string) => void): Promise<ToolResult> {
  // a name that is no tool goes to the core as it is: it words that error too
  const operation = findTool(name)?.name ?? name;
  try {
    if (operation !== 'swarm_init' && (await host.version()) === 0) throw hostError('no_database', 'db', host.shown);
    const training = operation === 'task_orchestrate' ? await trainingOf(host, args) : undefined;
    const response = training
      ? await orchestrateTraining(host, args, training)
      : await host.call(operation, JSON.stringify(args), keyOf(args));
    const structured = JSON.parse(response) as Record<string, unknown>;
    if (training) planned?.(String(structured['goalId']));
    const text = kernel().render(operation, response);
    return { content: [{ type: 'text', text: training?.sample ? `${kernel().sampleMessage()}\n${text}` : text }], structuredContent: structured };
  } catch (error) {
    return refusal(asError(error));
  }
}

function refusal(error: RuvSwarmError): ToolResult {
  return { content: [{ type: 'text', text: error.message }], structuredContent: { error: errorJson(error) }, isError: true };
}

/** An idempotency key may come along with any command; the core ignores what it does not know. */
function keyOf(args: object): string {
  const { idempotencyKey = '' } = args as { idempotencyKey?: unknown };
  if (typeof idempotencyKey === 'string') return idempotencyKey;
  throw errorOf('invalid_argument', 'idempotencyKey: not a text', 'idempotencyKey');
}

interface Training {
  /** The hash of a dataset in the swarm; absent for the sample. */
  readonly hash?: string;
  /** True if the bundled sample stands in for a dataset. */
  readonly sample: boolean;
  /** True if the caller brought the summary along. */
  readonly whole: boolean;
}

/** Whether the call asks for training, and on what: the core says what it means. */
async function trainingOf(host: Host, args: object): Promise<Training | undefined> {
  const { task, dataset } = args as { task?: unknown; dataset?: { hash?: unknown; summary?: unknown } | null };
  // what is no text is refused by the core, with the words for it
  if ((task ?? undefined) !== undefined && typeof task !== 'string') return undefined;
  const intent = await host.orchestrateIntent(typeof task === 'string' ? task : '', Boolean(dataset));
  if (intent === 'sample') return { sample: true, whole: true };
  if (intent !== 'train' || typeof dataset?.hash !== 'string') return undefined;
  return { hash: dataset.hash, sample: false, whole: typeof dataset.summary === 'string' && dataset.summary !== '' };
}

async function orchestrateTraining(host: Host, args: object, training: Training): Promise<string> {
  if (training.sample) {
    return planTraining(host, { ...args, task: 'train' }, sampleDataset(), keyOf(args));
  }
  if (training.whole) return host.call('task_orchestrate', JSON.stringify(args), keyOf(args));
  // the summary is the core's to make, from bytes that the swarm keeps
  const bytes = await host.getArtifact(training.hash ?? '');
  const { target, dataTask } = args as { target?: string; dataTask?: string };
  const summary = guarded(() => kernel().inspectData(bytes, JSON.stringify({ target, task: dataTask })));
  const whole = { ...args, dataset: { hash: training.hash, summary } };
  return host.call('task_orchestrate', JSON.stringify(whole), keyOf(args));
}
