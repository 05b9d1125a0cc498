//! Event lines and requests as the simulator reads them: by itself, and only what it checks.
//!
//! The core's own types are not used here on purpose: a field that the core writes wrongly must not be
//! read wrongly in the same way.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer};

use crate::violation::{Checked, Violation};

/// The number of an id whose letter is known from its field: `t12` is `Id<'t'>(12)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id<const LETTER: char>(pub u64);

impl<'de, const LETTER: char> Deserialize<'de> for Id<LETTER> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<const LETTER: char>;
        impl<const LETTER: char> Visitor<'_> for Text<LETTER> {
            type Value = Id<LETTER>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an id that begins with {LETTER}")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let number = text.strip_prefix(LETTER).and_then(|digits| digits.parse().ok());
                number.map(Id).ok_or_else(|| E::custom(format!("{text:?} is no id of kind {LETTER}")))
            }
        }
        deserializer.deserialize_str(Text::<LETTER>)
    }
}

/// The id of an agent.
pub type AgentNo = Id<'a'>;
/// The id of a task.
pub type TaskNo = Id<'t'>;
/// The id of a goal.
pub type GoalNo = Id<'g'>;

/// A priority in a request is a word, in an event a number; only the event's is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Number(pub u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Number).map_err(D::Error::custom)
    }
}

/// A hold on a thing while a task runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// The thing.
    pub key: String,
    /// `shared`, or anything else for exclusive.
    pub mode: String,
}

/// Why an attempt failed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Trouble<'a> {
    /// A stable word.
    #[serde(borrow)]
    pub code: Cow<'a, str>,
}

/// The fields of all bodies together; each kind of event uses some.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[allow(missing_docs)] // the catalogue documents them
pub struct Body<'a> {
    pub task_id: Option<TaskNo>,
    pub agent_id: Option<AgentNo>,
    pub goal_id: Option<GoalNo>,
    pub epoch: u64,
    pub expires_at_ms: u64,
    pub retry: bool,
    pub not_before_ms: u64,
    pub requested: bool,
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    #[serde(borrow)]
    pub error: Option<Trouble<'a>>,
    #[serde(borrow)]
    pub deadline: Cow<'a, str>,
    #[serde(borrow)]
    pub state: Cow<'a, str>,
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    #[serde(borrow)]
    pub response: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    pub agent_type: Cow<'a, str>,
    pub max_agents: u64,
    pub capacity: u64,
    pub silence_ms: u64,
    pub replaced_by: Option<AgentNo>,
    pub priority: Number,
    pub depends_on: Vec<TaskNo>,
    pub after_failure: Vec<TaskNo>,
    pub capabilities: Vec<String>,
    pub assigned_to: Option<AgentNo>,
    pub resources: Vec<Resource>,
    pub max_retries: u64,
    pub backoff_ms: u64,
    pub max_backoff_ms: u64,
    pub jitter: u64,
    pub non_retryable: Vec<String>,
    pub queue_ms: u64,
    pub run_ms: u64,
    pub total_ms: u64,
}

/// One line of the log.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[allow(missing_docs)] // the catalogue documents them
pub struct Line<'a> {
    pub v: u64,
    #[serde(borrow)]
    pub swarm: Cow<'a, str>,
    pub seq: u64,
    pub at_ms: u64,
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub body: Body<'a>,
}

/// Reads a line of the log.
pub fn read(line: &str) -> Checked<Line<'_>> {
    serde_json::from_str(line)
        .map_err(|why| Violation { invariant: "line", message: format!("{why} in {line}") })
}

/// What the checks look at in a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[allow(missing_docs)] // the catalogue documents them
pub struct Ask {
    pub task_id: Option<TaskNo>,
    pub agent_id: Option<AgentNo>,
    pub epoch: u64,
    pub lease_ms: Option<u64>,
    pub claim_next: bool,
}

/// Reads a request; one that does not read asks for nothing.
pub fn ask(request: &str) -> Ask {
    serde_json::from_str(request).unwrap_or_default()
}

/// A task in an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[allow(missing_docs)] // the catalogue documents them
pub struct Shown {
    pub id: TaskNo,
    pub state: String,
    pub attempts: u64,
    pub released: u64,
    pub lease: Option<ShownLease>,
    pub not_before_ms: u64,
    pub ready_at_ms: u64,
    pub cancel_requested: bool,
    pub held: bool,
    pub assigned_to: Option<AgentNo>,
    pub depends_on: Vec<TaskNo>,
    pub after_failure: Vec<TaskNo>,
}

/// A lease in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[allow(missing_docs)] // the catalogue documents them
pub struct ShownLease {
    pub agent_id: AgentNo,
    pub epoch: u64,
    pub expires_at_ms: u64,
}

/// What workers look at in an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[allow(missing_docs)] // the catalogue documents them
pub struct Answer {
    pub task: Option<Shown>,
    pub next: Option<Shown>,
    pub cancel_requested: bool,
    pub claimable: bool,
}

/// Reads an answer; one that does not read says nothing.
pub fn answer(response: &str) -> Answer {
    serde_json::from_str(response).unwrap_or_default()
}
