//! The Rust host: one swarm on one file, for the facade.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use ruv_swarm::core::hash::hex;
use ruv_swarm::core::neural as engine;
use ruv_swarm::store::Durability;
use ruv_swarm::training::{Executor, View};
use ruv_swarm::{Call, Code, Content, Error, Options};
use serde_json::{json, Map, Value};

use crate::errors::{instance, OrRaise};

/// Most threads that may be asked for.
const MAX_THREADS: u32 = 1024;

/// How often the log is looked at for news.
const LOOK: Duration = Duration::from_millis(50);

/// A swarm with its SQLite store; several processes may have the same file open.
#[pyclass(frozen, module = "ruv_swarm")]
pub(crate) struct Host {
    // taken out by close
    host: Mutex<Option<Arc<ruv_swarm::Host>>>,
}

impl Host {
    pub(crate) fn open_one(&self) -> Result<Arc<ruv_swarm::Host>, Error> {
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
    /// Open a file, or memory if `path` is None.
    #[new]
    #[pyo3(signature = (path=None, durability="full", create=false))]
    fn new(py: Python<'_>, path: Option<PathBuf>, durability: &str, create: bool) -> PyResult<Self> {
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

    /// Open what is there, or make it, and join the swarm or create it; return the host and the
    /// answer of swarm_init. A refused request leaves no file behind.
    #[staticmethod]
    #[pyo3(signature = (path=None, request="{}", durability="full"))]
    fn open_or_create(
        py: Python<'_>,
        path: Option<PathBuf>,
        request: &str,
        durability: &str,
    ) -> PyResult<(Self, String)> {
        let open = || {
            let durability = Durability::parse(durability)?;
            let options =
                path.map_or_else(Options::memory, |path| Options::file(path).durability(durability));
            ruv_swarm::init::open(options, &object(request)?)
        };
        let (host, response) = py.detach(open).or_raise(py)?;
        Ok((Self { host: Mutex::new(Some(Arc::new(host))) }, response))
    }

    /// Carry out any operation; a command is answered once its events are stored and synced.
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

    /// Carry out commands that do not depend on each other, in as few commits as may be; return for
    /// each its answer, or the exception that it would raise.
    fn call_many<'py>(
        &self,
        py: Python<'py>,
        calls: Vec<(String, String, String)>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let calls = calls.into_iter().map(|(operation, request, key)| Call::new(operation, request).key(key));
        let answers = self.with(py, |host| Ok(host.call_many(calls.collect())))?;
        let object = |answer: Result<String, Error>| match answer {
            Ok(text) => Ok(PyString::new(py, &text).into_any()),
            Err(error) => instance(py, &error),
        };
        answers.into_iter().map(object).collect()
    }

    /// Wait until the log has gone past event `after`, at most so many seconds; tell whether it has.
    fn wait_for_events(&self, py: Python<'_>, after: u64, seconds: f64) -> PyResult<bool> {
        let raised = Mutex::new(None);
        let stop = || {
            Python::attach(|py| match py.check_signals() {
                Ok(()) => false,
                Err(error) => {
                    raised.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    true
                }
            })
        };
        let patience = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let news = self.with(py, |host| host.wait_for_events(after, LOOK, patience, &stop));
        match raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => news,
        }
    }

    /// Keep bytes in the swarm; return the answer of artifact_put.
    #[pyo3(signature = (content, name="", media_type=""))]
    fn put_artifact(&self, py: Python<'_>, content: &[u8], name: &str, media_type: &str) -> PyResult<String> {
        self.with(py, |host| host.put_artifact(content.to_vec(), name, media_type))
    }

