//! The networks of ruv-swarm alone, for Node and browsers: train, run, predict.
//!
//! A module of its own, so that a page that only wants a network loads a tenth of the whole. The
//! binding holds no rules: an error is thrown as a JavaScript `Error` whose message is the core's
//! JSON object `{"code","message","field"}`, and numbers pass as typed arrays.
use wasm_bindgen::prelude::*;

mod network;
mod session;

use ruv_swarm_core::error::Error;
use ruv_swarm_core::neural;

/// The version of the core, equal to that of the package.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

/// Reads a dataset's bytes and returns its summary as JSON text.
#[wasm_bindgen(js_name = inspectData)]
pub fn inspect_data(bytes: &[u8], options: &str) -> Result<String, JsError> {
    neural::inspect_data(bytes, options).map_err(thrown)
}

/// Throws for a number of epochs between checkpoints, or a time limit in seconds, that is none.
#[wasm_bindgen(js_name = checkControl)]
pub fn check_control(
    #[wasm_bindgen(js_name = checkpointEvery)] checkpoint_every: Option<f64>,
    seconds: Option<f64>,
) -> Result<(), JsError> {
    // a cast of a float saturates and drops its fraction: what is no whole number from 1 on becomes 0
    let every = checkpoint_every.map(|every| if every % 1.0 == 0.0 { every as u64 } else { 0 });
    neural::door::check_limits("checkpointEvery", every, seconds).map_err(thrown)
}

/// The bundled sample dataset, for a first run without data.
#[wasm_bindgen(js_name = sampleData)]
pub fn sample_data() -> Vec<u8> {
    neural::sample().to_vec()
}

/// The JavaScript error for an error of the core.
pub(crate) fn thrown(error: Error) -> JsError {
    JsError::new(&error.to_json())
}
