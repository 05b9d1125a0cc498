//! Making a swarm, or joining the one that is there.

use ruv_swarm_core::error::{Code, Error};
use serde_json::{json, Map, Value};

use crate::host::Host;

/// The request with what the host draws for a new swarm: its id, and a seed if none was given.
pub(crate) fn with_draws(request: &Map<String, Value>) -> String {
    let mut request = request.clone();
    request.insert("swarmId".into(), json!(crate::random::swarm_id()));
    request.entry("seed").or_insert_with(|| json!(crate::random::seed()));
    Value::Object(request).to_string()
}

/// Makes the swarm, or joins the one that is there; the answer is that of `swarm_init`.
pub fn create_or_join(host: &Host, request: &Map<String, Value>) -> Result<String, Error> {
    if host.version()? == 0 {
        match host.call("swarm_init", &with_draws(request), "") {
            // another process was faster: join what it made
            Err(error) if error.code == Code::Conflict => {}
            answer => return answer,
        }
    }
    host.call("swarm_init", &Value::Object(request.clone()).to_string(), "")
}
