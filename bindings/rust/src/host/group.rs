//! One transaction for a group of units of work.

use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::{attach_artifact, attach_events, Attach, Decision, Swarm};

use super::session::Session;
use super::Call;
use crate::clock::Clock;
use crate::store::{CommitTrouble, Head, NewEvent, Store, StoredEvent};

/// Calls that happen all or not at all.
pub(super) type Unit = Vec<Call>;
type Answer = Result<Vec<String>, Error>;

/// Events of the group that are not in the store yet: many in one statement cost less than one after
/// the other.
type Events = Vec<NewEvent>;

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
    let (_, swarm, clock) = session.parts()?;
    let before = swarm.version();
    let mut events = Events::new();
    // one tick handles so many timers and no more
    while swarm.next_deadline().is_some_and(|deadline| deadline <= clock.now_ms()) {
        let decision = swarm.call("tick", "{}", clock.now_ms(), "")?;
        keep_events(swarm, clock, decision.events, &mut events)?;
    }
    let mut answers = Vec::with_capacity(units.len());
    for unit in units {
        answers.push(match run_unit(session, unit, &mut events) {
            Ok(responses) => Ok(responses),
            Err(Refusal::Request(error)) => Err(error),
            Err(Refusal::Store(error)) => return Err(error),
        });
    }
    let (store, swarm, _) = session.parts()?;
    if swarm.version() == before {
        return Ok((answers, false));
    }
    write(store, swarm, &mut events)?;
    Ok((answers, true))
}

/// Who says no: the core to this one request, or the store to all.
pub(super) enum Refusal {
    Request(Error),
    Store(Error),
}

/// Writes the events so far, each row that they have touched once, and where the log ends now.
fn write(store: &Store, swarm: &mut Swarm, events: &mut Events) -> Result<(), Error> {
    append(store, swarm, events)?;
    // the rows of a table come together
    for rows in swarm.take_rows().chunk_by(|a, b| a.table == b.table) {
        store.upsert(rows)?;
    }
    let head =
        Head { swarm_id: swarm.swarm_id().to_string(), version: swarm.version(), chain: swarm.chain_head() };
    store.write_head(&head, &swarm.config_json())
}

/// Hands the events so far to the store: at the end, and before the store is asked for events.
fn append(store: &Store, swarm: &Swarm, events: &mut Events) -> Result<(), Error> {
    store.append(swarm.swarm_id(), &std::mem::take(events))
}

fn run_unit(session: &mut Session, unit: &[Call], events: &mut Events) -> Result<Vec<String>, Refusal> {
    let (store, swarm, clock) = session.parts().map_err(Refusal::Store)?;
    if let [call] = unit {
        return Ok(vec![run_call(store, swarm, clock, call, events)?]);
    }
    // a later call of the unit may be refused, and then the earlier ones must not have happened: what
    // came before the unit is written first, so that the store knows all that there is to go back to
    if swarm.version() > 0 {
        write(store, swarm, events).map_err(Refusal::Store)?;
    }
    store.savepoint().map_err(Refusal::Store)?;
    let mut responses = Vec::with_capacity(unit.len());
    for call in unit {
        match run_call(store, swarm, clock, call, events) {
            Ok(response) => responses.push(response),
            Err(Refusal::Request(error)) => {
                events.clear();
                store.back_to_savepoint().map_err(Refusal::Store)?;
                session.load_inside().map_err(Refusal::Store)?;
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
    events: &mut Events,
) -> Result<String, Refusal> {
    let decision = super::complete::decide(store, swarm, clock.now_ms(), call)?;
    if call.operation == "artifact_put" {
        keep_content(store, call, &decision.response)?;
    }
    let Decision { response, events: lines, attach: wanted } = decision;
    keep_events(swarm, clock, lines, events).map_err(Refusal::Store)?;
    if wanted.is_some() {
        append(store, swarm, events).map_err(Refusal::Store)?;
    }
    attach(store, response, wanted).map_err(Refusal::Store)
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

fn keep_events(
    swarm: &mut Swarm,
    clock: &mut Clock,
    lines: Vec<String>,
    events: &mut Events,
) -> Result<(), Error> {
    for body in lines {
        let applied = swarm.apply(&body)?;
        let stored = StoredEvent { seq: applied.seq, body, chain: applied.chain };
        events.push(NewEvent { stored, at_ms: applied.at_ms, kind: applied.kind });
    }
    clock.note(swarm.last_at_ms());
    Ok(())
}

/// Adds what only the store has to the answer of the core: events or the bytes of an artifact.
pub(super) fn attach(store: &Store, response: String, wanted: Option<Attach>) -> Result<String, Error> {
    match wanted {
        None => Ok(response),
        Some(Attach::Events { after, limit, filter }) => {
            let events = store.events(after, limit)?;
            let lines: Vec<&str> = events.iter().map(|event| event.body.as_str()).collect();
            Ok(attach_events(&response, &lines, &filter))
        }
        Some(Attach::Artifact { hash }) => match store.artifact(&hash)? {
            Some(bytes) => Ok(attach_artifact(&response, &bytes)),
            None => Err(store.damaged(&format!("the bytes of artifact {hash} are missing"))),
        },
    }
}

/// The error for an answer of the core that is not of the catalogue's form.
pub(super) fn malformed(what: &str) -> Error {
    Error::new(Code::Internal, "", format!("the core's answer has no {what}"))
}
