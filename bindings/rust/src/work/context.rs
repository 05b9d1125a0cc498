//! What running code is told, and what it tells: the lease of one attempt, seen from both sides.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ruv_swarm_core::error::Error;

use crate::host::Host;

/// One attempt: who holds which task, and what both sides have to tell each other.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) agent: String,
    pub(super) task_id: String,
    pub(super) epoch: u64,
    pub(super) lease_ms: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The lease is gone: what the code brings is of no use.
    lost: bool,
    /// The task is called off.
    cancelled: bool,
    /// The worker ends.
    stopping: bool,
    /// The attempt is being reported, by the job or, after the grace, in its stead.
    closed: bool,
    /// Somebody wants the waiting code to look up.
    woken: bool,
    progress: Option<(u64, u64, String)>,
}

impl State {
    fn told(&self) -> bool {
        self.lost || self.cancelled || self.stopping
    }
}

impl Hold {
    pub(super) fn new(agent: &str, task_id: &str, epoch: u64, lease_ms: u64) -> Hold {
        let (agent, task_id) = (agent.to_string(), task_id.to_string());
        Hold { agent, task_id, epoch, lease_ms, state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    pub(super) fn lose(&self) {
        self.tell(|state| state.lost = true);
    }

    pub(super) fn cancel(&self) {
        self.tell(|state| state.cancelled = true);
    }

    pub(super) fn stop(&self) {
        self.tell(|state| state.stopping = true);
    }

    /// True for the first who asks: of two that would report the attempt, one may.
    pub(super) fn close(&self) -> bool {
        let mut state = self.lock();
        !std::mem::replace(&mut state.closed, true)
    }

    pub(super) fn closed(&self) -> bool {
        self.lock().closed
    }

    pub(super) fn lost(&self) -> bool {
        self.lock().lost
    }

    /// Called off or lost, as far as is known.
    pub(super) fn told(&self) -> bool {
        let state = self.lock();
        state.lost || state.cancelled
    }

    /// Told to end by its worker and by nobody else.
    pub(super) fn only_stopping(&self) -> bool {
        let state = self.lock();
        state.stopping && !state.cancelled
    }

    pub(super) fn progress(&self) -> Option<(u64, u64, String)> {
        self.lock().progress.clone()
    }
}

/// What the code of a task is told while it runs. Clones are of the same attempt.
#[derive(Clone, Debug)]
pub struct Context {
    hold: Arc<Hold>,
    host: Arc<Host>,
}

impl Context {
    pub(super) fn new(hold: Arc<Hold>, host: Arc<Host>) -> Context {
        Context { hold, host }
    }

    /// True once the code should end: the task was called off, its lease is lost, or the worker
    /// stops. It stays true.
    pub fn cancelled(&self) -> bool {
        self.hold.lock().told()
    }

    /// Waits until the code should end, at most so long; true if it should.
    pub fn wait(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        let mut state = self.hold.lock();
        while !state.told() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.hold.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Waits, however long, until the code should end (true) or [`Context::wake`] is called (false).
    pub fn wait_or_woken(&self) -> bool {
        let mut state = self.hold.lock();
        while !state.told() && !state.woken {
            state = self.hold.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.woken = false;
        state.told()
    }

    /// Ends one [`Context::wait_or_woken`], the running or the next one.
    pub fn wake(&self) {
        self.hold.tell(|state| state.woken = true);
    }

    /// Tells how far the task is: units done, units in all (0 if unknown), and a short line. It goes
    /// to the log with the next heartbeat.
    pub fn progress(&self, done: u64, total: u64, note: &str) {
        self.hold.lock().progress = Some((done, total, note.to_string()));
    }

    /// The agent that holds the task.
    pub fn agent_id(&self) -> &str {
        &self.hold.agent
    }

    /// The task.
    pub fn task_id(&self) -> &str {
        &self.hold.task_id
    }

    /// The epoch of the lease: it grows with each attempt, so that what is written elsewhere can be
    /// fenced against an older one.
    pub fn epoch(&self) -> u64 {
        self.hold.epoch
    }

    /// The swarm, for code that submits tasks of its own.
    pub fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// The bytes that the swarm keeps under `hash`, for example a task's `payload_artifact`.
    ///
    /// # Errors
    /// `not_found` if there is no such artifact.
    pub fn artifact(&self, hash: &str) -> Result<Vec<u8>, Error> {
        self.host.get_artifact(hash)
    }
}
