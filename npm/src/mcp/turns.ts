/** The order in which one client's calls are carried out and answered. */

/**
 * Lets the commands of one client run side by side, and its queries between them in order: who pipes
 * in command, query, command reads in the answers what stood at each place, and commands that follow
 * each other share their commits.
 */
export class Turns {
  #kind = '';
  #running = 0;
  readonly #waiting: { readonly kind: string; readonly go: () => void }[] = [];

  /** Runs `body` once the calls of the other kind before it have ended. */
  async take<T>(kind: string, body: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || (this.#running > 0 && kind !== this.#kind)) {
      await new Promise<void>((go) => this.#waiting.push({ kind, go }));
    } else {
      this.#enter(kind);
    }
    try {
      return await body();
    } finally {
      this.#running -= 1;
      this.#admit();
    }
  }

  #enter(kind: string): void {
    this.#kind = kind;
    this.#running += 1;
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next && (this.#running === 0 || next.kind === this.#kind); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#enter(next.kind);
      next.go();
    }
  }
}

/**
 * Answers in the order of their requests, for callers that pipe in a file and look at the last line;
 * the requests run side by side all the same.
 */
export class InOrder<Answer> {
  readonly #waiting = new Map<string | number, Answer | undefined>();

  /** Whether no request waits for its answer. */
  get settled(): boolean {
    return this.#waiting.size === 0;
  }

  /** A request was read. */
  asked(id: string | number): void {
    this.#waiting.set(id, undefined);
  }

  /** A request was called off: it may or may not be answered, and nobody waits for it; gives back what may go out now. */
  forget(id: string | number): Answer[] {
    this.#waiting.delete(id);
    return this.#due();
  }

  /** An answer is there; gives back what may go out now. */
  answered(id: string | number, answer: Answer): Answer[] {
    if (!this.#waiting.has(id)) return [answer];
    this.#waiting.set(id, answer);
    return this.#due();
  }

  #due(): Answer[] {
    const due: Answer[] = [];
    for (const [id, answer] of this.#waiting) {
      if (answer === undefined) break;
      due.push(answer);
      this.#waiting.delete(id);
    }
    return due;
  }
}
