//! `ruv_swarm._core`: the core and the Rust SQLite store for Python. It holds no rules.
#![allow(missing_docs)] // PyO3 makes public items of its own; what Python sees is documented in _core.pyi

mod errors;
mod host;
mod machine;
mod neural;

use pyo3::prelude::*;
use ruv_swarm_core as core;

use errors::raise;

/// The version of the core, equal to that of the package.
#[pyfunction]
fn version() -> &'static str {
    core::VERSION
}

#[pyfunction]
fn render(operation: &str, response: &str) -> String {
    core::render(operation, response)
}

#[pyfunction]
fn render_event(line: &str) -> String {
    core::render_event(line)
}

#[pyfunction]
fn attach_events(response: &str, lines: Vec<String>) -> String {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    core::attach_events(response, &lines)
}

#[pyfunction]
fn attach_artifact(response: &str, content: &[u8]) -> String {
    core::attach_artifact(response, content)
}

#[pyfunction]
fn operations() -> Vec<(&'static str, &'static str)> {
    core::OPERATIONS.to_vec()
}

#[pyfunction]
fn operation_kind(operation: &str) -> Option<&'static str> {
    core::operation_kind(operation)
}

/// The error object for trouble that a host met; the caller raises it.
#[pyfunction]
fn host_error(py: Python<'_>, kind: &str, field: &str, path: &str, detail: &str) -> PyResult<Py<PyAny>> {
    let words: Vec<&str> = core::HostTrouble::ALL.iter().map(|(word, _)| *word).collect();
    let trouble = core::HostTrouble::parse(kind)
        .ok_or_else(|| raise(py, &core::Error::not_one_of("kind", kind, &words)))?;
    errors::instance(py, &core::host_error(trouble, field, path, detail)).map(Bound::unbind)
}

/// Runs the command line; gives back its exit code.
#[pyfunction]
fn run_cli(py: Python<'_>, arguments: Vec<String>) -> i32 {
    py.detach(|| ruv_swarm::cli::run(arguments))
}

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("SCHEMA_SQL", core::SCHEMA_SQL)?;
    module.add("SCHEMA_VERSION", core::SCHEMA_VERSION)?;
    module.add("APPLICATION_ID", core::APPLICATION_ID)?;
    module.add("SAMPLE_MESSAGE", core::SAMPLE_MESSAGE)?;
    module.add_function(wrap_pyfunction!(version, module)?)?;
    module.add_function(wrap_pyfunction!(render, module)?)?;
    module.add_function(wrap_pyfunction!(render_event, module)?)?;
    module.add_function(wrap_pyfunction!(attach_events, module)?)?;
    module.add_function(wrap_pyfunction!(attach_artifact, module)?)?;
    module.add_function(wrap_pyfunction!(operations, module)?)?;
    module.add_function(wrap_pyfunction!(operation_kind, module)?)?;
    module.add_function(wrap_pyfunction!(host_error, module)?)?;
    module.add_function(wrap_pyfunction!(run_cli, module)?)?;
    machine::register(module)?;
    neural::register(module)?;
    host::register(module)
}
