//! One network: its training in slices, and running it.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyString, PyType};
use ruv_swarm::files;
use ruv_swarm::neural::{Then, Training};
use ruv_swarm_core::neural::door::{check_report, check_train, TrainArguments};
use ruv_swarm_core::neural::{self, Model, Predictor};
use ruv_swarm_core::{Code, Error};

use crate::errors::{raise, OrRaise};
use crate::neural::{numbers_of, pair_of, predict_into};

/// JSON text as Python's own values.
fn parsed<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let loads =
        LOADS.get_or_try_init(py, || Ok::<_, PyErr>(py.import("json")?.getattr("loads")?.unbind()))?;
    loads.bind(py).call1((json,))
}

/// A dataset as Python hands it over.
enum Dataset<'py> {
    /// Inputs and targets.
    Rows(PyReadonlyArray2<'py, f32>, PyReadonlyArray2<'py, f32>),
    /// The bytes, and the path of the file that held them.
    Bytes(Bound<'py, PyBytes>, Option<PathBuf>),
}

impl<'py> Dataset<'py> {
    fn of(data: Option<&Bound<'py, PyAny>>, targets: Option<&Bound<'py, PyAny>>) -> PyResult<Dataset<'py>> {
        let Some(data) = data else {
            return Python::attach(|py| {
                let message = "data: missing; give a path, bytes, or rows of inputs beside targets";
                Err(raise(py, &Error::invalid("data", message)))
            });
        };
        if let Some(targets) = targets {
            let (inputs, targets) = pair_of(data, targets)?;
            return Ok(Dataset::Rows(inputs, targets));
        }
        Ok(Dataset::Bytes(bytes_of("data", data)?, data.extract().ok()))
    }
}

/// Bytes as they are, or those of the file at a path.
fn bytes_of<'py>(field: &str, given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let py = given.py();
    if let Ok(bytes) = given.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    let Ok(path) = given.extract::<PathBuf>() else {
        let name = given.get_type().name()?.to_string();
        let message = format!(
            "{field}: a value of type {name}; allowed: a path, bytes, or rows of inputs beside targets"
        );
        return Err(raise(py, &Error::invalid(field, message)));
    };
    let bytes = py.detach(|| files::read(field, &path.to_string_lossy())).or_raise(py)?;
    Ok(PyBytes::new(py, &bytes))
}

/// The path of the data by the note of a checkpoint; empty if it knows none.
fn noted(checkpoint: &[u8]) -> Result<String, Error> {
    let note = neural::checkpoint_note(checkpoint)?;
    let note: serde_json::Value = serde_json::from_str(&note).unwrap_or_default();
    let path = note.get("data").and_then(serde_json::Value::as_str).unwrap_or_default();
    Ok(if path == "-" { String::new() } else { path.to_string() })
}

/// A trained network, read from the bytes of a model file.
#[pyclass(frozen, module = "ruv_swarm.neural")]
pub struct Network {
    model: Model,
    file: Py<PyBytes>,
    report: Option<String>,
    runner: Mutex<Runner>,
}

/// What one row needs, made once.
struct Runner {
    predictor: Predictor,
    answer: Vec<f32>,
}

impl Network {
    fn made(model: Model, file: Py<PyBytes>, report: Option<String>) -> Result<Network, Error> {
        let runner = Runner { predictor: Predictor::new(&model)?, answer: vec![0.0; model.outputs()] };
        Ok(Network { model, file, report, runner: Mutex::new(runner) })
    }
}

#[pymethods]
impl Network {
    #[new]
    #[pyo3(signature = (data, report = None))]
    fn new(py: Python<'_>, data: Bound<'_, PyBytes>, report: Option<String>) -> PyResult<Self> {
        let bytes = data.as_bytes();
        let model = py.detach(|| Model::load(bytes)).or_raise(py)?;
        Network::made(model, data.unbind(), report).or_raise(py)
    }

