//! One transaction for a group of units of work.

use std::collections::BTreeMap;

use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::{attach_artifact, attach_events, Attach, Decision, Row, Swarm};

use super::session::Session;
use super::Call;
use crate::clock::Clock;
use crate::store::{row_number, CommitTrouble, Head, NewEvent, Store, StoredEvent};

/// Calls that happen all or not at all.
pub(super) type Unit = Vec<Call>;
type Answer = Result<Vec<String>, Error>;

/// What the group will write: many rows in one statement cost less than one after the other.
#[derive(Default)]
struct Batch {
    /// Events that are not in the store yet.
    events: Vec<NewEvent>,
    rows: Rows,
}

/// The last version of each projection row that the group touches, with its event, by table and
/// number: a row is written once a group.
type Rows = BTreeMap<(&'static str, u64), (Row, u64)>;

impl Batch {
    /// Hands the events to the store: before it is asked for events, and at the end.
    fn append_events(&mut self, store: &Store, swarm: &Swarm) -> Result<(), Error> {
        store.append(swarm.swarm_id(), &std::mem::take(&mut self.events))
    }

    fn write(mut self, store: &Store, swarm: &Swarm) -> Result<(), Error> {
        self.append_events(store, swarm)?;
        let mut of_table: BTreeMap<&'static str, Vec<(u64, Row, u64)>> = BTreeMap::new();
        for ((table, number), (row, seq)) in self.rows {
            of_table.entry(table).or_default().push((number, row, seq));
        }
        for (table, rows) in of_table {
            store.upsert(table, &rows)?;
        }
        let id = swarm.swarm_id().to_string();
        let head = Head { swarm_id: id, version: swarm.version(), chain: swarm.chain_head() };
        store.write_head(&head, &swarm.config_json())
    }
}

/// Decides, stores and answers `units`: all answers are given after the one commit.
pub(super) fn run(session: &mut Session, units: Vec<Unit>) -> Vec<Answer> {
    let count = units.len();
    run_in_transaction(session, &units).unwrap_or_else(|error| vec![Err(error); count])
}

fn run_in_transaction(session: &mut Session, units: &[Unit]) -> Result<Vec<Answer>, Error> {
    session.ensure_open()?;
    session.parts()?.0.begin()?;
    let (answers, wrote) = match decide_all(session, units) {
        Ok(decided) => decided,
        Err(error) => {
            // the store failed in the middle: the state may be ahead of it
            session.disconnect();
            return Err(error);
        }
    };
    if !wrote {
        session.parts()?.0.rollback();
        return Ok(answers);
    }
    match session.parts()?.0.commit() {
        Ok(()) => Ok(answers),
        Err(CommitTrouble::NothingChanged(error)) => {
            session.forget();
            Err(error)
        }
        Err(CommitTrouble::Unknown(error)) => {
            session.disconnect();
            Err(error)
        }
    }
}

/// Applies the units one after the other: a later one sees what an earlier one did. Gives back the
/// answers and whether there is something to commit.
fn decide_all(session: &mut Session, units: &[Unit]) -> Result<(Vec<Answer>, bool), Error> {
    session.catch_up()?;
    let (store, swarm, clock) = session.parts()?;
    let before = swarm.version();
    let mut batch = Batch::default();
    if swarm.next_deadline().is_some_and(|deadline| deadline <= clock.now_ms()) {
        let decision = swarm.call("tick", "{}", clock.now_ms(), "")?;
        store_events(swarm, clock, decision.events, &mut batch)?;
    }
    let mut answers = Vec::with_capacity(units.len());
    for unit in units {
        answers.push(match run_unit(store, swarm, clock, unit, &mut batch) {
            Ok(responses) => Ok(responses),
            Err(Refusal::Request(error)) => Err(error),
            Err(Refusal::Store(error)) => return Err(error),
        });
    }
    if swarm.version() == before {
        return Ok((answers, false));
    }
    batch.write(store, swarm)?;
    Ok((answers, true))
}

/// Who says no: the core to this one request, or the store to all.
pub(super) enum Refusal {
    Request(Error),
    Store(Error),
}

fn run_unit(
    store: &Store,
    swarm: &mut Swarm,
    clock: &mut Clock,
    unit: &[Call],
    batch: &mut Batch,
) -> Result<Vec<String>, Refusal> {
    if let [call] = unit {
        return Ok(vec![run_call(store, swarm, clock, call, batch)?]);
    }
    // a later call of the unit may be refused, and then the earlier ones must not have happened
    batch.append_events(store, swarm).map_err(Refusal::Store)?;
    let saved = (swarm.clone(), batch.rows.clone());
    store.savepoint().map_err(Refusal::Store)?;
    let mut responses = Vec::with_capacity(unit.len());
    for call in unit {
        match run_call(store, swarm, clock, call, batch) {
            Ok(response) => responses.push(response),
            Err(Refusal::Request(error)) => {
                store.back_to_savepoint().map_err(Refusal::Store)?;
                *swarm = saved.0;
                *batch = Batch { events: vec![], rows: saved.1 };
                return Err(Refusal::Request(error));
            }
            Err(store_failed) => return Err(store_failed),
        }
    }
    store.release_savepoint().map_err(Refusal::Store)?;
    Ok(responses)
}

fn run_call(
    store: &Store,
    swarm: &mut Swarm,
    clock: &mut Clock,
    call: &Call,
    batch: &mut Batch,
) -> Result<String, Refusal> {
    let decision = super::complete::decide(store, swarm, clock.now_ms(), call)?;
    if call.operation == "artifact_put" {
        keep_content(store, call, &decision.response)?;
    }
    let Decision { response, events, attach: wanted } = decision;
    store_events(swarm, clock, events, batch).map_err(Refusal::Store)?;
    if wanted.is_some() {
        batch.append_events(store, swarm).map_err(Refusal::Store)?;
    }
    attach(store, Decision { response, events: vec![], attach: wanted }).map_err(Refusal::Store)
}

/// Stores the bytes of an `artifact_put`, in the transaction of its event.
fn keep_content(store: &Store, call: &Call, response: &str) -> Result<(), Refusal> {
    if let Some(content) = &call.content {
        return store.put_artifact(content.hash(), content.bytes()).map_err(Refusal::Store);
    }
    let bytes = super::content::of_request(&call.request).map_err(Refusal::Request)?;
    let hash = super::content::hash_of_response(response).map_err(Refusal::Request)?;
    match bytes {
        Some(bytes) => store.put_artifact(&hash, &bytes).map_err(Refusal::Store),
        None if store.artifact(&hash).map_err(Refusal::Store)?.is_some() => Ok(()),
        None => Err(Refusal::Request(Error::invalid(
            "content",
            "content: the bytes are missing; give them in base64",
        ))),
    }
}

fn store_events(
    swarm: &mut Swarm,
    clock: &mut Clock,
    lines: Vec<String>,
    batch: &mut Batch,
) -> Result<(), Error> {
    for body in lines {
        let applied = swarm.apply(&body)?;
        clock.note(applied.at_ms);
        for row in applied.rows {
            batch.rows.insert((row.table, row_number(&row.id)?), (row, applied.seq));
        }
        let stored = StoredEvent { seq: applied.seq, body, chain: applied.chain };
        batch.events.push(NewEvent { stored, at_ms: applied.at_ms, kind: applied.kind });
    }
    Ok(())
}

/// Adds what only the store has to the answer of the core: events or the bytes of an artifact.
pub(super) fn attach(store: &Store, decision: Decision) -> Result<String, Error> {
    match decision.attach {
        None => Ok(decision.response),
        Some(Attach::Events { after, limit }) => {
            let events = store.events(after, limit)?;
            let lines: Vec<&str> = events.iter().map(|event| event.body.as_str()).collect();
            Ok(attach_events(&decision.response, &lines))
        }
        Some(Attach::Artifact { hash }) => match store.artifact(&hash)? {
            Some(bytes) => Ok(attach_artifact(&decision.response, &bytes)),
            None => Err(store.damaged(&format!("the bytes of artifact {hash} are missing"))),
        },
    }
}

/// The error for an answer of the core that is not of the catalogue's form.
pub(super) fn malformed(what: &str) -> Error {
    Error::new(Code::Internal, "", format!("the core's answer has no {what}"))
}
