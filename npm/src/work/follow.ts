/** The log as it grows, as an async iterator: each event once, in order, none left out. */
import type { SwarmEvent, SwarmMonitorResponse } from '../gen/types.js';
import type { Host } from '../host/host.js';

/** Which events are followed; one must pass all filters that are given. */
export interface FollowOptions {
  /** The last event that was seen; 0 for all; default the end of the log. */
  readonly after?: number | undefined;
  /** Only events of these kinds, for example TaskCompleted. */
  readonly kinds?: readonly SwarmEvent['kind'][] | undefined;
  /** Only events of this task. */
  readonly taskId?: string | undefined;
  /** Only events of this agent. */
  readonly agentId?: string | undefined;
  /** Only events of this goal and its tasks. */
  readonly goalId?: string | undefined;
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

/** Yields the events after a cursor, and waits for more until `signal` is aborted. */
export async function* follow(host: Host, options: FollowOptions = {}): AsyncGenerator<SwarmEvent, void, undefined> {
  const { signal, after, ...filters } = options;
  let cursor = after ?? (await host.version());
  while (!signal?.aborted) {
    const answer = await host.query('swarm_monitor', JSON.stringify({ ...filters, after: cursor }));
    const { events = [], nextAfter = cursor } = JSON.parse(answer) as SwarmMonitorResponse;
    for (const line of events) {
      if (signal?.aborted) return;
      yield JSON.parse(line) as SwarmEvent;
    }
    // what was looked at and held back by a filter is behind the cursor too
    if (nextAfter > cursor) cursor = nextAfter;
    else await host.waitForNews(cursor, { signal });
  }
}
