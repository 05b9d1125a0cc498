//! A host that tests drive from outside, to be killed, stopped and starved: a request a line on
//! standard input, an answer a line on standard output.
//!
//! `fault_host DB`: `{"op":"task_claim","request":{...},"key":"k"}` is answered with
//! `{"ok":{...},"events":[[SEQ,LINE,CHAIN],...]}`, the events that the log has got since the last
//! line, or with `{"error":{"code":...,"message":...}}`; `{"op":"replay"}` with what a replay finds.

use std::io::{BufRead, Write};

use ruv_swarm::core::hash::hex;
use ruv_swarm::{Error, Host, Options};
use serde_json::{json, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("fault_host DB")?;
    let host = Host::open(Options::file(path).or_create())?;
    let mut seen = host.version()?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let call: Value = serde_json::from_str(&line?)?;
        let answer = answer(&host, &call, &mut seen).unwrap_or_else(
            |error| json!({ "error": { "code": error.code.as_str(), "message": error.message } }),
        );
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(host: &Host, call: &Value, seen: &mut u64) -> Result<Value, Error> {
    let text = |name: &str| call[name].as_str().unwrap_or_default();
    if text("op") == "replay" {
        let replay = host.replay(true)?;
        return Ok(json!({ "ok": { "ok": replay.problem.is_none(), "events": replay.events } }));
    }
    let ok = host.call(text("op"), &call["request"].to_string(), text("key"))?;
    let mut events = Vec::new();
    for event in host.events(*seen, u64::MAX)? {
        *seen = event.seq;
        events.push(json!([event.seq, event.body, hex(&event.chain)]));
    }
    let ok: Value = serde_json::from_str(&ok).unwrap_or_default();
    Ok(json!({ "ok": ok, "events": events }))
}
