//! What people see of a training goal while it runs.

use std::collections::BTreeMap;

use ruv_swarm_core::neural::TrainingPlan;
use ruv_swarm_core::task::{Kind, Task, TaskState};

use super::{holder, Active};

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    /// Not begun.
    Waiting,
    /// This process trains it.
    Training,
    /// Another process holds it.
    Elsewhere,
    /// Trained.
    Done,
    /// Ended without a result.
    Failed,
    /// Called off.
    Cancelled,
}

impl MemberState {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            MemberState::Waiting => "waiting",
            MemberState::Training => "training",
            MemberState::Elsewhere => "elsewhere",
            MemberState::Done => "done",
            MemberState::Failed => "failed",
            MemberState::Cancelled => "cancelled",
        }
    }
}

/// One member of the ensemble.
#[derive(Clone, Debug)]
pub struct MemberView {
    /// Its task.
    pub task_id: String,
    /// Its agent.
    pub agent_id: String,
    /// Its cognitive pattern.
    pub pattern: String,
    /// Its learning algorithm.
    pub algorithm: String,
    /// Where it stands.
    pub state: MemberState,
    /// Epochs done.
    pub done: u64,
    /// Epochs at most; 0 if not known yet.
    pub total: u64,
    /// A short line, for example the validation loss.
    pub note: String,
    /// When the lease of another process ends, in ms from now.
    pub lease_left_ms: u64,
}

/// The goal with its members, in the order of the plan.
#[derive(Clone, Debug)]
pub struct View {
    /// The goal.
    pub goal_id: String,
    /// Its members.
    pub members: Vec<MemberView>,
    /// True while the members' models are put together.
    pub fusing: bool,
    recipes: Vec<(String, String)>,
}

impl View {
    pub(super) fn new(goal_id: &str, plan: &str) -> View {
        let members = serde_json::from_str::<TrainingPlan>(plan).map(|plan| plan.members).unwrap_or_default();
        let recipes =
            members.into_iter().map(|member| (member.recipe.pattern, member.recipe.algorithm)).collect();
        View { goal_id: goal_id.to_string(), members: Vec::new(), fusing: false, recipes }
    }

    /// True if nothing is computed here and another process is waited for.
    pub fn waits_for_others(&self) -> bool {
        let here = self.members.iter().any(|member| member.state == MemberState::Training);
        !here && !self.fusing && self.members.iter().any(|member| member.state == MemberState::Elsewhere)
    }

    pub(super) fn note(&mut self, tasks: &[Task], active: &BTreeMap<String, Active>, now_ms: u64) {
        let former = std::mem::take(&mut self.members);
        self.fusing =
            tasks.iter().any(|task| task.kind == Kind::Fuse && active.contains_key(&task.id.to_string()));
        for (index, task) in tasks.iter().filter(|task| task.kind == Kind::Train).enumerate() {
            let before = former.get(index);
            let (pattern, algorithm) = self.recipes.get(index).cloned().unwrap_or_default();
            let lease_end = task.lease.as_ref().map_or(0, |lease| lease.expires_at_ms);
            self.members.push(MemberView {
                task_id: task.id.to_string(),
                agent_id: holder(task),
                pattern,
                algorithm,
                state: state(task, active),
                done: before.map_or(0, |m| m.done),
                total: before.map_or(0, |m| m.total),
                note: before.map_or_else(String::new, |m| m.note.clone()),
                lease_left_ms: lease_end.saturating_sub(now_ms),
            });
        }
        self.glance(active);
    }

    /// Takes over how far the threads of this process are.
    pub(super) fn glance(&mut self, active: &BTreeMap<String, Active>) {
        for member in &mut self.members {
            if let Some(running) = active.get(&member.task_id) {
                let (done, total, note) = running.shared.progress();
                (member.done, member.total, member.note) = (done, total, note);
                member.state = MemberState::Training;
            }
        }
    }
}

fn state(task: &Task, active: &BTreeMap<String, Active>) -> MemberState {
    match task.state {
        TaskState::Completed => MemberState::Done,
        TaskState::Failed => MemberState::Failed,
        TaskState::Cancelled => MemberState::Cancelled,
        TaskState::Running if active.contains_key(&task.id.to_string()) => MemberState::Training,
        TaskState::Running => MemberState::Elsewhere,
        TaskState::Blocked | TaskState::Ready | TaskState::Paused => MemberState::Waiting,
    }
}
