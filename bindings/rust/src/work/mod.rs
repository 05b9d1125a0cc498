//! Agents that are real code: a [`Worker`] claims the tasks of an agent, runs your code for each on
//! a thread of its own, keeps the leases while it runs, and reports what came of it.
//!
//! ```
//! use ruv_swarm::work::Failure;
//! use ruv_swarm::{Swarm, SwarmConfig};
//!
//! let swarm = Swarm::new(SwarmConfig { seed: Some(7), ..Default::default() })?;
//! swarm.host().call("task_submit", r#"{"tasks":[{"payload":"grace"},{"maxRetries":0}]}"#, "")?;
//! let tally = swarm.work_as("coder")?.until_idle().run(|task, _context| match task.payload.as_str() {
//!     "" => Err(Failure::new("no_name", "the payload is empty")),
//!     name => Ok(format!("hello {name}").into()),
//! })?;
//! assert_eq!((tally.completed, tally.failed), (1, 1));
//! # Ok::<(), ruv_swarm::Error>(())
//! ```
//!
//! What a worker may claim, and what becomes of a failed, lost or cancelled attempt, is decided by
//! the core alone. The worker only asks, runs and tells:
//!
//! - Heartbeats come from a thread of their own, all leases of a worker in one commit, at a third of
//!   the lease: code that blocks for long keeps its task.
//! - A lease that is lost, and a cancellation, set [`Context::cancelled`]. What the code brings after
//!   a lost lease is thrown away; the core would refuse it too.
//! - A result and the claim of the next task are one commit. Results that come at the same time share
//!   one.
//! - A panic in the code is a failed attempt with code `panic`.
//! - A worker that is told to stop tells its tasks so, gives them a grace, and gives back what is
//!   left: it is ready again at once, and the attempt counts as no fault.

mod context;
mod crew;
mod job;
mod keeper;
mod report;
mod worker;

use serde::Deserialize;

pub use context::Context;
pub use crew::{Crew, Stop};
pub use worker::{Worker, Working};

/// Code that does tasks. A closure `Fn(&Task, &Context) -> Result<Output, Failure>` is one.
pub trait Work: Send + Sync {
    /// Does one task. It runs on a thread of its own, several at once if the worker may, and should
    /// return soon once [`Context::cancelled`] says so.
    ///
    /// # Errors
    /// What the attempt failed with; the core decides whether it is tried again.
    fn run(&self, task: &Task, context: &Context) -> Result<Output, Failure>;
}

impl<F> Work for F
where
    F: Fn(&Task, &Context) -> Result<Output, Failure> + Send + Sync,
{
    fn run(&self, task: &Task, context: &Context) -> Result<Output, Failure> {
        self(task, context)
    }
}

/// A claimed task, as much of it as code commonly needs; [`Task::json`] has all of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Task {
    /// Its id, for example `t42`.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What is to be done.
    pub description: String,
    /// Input, any text up to 64 KiB.
    pub payload: String,
    /// The hash of the artifact with a larger input; empty if none. See [`Context::artifact`].
    pub payload_artifact: String,
    /// The goal it belongs to; empty if none.
    pub goal_id: String,
    /// Free words.
    pub labels: Vec<String>,
    /// How many attempts have begun, this one with them.
    pub attempts: u32,
    lease: Lease,
    #[serde(skip)]
    json: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Lease {
    epoch: u64,
}

impl Task {
    /// Reads the task object of an answer of the core.
    pub(crate) fn read(json: &str) -> Result<Task, crate::Error> {
        let mut task: Task = crate::host::read(json)?;
        task.json = json.to_string();
        Ok(task)
    }

    /// The whole task as the core told it, one line of JSON.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The epoch of the lease: the number of this attempt.
    pub fn epoch(&self) -> u64 {
        self.lease.epoch
    }
}

/// What a task came to: text, bytes, or both. Text of more than 64 KiB, and bytes, are kept as an
/// artifact, in the transaction of the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The text; empty if none.
    pub text: String,
    /// The bytes, if there are any.
    pub bytes: Option<Vec<u8>>,
    /// The media type of the bytes; empty for the default.
    pub media_type: String,
}

impl From<String> for Output {
    fn from(text: String) -> Output {
        Output { text, ..Output::default() }
    }
}

impl From<&str> for Output {
    fn from(text: &str) -> Output {
        Output::from(text.to_string())
    }
}

impl From<Vec<u8>> for Output {
    fn from(bytes: Vec<u8>) -> Output {
        Output { bytes: Some(bytes), ..Output::default() }
    }
}

impl From<()> for Output {
    fn from((): ()) -> Output {
        Output::default()
    }
}

/// Why an attempt failed: a stable word for programs and a line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The word, for example `timeout`; a task may name those after which it is not tried again.
    pub code: String,
    /// What went wrong.
    pub message: String,
}

impl Failure {
    /// A failure of a code of your own.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure { code: code.into(), message: message.into() }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::new("failed", error.to_string())
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The task is done.
    Completed,
    /// The attempt failed.
    Failed(Failure),
    /// The task was given back without fault.
    Released,
    /// The task was called off.
    Cancelled,
    /// The lease was lost; the result was thrown away.
    Lost,
}

impl Outcome {
    /// The outcome as a word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Completed => "completed",
            Outcome::Failed(_) => "failed",
            Outcome::Released => "released",
            Outcome::Cancelled => "cancelled",
            Outcome::Lost => "lost",
        }
    }
}

/// What a worker tells while it works.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A task was claimed and its code begins.
    Started {
        /// The agent.
        agent_id: String,
        /// The task.
        task: Box<Task>,
    },
    /// An attempt has ended, and that is committed.
    Ended {
        /// The agent.
        agent_id: String,
        /// The task.
        task_id: String,
        /// The number of the attempt.
        epoch: u64,
        /// How the attempt ended.
        outcome: Outcome,
        /// The state that the task has now; empty after a lost lease.
        state: String,
    },
}

/// How many attempts ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tasks that are done.
    pub completed: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Attempts that were given back, and those that lost their lease.
    pub released: u64,
    /// Attempts whose task was called off.
    pub cancelled: u64,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Completed => self.completed += 1,
            Outcome::Failed(_) => self.failed += 1,
            Outcome::Released | Outcome::Lost => self.released += 1,
            Outcome::Cancelled => self.cancelled += 1,
        }
    }
}
