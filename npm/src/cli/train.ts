/** train: one network, without a swarm. */
import { COMMANDS } from '../gen/commands.js';
import { errorFromJson } from '../gen/errors.js';
import { checkTarget, readAll, readWhole, writeAtomically } from '../files.js';
import { guarded, kernel } from '../load/kernel.js';
import { neuralKernel } from '../neural/kernel.js';
import '../neural/load-node.js';
import type { NetworkProgress } from '../neural/options.js';
import { nextSlice } from '../workers/job.js';
import type { Session } from '../../wasm/neural/ruv_swarm_neural.js';
import type { Context } from './context.js';
import { Course } from './course.js';
import { asText } from './input.js';
import { interrupted } from './interrupt.js';

/** Without a number of epochs between checkpoints, one is written about this often. */
const KEEP_MS = 10_000;
/** A slice lasts about this long. */
const SLICE_MS = 50;

/** Name, type and text of an option that was given as a flag. */
type Flag = readonly [name: string, type: string, text: string];

/** The files of this training, as they were given now or when its checkpoint was written. */
interface Asked {
  readonly data: string;
  readonly out: string;
  readonly checkpoint: string;
  readonly every: number | undefined;
  readonly seconds: number | undefined;
  /** The checkpoint to go on from. */
  readonly resumed: Uint8Array | undefined;
}

/** Runs the command. */
export async function train(context: Context): Promise<number> {
  const flags = givenFlags(context);
  const asked = readAsked(context, flags);
  if (asked.out !== '') checkTarget('out', asked.out);
  if (asked.checkpoint !== '') checkTarget('checkpoint', asked.checkpoint);
  const session = await open(context, asked, flags);
  const note = JSON.stringify({ data: asked.data, every: asked.every ?? null, out: asked.out });
  guarded(() => session.setNote(note));
  const training = new TimedTraining(session, asked);
  if (asked.resumed) context.out.text(`going on after epoch ${training.epoch}\n`);
  const course = new Course(context.out.json);
  let ended: boolean;
  try {
    ended = await training.run((progress) => course.show(progress));
  } finally {
    course.end();
  }
  if (!ended) throw errorFromJson(kernel().trainInterrupted(training.epoch, asked.checkpoint));
  const { model, report } = guarded(() => session.finish());
  if (asked.out !== '') writeAtomically('out', asked.out, model);
  guarded(() => kernel().checkReport(report));
  const answer = kernel().trainAnswer(report, asked.out);
  context.out.result(kernel().render('train', answer), answer);
  return 0;
}

function givenFlags(context: Context): Flag[] {
  const settings = COMMANDS.find(({ name }) => name === 'train')?.args.filter(({ setting }) => setting) ?? [];
  return settings.flatMap(({ name, kind, type }): Flag[] => {
    const text = kind === 'flag' && context.values.flag(name) ? '' : context.values.word(name);
    return text === undefined ? [] : [[name, type, text]];
  });
}

function readAsked(context: Context, flags: readonly Flag[]): Asked {
  const word = (name: string): string => context.values.word(name) ?? '';
  const resume = word('resume');
  const firstOption = word('options') === '' ? (flags[0]?.[0] ?? '') : 'options';
  const every = context.values.number('every');
  const seconds = context.values.number('seconds');
  guarded(() => kernel().checkTrain(word('data'), resume, firstOption, word('checkpoint'), every, seconds));
  if (resume === '') return { data: word('data'), out: word('out'), checkpoint: word('checkpoint'), every, seconds, resumed: undefined };
  const resumed = readWhole('resume', resume);
  const note = readNote(guarded(() => kernel().checkpointNote(resumed)));
  const data = word('data') || (note.data === '-' ? '' : note.data);
  guarded(() => kernel().checkTrain(data, '', '', word('checkpoint'), undefined, seconds));
  return { data, out: word('out') || note.out, checkpoint: word('checkpoint') || resume, every: every ?? note.every, seconds, resumed };
}

/** What a checkpoint knows of the command that wrote it; a note that another program wrote tells nothing. */
function readNote(text: string): { data: string; out: string; every: number | undefined } {
  const unknown = { data: '', out: '', every: undefined };
  try {
    const { data, out, every } = JSON.parse(text) as Record<string, unknown>;
    if (typeof data !== 'string' || typeof out !== 'string') return unknown;
    return { data, out, every: typeof every === 'number' ? every : undefined };
  } catch {
    return unknown;
  }
}

async function open(context: Context, asked: Asked, flags: readonly Flag[]): Promise<Session> {
  const { Session } = neuralKernel();
  const { resumed } = asked;
  if (resumed) {
    const data = await readAll('data', asked.data);
    return guarded(() => Session.resume(resumed, data));
  }
  const base = await baseOptions(context);
  const options = guarded(() => kernel().trainOptions(JSON.stringify(flags), base));
  const data = await readAll('data', asked.data);
  return guarded(() => new Session(data, options));
}

/** The options of `--options`: JSON, or the path of a file that holds it. */
async function baseOptions(context: Context): Promise<string> {
  const text = context.values.word('options');
  if (text === undefined || text.trimStart().startsWith('{')) return text ?? '';
  return asText('options', await readAll('options', text));
}

/** A training that runs by the clock, on this thread, with checkpoints in a file. */
class TimedTraining {
  /** Epochs done. */
  epoch: number;
  readonly #session: Session;
  readonly #asked: Asked;
  #kept: number | undefined;
  #keptAt = performance.now();

  constructor(session: Session, asked: Asked) {
    this.#session = session;
    this.#asked = asked;
    this.epoch = epochOf(session.progress());
  }

  /** Trains to the end, or until the user asks for one: false. */
  async run(watch: (progress: string) => void): Promise<boolean> {
    const session = this.#session;
    const until = performance.now() + (this.#asked.seconds ?? Infinity) * 1000;
    let epochs = 1;
    while (!session.done()) {
      const slice = this.#slice(epochs, until);
      const began = performance.now();
      const progress = guarded(() => session.run(slice));
      epochs = nextSlice(slice, performance.now() - began);
      this.epoch = epochOf(progress);
      this.#keepWhenDue();
      watch(progress);
      // lets signals be heard
      await new Promise((resolve) => setImmediate(resolve));
      if (interrupted.aborted) {
        this.#keep();
        return false;
      }
      if (performance.now() >= until && !session.done()) {
        // what is kept is a training that goes on
        this.#keep();
        session.stop('time');
      }
    }
    this.#keep();
    return true;
  }

  /** Epochs of the next slice: not beyond the next checkpoint, and short when little time is left. */
  #slice(epochs: number, until: number): number {
    const share = (until - performance.now()) / SLICE_MS;
    const fitting = share < 1 ? Math.max(1, Math.trunc(epochs * share)) : epochs;
    const { every } = this.#asked;
    return every === undefined ? fitting : Math.min(fitting, every - (this.epoch % every));
  }

  #keepWhenDue(): void {
    const { every } = this.#asked;
    const due = every === undefined ? performance.now() - this.#keptAt >= KEEP_MS : this.epoch % every === 0;
    if (due) this.#keep();
  }

  /** Writes a checkpoint, unless the last one is of this epoch. */
  #keep(): void {
    const { checkpoint } = this.#asked;
    if (checkpoint === '' || this.#kept === this.epoch) return;
    writeAtomically('checkpoint', checkpoint, this.#session.checkpoint());
    this.#kept = this.epoch;
    this.#keptAt = performance.now();
  }
}

function epochOf(progress: string): number {
  return (JSON.parse(progress) as NetworkProgress).epoch;
}