    /// Return the bytes that the swarm keeps under a hash.
    fn get_artifact<'py>(&self, py: Python<'py>, hash: &str) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.with(py, |host| host.get_artifact(hash))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Return up to `limit` event lines after event `after`, each with its chain hash in hex.
    fn events(&self, py: Python<'_>, after: u64, limit: u64) -> PyResult<Vec<(String, String)>> {
        let events = self.with(py, |host| host.events(after, limit))?;
        Ok(events.into_iter().map(|event| (event.body, hex(&event.chain))).collect())
    }

    /// Return the number of the last committed event; 0 while there is no swarm.
    fn version(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, ruv_swarm::Host::version)
    }

    /// Return SHA-256 of the canonical snapshot, in hex.
    fn state_hash(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |host| host.with_swarm(|swarm| hex(&swarm.state_hash())))
    }

    /// Return the training tasks that a host should run, as a JSON array.
    fn pending_effects(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, ruv_swarm::Host::pending_effects)
    }

    /// Return what `orchestrate` means by a text: train, sample or goal.
    fn orchestrate_intent(&self, py: Python<'_>, text: &str, has_data: bool) -> PyResult<&'static str> {
        self.with(py, |host| host.with_swarm(|swarm| swarm.orchestrate_intent(text, has_data))?)
    }

    /// Return the ids of the training goals that are not finished, oldest first.
    fn unfinished(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, Executor::unfinished)
    }

    /// Store the dataset and plan its training in one transaction, and run it as `train` does; return
    /// the answers of task_orchestrate and task_results.
    ///
    /// Nothing is written if the data cannot be trained on. It is one call, so that no Ctrl-C comes
    /// between the plan and the run that would cancel it.
    #[pyo3(signature = (data, name, options="{}", request="{}", threads=0, observe=None))]
    #[allow(clippy::too_many_arguments)] // they are keywords in Python
    fn orchestrate(
        &self,
        py: Python<'_>,
        data: &[u8],
        name: &str,
        options: &str,
        request: &str,
        threads: u32,
        observe: Option<Py<PyAny>>,
    ) -> PyResult<(String, String)> {
        let answer = self.with(py, |host| {
            count(threads)?;
            plan(host, data, name, options, object(request)?)
        })?;
        let planned: Value = serde_json::from_str(&answer).unwrap_or_default();
        let goal = planned["goalId"].as_str().unwrap_or_default();
        let results = self.train(py, goal, threads, observe)?;
        Ok((answer, results))
    }

    /// Run a training goal to its end on `threads` threads, 0 for one a core; return the answer of
    /// task_results, or raise why there is none.
    ///
    /// `observe` is called with a JSON text about ten times a second. An exception in it, or Ctrl-C,
    /// cancels the goal and is raised once that is committed.
    #[pyo3(signature = (goal_id, threads=0, observe=None))]
    fn train(
        &self,
        py: Python<'_>,
        goal_id: &str,
        threads: u32,
        observe: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let stop = AtomicBool::new(false);
        let mut raised: Option<PyErr> = None;
        let outcome = py.detach(|| {
            let host = self.open_one()?;
            let cancelled = || stop.load(Ordering::Relaxed);
            let executor = Executor { host: &host, threads: count(threads)?, cancelled: &cancelled };
            let results = executor.run(goal_id, &mut |view| {
                if cancelled() {
                    return;
                }
                if let Err(error) = Python::attach(|py| tell(py, observe.as_ref(), view)) {
                    raised = Some(error);
                    stop.store(true, Ordering::Relaxed);
                }
            })?;
            completed(&executor, goal_id, results)
        });
        match raised {
            Some(error) => Err(error),
            None => outcome.or_raise(py),
        }
    }

    /// Rebuild the state from the log alone; return the result's JSON and what is wrong, if anything.
    #[pyo3(signature = (verify=true))]
    fn replay(&self, py: Python<'_>, verify: bool) -> PyResult<(String, Option<String>)> {
        let replay = self.with(py, |host| host.replay(verify))?;
        Ok((replay.to_json(), replay.problem.map(|error| error.message)))
    }

    /// Give the file back; whatever is asked for later is refused.
    fn close(&self, py: Python<'_>) {
        // the last connection to a file folds its journal in, which takes its time
        let host = self.host.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(host));
    }
}

/// The answer of task_orchestrate for a dataset that is stored with it.
fn plan(
    host: &ruv_swarm::Host,
    data: &[u8],
    name: &str,
    options: &str,
    mut request: Map<String, Value>,
) -> Result<String, Error> {
    let summary = engine::inspect_data(data, options)?;
    let content = Content::new(data.to_vec());
    request.insert("dataset".into(), json!({ "hash": content.hash(), "summary": summary }));
    let orchestrate = Call::new("task_orchestrate", Value::Object(request).to_string());
    let answers = host.call_all(vec![Call::artifact(content, name, ""), orchestrate])?;
    let answer = answers.into_iter().last();
    answer.ok_or_else(|| Error::new(Code::Internal, "", "task_orchestrate gave no answer"))
}

/// Threads to train on; the same limit as on the command line.
fn count(threads: u32) -> Result<usize, Error> {
    match threads {
        0 => Ok(std::thread::available_parallelism().map_or(1, |cores| cores.get())),
        1..=MAX_THREADS => Ok(threads as usize),
        _ => Err(Error::invalid("threads", format!("threads: {threads}; allowed: 0 to {MAX_THREADS}"))),
    }
}

/// The results of a goal that is completed, or why it is not.
fn completed(executor: &Executor<'_>, goal_id: &str, results: String) -> Result<String, Error> {
    let state = serde_json::from_str::<Value>(&results).map(|results| results["state"].clone());
    match state.as_ref().ok().and_then(Value::as_str) {
        Some("completed") => Ok(results),
        Some("cancelled") => Err(Error::new(Code::Cancelled, "", format!("goal {goal_id} was cancelled"))),
        _ => {
            let why = executor.why(goal_id)?;
            Err(Error::new(Code::WorkFailed, "", format!("goal {goal_id} failed: {why}")))
        }
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
