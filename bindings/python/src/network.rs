//! One trained network: kept, described and run.

use std::path::PathBuf;
use std::sync::Mutex;

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString, PyType};
use ruv_swarm::files;
use ruv_swarm_core::neural::{self, Model, Predictor};
use ruv_swarm_core::Error;

use crate::dataset::Dataset;
use crate::errors::{raise, OrRaise};
use crate::neural::{numbers_of, predict_into};

/// JSON text as Python's own values.
fn parsed<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let loads =
        LOADS.get_or_try_init(py, || Ok::<_, PyErr>(py.import("json")?.getattr("loads")?.unbind()))?;
    loads.bind(py).call1((json,))
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
    /// A network of its parts.
    pub fn made(model: Model, file: Py<PyBytes>, report: Option<String>) -> Result<Network, Error> {
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

    /// Return the weights of each layer, the output layer last: shape (units, inputs + 1), the bias last.
    #[pyo3(signature = (member = 0))]
    fn weights<'py>(&self, py: Python<'py>, member: usize) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let layers = self.model.layers(member).ok_or_else(|| {
            let message = format!("member: {member}; there is no such member of the model");
            raise(py, &Error::invalid("member", message))
        })?;
        let array = |layer: neural::LayerWeights| {
            let shape = [layer.outputs, layer.inputs + 1];
            Ok(PyArray1::from_vec(py, layer.weights).reshape(shape)?.into_any())
        };
        layers.into_iter().map(array).collect()
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

/// Registers what this file defines.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Network>()
}
