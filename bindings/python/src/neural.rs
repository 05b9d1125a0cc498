//! The neural engine: numbers cross as buffers, never as text.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use numpy::{PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use ruv_swarm_core::neural as engine;
use ruv_swarm_core::{Code, Error};

use crate::errors::{raise, OrRaise};

type Files<'py> = (Bound<'py, PyBytes>, String);

#[pyclass(frozen, module = "ruv_swarm")]
struct Trainer {
    // taken out by finish
    trainer: Mutex<Option<engine::Trainer>>,
}

impl Trainer {
    fn lock(&self) -> MutexGuard<'_, Option<engine::Trainer>> {
        self.trainer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn finished() -> Error {
    Error::new(Code::FailedPrecondition, "", "this trainer is finished; make a new one")
}

#[pymethods]
impl Trainer {
    #[new]
    fn new(py: Python<'_>, data: &[u8], plan: &str, member: usize) -> PyResult<Self> {
        let trainer = py.detach(|| engine::Trainer::new(data, plan, member)).or_raise(py)?;
        Ok(Self { trainer: Mutex::new(Some(trainer)) })
    }

    fn run(&self, py: Python<'_>, epochs: u32) -> PyResult<String> {
        let work =
            || self.lock().as_mut().ok_or_else(finished)?.run(epochs).map(|progress| progress.to_json());
        py.detach(work).or_raise(py)
    }

    fn done(&self, py: Python<'_>) -> bool {
        py.detach(|| self.lock().as_ref().is_none_or(engine::Trainer::done))
    }

    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Files<'py>> {
        let work = || self.lock().take().ok_or_else(finished)?.finish();
        let result = py.detach(work).or_raise(py)?;
        Ok((PyBytes::new(py, &result.model), result.report_json))
    }
}

#[pyfunction]
fn fuse<'py>(py: Python<'py>, data: &[u8], plan: &str, models: Vec<Vec<u8>>) -> PyResult<Files<'py>> {
    let result = py.detach(|| engine::fuse(data, plan, &models)).or_raise(py)?;
    Ok((PyBytes::new(py, &result.model), result.report_json))
}

#[pyfunction]
#[pyo3(signature = (data, options="{}"))]
fn inspect_data(py: Python<'_>, data: &[u8], options: &str) -> PyResult<String> {
    py.detach(|| engine::inspect_data(data, options)).or_raise(py)
}

#[pyfunction]
fn sample(py: Python<'_>) -> Bound<'_, PyBytes> {
    PyBytes::new(py, engine::sample())
}

/// The canonical bytes of a dataset given as two float32 arrays of two dimensions.
#[pyfunction]
fn encode_arrays<'py>(
    py: Python<'py>,
    inputs: PyReadonlyArray2<'py, f32>,
    targets: PyReadonlyArray2<'py, f32>,
    task: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let task = match task {
        "" => None,
        "classification" => Some(engine::Task::Classification),
        "regression" => Some(engine::Task::Regression),
        _ => return Err(raise(py, &Error::not_one_of("task", task, &["classification", "regression"]))),
    };
    let (rows, n_inputs) = (inputs.shape()[0], inputs.shape()[1]);
    if targets.shape()[0] != rows {
        let message = format!("targets: {} rows; the inputs have {rows}", targets.shape()[0]);
        return Err(raise(py, &Error::data("targets", message)));
    }
    let (inputs, outputs) = (values(py, "inputs", &inputs)?, values(py, "targets", &targets)?);
    let n_targets = targets.shape()[1];
    Ok(PyBytes::new(py, &engine::encode_arrays(inputs, rows, n_inputs, outputs, n_targets, task)))
}

/// The array's own memory; arrays in another order are the caller's to copy.
fn values<'a>(py: Python<'_>, field: &str, array: &'a PyReadonlyArray2<'_, f32>) -> PyResult<&'a [f32]> {
    array.as_slice().map_err(|_| {
        let message =
            format!("{field}: the array is not contiguous in row order; give numpy.ascontiguousarray of it");
        raise(py, &Error::data(field, message))
    })
}

#[pyclass(frozen, module = "ruv_swarm")]
pub struct Model {
    model: Arc<engine::Model>,
    bytes: Arc<Vec<u8>>,
}

#[pymethods]
impl Model {
    #[new]
    fn new(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        let model = engine::Model::load(data).or_raise(py)?;
        Ok(Self { model: Arc::new(model), bytes: Arc::new(data.to_vec()) })
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.bytes)
    }

    #[getter]
    fn hash(&self) -> &str {
        self.model.hash()
    }

    #[getter]
    fn inputs(&self) -> usize {
        self.model.inputs()
    }

    #[getter]
    fn outputs(&self) -> usize {
        self.model.outputs()
    }

    #[getter]
    fn classes(&self) -> Vec<String> {
        self.model.classes().to_vec()
    }

    fn describe(&self) -> String {
        self.model.describe()
    }

    /// Predicts rows of a float32 array; reads its memory in place, and NumPy owns the result's.
    fn predict_rows<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray2<'py, f32>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (n, columns) = (rows.shape()[0], rows.shape()[1]);
        if columns != self.model.inputs() {
            let message = format!("rows: {columns} columns; the model takes {}", self.model.inputs());
            return Err(raise(py, &Error::data("rows", message)));
        }
        let inputs = values(py, "rows", &rows)?;
        let out = PyArray2::<f32>::zeros(py, [n, self.model.outputs()], false);
        {
            let mut writer = out.readwrite();
            let Ok(outputs) = writer.as_slice_mut() else {
                return Err(raise(py, &Error::new(Code::Internal, "", "the result is not contiguous")));
            };
            py.detach(|| self.model.predict_rows(inputs, n, outputs)).or_raise(py)?;
        }
        Ok(out)
    }

    fn predict_csv<'py>(&self, py: Python<'py>, data: &[u8]) -> PyResult<(Bound<'py, PyBytes>, usize)> {
        let predicted = py.detach(|| self.model.predict_csv(data)).or_raise(py)?;
        Ok((PyBytes::new(py, &predicted.csv), predicted.rows))
    }

    fn evaluate_csv(&self, py: Python<'_>, data: &[u8]) -> PyResult<String> {
        py.detach(|| self.model.evaluate_csv(data)).or_raise(py)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let bytes = PyBytes::new(slf.py(), &slf.get().bytes);
        Ok((slf.get_type().into_any(), (bytes,)))
    }

    fn __repr__(&self) -> String {
        format!(
            "<Model {} inputs={} outputs={}>",
            self.model.hash(),
            self.model.inputs(),
            self.model.outputs()
        )
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Trainer>()?;
    module.add_class::<Model>()?;
    module.add_function(wrap_pyfunction!(fuse, module)?)?;
    module.add_function(wrap_pyfunction!(inspect_data, module)?)?;
    module.add_function(wrap_pyfunction!(encode_arrays, module)?)?;
    module.add_function(wrap_pyfunction!(sample, module)?)
}
