//! What has happened, as the log holds it. Field order is the canonical order.

use alloc::string::String;
use alloc::vec::Vec;
use serde::Serialize;

use crate::ids::{AgentId, GoalId, TaskId};
use crate::json::{is_default, readable, Read};
use crate::task::{Progress, TaskError};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident $(as $json:literal)? : $kind:ty,)* })*) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $(#[doc = concat!("See `", stringify!($name), ".", stringify!($field), "` in the catalogue.")]
            $(#[$attr])*
            #[serde(skip_serializing_if = "is_default")]
            pub $field: $kind,)*
        }

        readable!($name { $($field $(as $json)?),* });)*

        /// The body of one event.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event { $($(#[$doc])* $name($name),)* }

        impl Event {
            /// Every kind, in the order of the catalogue.
            pub const KINDS: &'static [&'static str] = &[$(stringify!($name),)*];

            /// The name of the body's message.
            pub fn kind(&self) -> &'static str {
                match self { $(Event::$name(_) => stringify!($name),)* }
            }

            /// Canonical JSON of the body.
            pub fn body(&self) -> String {
                match self { $(Event::$name(body) => crate::json::encode(body),)* }
            }

            /// The event of `kind` with this body, or `None` for an unknown kind or a body that is none.
            pub fn parse(kind: &str, body: &str) -> Option<Event> {
                match kind {
                    $(stringify!($name) => $name::read(body).ok().map(Event::$name),)*
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
        #[serde(rename = "type")]
        agent_type as "type": String,
        name: String,
        pattern: String,
        capabilities: Vec<String>,
        model: String,
        capacity: u32,
    }
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
        kind: String,
        priority: u32,
        depends_on: Vec<TaskId>,
        capabilities: Vec<String>,
        assigned_to: Option<AgentId>,
        payload: String,
        max_retries: u32,
        backoff_ms: u64,
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
    /// A task was called off, or its holder is to be told.
    TaskCancelled { task_id: TaskId, reason: String, requested: bool, }
    /// All tasks of a goal ended.
    GoalFinished { goal_id: GoalId, state: String, model_hash: String, error: Option<TaskError>, }
    /// Bytes were stored beside the log.
    ArtifactStored { hash: String, name: String, media_type: String, size: u64, }
    /// A command that came with an idempotency key was answered.
    CommandRecorded { key: String, request_hash: String, response: String, }
}
