//! The core of ruv-swarm for Node and browsers.
//!
//! The binding holds no rules: it turns strings, numbers and typed arrays of JavaScript into those
//! of the core and back. Requests and responses are JSON text; numeric arrays are typed arrays and
//! never pass as JSON. An error is thrown as a JavaScript `Error` whose message is the core's JSON
//! object `{"code","message","field"}`.
use wasm_bindgen::prelude::*;

pub mod door;
pub mod neural;
pub mod swarm;

use ruv_swarm_core::error::{host_error as core_host_error, Code, Error, HostTrouble};

/// The version of the core, equal to that of the package.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

/// Every error code as JSON: `[{"code","exit","grpc","jsonRpc","class"}]`.
#[wasm_bindgen(js_name = errorCodes)]
pub fn error_codes() -> String {
    let one = |code: &Code| {
        format!(
            r#"{{"code":"{}","exit":{},"grpc":"{}","jsonRpc":{},"class":"{}"}}"#,
            code.as_str(),
            code.exit(),
            code.grpc(),
            code.json_rpc(),
            code.class()
        )
    };
    format!("[{}]", Code::ALL.iter().map(one).collect::<Vec<_>>().join(","))
}

/// The core's words for trouble that only a host can meet, as the JSON object of an error.
#[wasm_bindgen(js_name = hostError)]
pub fn host_error(kind: &str, field: &str, path: &str, detail: &str) -> String {
    match HostTrouble::parse(kind) {
        Some(kind) => core_host_error(kind, field, path, detail).to_json(),
        None => {
            let kinds: Vec<&str> = HostTrouble::ALL.iter().map(|(word, _)| *word).collect();
            Error::not_one_of("kind", kind, &kinds).to_json()
        }
    }
}

/// The JavaScript error for an error of the core.
pub(crate) fn thrown(error: Error) -> JsError {
    JsError::new(&error.to_json())
}
