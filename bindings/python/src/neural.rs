//! The neural engine: datasets, training in slices, fusion and prediction.
//!
//! Arrays of float32 in C order pass without a copy. Anything else that NumPy can read as numbers is
//! converted once, which rounds float64 to the nearest float32, as a CSV's numbers are.
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use numpy::{PyArray2, PyArrayMethods, PyReadonlyArray2, PyReadwriteArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyType};
use ruv_swarm::files;
use ruv_swarm_core::neural::{self, Task};
use ruv_swarm_core::{Code, Error};

use crate::errors::{raise, OrRaise};

/// `array` as rows of float32 in C order: itself if it is that already, else converted once.
fn rows_of<'py>(
    field: &str,
    array: &Bound<'py, PyAny>,
    column: bool,
) -> PyResult<PyReadonlyArray2<'py, f32>> {
    let py = array.py();
    if let Ok(array) = array.cast::<PyArray2<f32>>() {
        if array.is_c_contiguous() {
            return borrowed(field, array);
        }
    }
    let any = numbers_of(field, array)?;
    let shape: Vec<usize> = any.getattr("shape")?.extract()?;
    let any = match shape.len() {
        2 => any,
        1 if column => any.call_method1("reshape", ((shape[0], 1),))?,
        n => {
            let allowed = if column { "1 or 2" } else { "2, rows and columns" };
            let message = format!("{field}: an array of {n} dimensions; allowed: {allowed}");
            return Err(raise(py, &Error::data(field, message)));
        }
    };
    borrowed(field, any.cast::<PyArray2<f32>>()?)
}

/// `array` as float32 in C order; what is no numbers is refused.
pub fn numbers_of<'py>(field: &str, array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let numpy = py.import("numpy")?;
    let any = numpy.call_method1("asarray", (array,))?;
    let kind: char = any.getattr("dtype")?.getattr("kind")?.extract()?;
    if !matches!(kind, 'f' | 'i' | 'u' | 'b') {
        let dtype = any.getattr("dtype")?.str()?.to_string();
        let message = format!("{field}: an array of {dtype}; allowed: numbers");
        return Err(raise(py, &Error::data(field, message)));
    }
    let options = [("dtype", "float32")].into_py_dict(py)?;
    numpy.call_method("ascontiguousarray", (any,), Some(&options))
}

/// Rows of inputs with as many rows of targets.
pub fn pair_of<'py>(
    inputs: &Bound<'py, PyAny>,
    targets: &Bound<'py, PyAny>,
) -> PyResult<(PyReadonlyArray2<'py, f32>, PyReadonlyArray2<'py, f32>)> {
    let py = inputs.py();
    let (inputs, targets) = (rows_of("inputs", inputs, false)?, rows_of("targets", targets, true)?);
    let (rows, count) = (inputs.shape()[0], targets.shape()[0]);
    if rows != count {
        let message = format!("targets: {count} rows for {rows} rows of inputs; allowed: as many");
        return Err(raise(py, &Error::data("targets", message)));
    }
    Ok((inputs, targets))
}

fn borrowed<'py>(field: &str, array: &Bound<'py, PyArray2<f32>>) -> PyResult<PyReadonlyArray2<'py, f32>> {
    array.try_readonly().map_err(|_| raise(array.py(), &in_use(field)))
}

fn in_use(field: &str) -> Error {
    Error::new(Code::FailedPrecondition, field, format!("{field}: the array is being written to"))
}

/// Read a dataset's bytes and return its summary as JSON text.
#[pyfunction]
#[pyo3(signature = (data, options = ""))]
fn inspect_data(py: Python<'_>, data: &[u8], options: &str) -> PyResult<String> {
    py.detach(|| neural::inspect_data(data, options)).or_raise(py)
}

