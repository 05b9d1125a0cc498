/** Randomness of the host: swarm ids, seeds and the jitter of retries. The core draws nothing. */

function draw(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

/** A short id for a new swarm: `s-` and eight hexadecimal digits. */
export function drawSwarmId(): string {
  return `s-${draw().toString(16).padStart(8, '0')}`;
}

/** A seed that is short enough to be typed again: below 2^32. */
export function drawSeed(): number {
  return draw();
}

/** A wait of 0 to `most` ms before the next attempt. */
export function drawJitterMs(most: number): number {
  return (draw() / 2 ** 32) * most;
}
