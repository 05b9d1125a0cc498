//! The core beside its store: opening, catching up with other processes, starting over after trouble.

use ruv_swarm_core::error::Error;
use ruv_swarm_core::hash::Hash;
use ruv_swarm_core::{Applied, Swarm};

use crate::clock::Clock;
use crate::store::{Durability, Location, Store};

/// A longer tail than this is worth a snapshot.
const LONG_TAIL: u64 = 2000;

/// What one host holds: its connection and the state as of the last event it has seen.
#[derive(Debug)]
pub(super) struct Session {
    location: Location,
    durability: Durability,
    store: Option<Store>,
    swarm: Option<Swarm>,
    clock: Clock,
    data_version: i64,
}

impl Session {
    pub(super) fn new(location: Location, durability: Durability) -> Session {
        Session { location, durability, store: None, swarm: None, clock: Clock::default(), data_version: -1 }
    }

    /// Opens the store and loads the state; writes a snapshot if that took long.
    pub(super) fn open(&mut self, create: bool) -> Result<(), Error> {
        let store = Store::open(&self.location, self.durability, create)?;
        self.store = Some(store);
        let tail = self.load()?;
        if tail > LONG_TAIL {
            // only the next opening gains by it: trouble here is no trouble of the caller
            let _ = self.write_snapshot();
        }
        Ok(())
    }

    /// Drops the state; the next use loads it from the store.
    pub(super) fn forget(&mut self) {
        self.swarm = None;
        if let Some(store) = &self.store {
            store.rollback();
        }
    }

    /// Drops the connection as well: after a failed sync it must not be used again.
    pub(super) fn disconnect(&mut self) {
        self.forget();
        // memory lives in its connection
        if self.location != Location::Memory {
            self.store = None;
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Runs `look` in one read transaction on the state as of the end of the log.
    pub(super) fn read<T>(
        &mut self,
        look: impl FnOnce(&Store, &Swarm) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.ensure_open()?;
        self.parts()?.0.begin_read()?;
        let result = self.catch_up_if_news().and_then(|()| {
            let (store, swarm, _) = self.parts()?;
            look(store, swarm)
        });
        if let Some(store) = &self.store {
            store.rollback();
        }
        result
    }

    pub(super) fn ensure_open(&mut self) -> Result<(), Error> {
        if self.store.is_none() {
            self.store = Some(Store::open(&self.location, self.durability, false)?);
        }
        if self.swarm.is_none() {
            self.load()?;
        }
        Ok(())
    }

    pub(super) fn parts(&mut self) -> Result<(&Store, &mut Swarm, &mut Clock), Error> {
        match (&self.store, &mut self.swarm) {
            (Some(store), Some(swarm)) => Ok((store, swarm, &mut self.clock)),
            _ => Err(Error::new(ruv_swarm_core::Code::Internal, "", "the host has no open store")),
        }
    }

    /// Asks SQLite whether another connection has committed, which is cheaper than a look at the head.
    fn catch_up_if_news(&mut self) -> Result<(), Error> {
        let version = self.parts()?.0.data_version()?;
        if version != self.data_version {
            self.catch_up()?;
            self.data_version = version;
        }
        Ok(())
    }

    /// Reads what other processes have appended. Runs inside a transaction.
    pub(super) fn catch_up(&mut self) -> Result<(), Error> {
        let (store, swarm, clock) = self.parts()?;
        let head = store.head()?;
        let (version, chain) = match &head {
            Some(head) => (head.version, head.chain),
            None => (0, [0; 32]),
        };
        if version > swarm.version() {
            read_tail(store, swarm, clock)?;
        }
        if swarm.version() != version || swarm.chain_head() != chain {
            // the file was put back to an older copy, or replaced: what we know is of another log
            self.load_inside()?;
        }
        Ok(())
    }

    fn load(&mut self) -> Result<u64, Error> {
        let Some(store) = &self.store else { return Ok(0) };
        store.begin_read()?;
        let loaded = self.load_inside();
        if let Some(store) = &self.store {
            store.rollback();
        }
        loaded
    }

    /// Newest readable snapshot, then the tail; gives back how many events the tail had.
    pub(super) fn load_inside(&mut self) -> Result<u64, Error> {
        self.swarm = None;
        // the number means nothing on another connection
        self.data_version = -1;
        let Some(store) = &self.store else { return Ok(0) };
        let head = store.head()?;
        let version = head.as_ref().map_or(0, |head| head.version);
        let mut swarm = newest_snapshot(store, version)?.unwrap_or_default();
        let from = swarm.version();
        read_tail(store, &mut swarm, &mut self.clock)?;
        self.clock.note(swarm.last_at_ms());
        let chain = head.map_or([0; 32], |head| head.chain);
        if swarm.version() != version || swarm.chain_head() != chain {
            return Err(store
                .damaged(&format!("the log ends at event {} and its head says {version}", swarm.version())));
        }
        self.swarm = Some(swarm);
        Ok(version - from)
    }

    fn write_snapshot(&mut self) -> Result<(), Error> {
        let (store, swarm, _) = self.parts()?;
        let body = swarm.snapshot();
        store.begin()?;
        let written = store.write_snapshot(swarm.version(), &body);
        if written.is_err() || store.commit().is_err() {
            store.rollback();
        }
        written
    }
}

fn newest_snapshot(store: &Store, version: u64) -> Result<Option<Swarm>, Error> {
    for (seq, body) in store.snapshots()? {
        if seq <= version {
            // one that this release cannot read costs time, not data: the log has it all
            if let Ok(swarm) = Swarm::restore(&body) {
                return Ok(Some(swarm));
            }
        }
    }
    Ok(None)
}

fn read_tail(store: &Store, swarm: &mut Swarm, clock: &mut Clock) -> Result<(), Error> {
    let before = swarm.version();
    store.each_event(before, |seq, line, chain| check(store, seq, chain, swarm.replay(line)).map(drop))?;
    if swarm.version() > before {
        clock.note(swarm.last_at_ms());
    }
    Ok(())
}

/// What the stored event `seq` led to, once its hash chain is compared with the stored one.
pub(super) fn check(
    store: &Store,
    seq: u64,
    chain: &Hash,
    applied: Result<Applied, Error>,
) -> Result<Applied, Error> {
    let applied = applied.map_err(|error| store.damaged(&format!("event {seq}: {}", error.message)))?;
    if applied.seq != seq || applied.chain != *chain {
        return Err(store.damaged(&format!("event {seq} does not fit the hash chain")));
    }
    Ok(applied)
}
