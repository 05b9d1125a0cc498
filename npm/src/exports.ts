/// <reference lib="esnext.disposable" preserve="true" />
/** What the entry points for Node and for browsers have in common. */
export * from './facade.js';
export * from './gen/errors.js';
export * from './gen/types.js';
export { TOOLS, type ToolDefinition } from './gen/tools.js';
export { type Effect, Host } from './host/host.js';
export { MemoryStore } from './host/memory.js';
export type { Call } from './host/group.js';
export type { TimeSource } from './host/clock.js';
export type { Replay } from './host/replay.js';
export type { Durability, Head, NewEvent, Reading, Store, StoredEvent, StoredSnapshot, Writing } from './host/store.js';
export type { MemberState, MemberView, TrainingView } from './host/view.js';
export { asError, errorJson, hostError, type HostTrouble, kernel, type Kernel } from './load/kernel.js';
export { callTool, type McpTool, type ToolResult } from './mcp/tools.js';
export { Ledger } from './ledger.js';
export { TrainedModel } from './model.js';
export { InlineWorkers, type RunningJob, type Workers } from './workers/workers.js';
export type { Job, JobProgress, JobResult, Work } from './workers/job.js';
export { version } from './version.js';
export type { AgentHandle, AgentOptions } from './work/agent.js';
export type { FollowOptions } from './work/follow.js';
export {
  type AttemptEnd,
  type EndedAttempt,
  type TaskContext,
  TaskFailure,
  type TaskFunction,
  type WorkOptions,
  type WorkSummary,
} from './work/types.js';
export { work } from './work/worker.js';
