//! Agents whose code is Python: a worker of the Rust host calls it, and keeps its leases without the
//! interpreter's lock.
//!
//! The code runs on threads and event loops of Python's own. A thread of the worker only begins it
//! and waits for its end without the lock, so that no Rust frame stands below code that a dying
//! interpreter may leave behind.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use ruv_swarm::work::{Context, Crew, Failure, Output, Task, Work};
use ruv_swarm::Error;

use crate::errors::OrRaise;
use crate::host::Host;

type Result = std::result::Result<Output, Failure>;

/// Where the code of a task leaves its result.
#[derive(Default)]
struct Slot {
    result: Mutex<Option<Result>>,
    filled: Condvar,
}

impl Slot {
    fn fill(&self, result: Result) {
        let mut slot = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert(result);
        self.filled.notify_all();
    }

    fn taken(&self) -> Option<Result> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn wait(&self) -> Result {
        let mut slot = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(result) = slot.take() {
                return result;
            }
            slot = self.filled.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What the code of a task is told while it runs, and what it tells.
#[pyclass(frozen, module = "ruv_swarm")]
struct TaskContext {
    context: Context,
    slot: Arc<Slot>,
}

#[pymethods]
impl TaskContext {
    /// True once the code should end; it stays true.
    #[getter]
    fn cancelled(&self) -> bool {
        self.context.cancelled()
    }

    /// Wait until the code should end, at most so many seconds; tell whether it should.
    fn wait(&self, py: Python<'_>, seconds: f64) -> bool {
        let patience = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        py.detach(|| self.context.wait(patience))
    }

    /// Tell how far the task is; it goes to the log with the next heartbeat.
    #[pyo3(signature = (done, total=0, note=""))]
    fn progress(&self, done: u64, total: u64, note: &str) {
        self.context.progress(done, total, note);
    }

    /// The agent that holds the task.
    #[getter]
    fn agent_id(&self) -> &str {
        self.context.agent_id()
    }

    /// The task.
    #[getter]
    fn task_id(&self) -> &str {
        self.context.task_id()
    }

    /// The epoch of the lease.
    #[getter]
    fn epoch(&self) -> u64 {
        self.context.epoch()
    }

    /// Return the bytes that the swarm keeps under a hash.
    fn artifact<'py>(&self, py: Python<'py>, hash: &str) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.context.artifact(hash)).or_raise(py)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// End the task with a text or with bytes.
    #[pyo3(name = "_complete", signature = (text, content=None))]
    fn complete(&self, py: Python<'_>, text: String, content: Option<Vec<u8>>) {
        self.end(py, Ok(Output { text, bytes: content, ..Output::default() }));
    }

    /// End the attempt with an error.
    #[pyo3(name = "_fail")]
    fn fail(&self, py: Python<'_>, code: &str, message: &str) {
        self.end(py, Err(Failure::new(code, message)));
    }

    fn __repr__(&self) -> String {
        format!("<TaskContext {} epoch={} of {}>", self.task_id(), self.epoch(), self.agent_id())
    }
}

impl TaskContext {
    fn end(&self, py: Python<'_>, result: Result) {
        py.detach(|| {
            self.slot.fill(result);
            self.context.wake();
        });
    }
}

/// A Python callable that begins a task: it gets the task as JSON text and the context, returns at
/// once a callable that asks the task to end, or None, and ends the task by the context later.
struct Begin(Py<PyAny>);

impl Work for Begin {
    fn run(&self, task: &Task, context: &Context) -> Result {
        let slot = Arc::new(Slot::default());
        let begun = Python::attach(|py| {
            let told = TaskContext { context: context.clone(), slot: slot.clone() };
            self.0.call1(py, (task.json(), Py::new(py, told)?))
        });
        let end = match begun {
            Ok(end) => end,
            Err(error) => return Err(Failure::new("not_begun", error.to_string())),
        };
        loop {
            let told = context.wait_or_woken();
            if let Some(result) = slot.taken() {
                return result;
            }
            if told {
                break;
            }
        }
        Python::attach(|py| {
            // code that cannot be asked looks at its context
            if !end.is_none(py) {
                let _ = end.call0(py);
            }
        });
        slot.wait()
    }
}

/// Ends `work` from another thread.
#[pyclass(frozen, module = "ruv_swarm")]
struct Stop(ruv_swarm::work::Stop);

#[pymethods]
impl Stop {
    #[new]
    fn new() -> Self {
        Stop(ruv_swarm::work::Stop::new())
    }

    /// Ask for the end: running tasks are told, and what does not end in time is given back.
    fn stop(&self) {
        self.0.stop();
    }
}

/// Do tasks with Python code until it is asked to stop, or until Ctrl-C; return how many attempts
/// were completed, failed, given back and cancelled.
#[pyfunction]
#[pyo3(signature = (host, agents, stop, until_idle=false, max_tasks=None))]
fn work(
    py: Python<'_>,
    host: &Bound<'_, Host>,
    agents: Vec<(String, u64, usize, Py<PyAny>)>,
    stop: &Bound<'_, Stop>,
    until_idle: bool,
    max_tasks: Option<u64>,
) -> PyResult<(u64, u64, u64, u64)> {
    let raised = Arc::new(Mutex::new(None));
    let (asked, heard) = (stop.get().0.clone(), raised.clone());
    // called on this thread only: signals reach the main thread of Python
    let stop = asked.or_when(move || {
        Python::attach(|py| match py.check_signals() {
            Ok(()) => false,
            Err(error) => {
                heard.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                true
            }
        })
    });
    let host = host.get();
    let outcome = py.detach(|| -> std::result::Result<_, Error> {
        let mut crew = Crew::new(host.open_one()?).stop(&stop);
        for (agent, lease_ms, at_once, begin) in agents {
            crew = crew.hire(&agent, lease_ms, at_once, Arc::new(Begin(begin)))?;
        }
        if until_idle {
            crew = crew.until_idle();
        }
        if let Some(most) = max_tasks {
            crew = crew.max_tasks(most);
        }
        crew.run(&mut |_| {})
    });
    if let Some(error) = raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error);
    }
    outcome.or_raise(py).map(|tally| (tally.completed, tally.failed, tally.released, tally.cancelled))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<TaskContext>()?;
    module.add_class::<Stop>()?;
    module.add_function(wrap_pyfunction!(work, module)?)
}
