//! What has happened, as the log holds it. Field order is the canonical order.

use alloc::string::String;
use alloc::vec::Vec;

use crate::canonical::{canonical, Canonical, Cursor};
use crate::ids::{AgentId, GoalId, TaskId};
use crate::resource::ResourceClaim;
use crate::task::{Kind, Progress, TaskError};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident { $($field:ident $(as $json:literal)? : $kind:ty,)* })*) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $(#[doc = concat!("See `", stringify!($name), ".", stringify!($field), "` in the catalogue.")]
            pub $field: $kind,)*
        }

        canonical!($name { $($field $(as $json)? : $kind),* });)*

        /// The body of one event.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event { $($(#[$doc])* $name($name),)* }

        impl Default for Event {
            /// An event that is to be read yet.
            fn default() -> Self {
                Event::AgentHeartbeat(AgentHeartbeat::default())
            }
        }

        impl Event {
            /// Every kind, in the order of the catalogue.
            pub const KINDS: &'static [&'static str] = &[$(stringify!($name),)*];

            /// The name of the body's message.
            pub fn kind(&self) -> &'static str {
                match self { $(Event::$name(_) => stringify!($name),)* }
            }

            /// Appends the canonical JSON of the body.
            pub fn write_body(&self, out: &mut String) {
                match self { $(Event::$name(body) => body.write(out),)* }
            }

            /// Reads the body of an event of `kind` into its place: an event is large, and each move
            /// would copy all of it. `None` for an unknown kind or a text that is no canonical body
            /// of it.
            pub fn read_body(&mut self, kind: &str, cursor: &mut Cursor<'_>) -> Option<()> {
                match kind {
                    $(stringify!($name) => {
                        *self = Event::$name($name::default());
                        match self {
                            Event::$name(body) => body.fill(cursor),
                            _ => None,
                        }
                    })*
                    _ => None,
                }
            }
        }
    };
}

events! {
    /// The swarm was created; always event 1.
    SwarmCreated { topology: String, max_agents: u32, strategy: String, seed: u64, }
    /// An agent was added.
    AgentSpawned {
        agent_id: AgentId,
        agent_type as "type": String,
        name: String,
        pattern: String,
        capabilities: Vec<String>,
        model: String,
        capacity: u32,
        silence_ms: u64,
    }
    /// An agent said that it is there.
    AgentHeartbeat { agent_id: AgentId, }
    /// An agent was silent for too long.
    AgentLost { agent_id: AgentId, }
    /// An agent left for good.
    AgentRetired { agent_id: AgentId, reason: String, replaced_by: Option<AgentId>, }
    /// A goal was planned; its tasks follow.
    GoalPlanned {
        goal_id: GoalId,
        task: String,
        kind: String,
        strategy: String,
        dataset: String,
        plan: String,
    }
    /// A task was added.
    TaskSubmitted {
        task_id: TaskId,
        goal_id: Option<GoalId>,
        name: String,
        description: String,
        kind: Kind,
        priority: u32,
        depends_on: Vec<TaskId>,
        after_failure: Vec<TaskId>,
        capabilities: Vec<String>,
        assigned_to: Option<AgentId>,
        resources: Vec<ResourceClaim>,
        labels: Vec<String>,
        payload: String,
        payload_artifact: String,
        max_retries: u32,
        backoff_ms: u64,
        max_backoff_ms: u64,
        jitter: u32,
        non_retryable: Vec<String>,
        queue_ms: u64,
        run_ms: u64,
        total_ms: u64,
    }
    /// What a waiting task is was changed.
    TaskUpdated {
        task_id: TaskId,
        name: String,
        description: String,
        priority: u32,
        depends_on: Vec<TaskId>,
        after_failure: Vec<TaskId>,
        capabilities: Vec<String>,
        assigned_to: Option<AgentId>,
        resources: Vec<ResourceClaim>,
        labels: Vec<String>,
        payload: String,
        payload_artifact: String,
        max_retries: u32,
        backoff_ms: u64,
        max_backoff_ms: u64,
        jitter: u32,
        non_retryable: Vec<String>,
        queue_ms: u64,
        run_ms: u64,
        total_ms: u64,
    }
    /// An agent took a task under a lease.
    TaskClaimed { task_id: TaskId, agent_id: AgentId, epoch: u64, expires_at_ms: u64, }
    /// A lease was extended.
    TaskHeartbeat { task_id: TaskId, expires_at_ms: u64, progress: Option<Progress>, }
    /// A task was done.
    TaskCompleted { task_id: TaskId, agent_id: AgentId, epoch: u64, output: String, artifact: String, }
    /// An attempt failed, or a dependency of the task did.
    TaskFailed {
        task_id: TaskId,
        agent_id: Option<AgentId>,
        epoch: u64,
        error: TaskError,
        retry: bool,
        not_before_ms: u64,
    }
    /// A lease ended without a heartbeat.
    LeaseExpired { task_id: TaskId, agent_id: AgentId, epoch: u64, retry: bool, not_before_ms: u64, }
    /// An attempt was given back without fault.
    TaskReleased { task_id: TaskId, agent_id: AgentId, epoch: u64, }
    /// A deadline of a task passed.
    TaskTimedOut {
        task_id: TaskId,
        agent_id: Option<AgentId>,
        epoch: u64,
        deadline: String,
        retry: bool,
        not_before_ms: u64,
    }
    /// A task was called off, or its holder is to be told.
    TaskCancelled { task_id: TaskId, reason: String, requested: bool, code: String, }
    /// Something is held back until it is resumed.
    Paused { task_id: Option<TaskId>, goal_id: Option<GoalId>, agent_id: Option<AgentId>, reason: String, }
    /// What was held back goes on.
    Resumed { task_id: Option<TaskId>, goal_id: Option<GoalId>, agent_id: Option<AgentId>, }
    /// All tasks of a goal ended.
    GoalFinished { goal_id: GoalId, state: String, model_hash: String, error: Option<TaskError>, }
    /// Bytes were stored beside the log.
    ArtifactStored { hash: String, name: String, media_type: String, size: u64, }
    /// A command that came with an idempotency key was answered.
    CommandRecorded { key: String, request_hash: String, response: String, }
}
