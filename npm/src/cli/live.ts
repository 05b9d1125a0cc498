/**
 * How a training goal is shown while it runs: a table that is redrawn on a terminal, plain lines in
 * a pipe, nothing in JSON mode.
 */
import type { MemberState, MemberView, TrainingView } from '../host/view.js';
import type { Output } from './output.js';

/** In a pipe a member that trains is mentioned about this often. */
const REMIND_MS = 2_000;

/** What was shown so far. */
export class Live {
  readonly #out: Output;
  readonly #last = new Map<string, { state: MemberState; at: number }>();
  #drawnLines = 0;
  #saidWaiting = false;
  #saidFusing = false;

  constructor(out: Output) {
    this.#out = out;
  }

  /** Shows how things stand. */
  show(view: TrainingView): void {
    if (this.#out.json) return;
    if (this.#out.terminal) this.#redraw(view);
    else this.#append(view);
  }

  /** Leaves the last picture and goes on below it. */
  end(): void {
    if (this.#drawnLines > 0) this.#out.text('\n');
    this.#drawnLines = 0;
  }

  #redraw(view: TrainingView): void {
    const head = columns('agent', 'pattern', 'algorithm', 'state', 'epochs', 'validation loss');
    const last = view.fusing ? 'fusing the members' : (waiting(view) ?? '');
    const lines = [head, ...view.members.map(row), last];
    const up = this.#drawnLines > 0 ? `\x1b[${this.#drawnLines}A` : '';
    this.#drawnLines = lines.length;
    // what a longer line left behind is wiped; a line that is longer than the terminal is wide is
    // cut, or the next picture would be off
    this.#out.text(`\x1b[?7l${up}${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[?7h`);
  }

  #append(view: TrainingView): void {
    for (const member of view.members) {
      const known = this.#last.get(member.taskId);
      const changed = known?.state !== member.state;
      const longAgo = !known || performance.now() - known.at >= REMIND_MS;
      if (!changed && !(longAgo && member.state === 'training')) continue;
      this.#last.set(member.taskId, { state: member.state, at: performance.now() });
      if (changed && member.state === 'waiting') continue;
      const epochs = member.total > 0 ? `, epoch ${member.done} of at most ${member.total}` : '';
      const note = member.note ? `, ${member.note}` : '';
      this.#out.text(`${member.agentId} ${member.pattern} ${member.algorithm}: ${member.state}${epochs}${note}\n`);
    }
    const text = waiting(view);
    if (text !== undefined && !this.#saidWaiting) {
      this.#out.text(`${text}\n`);
      this.#saidWaiting = true;
    }
    if (view.fusing && !this.#saidFusing) {
      this.#out.text('fusing the members\n');
      this.#saidFusing = true;
    }
  }
}

function columns(agent: string, pattern: string, algorithm: string, state: string, epochs: string, loss: string): string {
  const padded = [agent.padEnd(5), pattern.padEnd(10), algorithm.padEnd(19), state.padEnd(9), epochs.padEnd(20)];
  return `${padded.join(' ')} ${loss}`;
}

function row(member: MemberView): string {
  const { agentId, pattern, algorithm, state, note } = member;
  return columns(agentId, pattern, algorithm, state, member.total > 0 ? bar(member) : '', note.replace(/^validation loss /, ''));
}

/** Ten steps and the numbers; a member that stops early is done with a bar that is not full. */
function bar({ done, total }: MemberView): string {
  const steps = Math.min(10, Math.trunc((done * 10) / Math.max(total, 1)));
  return `${'#'.repeat(steps)}${'.'.repeat(10 - steps)} ${done}/${total}`;
}

function waiting(view: TrainingView): string | undefined {
  if (!view.waitsForOthers) return undefined;
  const left = view.members.filter(({ state }) => state === 'elsewhere').map(({ leaseLeftMs }) => leaseLeftMs);
  const seconds = Math.ceil(Math.max(...left) / 1000);
  return `another process holds the members that are left; its lease ends in ${seconds} s unless it lives`;
}
