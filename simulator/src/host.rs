//! A simulated host: a replica of the log, a clock of its own and a group commit.

use ruv_swarm_core::{Applied, Decision, Error, Row, Swarm};

use crate::check::Call;
use crate::store::Store;
use crate::violation::{ensure, Checked, Violation};

/// A request under way.
#[derive(Clone, Debug)]
pub struct Message {
    /// Who waits for the answer; the same for all copies.
    pub id: u64,
    /// The operation.
    pub operation: &'static str,
    /// The request as JSON text.
    pub request: String,
    /// The idempotency key, or nothing.
    pub key: String,
}

/// A call that a host has decided and applied to its replica, but not committed.
pub struct Decided {
    /// Who waits for the answer; 0 for nobody.
    pub id: u64,
    /// The call.
    pub call: Call,
    /// The answer.
    pub answer: Result<Decision, Error>,
    /// What its events did to the replica.
    pub applied: Vec<Applied>,
    /// The rows that a store has to write.
    pub rows: Vec<Row>,
}

/// One process with the core in it.
#[derive(Default)]
pub struct Host {
    /// Its replica.
    pub swarm: Swarm,
    /// Requests that wait for the next commit.
    pub waiting: Vec<Message>,
    /// True if the next commit is planned.
    pub planned: bool,
    /// By how much its clock is wrong, in ms.
    pub skew: i64,
    /// True if it hands in its clock as it is and leaves it to the core to keep time from going back.
    pub naive: bool,
    /// False between a crash and the restart.
    pub up: bool,
    logged: u64,
    read_at: u64,
}

/// A replica that refuses a line has broken the promise that replay never fails.
pub fn refused(error: &Error) -> Violation {
    Violation { invariant: "replay", message: error.message.clone() }
}

impl Host {
    /// A host that runs, before its first event.
    pub fn start(naive: bool) -> Self {
        Host { up: true, naive, ..Host::default() }
    }

    /// A crash: what was in memory is gone.
    pub fn die(&mut self) {
        self.up = false;
        self.waiting.clear();
        self.swarm = Swarm::new();
    }

    /// The host's time when the world's is `time`: its clock, or the log's last time and what has
    /// passed since it was read, whichever is later.
    pub fn now(&mut self, time: u64) -> u64 {
        if self.swarm.last_at_ms() != self.logged {
            self.logged = self.swarm.last_at_ms();
            self.read_at = time;
        }
        let wall = time.saturating_add_signed(self.skew);
        if self.naive {
            return wall;
        }
        wall.max(self.logged + time.saturating_sub(self.read_at))
    }

    /// Reads what others have appended.
    pub fn sync(&mut self, store: &Store) -> Checked {
        for line in store.after(self.swarm.version()) {
            self.swarm.replay(line).map_err(|error| refused(&error))?;
        }
        Ok(())
    }

    /// Drops the replica and builds it from the store: the last snapshot, then the tail.
    pub fn restore(&mut self, store: &Store) -> Checked {
        self.swarm = match &store.snapshot {
            Some((_, text)) => Swarm::restore(text).map_err(|error| refused(&error))?,
            None => Swarm::new(),
        };
        self.sync(store)?;
        let version = self.swarm.version();
        ensure!(
            version == store.head() && version >= store.acknowledged,
            "acknowledged",
            "restored to event {version}; {} are stored and {} were acknowledged",
            store.head(),
            store.acknowledged
        );
        Ok(())
    }

    /// Decides one call and applies its events to the replica.
    pub fn decide(&mut self, id: u64, call: Call) -> Checked<Decided> {
        let before = self.swarm.version();
        let answer = self.swarm.call(call.operation, &call.request, call.now, &call.key);
        let mut applied = vec![];
        for line in answer.iter().flat_map(|decision| &decision.events) {
            applied.push(self.swarm.apply(line).map_err(|error| refused(&error))?);
        }
        let events = applied.len() as u64;
        ensure!(self.swarm.version() == before + events, "sequence", "{before} and {events} events");
        let rows = if events > 0 { self.swarm.take_rows() } else { vec![] };
        Ok(Decided { id, call, answer, applied, rows })
    }
}
