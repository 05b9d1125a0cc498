//! One command with its answer: what must hold after every step.

use std::collections::HashMap;

use ruv_swarm_core::{Code, Decision, Error, Row};

use crate::host::Decided;
use crate::line::{self, Ask};
use crate::shadow::{Claim, Rule, Shadow, DAY_MS};
use crate::tally::Tally;
use crate::violation::{ensure, Checked};

/// A call as a host made it; a list of them makes the same log again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The operation.
    pub operation: &'static str,
    /// The request as JSON text.
    pub request: String,
    /// The host's clock, in ms.
    pub now: u64,
    /// The idempotency key, or nothing.
    pub key: String,
}

struct Kept {
    operation: &'static str,
    request: String,
    response: String,
    at: u64,
}

/// Follows a log call by call.
#[derive(Default)]
pub struct Checker {
    /// What the log means.
    pub shadow: Shadow,
    /// What was seen.
    pub tally: Tally,
    keys: HashMap<String, Kept>,
}

/// Operations that change nothing.
pub const QUERIES: &[&str] = &[
    "agent_list",
    "agent_metrics",
    "task_status",
    "task_list",
    "task_explain",
    "task_results",
    "swarm_status",
    "swarm_query",
    "swarm_monitor",
    "artifact_get",
];

impl Checker {
    /// Checks one call with its answer and what its events did, and follows them.
    pub fn check(&mut self, decided: &Decided) -> Checked {
        let Decided { call, answer, .. } = decided;
        let now = call.now.max(self.shadow.at);
        self.shadow.begin();
        if QUERIES.contains(&call.operation) {
            self.tally.queries += 1;
            return self.check_query(call, answer, now);
        }
        self.tally.commands += 1;
        if let Some(kept) = self.keys.get(&call.key).filter(|kept| kept.at + DAY_MS > now) {
            let repeated = check_repeated(kept, call, answer);
            self.tally.repeated += u64::from(answer.is_ok());
            if let Err(error) = answer {
                *self.tally.refusals.entry(error.code.as_str()).or_default() += 1;
            }
            return repeated;
        }
        match answer {
            Err(error) => {
                *self.tally.refusals.entry(error.code.as_str()).or_default() += 1;
                self.check_refusal(call, error, now)
            }
            Ok(decision) => {
                *self.tally.operations.entry(call.operation).or_default() += 1;
                self.check_decision(decided, decision, now)
            }
        }
    }

    fn check_decision(&mut self, decided: &Decided, decision: &Decision, now: u64) -> Checked {
        let call = &decided.call;
        let ask = line::ask(&call.request);
        self.check_fence(call, &ask)?;
        let task = ask.task_id.map(|task| task.0);
        let claim = match (call.operation, task) {
            ("task_claim", Some(_)) => Claim::Named,
            (_, reported) => Claim::Chosen(reported),
        };
        let mut claimed = false;
        let mut last = None;
        for (text, applied) in decision.events.iter().zip(&decided.applied) {
            let line = line::read(text)?;
            ensure!(line.at_ms == now, "time", "event {} is at {}, not {now}", line.seq, line.at_ms);
            self.shadow.fold(&line, claim)?;
            claimed |= applied.kind == "TaskClaimed";
            *self.tally.kinds.entry(applied.kind).or_default() += 1;
            last = Some(line);
        }
        self.tally.events += decision.events.len() as u64;
        self.check_rows(&decided.rows)?;
        self.shadow.settle()?;
        if call.operation == "tick" {
            self.shadow.check_tick(now)?;
        }
        let asks = call.operation == "task_claim" || (call.operation == "task_report" && ask.claim_next);
        if let (true, false, Some(agent)) = (asks, claimed, ask.agent_id) {
            let first = self.shadow.pick(agent.0, now, task);
            ensure!(first.is_none(), "choice", "a{} was given nothing, but t{first:?} waits", agent.0);
        }
        if call.key.is_empty() {
            return Ok(());
        }
        let recorded = last.is_some_and(|line| {
            line.kind == "CommandRecorded"
                && line.body.key == call.key
                && line.body.response == decision.response
        });
        ensure!(recorded, "key", "the answer under {:?} is not in the log", call.key);
        self.keys.insert(
            call.key.clone(),
            Kept {
                operation: call.operation,
                request: call.request.clone(),
                response: decision.response.clone(),
                at: now,
            },
        );
        Ok(())
    }

