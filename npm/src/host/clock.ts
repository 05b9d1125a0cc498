/** The one place of the host that reads a clock: the time that is handed to the core. */

/** Where the time comes from; tests give their own. */
export interface TimeSource {
  /** The wall clock, in ms since 1970. */
  wall(): number;
  /** A clock that never goes back, in ms since any moment. */
  monotonic(): number;
}

const SYSTEM: TimeSource = { wall: () => Date.now(), monotonic: () => performance.now() };

/**
 * Swarm time as this process sees it: the wall clock, but never behind the log.
 *
 * One host with a slow clock must not stop leases of the others from ending, so time also runs on
 * from the last logged event by this process's monotonic clock.
 */
export class Clock {
  readonly #source: TimeSource;
  #loggedMs = 0;
  #readAt: number;

  constructor(source: TimeSource = SYSTEM) {
    this.#source = source;
    this.#readAt = source.monotonic();
  }

  /** Takes note of the time of an event that was just read or written. */
  note(atMs: number): void {
    // an event that is behind the running time says nothing new
    if (atMs > this.#running()) {
      this.#loggedMs = atMs;
      this.#readAt = this.#source.monotonic();
    }
  }

  /** max(wall clock, last logged time + monotonic time since it was read), in ms since 1970. */
  nowMs(): number {
    return Math.max(Math.trunc(this.#source.wall()), this.#running());
  }

  #running(): number {
    return this.#loggedMs + Math.trunc(this.#source.monotonic() - this.#readAt);
  }
}
