//! The training of one network, in slices.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use numpy::PyUntypedArrayMethods;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyString};
use ruv_swarm::files;
use ruv_swarm::neural::{Then, Training};
use ruv_swarm_core::neural::door::{check_report, check_train, TrainArguments};
use ruv_swarm_core::neural::{self, Model};
use ruv_swarm_core::{Code, Error};

use crate::dataset::{bytes_of, Dataset};
use crate::errors::OrRaise;
use crate::network::Network;

/// The path of the data by the note of a checkpoint; empty if it knows none.
fn noted(checkpoint: &[u8]) -> Result<String, Error> {
    let note = neural::checkpoint_note(checkpoint)?;
    let note: serde_json::Value = serde_json::from_str(&note).unwrap_or_default();
    let path = note.get("data").and_then(serde_json::Value::as_str).unwrap_or_default();
    Ok(if path == "-" { String::new() } else { path.to_string() })
}

/// Training of one network in slices of epochs: slicing never changes a bit.
#[pyclass(frozen, module = "ruv_swarm._core")]
pub struct Session(Mutex<State>);

enum State {
    Idle(Box<Training>),
    /// Another thread runs it, or the function that is called after each slice asks.
    Taken,
    Finished,
}

/// The state, and the error that there is if nothing can be done with it.
fn refusal(state: &State) -> Option<Error> {
    let message = match state {
        State::Idle(_) => return None,
        State::Taken => "the trainer is running",
        State::Finished => "the trainer is finished; make another to train again",
    };
    Some(Error::new(Code::FailedPrecondition, "", message))
}

impl Session {
    fn made(session: Result<neural::Session, Error>) -> Result<Session, Error> {
        Ok(Session(Mutex::new(State::Idle(Box::new(Training::new(session?)?)))))
    }

    /// Keeps the path of the data in the checkpoints, as the command line does.
    fn note(&self, dataset: &Dataset<'_>) -> Result<(), Error> {
        let Dataset::Bytes(_, Some(path)) = dataset else { return Ok(()) };
        let note = serde_json::json!({ "data": path.to_string_lossy() }).to_string();
        self.look(|training| training.session_mut().set_note(&note))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look<T>(&self, look: impl FnOnce(&mut Training) -> Result<T, Error>) -> Result<T, Error> {
        match &mut *self.state() {
            State::Idle(training) => look(training),
            state => Err(refusal(state).unwrap_or_else(|| Error::new(Code::Internal, "", "idle"))),
        }
    }

    /// Takes the training out, so that nobody waits for a long run.
    fn take(&self, left: State) -> Result<Box<Training>, Error> {
        let mut state = self.state();
        match refusal(&state) {
            Some(error) => Err(error),
            None => match std::mem::replace(&mut *state, left) {
                State::Idle(training) => Ok(training),
                _ => Err(Error::new(Code::Internal, "", "idle")),
            },
        }
    }
}

/// What is asked of Python after a slice.
struct Watch {
    observe: Option<Py<PyAny>>,
    raised: Option<PyErr>,
}

impl Watch {
    /// Signals first; then the caller's function, which ends the training by giving back False.
    fn look(&mut self, progress: &str) -> Then {
        let asked = Python::attach(|py| {
            py.check_signals()?;
            let Some(observe) = &self.observe else { return Ok(Then::GoOn) };
            let answer = observe.bind(py).call1((progress,))?;
            Ok(if answer.is(PyBool::new(py, false)) { Then::Finish } else { Then::GoOn })
        });
        asked.unwrap_or_else(|error| {
            self.raised = Some(error);
            Then::Leave
        })
    }
}

#[pymethods]
impl Session {
    /// Make the training of one network on the path or the bytes of a dataset, or on inputs and targets.
    #[new]
    #[pyo3(signature = (data, targets = None, options = ""))]
    fn new(
        py: Python<'_>,
        data: Option<&Bound<'_, PyAny>>,
        targets: Option<&Bound<'_, PyAny>>,
        options: &str,
    ) -> PyResult<Self> {
        let dataset = Dataset::of(data, targets)?;
        let session = match &dataset {
            Dataset::Rows(inputs, targets) => {
                let (rows, inputs, targets) = (inputs.shape()[0], inputs.as_slice()?, targets.as_slice()?);
                py.detach(|| Session::made(neural::Session::from_arrays(inputs, targets, rows, options)))
            }
            Dataset::Bytes(bytes, _) => {
                let bytes = bytes.as_bytes();
                py.detach(|| Session::made(neural::Session::new(bytes, options)))
            }
        };
        let session = session.or_raise(py)?;
        session.note(&dataset).or_raise(py)?;
        Ok(session)
    }

