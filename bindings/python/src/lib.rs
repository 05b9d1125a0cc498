//! `ruv_swarm._core`: the core and the Rust SQLite store for Python.
use pyo3::prelude::*;

/// The version of the core, equal to that of the package.
#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(version, module)?)
}
