//! Making a swarm, or joining the one that is there.

use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::Swarm;
use serde_json::{json, Map, Value};

use crate::host::{Host, Options};
use crate::store::{Location, Store};

/// The request with what the host draws for a new swarm: its id, and a seed if none was given.
fn with_draws(request: &Map<String, Value>) -> String {
    let mut request = request.clone();
    request.insert("swarmId".into(), json!(crate::random::swarm_id()));
    request.entry("seed").or_insert_with(|| json!(crate::random::seed()));
    Value::Object(request).to_string()
}

/// Opens the store, made if it is not there, and makes the swarm or joins it; gives back the host
/// with the answer of `swarm_init`. A refused request leaves no file behind.
pub fn open(options: Options, request: &Map<String, Value>) -> Result<(Host, String), Error> {
    let there = match &options.location {
        Location::File(path) => Store::exists(path),
        Location::Memory => false,
    };
    if !there {
        Swarm::new().call("swarm_init", &with_draws(request), 1, "")?;
    }
    let host = Host::open(options.or_create())?;
    let response = create_or_join(&host, request)?;
    Ok((host, response))
}

/// Makes the swarm, or joins the one that is there; the answer is that of `swarm_init`.
fn create_or_join(host: &Host, request: &Map<String, Value>) -> Result<String, Error> {
    if host.version()? == 0 {
        match host.call("swarm_init", &with_draws(request), "") {
            // another process was faster: join what it made
            Err(error) if error.code == Code::Conflict => {}
            answer => return answer,
        }
    }
    host.call("swarm_init", &Value::Object(request.clone()).to_string(), "")
}
