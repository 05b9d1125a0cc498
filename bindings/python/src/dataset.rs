//! Datasets as Python hands them over: a path, bytes, or arrays.

use std::path::PathBuf;

use numpy::PyReadonlyArray2;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use ruv_swarm::files;
use ruv_swarm_core::Error;

use crate::errors::{raise, OrRaise};
use crate::neural::pair_of;

/// A dataset as Python hands it over.
pub enum Dataset<'py> {
    /// Inputs and targets.
    Rows(PyReadonlyArray2<'py, f32>, PyReadonlyArray2<'py, f32>),
    /// The bytes, and the path of the file that held them.
    Bytes(Bound<'py, PyBytes>, Option<PathBuf>),
}

impl<'py> Dataset<'py> {
    /// What `data` is, beside `targets` or alone.
    pub fn of(
        data: Option<&Bound<'py, PyAny>>,
        targets: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Dataset<'py>> {
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
pub fn bytes_of<'py>(field: &str, given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
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
