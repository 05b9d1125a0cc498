//! The core of ruv-swarm for Node and browsers.
use wasm_bindgen::prelude::*;

/// The version of the core, equal to that of the package.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}
