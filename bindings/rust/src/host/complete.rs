//! What a host adds to a request before the core decides: draws for a new swarm, and the summary of
//! a dataset that the caller named by its hash alone.

use ruv_swarm_core::error::Code;
use ruv_swarm_core::neural::inspect_data;
use ruv_swarm_core::{Decision, Swarm};
use serde_json::{Map, Value};

use super::group::Refusal;
use super::Call;
use crate::init::with_draws;
use crate::store::Store;

/// Decides the call, completed by what only a host has.
pub(super) fn decide(store: &Store, swarm: &Swarm, now_ms: u64, call: &Call) -> Result<Decision, Refusal> {
    let decide = |request: &str| swarm.call(&call.operation, request, now_ms, &call.key);
    let decision = match call.operation.as_str() {
        "swarm_init" if swarm.version() == 0 || !call.key.is_empty() => {
            let Some(request) = object(&call.request) else {
                return decide(&call.request).map_err(Refusal::Request);
            };
            match decide(&with_draws(&request, &call.key)) {
                // the swarm was there and is not of this key's making: the caller joins it
                Err(error) if error.code == Code::Conflict => decide(&call.request),
                answer => answer,
            }
        }
        "task_orchestrate" => match with_summary(store, &call.request)? {
            Some(request) => decide(&request),
            None => decide(&call.request),
        },
        _ => decide(&call.request),
    };
    decision.map_err(Refusal::Request)
}

/// The request with the core's own summary of its dataset, if the caller left it to the host.
fn with_summary(store: &Store, request: &str) -> Result<Option<String>, Refusal> {
    if !request.contains("\"dataset\"") {
        return Ok(None);
    }
    let Some(mut fields) = object(request) else { return Ok(None) };
    let Some(Value::Object(dataset)) = fields.get_mut("dataset") else { return Ok(None) };
    let text = |name: &str| dataset.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
    let hash = text("hash");
    if hash.is_empty() || !text("summary").is_empty() {
        return Ok(None);
    }
    // bytes that are not there are the core's to refuse
    let Some(bytes) = store.artifact(&hash).map_err(Refusal::Store)? else { return Ok(None) };
    let summary = inspect_data(&bytes, "{}").map_err(Refusal::Request)?;
    dataset.insert("summary".into(), Value::String(summary));
    Ok(Some(Value::Object(fields).to_string()))
}

fn object(request: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(request).ok()
}
