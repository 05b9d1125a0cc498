//! The state machine: `Core`, and what its calls give back.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use ruv_swarm_core as core;
use ruv_swarm_core::hash::hex;

use crate::errors::OrRaise;

#[pyclass(frozen, get_all, module = "ruv_swarm")]
#[derive(Clone)]
struct Attach {
    kind: &'static str,
    after: u64,
    limit: u64,
    hash: String,
}

#[pyclass(frozen, get_all, module = "ruv_swarm")]
struct Decision {
    response: String,
    events: Vec<String>,
    attach: Option<Attach>,
}

#[pyclass(frozen, get_all, module = "ruv_swarm")]
#[derive(Clone)]
struct Row {
    table: &'static str,
    id: String,
    state: String,
    body: String,
}

#[pyclass(frozen, module = "ruv_swarm")]
struct Applied {
    #[pyo3(get)]
    seq: u64,
    #[pyo3(get)]
    at_ms: u64,
    #[pyo3(get)]
    kind: &'static str,
    chain: core::hash::Hash,
    #[pyo3(get)]
    rows: Vec<Row>,
}

#[pymethods]
impl Applied {
    #[getter]
    fn chain<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.chain)
    }
}

#[pyclass(module = "ruv_swarm")]
struct Core {
    swarm: core::Swarm,
}

#[pymethods]
impl Core {
    #[new]
    fn new() -> Self {
        Self { swarm: core::Swarm::new() }
    }

    #[staticmethod]
    fn restore(py: Python<'_>, snapshot: &str) -> PyResult<Self> {
        core::Swarm::restore(snapshot).map(|swarm| Self { swarm }).or_raise(py)
    }

    #[pyo3(signature = (operation, request="{}", now_ms=0, idempotency_key=""))]
    fn call(
        &self,
        py: Python<'_>,
        operation: &str,
        request: &str,
        now_ms: u64,
        idempotency_key: &str,
    ) -> PyResult<Decision> {
        self.swarm.call(operation, request, now_ms, idempotency_key).map(decision).or_raise(py)
    }

    #[pyo3(signature = (operation, request="{}"))]
    fn query(&self, py: Python<'_>, operation: &str, request: &str) -> PyResult<Decision> {
        self.swarm.query(operation, request).map(decision).or_raise(py)
    }

    fn apply(&mut self, py: Python<'_>, event_line: &str) -> PyResult<Applied> {
        let applied = self.swarm.apply(event_line).or_raise(py)?;
        Ok(Applied {
            seq: applied.seq,
            at_ms: applied.at_ms,
            kind: applied.kind,
            chain: applied.chain,
            rows: applied.rows.into_iter().map(row).collect(),
        })
    }

    fn all_rows(&self) -> Vec<Row> {
        self.swarm.all_rows().into_iter().map(row).collect()
    }

    fn pending_effects(&self) -> String {
        self.swarm.pending_effects()
    }

    fn next_deadline(&self) -> Option<u64> {
        self.swarm.next_deadline()
    }

    fn orchestrate_intent(&self, py: Python<'_>, text: &str, has_data: bool) -> PyResult<&'static str> {
        self.swarm.orchestrate_intent(text, has_data).or_raise(py)
    }

    fn snapshot(&self) -> String {
        self.swarm.snapshot()
    }

    fn state_hash(&self) -> String {
        hex(&self.swarm.state_hash())
    }

    fn chain_head<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.swarm.chain_head())
    }

    fn version(&self) -> u64 {
        self.swarm.version()
    }

    fn last_at_ms(&self) -> u64 {
        self.swarm.last_at_ms()
    }

    fn swarm_id(&self) -> &str {
        self.swarm.swarm_id()
    }

    fn config_json(&self) -> String {
        self.swarm.config_json()
    }
}

fn decision(decision: core::Decision) -> Decision {
    let attach = decision.attach.map(|attach| match attach {
        core::Attach::Events { after, limit } => Attach { kind: "events", after, limit, hash: String::new() },
        core::Attach::Artifact { hash } => Attach { kind: "artifact", after: 0, limit: 0, hash },
    });
    Decision { response: decision.response, events: decision.events, attach }
}

fn row(row: core::Row) -> Row {
    Row { table: row.table, id: row.id, state: row.state, body: row.body }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Attach>()?;
    module.add_class::<Decision>()?;
    module.add_class::<Row>()?;
    module.add_class::<Applied>()?;
    module.add_class::<Core>()
}
