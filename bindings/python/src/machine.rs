//! The state machine: `Core` and the functions that belong to it.
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use ruv_swarm_core::{self as core, Swarm};

use crate::errors::OrRaise;

/// A row of a projection, to be written blindly in the transaction of its event.
#[pyclass(frozen, get_all, module = "ruv_swarm")]
#[derive(Clone)]
pub struct Row {
    table: &'static str,
    id: String,
    state: String,
    body: String,
    seq: u64,
}

impl From<core::Row> for Row {
    fn from(row: core::Row) -> Self {
        Row { table: row.table, id: row.id, state: row.state, body: row.body, seq: row.seq }
    }
}

/// Stored data that a response still needs: events after a number, or an artifact.
#[pyclass(frozen, get_all, module = "ruv_swarm")]
#[derive(Clone)]
pub struct Attach {
    kind: &'static str,
    after: u64,
    limit: u64,
    filter: String,
    hash: String,
}

impl From<core::Attach> for Attach {
    fn from(attach: core::Attach) -> Self {
        match attach {
            core::Attach::Events { after, limit, filter } => {
                Attach { kind: "events", after, limit, filter, hash: String::new() }
            }
            core::Attach::Artifact { hash } => {
                Attach { kind: "artifact", after: 0, limit: 0, filter: String::new(), hash }
            }
        }
    }
}

/// A response, and the events that make it true; nothing has changed yet.
#[pyclass(frozen, get_all, module = "ruv_swarm")]
pub struct Decision {
    response: String,
    events: Vec<String>,
    attach: Option<Attach>,
}

impl From<core::Decision> for Decision {
    fn from(decision: core::Decision) -> Self {
        let attach = decision.attach.map(Attach::from);
        Decision { response: decision.response, events: decision.events, attach }
    }
}

/// What folding one event did.
#[pyclass(frozen, module = "ruv_swarm")]
pub struct Applied(core::Applied);

#[pymethods]
impl Applied {
    #[getter]
    fn seq(&self) -> u64 {
        self.0.seq
    }

    #[getter]
    fn at_ms(&self) -> u64 {
        self.0.at_ms
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind
    }

    #[getter]
    fn chain<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.chain)
    }
}

/// A swarm's state machine. It holds no clock, file or thread; any thread may use it.
///
/// The lock is only ever held inside one method, and never while the interpreter lock is waited
/// for, so the two cannot block each other.
#[pyclass(frozen, module = "ruv_swarm")]
pub struct Core(RwLock<Swarm>);

impl Core {
    fn read(&self) -> RwLockReadGuard<'_, Swarm> {
        // a reader cannot spoil the state, and `apply` changes it only where it cannot fail
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Core {
    #[new]
    fn new() -> Self {
        Core(RwLock::new(Swarm::new()))
    }

    /// Return the core in the state that the snapshot holds.
    #[staticmethod]
    fn restore(py: Python<'_>, snapshot: &str) -> PyResult<Self> {
        let swarm = py.detach(|| Swarm::restore(snapshot)).or_raise(py)?;
        Ok(Core(RwLock::new(swarm)))
    }

    /// Decide a command or answer a query; change nothing.
    #[pyo3(signature = (operation, request, now_ms, idempotency_key = ""))]
    fn call(
        &self,
        py: Python<'_>,
        operation: &str,
        request: &str,
        now_ms: u64,
        idempotency_key: &str,
    ) -> PyResult<Decision> {
        self.read().call(operation, request, now_ms, idempotency_key).map(Decision::from).or_raise(py)
    }

    /// Fold the next canonical event line into the state.
    fn apply(&self, py: Python<'_>, event_line: &str) -> PyResult<Applied> {
        let mut swarm = self.0.write().unwrap_or_else(PoisonError::into_inner);
        swarm.apply(event_line).map(Applied).or_raise(py)
    }

    /// Fold the next event line of a log whose rows are stored already: `take_rows` gives none for it.
    fn replay(&self, py: Python<'_>, event_line: &str) -> PyResult<Applied> {
        let mut swarm = self.0.write().unwrap_or_else(PoisonError::into_inner);
        swarm.replay(event_line).map(Applied).or_raise(py)
    }

    /// Return the rows that events applied since the last call have touched, each once.
    fn take_rows(&self) -> Vec<Row> {
        let mut swarm = self.0.write().unwrap_or_else(PoisonError::into_inner);
        swarm.take_rows().into_iter().map(Row::from).collect()
    }

    /// Answer a query as of the last logged time; a command is refused.
    #[pyo3(signature = (operation, request = "{}"))]
    fn query(&self, py: Python<'_>, operation: &str, request: &str) -> PyResult<Decision> {
        self.read().query(operation, request).map(Decision::from).or_raise(py)
    }

    /// Return the work that a host should run, as a JSON array.
    fn pending_effects(&self) -> String {
        self.read().pending_effects()
    }

    /// Return when `tick` has something to do, in ms, or None.
    fn next_deadline(&self) -> Option<u64> {
        self.read().next_deadline()
    }

    /// Return when something changes next by time alone, in ms, or None: `tick` is due, or a back-off
    /// that is not over at `now_ms` ends.
    fn next_change(&self, now_ms: u64) -> Option<u64> {
        self.read().next_change(now_ms)
    }

    /// Return whether a task that has not ended is for this agent, now or later.
    fn has_work_for(&self, py: Python<'_>, agent_id: &str) -> PyResult<bool> {
        self.read().has_work_for(agent_id).or_raise(py)
    }

    /// Return the canonical snapshot.
    fn snapshot(&self, py: Python<'_>) -> String {
        py.detach(|| self.read().snapshot())
    }

    /// Return SHA-256 of the canonical snapshot, in hex.
    fn state_hash(&self, py: Python<'_>) -> String {
        py.detach(|| core::hash::hex(&self.read().state_hash()))
    }

    /// Return the chain's hash after the last event, 32 bytes; zero before the first.
    fn chain_head<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.read().chain_head())
    }

    /// Return the number of the last event; 0 before the first.
    fn version(&self) -> u64 {
        self.read().version()
    }

    /// Return the time of the last event, in ms since 1970.
    fn last_at_ms(&self) -> u64 {
        self.read().last_at_ms()
    }

    /// Return the swarm's id; empty before the first event.
    fn swarm_id(&self) -> String {
        self.read().swarm_id().to_string()
    }

    /// Return what the swarm was created with, as JSON text; empty before the first event.
    fn config_json(&self) -> String {
        self.read().config_json()
    }

    /// Return every projection row of the state: what a rebuilt store holds.
    fn all_rows(&self, py: Python<'_>) -> Vec<Row> {
        py.detach(|| self.read().all_rows()).into_iter().map(Row::from).collect()
    }

    /// Return what `orchestrate` means by a text: train, sample or goal.
    fn orchestrate_intent(&self, py: Python<'_>, text: &str, has_data: bool) -> PyResult<&'static str> {
        self.read().orchestrate_intent(text, has_data).or_raise(py)
    }

    /// Pickle as the snapshot.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let restore = PyType::new::<Core>(py).getattr("restore")?;
        Ok((restore, (self.snapshot(py),)))
    }

    fn __repr__(&self) -> String {
        let swarm = self.read();
        format!("<Core swarm_id={:?} version={}>", swarm.swarm_id(), swarm.version())
    }
}

/// Registers what this file defines.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Core>()?;
    module.add_class::<Decision>()?;
    module.add_class::<Applied>()?;
    module.add_class::<Attach>()?;
    module.add_class::<Row>()
}
