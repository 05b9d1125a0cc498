//! Requests of the operations, as the catalogue defines them. Fields come in camelCase or snake_case.

use alloc::string::String;
use alloc::vec::Vec;
use serde::Serialize;

use crate::json::{is_default, readable, Word};
use crate::resource::ResourceClaim;
use crate::task::{Progress, TaskError};

macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$attr:meta])* pub $field:ident $(as $json:literal)? : $kind:ty,)*
    })*) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $($(#[$attr])* pub $field: $kind,)* }

        readable!($name { $($field $(as $json)?),* });)*
    };
}

requests! {
    /// swarm_init
    SwarmInit {
        /// The swarm's own id.
        #[serde(skip_serializing_if = "is_default")]
        pub swarm_id: String,
        /// How agents are connected.
        #[serde(skip_serializing_if = "is_default")]
        pub topology: String,
        /// How many agents it may have.
        #[serde(skip_serializing_if = "is_default")]
        pub max_agents: Option<u64>,
        /// The default strategy.
        #[serde(skip_serializing_if = "is_default")]
        pub strategy: String,
        /// The seed of all randomness.
        #[serde(skip_serializing_if = "is_default")]
        pub seed: Option<u64>,
    }
    /// agent_spawn
    AgentSpawn {
        /// A free word.
        #[serde(rename = "type", skip_serializing_if = "is_default")]
        pub agent_type as "type": String,
        /// A name for people.
        #[serde(skip_serializing_if = "is_default")]
        pub name: String,
        /// The cognitive pattern.
        #[serde(skip_serializing_if = "is_default")]
        pub pattern: String,
        /// What it can do.
        #[serde(skip_serializing_if = "is_default")]
        pub capabilities: Vec<String>,
        /// The engine.
        #[serde(skip_serializing_if = "is_default")]
        pub model: String,
        /// How many tasks at once.
        #[serde(skip_serializing_if = "is_default")]
        pub capacity: Option<u64>,
        /// How many agents.
        #[serde(skip_serializing_if = "is_default")]
        pub count: Option<u64>,
        /// Take the one of this name that is there.
        #[serde(skip_serializing_if = "is_default")]
        pub join: bool,
        /// How long it may be silent.
        #[serde(skip_serializing_if = "is_default")]
        pub silence_ms: Option<u64>,
    }
    /// agent_heartbeat
    AgentHeartbeat {
        /// The agent.
        #[serde(skip_serializing_if = "is_default")]
        pub agent_id: String,
    }
    /// agent_retire
    AgentRetire {
        /// The agent.
        #[serde(skip_serializing_if = "is_default")]
        pub agent_id: String,
        /// Why.
        #[serde(skip_serializing_if = "is_default")]
        pub reason: String,
        /// Spawn one in its place.
        #[serde(skip_serializing_if = "is_default")]
        pub replace: bool,
    }
    /// agent_metrics
    AgentMetrics {
        /// One agent, or all.
        #[serde(skip_serializing_if = "is_default")]
        pub agent_id: String,
    }
    /// agent_list
    AgentList {
        /// all, active, idle, busy or retired.
        #[serde(skip_serializing_if = "is_default")]
        pub filter: String,
    }
    /// One task of task_submit.
    NewTask {
        /// A name, also for dependencies inside the request.
        #[serde(skip_serializing_if = "is_default")]
        pub name: String,
        /// What is to be done.
        #[serde(skip_serializing_if = "is_default")]
        pub description: String,
        /// A word or a number.
        #[serde(skip_serializing_if = "is_default")]
        pub priority: Word,
        /// Ids or names.
        #[serde(skip_serializing_if = "is_default")]
        pub depends_on: Vec<String>,
        /// Ids or names of tasks that must fail.
        #[serde(skip_serializing_if = "is_default")]
        pub after_failure: Vec<String>,
        /// What an agent must be able to do.
        #[serde(skip_serializing_if = "is_default")]
        pub capabilities: Vec<String>,
        /// The only agent that may claim it.
        #[serde(skip_serializing_if = "is_default")]
        pub assigned_to: String,
        /// What it holds while it runs.
        #[serde(skip_serializing_if = "is_default")]
        pub resources: Vec<ResourceClaim>,
        /// Free words to find it by.
        #[serde(skip_serializing_if = "is_default")]
        pub labels: Vec<String>,
        /// The goal it belongs to.
        #[serde(skip_serializing_if = "is_default")]
        pub goal_id: String,
        /// Input of the worker.
        #[serde(skip_serializing_if = "is_default")]
        pub payload: String,
        /// Artifact with a larger input.
        #[serde(skip_serializing_if = "is_default")]
        pub payload_artifact: String,
        /// How many more attempts.
        #[serde(skip_serializing_if = "is_default")]
        pub max_retries: Option<u64>,
        /// Wait before the first retry.
        #[serde(skip_serializing_if = "is_default")]
        pub backoff_ms: Option<u64>,
        /// The longest wait before a retry.
        #[serde(skip_serializing_if = "is_default")]
        pub max_backoff_ms: Option<u64>,
        /// By how many percent a wait may be longer.
        #[serde(skip_serializing_if = "is_default")]
        pub jitter: Option<u64>,
        /// Error codes after which it is not tried again.
        #[serde(skip_serializing_if = "is_default")]
        pub non_retryable: Vec<String>,
        /// How long it may wait for a worker.
        #[serde(skip_serializing_if = "is_default")]
        pub queue_ms: Option<u64>,
        /// How long one attempt may run.
        #[serde(skip_serializing_if = "is_default")]
        pub run_ms: Option<u64>,
        /// How long it may take in all.
        #[serde(skip_serializing_if = "is_default")]
        pub total_ms: Option<u64>,
    }
    /// task_submit
    TaskSubmit {
        /// The tasks.
        #[serde(skip_serializing_if = "is_default")]
        pub tasks: Vec<NewTask>,
        /// A new goal for them.
        #[serde(skip_serializing_if = "is_default")]
        pub goal: String,
    }
    /// task_update
    TaskUpdate {
        /// The task.
        #[serde(skip_serializing_if = "is_default")]
        pub task_id: String,
        /// A name.
        #[serde(skip_serializing_if = "is_default")]
        pub name: Option<String>,
        /// What is to be done.
        #[serde(skip_serializing_if = "is_default")]
        pub description: Option<String>,
        /// A word or a number.
        #[serde(skip_serializing_if = "is_default")]
        pub priority: Word,
        /// Tasks that must complete first, too.
        #[serde(skip_serializing_if = "is_default")]
        pub add_depends_on: Vec<String>,
        /// Tasks that it no longer waits for.
        #[serde(skip_serializing_if = "is_default")]
        pub remove_depends_on: Vec<String>,
        /// Tasks that must fail first, too.
        #[serde(skip_serializing_if = "is_default")]
        pub add_after_failure: Vec<String>,
        /// Tasks whose failure it no longer waits for.
        #[serde(skip_serializing_if = "is_default")]
        pub remove_after_failure: Vec<String>,
        /// What an agent must be able to do, too.
        #[serde(skip_serializing_if = "is_default")]
        pub add_capabilities: Vec<String>,
        /// What it need not any more.
        #[serde(skip_serializing_if = "is_default")]
        pub remove_capabilities: Vec<String>,
        /// What it holds, too.
        #[serde(skip_serializing_if = "is_default")]
        pub add_resources: Vec<ResourceClaim>,
        /// Keys that it no longer holds.
        #[serde(skip_serializing_if = "is_default")]
        pub remove_resources: Vec<String>,
        /// Words to find it by, too.
        #[serde(skip_serializing_if = "is_default")]
        pub add_labels: Vec<String>,
        /// Words that go.
        #[serde(skip_serializing_if = "is_default")]
        pub remove_labels: Vec<String>,
        /// The only agent that may claim it; empty for any.
        #[serde(skip_serializing_if = "is_default")]
        pub assigned_to: Option<String>,
        /// Input of the worker.
        #[serde(skip_serializing_if = "is_default")]
        pub payload: Option<String>,
        /// Artifact with a larger input; empty for none.
        #[serde(skip_serializing_if = "is_default")]
        pub payload_artifact: Option<String>,
        /// How many more attempts.
        #[serde(skip_serializing_if = "is_default")]
        pub max_retries: Option<u64>,
        /// Wait before the first retry.
        #[serde(skip_serializing_if = "is_default")]
        pub backoff_ms: Option<u64>,
        /// The longest wait before a retry.
        #[serde(skip_serializing_if = "is_default")]
        pub max_backoff_ms: Option<u64>,
        /// By how many percent a wait may be longer.
        #[serde(skip_serializing_if = "is_default")]
        pub jitter: Option<u64>,
        /// How long it may wait for a worker.
        #[serde(skip_serializing_if = "is_default")]
        pub queue_ms: Option<u64>,
        /// How long one attempt may run.
        #[serde(skip_serializing_if = "is_default")]
        pub run_ms: Option<u64>,
        /// How long it may take in all.
        #[serde(skip_serializing_if = "is_default")]
        pub total_ms: Option<u64>,
    }
    /// The dataset of task_orchestrate.
    Dataset {
        /// SHA-256 of the bytes.
        pub hash: String,
        /// The core's own summary of them, JSON text.
        pub summary: String,
    }
    /// task_orchestrate
    TaskOrchestrate {
        /// What is to be done.
        #[serde(skip_serializing_if = "is_default")]
        pub task: String,
        /// How to plan it.
        #[serde(skip_serializing_if = "is_default")]
        pub strategy: String,
        /// A word or a number.
        #[serde(skip_serializing_if = "is_default")]
        pub priority: Word,
        /// How many agents may take part.
        #[serde(skip_serializing_if = "is_default")]
        pub max_agents: Option<u64>,
        /// Cognitive patterns that take part.
        #[serde(skip_serializing_if = "is_default")]
        pub agents: Vec<String>,
        /// The dataset to train on.
        #[serde(skip_serializing_if = "is_default")]
        pub dataset: Option<Dataset>,
        /// What an agent must be able to do.
        #[serde(skip_serializing_if = "is_default")]
        pub capabilities: Vec<String>,
    }
    /// task_claim
    TaskClaim {
        /// The agent that claims.
        #[serde(skip_serializing_if = "is_default")]
        pub agent_id: String,
        /// One task, or any.
        #[serde(skip_serializing_if = "is_default")]
        pub task_id: String,
        /// How long the lease lasts.
        #[serde(skip_serializing_if = "is_default")]
        pub lease_ms: Option<u64>,
    }
    /// task_heartbeat
    TaskHeartbeat {
        /// The running task.
        #[serde(skip_serializing_if = "is_default")]
        pub task_id: String,
        /// Its holder.
        #[serde(skip_serializing_if = "is_default")]
        pub agent_id: String,
        /// The epoch of its lease.
        #[serde(skip_serializing_if = "is_default")]
        pub epoch: u64,
        /// How long the lease lasts from now.
        #[serde(skip_serializing_if = "is_default")]
        pub lease_ms: Option<u64>,
        /// How far it has come.
        #[serde(skip_serializing_if = "is_default")]
        pub progress: Option<Progress>,
    }
    /// task_report
    TaskReport {
        /// The running task.
        #[serde(skip_serializing_if = "is_default")]
        pub task_id: String,
        /// Its holder.
        #[serde(skip_serializing_if = "is_default")]
        pub agent_id: String,
        /// The epoch of its lease.
        #[serde(skip_serializing_if = "is_default")]
        pub epoch: u64,
        /// completed, failed or released.
        #[serde(skip_serializing_if = "is_default")]
        pub outcome: String,
        /// Result of the worker.
        #[serde(skip_serializing_if = "is_default")]
        pub output: String,
        /// Artifact with the result's bytes.
        #[serde(skip_serializing_if = "is_default")]
        pub artifact: String,
        /// Why it failed.
        #[serde(skip_serializing_if = "is_default")]
        pub error: Option<TaskError>,
        /// Claim the next task in the same commit.
        #[serde(skip_serializing_if = "is_default")]
        pub claim_next: bool,
        /// How long the next lease lasts.
        #[serde(skip_serializing_if = "is_default")]
        pub lease_ms: Option<u64>,
    }
    /// task_cancel
    TaskCancel {
        /// A task, or
        #[serde(skip_serializing_if = "is_default")]
        pub task_id: String,
        /// a goal.
        #[serde(skip_serializing_if = "is_default")]
        pub goal_id: String,
        /// Why.
        #[serde(skip_serializing_if = "is_default")]
        pub reason: String,
    }
    /// task_status and task_results
    TaskOrGoal {
        /// A task, or
        #[serde(skip_serializing_if = "is_default")]
        pub task_id: String,
        /// a goal.
        #[serde(skip_serializing_if = "is_default")]
        pub goal_id: String,
    }
    /// task_list
    TaskList {
        /// A state, or any.
        #[serde(skip_serializing_if = "is_default")]
        pub state: String,
        /// Only of this goal.
        #[serde(skip_serializing_if = "is_default")]
        pub goal_id: String,
        /// Only of this agent.
        #[serde(skip_serializing_if = "is_default")]
        pub agent_id: String,
        /// Only with this label.
        #[serde(skip_serializing_if = "is_default")]
        pub label: String,
        /// The last task seen.
        #[serde(skip_serializing_if = "is_default")]
        pub after: String,
        /// How many at most.
        #[serde(skip_serializing_if = "is_default")]
        pub limit: Option<u64>,
    }
    /// task_explain
    TaskExplain {
        /// The task.
        #[serde(skip_serializing_if = "is_default")]
        pub task_id: String,
        /// Also what keeps this agent from it.
        #[serde(skip_serializing_if = "is_default")]
        pub agent_id: String,
    }
    /// swarm_pause
    SwarmPause {
        /// A task, or
        #[serde(skip_serializing_if = "is_default")]
        pub task_id: String,
        /// a goal, or
        #[serde(skip_serializing_if = "is_default")]
        pub goal_id: String,
        /// an agent.
        #[serde(skip_serializing_if = "is_default")]
        pub agent_id: String,
        /// Why.
        #[serde(skip_serializing_if = "is_default")]
        pub reason: String,
    }
    /// swarm_resume
    SwarmResume {
        /// A task, or
        #[serde(skip_serializing_if = "is_default")]
        pub task_id: String,
        /// a goal, or
        #[serde(skip_serializing_if = "is_default")]
        pub goal_id: String,
        /// an agent.
        #[serde(skip_serializing_if = "is_default")]
        pub agent_id: String,
    }
    /// swarm_status
    SwarmStatus {
        /// Also list agents and unfinished goals.
        #[serde(skip_serializing_if = "is_default")]
        pub verbose: bool,
    }
    /// swarm_query
    SwarmQuery {
        /// An agent's id.
        #[serde(skip_serializing_if = "is_default")]
        pub agent_id: String,
        /// A task's id.
        #[serde(skip_serializing_if = "is_default")]
        pub task_id: String,
        /// A goal's id.
        #[serde(skip_serializing_if = "is_default")]
        pub goal_id: String,
        /// The first event to read.
        #[serde(skip_serializing_if = "is_default")]
        pub events: Option<u64>,
        /// How many at most.
        #[serde(skip_serializing_if = "is_default")]
        pub limit: Option<u64>,
    }
    /// swarm_monitor
    SwarmMonitor {
        /// The last event seen.
        #[serde(skip_serializing_if = "is_default")]
        pub after: u64,
        /// How many to look at.
        #[serde(skip_serializing_if = "is_default")]
        pub limit: Option<u64>,
        /// Only of these kinds.
        #[serde(skip_serializing_if = "is_default")]
        pub kinds: Vec<String>,
        /// Only of this task.
        #[serde(skip_serializing_if = "is_default")]
        pub task_id: String,
        /// Only of this agent.
        #[serde(skip_serializing_if = "is_default")]
        pub agent_id: String,
        /// Only of this goal and its tasks.
        #[serde(skip_serializing_if = "is_default")]
        pub goal_id: String,
    }
    /// artifact_put
    ArtifactPut {
        /// The bytes in base64, if they come with the request.
        #[serde(skip_serializing_if = "is_default")]
        pub content: Option<String>,
        /// A name for people.
        #[serde(skip_serializing_if = "is_default")]
        pub name: String,
        /// The media type.
        #[serde(skip_serializing_if = "is_default")]
        pub media_type: String,
        /// SHA-256 of the bytes.
        #[serde(skip_serializing_if = "is_default")]
        pub hash: String,
        /// Their number.
        #[serde(skip_serializing_if = "is_default")]
        pub size: Option<u64>,
    }
    /// artifact_get
    ArtifactGet {
        /// SHA-256 of the bytes.
        #[serde(skip_serializing_if = "is_default")]
        pub hash: String,
    }
    /// tick
    Tick {}
}
