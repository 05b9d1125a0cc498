//! The core's errors as the exception classes of `ruv_swarm._errors`.

use pyo3::prelude::*;
use ruv_swarm_core::Error;

/// The exception object of an error.
pub fn instance<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let classes = py.import("ruv_swarm._errors")?;
    classes.call_method1("error_of", (error.code.as_str(), &error.message, &error.field))
}

/// The same, ready to be raised.
pub fn raise(py: Python<'_>, error: &Error) -> PyErr {
    match instance(py, error) {
        Ok(object) => PyErr::from_value(object),
        Err(import_failed) => import_failed,
    }
}

/// Results of the core as results of PyO3.
pub trait OrRaise<T> {
    /// The value, or the exception.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raise(py, &error))
    }
}
