//! Goals.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::ids::{GoalId, TaskId};
use crate::json::{is_default, readable};
use crate::table::Numbered;
use crate::task::TaskError;

/// The state of a goal that has not ended.
pub const RUNNING: &str = "running";

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
    /// True while none of its tasks may start.
    #[serde(skip_serializing_if = "is_default")]
    pub paused: bool,
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
    plan,
    paused
});

impl Numbered for Goal {
    fn number(&self) -> u64 {
        self.id.0
    }
}

impl Goal {
    /// True until its last task has ended.
    pub fn is_running(&self) -> bool {
        self.state == RUNNING
    }
}
