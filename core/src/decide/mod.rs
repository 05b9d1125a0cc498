//! Decisions: one function a command. Each reads the state and answers with events and a response,
//! or with an error; none changes anything.

mod agents;
mod artifacts;
mod checks;
mod claim;
mod control;
mod draft;
mod orchestrate;
mod submit;
mod swarm;
mod tick;
mod update;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

use crate::error::{Code, Error};
use crate::event::{CommandRecorded, Event};
use crate::hash::{hex, sha256};
use crate::json;
use crate::limits::{DAY_MS, KEY_CHARS};
use crate::mutants::{self, Mutant};
use crate::state::State;

pub use artifacts::base64_encode;

/// What a command led to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Events to append, in order.
    pub events: Vec<Event>,
    /// The response as JSON text.
    pub response: String,
    /// The swarm's id, where the command creates the swarm.
    pub swarm_id: Option<String>,
}

impl Outcome {
    fn new<T: Serialize>(events: Vec<Event>, response: &T) -> Self {
        Self { events, response: json::encode(response), swarm_id: None }
    }
}

/// Decides `operation` at `now`. `None` if it is no command of the catalogue.
pub fn decide(
    state: &State,
    operation: &str,
    request: &str,
    now: u64,
    key: &str,
) -> Option<Result<Outcome, Error>> {
    let call = Call { state, operation, request, now, key };
    Some(match operation {
        "swarm_init" => call.run(swarm::swarm_init),
        "agent_spawn" => call.run(agents::agent_spawn),
        "agent_heartbeat" => call.run(agents::agent_heartbeat),
        "agent_retire" => call.run(agents::agent_retire),
        "task_submit" => call.run(submit::task_submit),
        "task_update" => call.run(update::task_update),
        "task_orchestrate" => call.run(orchestrate::task_orchestrate),
        "task_claim" => call.run(claim::task_claim),
        "task_heartbeat" => call.run(claim::task_heartbeat),
        "task_report" => call.run(claim::task_report),
        "task_cancel" => call.run(control::task_cancel),
        "swarm_pause" => call.run(control::swarm_pause),
        "swarm_resume" => call.run(control::swarm_resume),
        "artifact_put" => call.run(artifacts::artifact_put),
        "tick" => call.run(tick::tick),
        _ => return None,
    })
}

struct Call<'a> {
    state: &'a State,
    operation: &'a str,
    request: &'a str,
    now: u64,
    key: &'a str,
}

impl Call<'_> {
    /// Reads the request, answers a repeated key from the record, decides, and records a new key.
    fn run<T>(&self, rule: fn(&State, u64, &T) -> Result<Outcome, Error>) -> Result<Outcome, Error>
    where
        T: json::Read + Serialize,
    {
        let request: T = json::decode(self.request)?;
        if self.key.is_empty() {
            return rule(self.state, self.now, &request);
        }
        if self.key.chars().count() > KEY_CHARS {
            let message = alloc::format!("idempotencyKey: more than {KEY_CHARS} characters");
            return Err(Error::invalid("idempotencyKey", message));
        }
        let canonical = json::encode(&request);
        let request_hash = hex(&sha256(&[self.operation.as_bytes(), b"\n", canonical.as_bytes()]));
        let recorded = self.state.recorded.get(self.key);
        if let Some(answer) = recorded.filter(|_| !mutants::on(Mutant::KeyForgotten)) {
            if answer.at_ms.saturating_add(DAY_MS) > self.now {
                return if answer.request_hash == request_hash {
                    Ok(Outcome { events: vec![], response: answer.response.clone(), swarm_id: None })
                } else {
                    let message =
                        alloc::format!("idempotencyKey: {:?} was used for another request", self.key);
                    Err(Error::new(Code::Conflict, "idempotencyKey", message))
                };
            }
        }
        let mut outcome = rule(self.state, self.now, &request)?;
        outcome.events.push(Event::CommandRecorded(CommandRecorded {
            key: self.key.into(),
            request_hash,
            response: outcome.response.clone(),
        }));
        Ok(outcome)
    }
}
