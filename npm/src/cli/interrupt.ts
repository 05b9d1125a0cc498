/** Ctrl-C: the first asks for a clean end, the second ends at once. */

const controller = new AbortController();

/** Tells when the user has asked for an end. */
export const interrupted: AbortSignal = controller.signal;

/** Listens from now on. */
export function listen(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  }
}
