/** Waiting for the log to grow: own commits are told at once, those of other processes are looked for. */

/** How often the store is asked whether another process has committed; asking writes nothing. */
const LOOK_MS = 50;
/** The longest wait of one timer: browsers and Node count its ms in 31 bits. */
const LONGEST_MS = 2 ** 31 - 1;

/** How long news are waited for. */
export interface Patience {
  /** Come back at this swarm time, in ms since 1970, news or not. */
  readonly untilMs?: number | undefined;
  /** Come back when this is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** What is watched. */
export interface Watched {
  /** Whether others than this host can commit to the store. */
  readonly shared: boolean;
  /** Swarm time in ms since 1970. */
  nowMs(): number;
  /** The number of the last committed event. */
  version(): Promise<number>;
}

/** Those who wait for the log of one host to grow. */
export class News {
  readonly #waiting = new Set<() => void>();

  /** This host has committed, or is closed: whoever waits looks again. */
  tell(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Waits until the log is longer than `after` or patience ends. */
  async wait(watched: Watched, after: number, { untilMs = Infinity, signal }: Patience): Promise<void> {
    for (;;) {
      // registered before the look, so that a commit during the look is not missed
      const told = this.#told();
      try {
        if ((await watched.version()) > after || signal?.aborted) return;
        const left = untilMs - watched.nowMs();
        if (left <= 0) return;
        await nap(Math.min(left, watched.shared ? LOOK_MS : LONGEST_MS), [told.signal, signal]);
      } finally {
        told.forget();
      }
    }
  }

  #told(): { readonly signal: AbortSignal; forget(): void } {
    const controller = new AbortController();
    const wake = (): void => controller.abort();
    this.#waiting.add(wake);
    return { signal: controller.signal, forget: () => void this.#waiting.delete(wake) };
  }
}

/** Sleeps until `ms` are over or one of `signals` is aborted. */
export async function nap(ms: number, signals: readonly (AbortSignal | undefined)[] = []): Promise<void> {
  if (signals.some((signal) => signal?.aborted)) return;
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, Math.min(ms, LONGEST_MS));
    for (const signal of signals) signal?.addEventListener('abort', wake, { once: true });
  });
}
