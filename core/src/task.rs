//! Tasks.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::canonical::{canonical, Canonical, Cursor};
use crate::ids::{AgentId, GoalId, TaskId};
use crate::json::{is_default, readable, Read, Trouble};
use crate::limits::DAY_MS;
use crate::mutants::{self, Mutant};
use crate::resource::ResourceClaim;
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

/// Who a task is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Any worker.
    #[default]
    Work,
    /// The neural engine: it trains a member.
    Train,
    /// The neural engine: it fuses the members.
    Fuse,
}

impl Kind {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Work => "work",
            Kind::Train => "train",
            Kind::Fuse => "fuse",
        }
    }

    fn parse(word: &str) -> Option<Kind> {
        [Kind::Work, Kind::Train, Kind::Fuse].into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Read for Kind {
    fn read(raw: &str) -> Result<Self, Trouble> {
        Kind::parse(&String::read(raw)?).ok_or_else(|| "expected work, train or fuse".into())
    }
}

impl Canonical for Kind {
    fn is_default(&self) -> bool {
        *self == Kind::Work
    }

    fn write(&self, out: &mut String) {
        crate::canonical::write_text(self.as_str(), out);
    }

    fn scan(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.need("\"")?;
        Kind::parse(cursor.plain_text()?)
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
canonical!(TaskError { code: String, message: String });

impl TaskError {
    /// An error of a stable code with its words.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// The error of an attempt whose lease ran out.
    pub fn lease_expired(agent: AgentId) -> Self {
        Self::new("lease_expired", format!("lease of {agent} ended without a heartbeat"))
    }
}

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
canonical!(Progress { done: u64, total: u64, note: String });

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
    /// Who it is for.
    pub kind: Kind,
    /// Where it stands.
    pub state: TaskState,
    /// 0 to 100.
    pub priority: u32,
    /// Tasks that must complete first.
    #[serde(skip_serializing_if = "is_default")]
    pub depends_on: Vec<TaskId>,
    /// Tasks that must fail first.
    #[serde(skip_serializing_if = "is_default")]
    pub after_failure: Vec<TaskId>,
    /// What an agent must be able to do.
    #[serde(skip_serializing_if = "is_default")]
    pub capabilities: Vec<String>,
    /// The only agent that may claim it.
    #[serde(skip_serializing_if = "is_default")]
    pub assigned_to: Option<AgentId>,
    /// What it holds while it runs.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<ResourceClaim>,
    /// Free words to find it by.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: Vec<String>,
    /// Input of the worker.
    #[serde(skip_serializing_if = "is_default")]
    pub payload: String,
    /// Artifact with a larger input.
    #[serde(skip_serializing_if = "is_default")]
    pub payload_artifact: String,
    /// The lease while it runs.
    #[serde(skip_serializing_if = "is_default")]
    pub lease: Option<Lease>,
    /// How many attempts have begun; also the last lease's epoch.
    pub attempts: u32,
    /// How many attempts were given back without fault.
    #[serde(skip_serializing_if = "is_default")]
    pub released: u32,
    /// How many more attempts a failed one may have.
    pub max_retries: u32,
    /// Wait before the first retry.
    pub backoff_ms: u64,
    /// The longest wait before a retry; 0 for a day.
    #[serde(skip_serializing_if = "is_default")]
    pub max_backoff_ms: u64,
    /// By how many percent a wait may be longer.
    #[serde(skip_serializing_if = "is_default")]
    pub jitter: u32,
    /// Error codes after which it is not tried again.
    #[serde(skip_serializing_if = "is_default")]
    pub non_retryable: Vec<String>,
    /// How long it may wait for a worker once it is ready; 0 for ever.
    #[serde(skip_serializing_if = "is_default")]
    pub queue_ms: u64,
    /// How long one attempt may run; 0 for ever.
    #[serde(skip_serializing_if = "is_default")]
    pub run_ms: u64,
    /// How long it may take in all; 0 for ever.
    #[serde(skip_serializing_if = "is_default")]
    pub total_ms: u64,
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
    /// When it last became ready.
    #[serde(skip_serializing_if = "is_default")]
    pub ready_at_ms: u64,
    /// When its last attempt began.
    #[serde(skip_serializing_if = "is_default")]
    pub started_at_ms: u64,
    /// When it ended.
    #[serde(skip_serializing_if = "is_default")]
    pub finished_at_ms: u64,
    /// True when its holder should stop.
    #[serde(skip_serializing_if = "is_default")]
    pub cancel_requested: bool,
    /// True if it does not start until it is resumed.
    #[serde(skip_serializing_if = "is_default")]
    pub held: bool,
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
    after_failure,
    capabilities,
    assigned_to,
    resources,
    labels,
    payload,
    payload_artifact,
    lease,
    attempts,
    released,
    max_retries,
    backoff_ms,
    max_backoff_ms,
    jitter,
    non_retryable,
    queue_ms,
    run_ms,
    total_ms,
    not_before_ms,
    progress,
    output,
    artifact,
    error,
    last_agent_id,
    created_at_ms,
    ready_at_ms,
    started_at_ms,
    finished_at_ms,
    cancel_requested,
    held
});

impl Numbered for Task {
    fn number(&self) -> u64 {
        self.id.0
    }
}

/// Which deadline of a task has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// It waited for a worker for too long.
    Queue,
    /// Its attempt ran for too long.
    Run,
    /// It took too long in all.
    Total,
}

