//! Tasks and goals.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::ids::{AgentId, GoalId, TaskId};
use crate::json::{is_default, readable, Read, Trouble};
use crate::table::Numbered;

/// The state of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    /// Waits for other tasks.
    #[default]
    Blocked,
    /// Waits for a worker.
    Ready,
    /// Held by a worker.
    Running,
    /// Held back.
    Paused,
    /// Done.
    Completed,
    /// Out of attempts.
    Failed,
    /// Called off.
    Cancelled,
}

impl Read for TaskState {
    fn read(raw: &str) -> Result<Self, Trouble> {
        let word = String::read(raw)?;
        TaskState::ALL
            .iter()
            .copied()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| "expected a task's state".into())
    }
}

impl TaskState {
    /// Every state, in the order of a task's life.
    pub const ALL: &'static [TaskState] = &[
        TaskState::Blocked,
        TaskState::Ready,
        TaskState::Running,
        TaskState::Paused,
        TaskState::Completed,
        TaskState::Failed,
        TaskState::Cancelled,
    ];

    /// True if the task has ended.
    pub fn is_final(self) -> bool {
        match self {
            TaskState::Completed | TaskState::Failed | TaskState::Cancelled => true,
            TaskState::Blocked | TaskState::Ready | TaskState::Running | TaskState::Paused => false,
        }
    }

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            TaskState::Blocked => "blocked",
            TaskState::Ready => "ready",
            TaskState::Running => "running",
            TaskState::Paused => "paused",
            TaskState::Completed => "completed",
            TaskState::Failed => "failed",
            TaskState::Cancelled => "cancelled",
        }
    }
}

/// The hold of an agent on a task until a time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Lease {
    /// The holder.
    pub agent_id: AgentId,
    /// The fence: grows with each claim.
    pub epoch: u64,
    /// When it ends unless extended.
    pub expires_at_ms: u64,
}

readable!(Lease { agent_id, epoch, expires_at_ms });

/// Why a task or goal ended without a result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TaskError {
    /// A stable word.
    pub code: String,
    /// What went wrong.
    pub message: String,
}

readable!(TaskError { code, message });

/// How far a running task has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Progress {
    /// Units done.
    #[serde(skip_serializing_if = "is_default")]
    pub done: u64,
    /// Units in all; 0 if unknown.
    #[serde(skip_serializing_if = "is_default")]
    pub total: u64,
    /// A short line for people.
    #[serde(skip_serializing_if = "is_default")]
    pub note: String,
}

readable!(Progress { done, total, note });

/// One unit of work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Task {
    /// The task's id.
    pub id: TaskId,
    /// Its goal.
    #[serde(skip_serializing_if = "is_default")]
    pub goal_id: Option<GoalId>,
    /// A name for people.
    pub name: String,
    /// What is to be done.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// work, train or fuse.
    pub kind: String,
    /// Where it stands.
    pub state: TaskState,
    /// 0 to 100.
    pub priority: u32,
    /// Tasks that must complete first.
    #[serde(skip_serializing_if = "is_default")]
    pub depends_on: Vec<TaskId>,
    /// What an agent must be able to do.
    #[serde(skip_serializing_if = "is_default")]
    pub capabilities: Vec<String>,
    /// The only agent that may claim it.
    #[serde(skip_serializing_if = "is_default")]
    pub assigned_to: Option<AgentId>,
    /// Input of the worker.
    #[serde(skip_serializing_if = "is_default")]
    pub payload: String,
    /// The lease while it runs.
    #[serde(skip_serializing_if = "is_default")]
    pub lease: Option<Lease>,
    /// How many attempts have begun; also the last lease's epoch.
    pub attempts: u32,
    /// How many more attempts a failed one may have.
    pub max_retries: u32,
    /// Wait before the first retry.
    pub backoff_ms: u64,
    /// Not before this time.
    #[serde(skip_serializing_if = "is_default")]
    pub not_before_ms: u64,
    /// How far it has come.
    #[serde(skip_serializing_if = "is_default")]
    pub progress: Option<Progress>,
    /// Result of the worker.
    #[serde(skip_serializing_if = "is_default")]
    pub output: String,
    /// Artifact with the result's bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub artifact: String,
    /// Why it ended without a result.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<TaskError>,
    /// The agent of the last attempt.
    #[serde(skip_serializing_if = "is_default")]
    pub last_agent_id: Option<AgentId>,
    /// When it was submitted.
    pub created_at_ms: u64,
    /// When its last attempt began.
    #[serde(skip_serializing_if = "is_default")]
    pub started_at_ms: u64,
    /// When it ended.
    #[serde(skip_serializing_if = "is_default")]
    pub finished_at_ms: u64,
    /// True when its holder should stop.
    #[serde(skip_serializing_if = "is_default")]
    pub cancel_requested: bool,
}

readable!(Task {
    id,
    goal_id,
    name,
    description,
    kind,
    state,
    priority,
    depends_on,
    capabilities,
    assigned_to,
    payload,
    lease,
    attempts,
    max_retries,
    backoff_ms,
    not_before_ms,
    progress,
    output,
    artifact,
    error,
    last_agent_id,
    created_at_ms,
    started_at_ms,
    finished_at_ms,
    cancel_requested
});

impl Numbered for Task {
    fn number(&self) -> u64 {
        self.id.0
    }
}

impl Numbered for Goal {
    fn number(&self) -> u64 {
        self.id.0
    }
}

impl Task {
    /// True if a failed attempt leaves another one.
    pub fn may_retry(&self) -> bool {
        self.attempts <= self.max_retries
    }

    /// When the next attempt may begin after one that failed at `now`: the back-off doubles with
    /// each attempt and never exceeds a day.
    pub fn retry_at(&self, now: u64) -> u64 {
        let doublings = self.attempts.saturating_sub(1).min(32);
        let wait = self.backoff_ms.saturating_mul(1u64 << doublings).min(crate::limits::DAY_MS);
        now.saturating_add(wait)
    }
}

/// What a swarm was asked for, planned into tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Goal {
    /// The goal's id.
    pub id: GoalId,
    /// What was asked.
    pub task: String,
    /// train or work.
    pub kind: String,
    /// The strategy that planned it.
    pub strategy: String,
    /// running, completed, failed or cancelled.
    pub state: String,
    /// Its tasks, in the order of the plan.
    pub task_ids: Vec<TaskId>,
    /// The dataset's hash.
    #[serde(skip_serializing_if = "is_default")]
    pub dataset: String,
    /// The hash of the model it made.
    #[serde(skip_serializing_if = "is_default")]
    pub model_hash: String,
    /// Why it ended without a result.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<TaskError>,
    /// When it was planned.
    pub created_at_ms: u64,
    /// When it ended.
    #[serde(skip_serializing_if = "is_default")]
    pub finished_at_ms: u64,
    /// The resolved training plan as JSON text.
    #[serde(skip_serializing_if = "is_default")]
    pub plan: String,
}

readable!(Goal {
    id,
    task,
    kind,
    strategy,
    state,
    task_ids,
    dataset,
    model_hash,
    error,
    created_at_ms,
    finished_at_ms,
    plan
});

/// A file that the swarm keeps, named by its content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Artifact {
    /// SHA-256 of the bytes, in hex.
    pub hash: String,
    /// A name for people.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was first stored.
    pub created_at_ms: u64,
}

readable!(Artifact { hash, name, media_type, size, created_at_ms });
