//! The host: one core, one store, any number of threads and other processes.
//!
//! A call is decided, stored and answered in that order. Calls of several threads share one
//! transaction (group commit): a leader takes all that wait, decides one after the other, commits
//! once and answers. Other processes append to the same file; their events are read first.

mod complete;
mod content;
mod group;
mod queue;
mod replay;
mod session;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::hash::{hex, sha256};
use ruv_swarm_core::{operation_kind, Swarm};
use serde::Deserialize;

use crate::store::{Durability, Location, StoredEvent};
use queue::Queue;
use session::Session;

pub use replay::Replay;

/// How a host opens its store.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the swarm is kept.
    pub location: Location,
    /// What an acknowledgement promises.
    pub durability: Durability,
    /// Make the database if there is none.
    pub create: bool,
}

impl Options {
    /// An existing database file, fully durable.
    pub fn file(path: impl Into<std::path::PathBuf>) -> Options {
        Options { location: Location::File(path.into()), durability: Durability::Full, create: false }
    }

    /// A swarm in memory, gone with the process.
    pub fn memory() -> Options {
        Options { location: Location::Memory, durability: Durability::Memory, create: true }
    }

    /// The same, but makes the database if there is none.
    pub fn or_create(mut self) -> Options {
        self.create = true;
        self
    }

    /// The same with another durability.
    pub fn durability(mut self, durability: Durability) -> Options {
        self.durability = durability;
        self
    }
}

/// Bytes with their name, to be kept as an artifact.
#[derive(Clone, Debug)]
pub struct Content {
    hash: String,
    bytes: Arc<Vec<u8>>,
}

impl Content {
    /// Names the bytes by their SHA-256.
    pub fn new(bytes: impl Into<Arc<Vec<u8>>>) -> Content {
        let bytes = bytes.into();
        Content { hash: hex(&sha256(&[&bytes])), bytes }
    }

    /// SHA-256 of the bytes, in hex.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// One operation with its request.
#[derive(Clone, Debug)]
pub struct Call {
    operation: String,
    request: String,
    key: String,
    content: Option<Content>,
}

impl Call {
    /// An operation of the catalogue with its request as JSON text.
    pub fn new(operation: impl Into<String>, request: impl Into<String>) -> Call {
        Call { operation: operation.into(), request: request.into(), key: String::new(), content: None }
    }

    /// The same under an idempotency key: said twice, it happens once.
    pub fn key(mut self, key: impl Into<String>) -> Call {
        self.key = key.into();
        self
    }

    /// `artifact_put` of bytes that never pass through JSON.
    pub fn artifact(content: Content, name: &str, media_type: &str) -> Call {
        let request = serde_json::json!({
            "name": name, "mediaType": media_type, "hash": content.hash, "size": content.bytes.len(),
        });
        Call { content: Some(content), ..Call::new("artifact_put", request.to_string()) }
    }
}

/// A swarm with its store. Share it between threads in an [`Arc`].
#[derive(Debug)]
pub struct Host {
    session: Mutex<Session>,
    queue: Queue,
    location: Location,
    durability: Durability,
}

impl Host {
    /// Opens the store and brings the core up to the end of its log.
    pub fn open(options: Options) -> Result<Host, Error> {
        let Options { location, durability, create } = options;
        let mut session = Session::new(location.clone(), durability);
        session.open(create)?;
        Ok(Host { session: Mutex::new(session), queue: Queue::default(), location, durability })
    }

    /// Where the swarm is kept.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// What an acknowledgement promises.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Carries out an operation: the answer is given once its events are stored and synced.
    ///
    /// `request` and the answer are JSON text; `key` is an idempotency key or empty.
    pub fn call(&self, operation: &str, request: &str, key: &str) -> Result<String, Error> {
        if operation_kind(operation) != Some("command") {
            return self.query(operation, request);
        }
        self.call_all(vec![Call::new(operation, request).key(key)])?.pop().ok_or_else(no_answer)
    }

    /// Carries out several commands in one transaction: all of them, or none if one is refused.
    pub fn call_all(&self, calls: Vec<Call>) -> Result<Vec<String>, Error> {
        self.submit(vec![calls]).pop().unwrap_or_else(|| Err(no_answer()))
    }

    /// Carries out commands that do not depend on each other; each is answered for itself, and all
    /// share as few commits as may be.
    pub fn call_many(&self, calls: Vec<Call>) -> Vec<Result<String, Error>> {
        let units = calls.into_iter().map(|call| vec![call]).collect();
        let single = |answers: Vec<String>| answers.into_iter().next().ok_or_else(no_answer);
        self.submit(units).into_iter().map(|result| result.and_then(single)).collect()
    }

