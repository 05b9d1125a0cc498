//! Making a swarm, or joining the one that is there.

use ruv_swarm_core::error::Error;
use ruv_swarm_core::hash::{hex, sha256};
use ruv_swarm_core::Swarm;
use serde_json::{json, Map, Value};

use crate::host::{Host, Options};
use crate::store::{Location, Store};

/// Opens the store, made if it is not there, and makes the swarm or joins it; gives back the host
/// with the answer of `swarm_init`. A refused request leaves no file behind.
pub fn open(options: Options, request: &Map<String, Value>) -> Result<(Host, String), Error> {
    let there = match &options.location {
        Location::File(path) => Store::exists(path),
        Location::Memory => false,
    };
    if !there {
        Swarm::new().call("swarm_init", &with_draws(request, ""), 1, "")?;
    }
    let host = Host::open(options.or_create())?;
    let response = host.call("swarm_init", &Value::Object(request.clone()).to_string(), "")?;
    Ok((host, response))
}

/// A `swarm_init` request with what a host draws for a new swarm where it is absent: id and seed.
///
/// With an idempotency key they come from the key, so that a repeated call is the same request to
/// the core and gets the recorded answer; every host derives them alike.
pub(crate) fn with_draws(request: &Map<String, Value>, key: &str) -> String {
    let (id, seed) = match key {
        "" => (crate::random::swarm_id(), crate::random::seed()),
        key => {
            let digest = sha256(&[key.as_bytes()]);
            let seed = u32::from_be_bytes([digest[8], digest[9], digest[10], digest[11]]);
            (format!("s-{}", hex(&digest[..4])), u64::from(seed))
        }
    };
    let absent = |name: &str| request.get(name).is_none_or(|value| value.is_null() || value == "");
    let mut drawn = request.clone();
    if absent("swarmId") && absent("swarm_id") {
        drawn.remove("swarm_id");
        drawn.insert("swarmId".into(), json!(id));
    }
    if absent("seed") {
        drawn.insert("seed".into(), json!(seed));
    }
    Value::Object(drawn).to_string()
}
