//! From what code brought to the requests of the ledger, and back.

use std::time::{Duration, Instant};

use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::limits::{PAYLOAD_BYTES, TEXT_BYTES};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{json, Value};

use super::context::Hold;
use super::{Failure, Outcome, Output, Task};
use crate::host::{read, Call, Content, Host};

/// A store that is busy or full is tried again after this long.
const AGAIN: Duration = Duration::from_millis(200);

/// What a report led to.
#[derive(Debug)]
pub(super) struct Reported {
    pub(super) outcome: Outcome,
    pub(super) state: String,
    pub(super) next: Option<Task>,
}

/// Claims the next task of an agent; `None` if there is none.
pub(super) fn claims(
    host: &Host,
    agent: &str,
    lease_ms: u64,
    count: usize,
) -> Vec<Result<Option<Task>, Error>> {
    let request = claim_request(agent, lease_ms);
    let calls = (0..count).map(|_| Call::new("task_claim", request.as_str())).collect();
    host.call_many(calls).into_iter().map(|answer| answer.and_then(|text| claimed(&text))).collect()
}

pub(super) fn claim_request(agent: &str, lease_ms: u64) -> String {
    json!({ "agentId": agent, "leaseMs": lease_ms }).to_string()
}

fn claimed(response: &str) -> Result<Option<Task>, Error> {
    #[derive(Deserialize)]
    struct Claimed<'a> {
        #[serde(borrow, default)]
        task: Option<&'a RawValue>,
    }
    read::<Claimed<'_>>(response)?.task.map(|task| Task::read(task.get())).transpose()
}

/// Commits how the attempt ended and, if wanted, claims the agent's next task with it.
///
/// # Errors
/// Trouble of the store that outlasted the lease.
pub(super) fn report(
    host: &Host,
    hold: &Hold,
    result: Result<Output, Failure>,
    claim_next: bool,
) -> Result<Reported, Error> {
    let (outcome, calls) = match result {
        Ok(output) => (Outcome::Completed, completed(hold, output, claim_next)),
        Err(_) if hold.only_stopping() => (Outcome::Released, released(hold)),
        Err(failure) => {
            let failure = presentable(failure);
            let calls = vec![failed(hold, &failure, claim_next)];
            (Outcome::Failed(failure), calls)
        }
    };
    match commit(host, hold, calls) {
        Ok(response) => understood(outcome, &response),
        Err(error) if lease_is_lost(&error) => {
            Ok(Reported { outcome: Outcome::Lost, state: String::new(), next: None })
        }
        // the core takes no such result, for example a word that is too long: that is what failed
        Err(error) if matches!(error.code, Code::InvalidArgument | Code::LimitExceeded) => {
            let failure = presentable(Failure::new("bad_result", error.message));
            let response = commit(host, hold, vec![failed(hold, &failure, claim_next)])?;
            understood(Outcome::Failed(failure), &response)
        }
        Err(error) => Err(error),
    }
}

/// Gives the task back without fault.
pub(super) fn give_back(host: &Host, hold: &Hold) -> Result<Reported, Error> {
    match commit(host, hold, released(hold)) {
        Ok(response) => understood(Outcome::Released, &response),
        Err(error) if lease_is_lost(&error) => {
            Ok(Reported { outcome: Outcome::Lost, state: String::new(), next: None })
        }
        Err(error) => Err(error),
    }
}

/// True if the answer says that the attempt is no longer this worker's.
pub(super) fn lease_is_lost(error: &Error) -> bool {
    matches!(error.code, Code::StaleEpoch | Code::FailedPrecondition | Code::NotFound)
}

/// True if the same call may well succeed a little later.
pub(super) fn passes_by(error: &Error) -> bool {
    matches!(error.code, Code::StoreUnavailable | Code::OutcomeUnknown)
}

fn commit(host: &Host, hold: &Hold, calls: Vec<Call>) -> Result<String, Error> {
    let end = Instant::now() + Duration::from_millis(hold.lease_ms);
    loop {
        match host.call_all(calls.clone()) {
            Ok(mut answers) => return Ok(answers.pop().unwrap_or_default()),
            Err(error) if passes_by(&error) && Instant::now() < end => std::thread::sleep(AGAIN),
            Err(error) => return Err(error),
        }
    }
}

fn base(hold: &Hold, outcome: &str, claim_next: bool) -> Value {
    let mut request = json!({
        "taskId": hold.task_id, "agentId": hold.agent, "epoch": hold.epoch, "outcome": outcome,
    });
    if claim_next {
        request["claimNext"] = json!(true);
        request["leaseMs"] = json!(hold.lease_ms);
    }
    request
}

fn completed(hold: &Hold, output: Output, claim_next: bool) -> Vec<Call> {
    let mut request = base(hold, "completed", claim_next);
    let mut calls = vec![];
    let Output { mut text, mut bytes, mut media_type } = output;
    if bytes.is_none() && text.len() > PAYLOAD_BYTES {
        bytes = Some(std::mem::take(&mut text).into_bytes());
        media_type = "text/plain; charset=utf-8".into();
    }
    if let Some(bytes) = bytes {
        let content = Content::new(bytes);
        request["artifact"] = json!(content.hash());
        calls.push(Call::artifact(content, &format!("output of {}", hold.task_id), &media_type));
    }
    request["output"] = json!(text);
    calls.push(Call::new("task_report", request.to_string()));
    calls
}

fn failed(hold: &Hold, failure: &Failure, claim_next: bool) -> Call {
    let mut request = base(hold, "failed", claim_next);
    request["error"] = json!({ "code": failure.code, "message": failure.message });
    Call::new("task_report", request.to_string())
}

fn released(hold: &Hold) -> Vec<Call> {
    vec![Call::new("task_report", base(hold, "released", false).to_string())]
}

/// The core wants a message, and one of a length that fits into an event.
fn presentable(failure: Failure) -> Failure {
    let Failure { code, mut message } = failure;
    if message.trim().is_empty() {
        message = format!("{code}, without a message");
    }
    let end = (0..=TEXT_BYTES.min(message.len())).rev().find(|end| message.is_char_boundary(*end));
    message.truncate(end.unwrap_or(0));
    Failure { code, message }
}

fn understood(outcome: Outcome, response: &str) -> Result<Reported, Error> {
    #[derive(Deserialize)]
    struct Report<'a> {
        task: State,
        #[serde(borrow, default)]
        next: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct State {
        state: String,
    }
    let report: Report<'_> = read(response)?;
    let next = report.next.map(|task| Task::read(task.get())).transpose()?;
    let outcome = if report.task.state == "cancelled" { Outcome::Cancelled } else { outcome };
    Ok(Reported { outcome, state: report.task.state, next })
}