    /// Read a model file.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let bytes = py.detach(|| files::read("path", &path.to_string_lossy())).or_raise(py)?;
        Network::new(py, PyBytes::new(py, &bytes), None)
    }

    /// Write the model file: whole or not at all.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let bytes = self.file.bind(py).as_bytes();
        py.detach(|| files::write_atomically("path", &path.to_string_lossy(), bytes)).or_raise(py)
    }

    /// SHA-256 of the model file, in hex.
    #[getter]
    fn hash(&self) -> &str {
        self.model.hash()
    }

    /// Numbers of a row.
    #[getter]
    fn inputs(&self) -> usize {
        self.model.inputs()
    }

    /// Numbers of an answer: one a class, or one a regression target.
    #[getter]
    fn outputs(&self) -> usize {
        self.model.outputs()
    }

    /// The classes in the order of the outputs; none for regression.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.model.classes().to_vec()
    }

    /// The bytes of the model file.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> &Bound<'py, PyBytes> {
        self.file.bind(py)
    }

    /// The report of the training that made it; None for a model that was read from a file.
    #[getter]
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.report.as_ref().map(|report| parsed(py, report)).transpose()
    }

    /// Return what the model is.
    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        parsed(py, &self.model.describe())
    }

    /// Return the outputs for one row of raw numbers.
    #[pyo3(signature = (row, /))]
    fn run<'py>(&self, py: Python<'py>, row: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        if let Ok(row) = row.cast_exact::<PyArray1<f32>>() {
            if row.is_c_contiguous() {
                // SAFETY: the interpreter's lock is held until the row is read, and nothing else runs in between.
                return self.answer(py, unsafe { row.as_slice()? });
            }
        }
        let row = numbers_of("row", row)?;
        match row.cast::<PyArray1<f32>>() {
            // SAFETY: as above.
            Ok(row) => self.answer(py, unsafe { row.as_slice()? }),
            Err(_) => {
                let message = "row: not one row of numbers; allowed: an array of one dimension";
                Err(raise(py, &Error::data("row", message)))
            }
        }
    }

    /// Return the outputs for rows of raw numbers, shape (rows, outputs), written to `out` if it is given.
    #[pyo3(signature = (inputs, out = None))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        inputs: &Bound<'py, PyAny>,
        out: Option<Bound<'py, PyArray2<f32>>>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let shape = (self.model.inputs(), self.model.outputs());
        predict_into(py, shape, inputs, out, |values, rows, room| self.predict_rows(values, rows, room))
    }

    /// Return a CSV of predictions for the rows of a CSV, and their number.
    fn predict_csv<'py>(&self, py: Python<'py>, data: &[u8]) -> PyResult<(Bound<'py, PyBytes>, usize)> {
        let predicted = py.detach(|| self.model.predict_csv(data)).or_raise(py)?;
        Ok((PyBytes::new(py, &predicted.csv), predicted.rows))
    }

    /// Return how well the model does on rows with targets, as a path, bytes, or inputs and targets.
    #[pyo3(signature = (data, targets = None))]
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
        targets: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let found = match Dataset::of(Some(data), targets)? {
            Dataset::Rows(inputs, targets) => {
                let (rows, n_inputs, n_targets) = (inputs.shape()[0], inputs.shape()[1], targets.shape()[1]);
                let (inputs, targets) = (inputs.as_slice()?, targets.as_slice()?);
                py.detach(|| {
                    let bytes = neural::encode_arrays(inputs, rows, n_inputs, targets, n_targets, None);
                    self.model.evaluate_csv(&bytes)
                })
            }
            Dataset::Bytes(bytes, _) => {
                let bytes = bytes.as_bytes();
                py.detach(|| self.model.evaluate_csv(bytes))
            }
        };
        parsed(py, &found.or_raise(py)?)
    }

    /// Pickle as the model file and the report.
    #[allow(clippy::type_complexity)] // the shape that the protocol asks for
    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> (Bound<'py, PyType>, (Bound<'py, PyBytes>, Option<String>)) {
        (PyType::new::<Network>(py), (self.file.bind(py).clone(), self.report.clone()))
    }

    fn __eq__(&self, other: PyRef<'_, Network>) -> bool {
        self.model.hash() == other.model.hash()
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        PyString::new(py, self.model.hash()).hash()
    }

    fn __repr__(&self) -> String {
        let short = self.model.hash().get(..12).unwrap_or_default();
        format!("<Network {short} inputs={} outputs={}>", self.model.inputs(), self.model.outputs())
    }
}

impl Network {
    fn answer<'py>(&self, py: Python<'py>, row: &[f32]) -> PyResult<Bound<'py, PyArray1<f32>>> {
        // a thread that predicts many rows has the runner, and this one holds the interpreter's lock
        let Ok(mut runner) = self.runner.try_lock() else {
            let mut answer = vec![0.0; self.model.outputs()];
            self.model.predict_rows(row, 1, &mut answer).or_raise(py)?;
            return Ok(PyArray1::from_vec(py, answer));
        };
        let Runner { predictor, answer } = &mut *runner;
        predictor.row(row, answer).or_raise(py)?;
        Ok(PyArray1::from_slice(py, answer))
    }

    fn predict_rows(&self, values: &[f32], rows: usize, room: &mut [f32]) -> Result<(), Error> {
        match self.runner.try_lock() {
            Ok(mut runner) => runner.predictor.rows(0, values, room),
            Err(_) => self.model.predict_rows(values, rows, room),
        }
    }
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
    module.add_class::<Network>()?;
    module.add_class::<Session>()
}
