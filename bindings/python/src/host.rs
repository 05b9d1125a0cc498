//! The Rust host: one swarm on one file, for the facade.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use ruv_swarm::core::hash::hex;
use ruv_swarm::core::neural as engine;
use ruv_swarm::store::Durability;
use ruv_swarm::training::{Executor, View};
use ruv_swarm::{Call, Code, Content, Error, Options};
use serde_json::{json, Map, Value};

use crate::errors::OrRaise;

#[pyclass(frozen, module = "ruv_swarm")]
struct Host {
    // taken out by close
    host: Mutex<Option<Arc<ruv_swarm::Host>>>,
}

impl Host {
    fn open_one(&self) -> Result<Arc<ruv_swarm::Host>, Error> {
        let host = self.host.lock().unwrap_or_else(PoisonError::into_inner).clone();
        host.ok_or_else(|| Error::new(Code::FailedPrecondition, "", "this swarm is closed; open it again"))
    }

    /// Works on the host without the interpreter's lock.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&ruv_swarm::Host) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        py.detach(|| work(&*self.open_one()?)).or_raise(py)
    }
}

#[pymethods]
impl Host {
    /// Opens a file, or memory if `path` is None.
    #[new]
    #[pyo3(signature = (path=None, durability="full", create=false))]
    fn new(py: Python<'_>, path: Option<&str>, durability: &str, create: bool) -> PyResult<Self> {
        let open = || {
            let durability = Durability::parse(durability)?;
            let mut options =
                path.map_or_else(Options::memory, |path| Options::file(path).durability(durability));
            if create {
                options = options.or_create();
            }
            ruv_swarm::Host::open(options)
        };
        let host = py.detach(open).or_raise(py)?;
        Ok(Self { host: Mutex::new(Some(Arc::new(host))) })
    }

    /// Makes the swarm or joins it; `request` is that of swarm_init, the host draws what is absent.
    fn init(&self, py: Python<'_>, request: &str) -> PyResult<String> {
        self.with(py, |host| ruv_swarm::init::create_or_join(host, &object(request)?))
    }

    #[pyo3(signature = (operation, request="{}", idempotency_key=""))]
    fn call(
        &self,
        py: Python<'_>,
        operation: &str,
        request: &str,
        idempotency_key: &str,
    ) -> PyResult<String> {
        self.with(py, |host| host.call(operation, request, idempotency_key))
    }

    #[pyo3(signature = (content, name="", media_type=""))]
    fn put_artifact(&self, py: Python<'_>, content: &[u8], name: &str, media_type: &str) -> PyResult<String> {
        self.with(py, |host| host.put_artifact(content.to_vec(), name, media_type))
    }

    fn get_artifact<'py>(&self, py: Python<'py>, hash: &str) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.with(py, |host| host.get_artifact(hash))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Canonical event lines with their chain hashes in hex, after event `after`.
    fn events(&self, py: Python<'_>, after: u64, limit: u64) -> PyResult<Vec<(String, String)>> {
        let events = self.with(py, |host| host.events(after, limit))?;
        Ok(events.into_iter().map(|event| (event.body, hex(&event.chain))).collect())
    }

    fn version(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, ruv_swarm::Host::version)
    }

    fn state_hash(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |host| host.with_swarm(|swarm| hex(&swarm.state_hash())))
    }

    fn pending_effects(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, ruv_swarm::Host::pending_effects)
    }

    fn orchestrate_intent(&self, py: Python<'_>, text: &str, has_data: bool) -> PyResult<&'static str> {
        self.with(py, |host| host.with_swarm(|swarm| swarm.orchestrate_intent(text, has_data))?)
    }

    /// Stores the dataset and plans its training in one transaction; gives back the answer of
    /// task_orchestrate. Nothing is written if the data cannot be trained on.
    #[pyo3(signature = (data, name, options="{}", request="{}"))]
    fn plan_training(
        &self,
        py: Python<'_>,
        data: &[u8],
        name: &str,
        options: &str,
        request: &str,
    ) -> PyResult<String> {
        self.with(py, |host| {
            let summary = engine::inspect_data(data, options)?;
            let content = Content::new(data.to_vec());
            let mut request = object(request)?;
            request.insert("dataset".into(), json!({ "hash": content.hash(), "summary": summary }));
            let orchestrate = Call::new("task_orchestrate", Value::Object(request).to_string());
            let answers = host.call_all(vec![Call::artifact(content, name, ""), orchestrate])?;
            answers
                .into_iter()
                .last()
                .ok_or_else(|| Error::new(Code::Internal, "", "task_orchestrate gave no answer"))
        })
    }

    /// Runs a training goal to its end on `threads` threads; gives back the answer of task_results.
    /// `observe` is called with a JSON text about ten times a second. An exception in it, or Ctrl-C,
    /// cancels the goal and is raised once all is committed.
    #[pyo3(signature = (goal_id, threads, observe=None))]
    fn train(
        &self,
        py: Python<'_>,
        goal_id: &str,
        threads: usize,
        observe: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let stop = AtomicBool::new(false);
        let mut raised: Option<PyErr> = None;
        let outcome = py.detach(|| {
            let host = self.open_one()?;
            let cancelled = || stop.load(Ordering::Relaxed);
            let executor = Executor { host: &host, threads: threads.max(1), cancelled: &cancelled };
            executor.run(goal_id, &mut |view| {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                if let Err(error) = Python::attach(|py| tell(py, observe.as_ref(), view)) {
                    raised = Some(error);
                    stop.store(true, Ordering::Relaxed);
                }
            })
        });
        match raised {
            Some(error) => Err(error),
            None => outcome.or_raise(py),
        }
    }

    /// Rebuilds the state from the log alone; gives back the result's JSON and what is wrong, if anything.
    fn replay(&self, py: Python<'_>, verify: bool) -> PyResult<(String, Option<String>)> {
        let replay = self.with(py, |host| host.replay(verify))?;
        Ok((replay.to_json(), replay.problem.map(|error| error.message)))
    }

    fn close(&self) {
        self.host.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn tell(py: Python<'_>, observe: Option<&Py<PyAny>>, view: &View) -> PyResult<()> {
    py.check_signals()?;
    if let Some(observe) = observe {
        observe.call1(py, (progress(view),))?;
    }
    Ok(())
}

fn progress(view: &View) -> String {
    let members: Vec<Value> = view
        .members
        .iter()
        .map(|member| {
            json!({
                "agentId": member.agent_id, "pattern": member.pattern, "algorithm": member.algorithm,
                "state": member.state.as_str(), "done": member.done, "total": member.total, "note": member.note,
            })
        })
        .collect();
    json!({ "goalId": view.goal_id, "members": members, "fusing": view.fusing }).to_string()
}

fn object(request: &str) -> Result<Map<String, Value>, Error> {
    match serde_json::from_str(request) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(Error::invalid("", "request: not a json object")),
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Host>()
}