    /// Only the holder of the live lease may speak of it.
    fn check_fence(&self, call: &Call, ask: &Ask) -> Checked {
        if !matches!(call.operation, "task_heartbeat" | "task_report") {
            return Ok(());
        }
        let (Some(task), Some(agent)) = (ask.task_id, ask.agent_id) else { return Ok(()) };
        let live = self.shadow.holds(task.0, agent.0, ask.epoch).is_some();
        ensure!(live, "epoch", "a{} with epoch {} speaks for t{} unasked", agent.0, ask.epoch, task.0);
        Ok(())
    }

    /// A refusal must have its reason.
    fn check_refusal(&self, call: &Call, error: &Error, now: u64) -> Checked {
        ensure!(error.code != Code::Internal, "refusal", "{error}");
        let ask = line::ask(&call.request);
        let (Some(task), Some(agent)) = (ask.task_id, ask.agent_id) else { return Ok(()) };
        match call.operation {
            "task_heartbeat" | "task_report" => {
                let live = self.shadow.holds(task.0, agent.0, ask.epoch).is_some();
                let fenced = matches!(error.code, Code::StaleEpoch | Code::FailedPrecondition);
                ensure!(!live || !fenced, "epoch", "the holder of t{} is refused: {error}", task.0);
            }
            "task_claim" if error.code == Code::FailedPrecondition => {
                let obstacle = self.shadow.obstacle(task.0, agent.0, now);
                ensure!(obstacle.is_some(), "eligibility", "nothing forbids it, but: {error}");
            }
            _ => {}
        }
        Ok(())
    }

    fn check_query(&self, call: &Call, answer: &Result<Decision, Error>, now: u64) -> Checked {
        let Ok(decision) = answer else { return Ok(()) };
        ensure!(decision.events.is_empty(), "refusal", "the query {} leaves events", call.operation);
        let ask = line::ask(&call.request);
        if let ("task_explain", Some(task), Some(agent)) = (call.operation, ask.task_id, ask.agent_id) {
            let rule = self.shadow.obstacle(task.0, agent.0, now);
            let claimable = line::answer(&decision.response).claimable;
            ensure!(claimable == rule.is_none(), "explain", "{rule:?}, but: {}", decision.response);
        }
        Ok(())
    }

    /// The rows of an event show what the shadow knows.
    fn check_rows(&self, rows: &[Row]) -> Checked {
        for row in rows {
            let number = row.id.get(1..).and_then(|digits| digits.parse().ok()).unwrap_or(0);
            let known = match row.table {
                "task" => self.shadow.tasks.get(&number).map(|task| task.state()),
                "agent" => self.shadow.agent(number).map(|agent| agent.state()),
                _ => self.shadow.goal(number).map(|goal| goal.end.map_or("running", |end| end.as_str())),
            };
            ensure!(known == Some(row.state.as_str()), "rows", "{} is {}, not {known:?}", row.id, row.state);
        }
        Ok(())
    }
}

fn check_repeated(kept: &Kept, call: &Call, answer: &Result<Decision, Error>) -> Checked {
    if kept.operation == call.operation && kept.request == call.request {
        let Ok(decision) = answer else {
            ensure!(false, "key", "{:?} said again is refused: {answer:?}", call.key);
            return Ok(());
        };
        ensure!(decision.events.is_empty(), "key", "{:?} said again leaves events", call.key);
        ensure!(decision.response == kept.response, "key", "{:?} said again is answered otherwise", call.key);
        return Ok(());
    }
    // What does not read is refused before its key is looked up.
    let unread = [Code::Conflict, Code::InvalidArgument, Code::UnknownOperation];
    let refused = matches!(answer, Err(error) if unread.contains(&error.code));
    ensure!(refused, "key", "{:?} for another request is no conflict: {answer:?}", call.key);
    Ok(())
}

/// True if time alone lets the task start.
pub fn passes(rule: Rule) -> bool {
    matches!(rule, Rule::Running | Rule::Backoff | Rule::Deadline | Rule::Resource | Rule::Capacity)
}