impl Deadline {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Deadline::Queue => "queue",
            Deadline::Run => "run",
            Deadline::Total => "total",
        }
    }

    /// The deadline that `word` names.
    pub fn parse(word: &str) -> Option<Deadline> {
        [Deadline::Queue, Deadline::Run, Deadline::Total].into_iter().find(|each| each.as_str() == word)
    }
}

impl Task {
    /// When the waiting task must have been claimed; `None` if it may wait for ever.
    pub fn queue_deadline(&self) -> Option<u64> {
        let waits = self.queue_ms > 0 && self.state == TaskState::Ready;
        waits.then(|| self.ready_at_ms.max(self.not_before_ms).saturating_add(self.queue_ms))
    }

    /// When the running attempt must have ended.
    pub fn run_deadline(&self) -> Option<u64> {
        let runs = self.run_ms > 0 && self.state == TaskState::Running;
        runs.then(|| self.started_at_ms.saturating_add(self.run_ms))
    }

    /// When the task must have ended.
    pub fn total_deadline(&self) -> Option<u64> {
        let open = self.total_ms > 0 && !self.state.is_final();
        open.then(|| self.created_at_ms.saturating_add(self.total_ms))
    }

    /// The error of an attempt or a task whose deadline passed.
    pub fn timeout(&self, deadline: Deadline) -> TaskError {
        let (code, message) = match deadline {
            Deadline::Queue => ("queue_timeout", format!("no worker claimed it within {} ms", self.queue_ms)),
            Deadline::Run => ("run_timeout", format!("the attempt ran for more than {} ms", self.run_ms)),
            Deadline::Total => ("total_timeout", format!("it took more than {} ms in all", self.total_ms)),
        };
        TaskError::new(code, message)
    }

    /// The state of a task that waits: for others, for its release, or for a worker.
    fn waiting_state(&self, waits_for_others: bool) -> TaskState {
        match (self.held, waits_for_others) {
            (true, _) => TaskState::Paused,
            (false, true) => TaskState::Blocked,
            (false, false) => TaskState::Ready,
        }
    }

    /// Puts a task that does not run where it belongs after what it waits for has changed.
    pub fn wait(&mut self, waits_for_others: bool, at_ms: u64) {
        let before = self.state;
        self.state = self.waiting_state(waits_for_others);
        if self.state == TaskState::Ready && before != TaskState::Ready {
            self.ready_at_ms = at_ms;
        }
    }

    /// An attempt begins.
    pub fn begin(&mut self, lease: Lease, at_ms: u64) {
        self.state = TaskState::Running;
        self.attempts += 1;
        self.last_agent_id = Some(lease.agent_id);
        self.lease = Some(lease);
        self.started_at_ms = at_ms;
        self.progress = None;
        self.error = None;
        self.not_before_ms = 0;
    }

    /// The task is done.
    pub fn complete(&mut self, output: String, artifact: String, at_ms: u64) {
        self.state = TaskState::Completed;
        self.lease = None;
        self.output = output;
        self.artifact = artifact;
        self.finished_at_ms = at_ms;
    }

    /// An attempt, or the whole task, ended without a result: again not before `retry_at`, or never.
    pub fn fail(&mut self, error: TaskError, retry_at: Option<u64>, at_ms: u64) {
        self.lease = None;
        self.error = Some(error);
        match retry_at {
            Some(not_before_ms) => {
                self.not_before_ms = not_before_ms;
                self.wait(false, at_ms);
            }
            None => {
                self.state = TaskState::Failed;
                self.not_before_ms = 0;
                self.finished_at_ms = at_ms;
            }
        }
    }

    /// The attempt is given back as if it had not been, but for its epoch.
    pub fn release(&mut self, at_ms: u64) {
        self.lease = None;
        self.released += 1;
        self.wait(false, at_ms);
    }

    /// The task is called off; a running one still waits for its holder if `requested`.
    pub fn cancel(&mut self, code: &str, reason: &str, requested: bool, at_ms: u64) {
        let words = |text: &str, default: &str| String::from(if text.is_empty() { default } else { text });
        self.error = Some(TaskError { code: words(code, "cancelled"), message: words(reason, "cancelled") });
        self.cancel_requested = true;
        if !requested {
            self.state = TaskState::Cancelled;
            self.lease = None;
            self.finished_at_ms = at_ms;
        }
    }

    /// True if an attempt that failed with `code` leaves another one.
    pub fn may_retry(&self, code: &str) -> bool {
        let released = if mutants::on(Mutant::ReleaseCounted) { 0 } else { self.released };
        let counted = self.attempts.saturating_sub(released);
        counted <= self.max_retries + u32::from(mutants::on(Mutant::RetryTooMany))
            && !self.non_retryable.iter().any(|word| word == code)
    }

    /// The wait before the next attempt, in ms: the back-off doubles with each attempt that counts, is
    /// made longer by up to `jitter` percent, and never exceeds its most. `draw` gives a number below
    /// its argument.
    pub fn backoff(&self, draw: impl FnOnce(u64) -> u64) -> u64 {
        let doublings = self.attempts.saturating_sub(self.released).saturating_sub(1).min(32);
        let most = if self.max_backoff_ms == 0 { DAY_MS } else { self.max_backoff_ms };
        let wait = self.backoff_ms.saturating_mul(1u64 << doublings).min(most);
        let spread = wait.saturating_mul(u64::from(self.jitter)) / 100;
        let more = if spread == 0 { 0 } else { draw(spread.saturating_add(1)) };
        wait.saturating_add(more).min(most)
    }
}
