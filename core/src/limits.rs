//! Every limit in one place. A value beyond one is refused with the limit in the message.

/// Largest integer that every target represents exactly: 2^53 - 1.
pub const MAX_INTEGER: u64 = 9_007_199_254_740_991;
/// Largest request text, in bytes.
pub const REQUEST_BYTES: usize = 4 * 1024 * 1024;
/// Largest payload or output of a task, in bytes.
pub const PAYLOAD_BYTES: usize = 64 * 1024;
/// Longest name or id given by a caller, in characters.
pub const NAME_CHARS: usize = 100;
/// Longest free text (description, reason, note), in bytes.
pub const TEXT_BYTES: usize = 16 * 1024;
/// Most words in one list: capabilities, labels, error codes.
pub const WORDS: usize = 64;
/// Longest capability or type word, in characters.
pub const WORD_CHARS: usize = 64;
/// Most agents a swarm may be given.
pub const AGENTS: u64 = 100_000;
/// Agents a swarm may have if nothing else is said.
pub const DEFAULT_AGENTS: u32 = 100;
/// Most agents in one spawn, and most tasks in one submission.
pub const BATCH: usize = 1_000;
/// Most dependencies of one task.
pub const DEPENDENCIES: usize = 1_000;
/// Most tasks an agent may run at once.
pub const CAPACITY: u64 = 1_000;
/// Shortest lease, in ms.
pub const LEASE_MIN_MS: u64 = 1_000;
/// Longest lease and longest back-off, in ms.
pub const DAY_MS: u64 = 86_400_000;
/// Latest time that a call can tell, in ms: what is reckoned from it, a back-off and a deadline after
/// it at the most, still is at most [`MAX_INTEGER`].
pub const TIME_MS: u64 = MAX_INTEGER - 2 * 31_536_000_000;
/// Lease if nothing else is said, in ms.
pub const LEASE_DEFAULT_MS: u64 = 30_000;
/// Retries if nothing else is said.
pub const RETRIES_DEFAULT: u64 = 3;
/// Most retries.
pub const RETRIES: u64 = 100;
/// Back-off before the first retry if nothing else is said, in ms.
pub const BACKOFF_DEFAULT_MS: u64 = 1_000;
/// Most events in one read.
pub const EVENTS: u64 = 10_000;
/// Events in one read if nothing else is said.
pub const EVENTS_DEFAULT: u64 = 1_000;
/// Largest artifact, in bytes.
pub const ARTIFACT_BYTES: u64 = 256 * 1024 * 1024;
/// Longest idempotency key, in characters.
pub const KEY_CHARS: usize = 200;
/// Priority if nothing else is said.
pub const PRIORITY_DEFAULT: u32 = 50;
/// Most resource claims of one task.
pub const RESOURCES: usize = 64;
/// Longest key of a resource, in characters.
pub const RESOURCE_CHARS: usize = 256;
/// Longest deadline, in ms: 365 days.
pub const DEADLINE_MS: u64 = 31_536_000_000;
/// Most timers that one tick handles.
pub const TIMERS: usize = 1_000;
/// Most tasks in one list.
pub const LIST: u64 = 1_000;
/// Tasks in one list if nothing else is said.
pub const LIST_DEFAULT: u64 = 100;
