/**
 * How the training of one network is shown on standard error: its loss curve, redrawn in place on a
 * terminal, a line now and then in a pipe, nothing in JSON mode.
 */
import { writeSync } from 'node:fs';
import { kernel } from '../load/kernel.js';

/** In a pipe there is a line about this often. */
const REMIND_MS = 2_000;
/** On a terminal there is a new picture at most this often. */
const REDRAW_MS = 100;
/** The width of a terminal that does not tell its own. */
const COLUMNS = 80;

/** What was shown so far. */
export class Course {
  readonly #silent: boolean;
  readonly #terminal = process.stderr.isTTY === true;
  readonly #curve = new (kernel().Curve)();
  #drawnLines = 0;
  #last = performance.now();
  #waiting = false;

  constructor(silent: boolean) {
    this.#silent = silent;
  }

  /** Takes the progress after a slice. */
  show(progress: string): void {
    if (this.#silent) return;
    const due = performance.now() - this.#last >= (this.#terminal ? REDRAW_MS : REMIND_MS);
    if (this.#terminal) {
      this.#curve.add(progress);
      this.#waiting = true;
      if (due) this.#redraw();
    } else if (due) {
      tell(kernel().render('train_progress', progress));
    }
    if (due) this.#last = performance.now();
  }

  /** Leaves the last picture and goes on below it. */
  end(): void {
    if (this.#terminal && this.#waiting && this.#drawnLines > 0) this.#redraw();
  }

  #redraw(): void {
    const lines = this.#curve.text(process.stderr.columns ?? COLUMNS).split('\n').slice(0, -1);
    const up = this.#drawnLines > 0 ? `\x1b[${this.#drawnLines}A` : '';
    this.#drawnLines = lines.length;
    this.#waiting = false;
    // what a longer line left behind is wiped; a line that is longer than the terminal is wide is
    // cut, or the next picture would be off
    tell(`\x1b[?7l${up}${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[?7h`);
  }
}

function tell(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // with standard error gone there is nobody left to tell
  }
}