/// Return the canonical dataset bytes of arrays: rows of inputs, and their targets.
#[pyfunction]
#[pyo3(signature = (inputs, targets, task = ""))]
fn encode_arrays<'py>(
    py: Python<'py>,
    inputs: &Bound<'py, PyAny>,
    targets: &Bound<'py, PyAny>,
    task: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let task = Task::parse(task).or_raise(py)?;
    let (inputs, targets) = pair_of(inputs, targets)?;
    let rows = inputs.shape()[0];
    let (n_inputs, n_targets) = (inputs.shape()[1], targets.shape()[1]);
    let (inputs, targets) = (inputs.as_slice()?, targets.as_slice()?);
    let bytes = py.detach(|| neural::encode_arrays(inputs, rows, n_inputs, targets, n_targets, task));
    Ok(PyBytes::new(py, &bytes))
}

/// Return the bundled sample: iris as CSV, target `species`.
#[pyfunction]
fn sample(py: Python<'_>) -> Bound<'_, PyBytes> {
    PyBytes::new(py, neural::sample())
}

/// Fuse the members of a plan into one model; return the model file and the report.
#[pyfunction]
fn fuse<'py>(
    py: Python<'py>,
    data: &[u8],
    plan: &str,
    models: Vec<Vec<u8>>,
) -> PyResult<(Bound<'py, PyBytes>, String)> {
    let fused = py.detach(|| neural::fuse(data, plan, &models)).or_raise(py)?;
    Ok((PyBytes::new(py, &fused.model), fused.report_json))
}

/// Training of one member of a plan, in slices of epochs: slicing never changes a bit.
#[pyclass(frozen, module = "ruv_swarm")]
pub struct Trainer(Mutex<Option<neural::Trainer>>);

impl Trainer {
    fn with<T>(&self, work: impl FnOnce(&mut neural::Trainer) -> Result<T, Error>) -> Result<T, Error> {
        let mut trainer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(trainer.as_mut().ok_or_else(finished)?)
    }
}

fn finished() -> Error {
    Error::new(Code::FailedPrecondition, "", "the trainer is finished; make another to train again")
}

#[pymethods]
impl Trainer {
    #[new]
    fn new(py: Python<'_>, data: &[u8], plan: &str, member: usize) -> PyResult<Self> {
        let trainer = py.detach(|| neural::Trainer::new(data, plan, member)).or_raise(py)?;
        Ok(Trainer(Mutex::new(Some(trainer))))
    }

    /// Train at most `epochs` more; return the progress as JSON text.
    fn run(&self, py: Python<'_>, epochs: u32) -> PyResult<String> {
        py.detach(|| self.with(|trainer| Ok(trainer.run(epochs)?.to_json()))).or_raise(py)
    }

    /// Return the progress as JSON text.
    fn progress(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.with(|trainer| Ok(trainer.progress().to_json()))).or_raise(py)
    }

    /// Tell whether there is nothing left to train.
    fn done(&self, py: Python<'_>) -> PyResult<bool> {
        py.detach(|| self.with(|trainer| Ok(trainer.done()))).or_raise(py)
    }

    /// Return the member's model file and its report; the trainer ends.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyBytes>, String)> {
        let end = || {
            let trainer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            trainer.ok_or_else(finished)?.finish()
        };
        let result = py.detach(end).or_raise(py)?;
        Ok((PyBytes::new(py, &result.model), result.report_json))
    }
}

/// A trained network or ensemble, read from the bytes of a model file.
#[pyclass(frozen, module = "ruv_swarm")]
pub struct Model {
    model: neural::Model,
    file: Py<PyBytes>,
}

#[pymethods]
impl Model {
    #[new]
    fn new(py: Python<'_>, data: Bound<'_, PyBytes>) -> PyResult<Self> {
        let bytes = data.as_bytes();
        let model = py.detach(|| neural::Model::load(bytes)).or_raise(py)?;
        Ok(Model { model, file: data.unbind() })
    }