    /// Go on from a checkpoint, as a path or bytes, with the same data; it may know the path of the data.
    #[staticmethod]
    #[pyo3(signature = (checkpoint, data = None, targets = None))]
    fn resume(
        py: Python<'_>,
        checkpoint: &Bound<'_, PyAny>,
        data: Option<&Bound<'_, PyAny>>,
        targets: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let kept = bytes_of("resume", checkpoint)?;
        let kept = kept.as_bytes();
        let known = PyString::new(py, &noted(kept).or_raise(py)?).into_any();
        let data = data.or(Some(&known).filter(|known| !known.is_empty().unwrap_or(true)));
        let dataset = Dataset::of(data, targets)?;
        let session = match &dataset {
            Dataset::Rows(inputs, targets) => {
                let (rows, inputs, targets) = (inputs.shape()[0], inputs.as_slice()?, targets.as_slice()?);
                py.detach(|| Session::made(neural::Session::resume_arrays(kept, inputs, targets, rows)))
            }
            Dataset::Bytes(bytes, _) => {
                let bytes = bytes.as_bytes();
                py.detach(|| Session::made(neural::Session::resume(kept, bytes)))
            }
        };
        let session = session.or_raise(py)?;
        session.note(&dataset).or_raise(py)?;
        Ok(session)
    }

    /// Train at most `epochs` more; return the progress as JSON text.
    ///
    /// `observe` is called with that text after each slice of about a tenth of a second and ends the training by
    /// giving back False; `checkpoint` is a file that is written after each `every` epochs and at the end. An
    /// exception, also that of Ctrl-C, is raised after the running slice; the training can go on after it.
    #[pyo3(signature = (epochs = None, observe = None, seconds = None, checkpoint = None, every = None))]
    fn run(
        &self,
        py: Python<'_>,
        epochs: Option<u32>,
        observe: Option<Py<PyAny>>,
        seconds: Option<f64>,
        checkpoint: Option<PathBuf>,
        every: Option<u64>,
    ) -> PyResult<String> {
        let path = checkpoint.map(|path| path.to_string_lossy().into_owned());
        let arguments = TrainArguments {
            data: "data",
            checkpoint: path.as_deref().unwrap_or_default(),
            every,
            seconds,
            ..TrainArguments::default()
        };
        check_train(&arguments).or_raise(py)?;
        if let Some(path) = &path {
            files::check_target("checkpoint", path).or_raise(py)?;
        }
        let mut training = self.take(State::Taken).or_raise(py)?;
        training.limit(seconds.map(Duration::from_secs_f64));
        training.checkpoints(path, every.map(|every| every as u32));
        let mut watch = Watch { observe, raised: None };
        let ended =
            py.detach(|| training.advance(epochs.unwrap_or(u32::MAX), &mut |progress| watch.look(progress)));
        let ended = ended.and_then(|_| training.keep());
        let progress = training.session().progress();
        *self.state() = State::Idle(training);
        match watch.raised {
            Some(error) => Err(error),
            None => ended.map(|()| progress).or_raise(py),
        }
    }

    /// Return the progress as JSON text.
    fn progress(&self, py: Python<'_>) -> PyResult<String> {
        self.look(|training| Ok(training.session().progress())).or_raise(py)
    }

    /// Tell whether there is nothing left to train.
    fn done(&self, py: Python<'_>) -> PyResult<bool> {
        self.look(|training| Ok(training.session().done())).or_raise(py)
    }

    /// End the training at the epoch that it is in.
    #[pyo3(signature = (reason = "cancelled"))]
    fn stop(&self, py: Python<'_>, reason: &str) -> PyResult<()> {
        let stop = |training: &mut Training| {
            training.session_mut().stop(reason);
            Ok(())
        };
        self.look(stop).or_raise(py)
    }

    /// Return a checkpoint, from which a training goes on bit for bit.
    fn checkpoint<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.look(|training| Ok(training.session().checkpoint())).or_raise(py)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Return the network with its report; the training ends.
    ///
    /// If the numbers ran away, it has the last good weights; with `check` that is raised instead.
    #[pyo3(signature = (check = false))]
    fn finish(&self, py: Python<'_>, check: bool) -> PyResult<Network> {
        let training = self.take(State::Finished).or_raise(py)?;
        let made = py.detach(|| {
            let trained = training.finish()?;
            if check {
                check_report(&trained.report_json)?;
            }
            Ok((Model::load(&trained.model)?, trained))
        });
        let (model, trained) = made.or_raise(py)?;
        Network::made(model, PyBytes::new(py, &trained.model).unbind(), Some(trained.report_json))
            .or_raise(py)
    }
}

/// Registers what this file defines.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Session>()
}