    fn submit(&self, units: Vec<group::Unit>) -> Vec<Result<Vec<String>, Error>> {
        self.queue.submit(units, |units| {
            let mut session = self.lock();
            let count = units.len();
            let work = std::panic::AssertUnwindSafe(|| group::run(&mut session, units));
            std::panic::catch_unwind(work).unwrap_or_else(|_| {
                // whatever state the core was left in, the store has the truth
                session.forget();
                let error = Error::new(Code::Internal, "", "the host met a defect; nothing was changed");
                vec![Err(error); count]
            })
        })
    }

    /// Answers a query from what is committed, by this process and by others.
    pub fn query(&self, operation: &str, request: &str) -> Result<String, Error> {
        let mut session = self.lock();
        let now = session.now_ms();
        session.read(|store, swarm| {
            // a command is refused; a query tells what holds now, not what held at the last event
            let decision = match operation_kind(operation) {
                Some("query") => swarm.call(operation, request, now, "")?,
                _ => swarm.query(operation, request)?,
            };
            group::attach(store, decision.response, decision.attach)
        })
    }

    /// Keeps bytes in the swarm; the answer is that of `artifact_put`.
    pub fn put_artifact(
        &self,
        bytes: impl Into<Arc<Vec<u8>>>,
        name: &str,
        media_type: &str,
    ) -> Result<String, Error> {
        let call = Call::artifact(Content::new(bytes), name, media_type);
        self.call_all(vec![call])?.pop().ok_or_else(no_answer)
    }

    /// The bytes that the swarm keeps under `hash`.
    pub fn get_artifact(&self, hash: &str) -> Result<Vec<u8>, Error> {
        let mut session = self.lock();
        session
            .read(|store, _| store.artifact(hash)?.ok_or_else(|| Error::unknown_id("hash", "artifact", hash)))
    }

    /// Up to `limit` stored events after `after`.
    pub fn events(&self, after: u64, limit: u64) -> Result<Vec<StoredEvent>, Error> {
        self.lock().read(|store, _| store.events(after, limit))
    }

    /// Waits until the log has gone past `after`, at most `patience`, looking again each `interval`
    /// or when `stop` says so. True if there is news.
    pub fn wait_for_events(
        &self,
        after: u64,
        interval: Duration,
        patience: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, Error> {
        let end = Instant::now() + patience;
        loop {
            if self.version()? > after {
                return Ok(true);
            }
            let now = Instant::now();
            if now >= end || stop() {
                return Ok(false);
            }
            // short naps, so that an interrupt is heard at once
            let nap = interval.min(end - now);
            let until = now + nap;
            while Instant::now() < until && !stop() {
                std::thread::sleep(
                    until.saturating_duration_since(Instant::now()).min(Duration::from_millis(50)),
                );
            }
        }
    }

    /// Looks at the state of the core, as of the end of the log.
    pub fn with_swarm<T>(&self, look: impl FnOnce(&Swarm) -> T) -> Result<T, Error> {
        self.lock().read(|_, swarm| Ok(look(swarm)))
    }

    /// The number of the last committed event; 0 while there is no swarm.
    pub fn version(&self) -> Result<u64, Error> {
        self.with_swarm(Swarm::version)
    }

    /// The training tasks that a host should run, as a JSON array.
    pub fn pending_effects(&self) -> Result<String, Error> {
        self.with_swarm(Swarm::pending_effects)
    }

    /// Swarm time in ms since 1970, as this host would hand it to the core now.
    pub fn now_ms(&self) -> u64 {
        self.lock().now_ms()
    }

    /// Rebuilds the state from the log alone; `verify` also checks the hash chain against the stored
    /// one and compares the result with the stored head, the live state and the projections.
    pub fn replay(&self, verify: bool) -> Result<Replay, Error> {
        self.lock().read(|store, live| replay::run(store, live, verify))
    }

    fn lock(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(|poisoned| {
            let mut session = poisoned.into_inner();
            session.forget();
            self.session.clear_poison();
            session
        })
    }
}

fn no_answer() -> Error {
    Error::new(Code::Internal, "", "the host gave no answer")
}

/// Reads an answer of the core.
pub(crate) fn read<'de, T: Deserialize<'de>>(response: &'de str) -> Result<T, Error> {
    serde_json::from_str(response)
        .map_err(|error| Error::new(Code::Internal, "", format!("cannot read the core's answer: {error}")))
}