    /// Read a model file.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let bytes = py.detach(|| files::read("path", &path.to_string_lossy())).or_raise(py)?;
        Model::new(py, PyBytes::new(py, &bytes))
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

    /// Numbers of a row of `predict`.
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

    /// Return what the model is, as JSON text.
    fn describe(&self) -> String {
        self.model.describe()
    }

    /// Return the outputs for raw rows, shape (rows, outputs), written to `out` if it is given.
    ///
    /// Float32 in C order passes without a copy; other numbers are converted once.
    #[pyo3(signature = (inputs, out = None))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        inputs: &Bound<'py, PyAny>,
        out: Option<Bound<'py, PyArray2<f32>>>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let shape = (self.model.inputs(), self.model.outputs());
        predict_into(py, shape, inputs, out, |values, rows, room| self.model.predict_rows(values, rows, room))
    }

    /// Return a CSV of predictions for the rows of a CSV, and their number.
    fn predict_csv<'py>(&self, py: Python<'py>, data: &[u8]) -> PyResult<(Bound<'py, PyBytes>, usize)> {
        let predicted = py.detach(|| self.model.predict_csv(data)).or_raise(py)?;
        Ok((PyBytes::new(py, &predicted.csv), predicted.rows))
    }

    /// Return how well the model does on the rows of a CSV with targets, as JSON text.
    fn evaluate_csv(&self, py: Python<'_>, data: &[u8]) -> PyResult<String> {
        py.detach(|| self.model.evaluate_csv(data)).or_raise(py)
    }

    /// Pickle as the model file.
    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (Bound<'py, PyBytes>,)) {
        (PyType::new::<Model>(py), (self.file.bind(py).clone(),))
    }

    fn __eq__(&self, other: PyRef<'_, Model>) -> bool {
        self.model.hash() == other.model.hash()
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        pyo3::types::PyString::new(py, self.model.hash()).hash()
    }

    fn __repr__(&self) -> String {
        let short = self.model.hash().get(..12).unwrap_or_default();
        format!("<Model {short} inputs={} outputs={}>", self.model.inputs(), self.model.outputs())
    }
}

/// The answers of a model of this many inputs and outputs for raw rows, written to `out` if it is given.
pub fn predict_into<'py>(
    py: Python<'py>,
    (wanted, outputs): (usize, usize),
    inputs: &Bound<'py, PyAny>,
    out: Option<Bound<'py, PyArray2<f32>>>,
    answer: impl Fn(&[f32], usize, &mut [f32]) -> Result<(), Error> + Send + Sync,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let inputs = rows_of("inputs", inputs, false)?;
    let (rows, columns) = (inputs.shape()[0], inputs.shape()[1]);
    if columns != wanted {
        let message = format!("inputs: rows of {columns} numbers; allowed: {wanted}");
        return Err(raise(py, &Error::data("inputs", message)));
    }
    let shape = [rows, outputs];
    let answers = match out {
        Some(out) if out.shape() == shape && out.is_c_contiguous() => out,
        Some(_) => {
            let message = format!("out: allowed: float32 in C order, shape {shape:?}");
            return Err(raise(py, &Error::invalid("out", message)));
        }
        None => PyArray2::zeros(py, shape, false),
    };
    {
        let mut room: PyReadwriteArray2<'_, f32> =
            answers.try_readwrite().map_err(|_| raise(py, &in_use("out")))?;
        let (values, room) = (inputs.as_slice()?, room.as_slice_mut()?);
        py.detach(|| answer(values, rows, room)).or_raise(py)?;
    }
    Ok(answers)
}

/// Registers what this file defines.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Trainer>()?;
    module.add_class::<Model>()?;
    module.add_function(wrap_pyfunction!(inspect_data, module)?)?;
    module.add_function(wrap_pyfunction!(encode_arrays, module)?)?;
    module.add_function(wrap_pyfunction!(sample, module)?)?;
    module.add_function(wrap_pyfunction!(fuse, module)?)
}
