//! `ruv_swarm._core`: the core and the Rust SQLite store for Python.
//!
//! The binding holds no rules: it turns text, numbers and buffers of Python into those of the core
//! and back. Requests and responses are JSON text; numeric arrays pass as NumPy buffers. What may
//! take long runs with the interpreter's lock released.
#![allow(missing_docs)] // PyO3 makes public items of its own; what Python sees is documented in _core.pyi

mod dataset;
mod errors;
mod host;
mod machine;
mod network;
mod neural;
mod session;
mod work;

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use ruv_swarm_core as core;

use errors::{raise, OrRaise};

/// Return the version of the core, equal to that of the package.
#[pyfunction]
fn version() -> &'static str {
    core::VERSION
}

/// Return the text for people that goes with a response.
#[pyfunction]
fn render(operation: &str, response: &str) -> String {
    core::render(operation, response)
}

/// Return the line for people that goes with an event.
#[pyfunction]
fn render_event(event_line: &str) -> String {
    core::render_event(event_line)
}

/// Put the event lines into the response that asked for them.
#[pyfunction]
#[pyo3(signature = (response, lines, filter = ""))]
fn attach_events(response: &str, lines: Vec<String>, filter: &str) -> String {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    core::attach_events(response, &lines, filter)
}

/// Put an artifact's bytes into the response that asked for them.
#[pyfunction]
fn attach_artifact(py: Python<'_>, response: &str, content: &[u8]) -> String {
    py.detach(|| core::attach_artifact(response, content))
}

/// Return name and kind of every operation, in the order of the catalogue.
#[pyfunction]
fn operations() -> Vec<(&'static str, &'static str)> {
    core::OPERATIONS.to_vec()
}

/// Return `command`, `query`, or None if there is no such operation.
#[pyfunction]
fn operation_kind(operation: &str) -> Option<&'static str> {
    core::operation_kind(operation)
}

/// Return code, exit code, gRPC status, JSON-RPC code and class of every error.
#[pyfunction]
fn error_codes() -> Vec<(&'static str, u8, &'static str, i32, &'static str)> {
    let row = |code: &core::Code| (code.as_str(), code.exit(), code.grpc(), code.json_rpc(), code.class());
    core::Code::ALL.iter().map(row).collect()
}

/// Return the error for trouble that only a host can meet, in the core's words.
#[pyfunction]
fn host_error(py: Python<'_>, kind: &str, field: &str, path: &str, detail: &str) -> PyResult<Py<PyAny>> {
    let words: Vec<&str> = core::HostTrouble::ALL.iter().map(|(word, _)| *word).collect();
    let trouble = core::HostTrouble::parse(kind)
        .ok_or_else(|| raise(py, &core::Error::not_one_of("kind", kind, &words)))?;
    errors::instance(py, &core::host_error(trouble, field, path, detail)).map(Bound::unbind)
}

/// Return all bytes of the file that was given as `field`.
#[pyfunction]
fn read_file<'py>(py: Python<'py>, field: &str, path: PathBuf) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = py.detach(|| ruv_swarm::files::read(field, &path.to_string_lossy())).or_raise(py)?;
    Ok(PyBytes::new(py, &bytes))
}

/// Run the command line, the program's name first, and return its exit code.
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
    module.add_function(wrap_pyfunction!(error_codes, module)?)?;
    module.add_function(wrap_pyfunction!(host_error, module)?)?;
    module.add_function(wrap_pyfunction!(read_file, module)?)?;
    module.add_function(wrap_pyfunction!(run_cli, module)?)?;
    machine::register(module)?;
    neural::register(module)?;
    network::register(module)?;
    session::register(module)?;
    host::register(module)?;
    work::register(module)
}
