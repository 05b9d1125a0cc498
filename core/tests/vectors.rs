//! The shared vectors, replayed on the native core: every answer, event byte and hash, and the
//! catalogue covered. The other targets replay the same files in `tests/conformance`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ruv_swarm_core::event::Event;
use ruv_swarm_core::hash::hex;
use ruv_swarm_core::{attach_artifact, attach_events, Attach, Error, Swarm, OPERATIONS};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/operations")
}

/// Name and content of every vector.
fn vectors() -> Vec<(String, Value)> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        (path.file_stem().unwrap().to_string_lossy().into(), serde_json::from_str(&text).unwrap())
    };
    let found: Vec<(String, Value)> = paths.iter().map(read).collect();
    assert!(found.len() >= 10, "{} vectors", found.len());
    found
}

fn steps(vector: &Value) -> &[Value] {
    vector["steps"].as_array().unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn lines(step: &Value) -> Vec<String> {
    step["events"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_string()).collect()
}

fn log(vector: &Value) -> Vec<String> {
    steps(vector).iter().flat_map(lines).collect()
}

#[derive(Default)]
struct Host {
    swarm: Swarm,
    log: Vec<String>,
    artifacts: Vec<Vec<u8>>,
}

impl Host {
    fn answer(&mut self, step: &Value) -> Result<(String, Vec<String>), Error> {
        let (operation, request) = (text(step, "operation"), text(step, "request"));
        let now = step["nowMs"].as_u64().unwrap();
        let decision = self.swarm.call(operation, request, now, text(step, "key"))?;
        for line in &decision.events {
            self.swarm.apply(line).unwrap();
        }
        self.log.extend(decision.events.iter().cloned());
        if operation == "artifact_put" {
            use base64::Engine;
            let request: Value = serde_json::from_str(request).unwrap();
            let content = request["content"].as_str().unwrap_or_default();
            self.artifacts.push(base64::engine::general_purpose::STANDARD.decode(content).unwrap());
        }
        let response = match decision.attach {
            None => decision.response,
            Some(Attach::Events { after, limit, filter }) => {
                let wanted = self.log.iter().skip(after as usize).take(limit as usize);
                let wanted: Vec<&str> = wanted.map(String::as_str).collect();
                attach_events(&decision.response, &wanted, &filter)
            }
            Some(Attach::Artifact { hash }) => {
                let same = |bytes: &&Vec<u8>| hex(&ruv_swarm_core::hash::sha256(&[bytes])) == hash;
                let bytes = self.artifacts.iter().find(same).cloned().unwrap_or_default();
                attach_artifact(&decision.response, &bytes)
            }
        };
        Ok((response, decision.events))
    }
}

fn check_end(swarm: &Swarm, end: &Value, name: &str) {
    assert_eq!(swarm.version(), end["version"], "{name}");
    assert_eq!(swarm.last_at_ms(), end["lastAtMs"], "{name}");
    assert_eq!(hex(&swarm.chain_head()), text(end, "chain"), "{name}");
    assert_eq!(swarm.pending_effects(), text(end, "pendingEffects"), "{name}");
    assert_eq!(swarm.next_deadline(), end["nextDeadline"].as_u64(), "{name}");
    assert_eq!(hex(&swarm.state_hash()), text(end, "stateHash"), "{name}");
}

#[test]
fn every_answer_event_byte_and_hash_is_as_recorded() {
    for (name, vector) in vectors() {
        let mut host = Host::default();
        for (place, step) in steps(&vector).iter().enumerate() {
            let place =
                format!("{name}, step {place}: {} {}", text(step, "operation"), text(step, "request"));
            match host.answer(step) {
                Ok((response, events)) => {
                    assert_eq!(response, text(step, "response"), "{place}");
                    assert_eq!(events, lines(step), "{place}");
                }
                Err(error) => {
                    let told: Value = serde_json::from_str(&error.to_json()).unwrap();
                    assert_eq!(told, step["error"], "{place}");
                    assert!(lines(step).is_empty(), "{place}");
                }
            }
        }
        check_end(&host.swarm, &vector["end"], &name);
    }
}

#[test]
fn replay_alone_and_snapshot_with_tail_give_the_recorded_end() {
    for (name, vector) in vectors() {
        let log = log(&vector);
        let mut replayed = Swarm::new();
        let mut snapshots = vec![replayed.snapshot()];
        for line in &log {
            replayed.apply(line).unwrap();
            snapshots.push(replayed.snapshot());
        }
        check_end(&replayed, &vector["end"], &name);
        for (cut, snapshot) in snapshots.iter().enumerate() {
            let mut restored = Swarm::restore(snapshot).unwrap();
            for line in log.iter().skip(cut) {
                restored.apply(line).unwrap();
            }
            check_end(&restored, &vector["end"], &format!("{name}, snapshot after event {cut}"));
        }
    }
}

#[test]
fn the_vectors_cover_the_catalogue() {
    let (mut done, mut refused, mut kinds) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (_, vector) in vectors() {
        for step in steps(&vector) {
            let list = if step["error"].is_null() { &mut done } else { &mut refused };
            list.insert(text(step, "operation").to_string());
            for line in lines(step) {
                let event: Value = serde_json::from_str(&line).unwrap();
                kinds.insert(text(&event, "kind").to_string());
            }
        }
    }
    for (operation, _) in OPERATIONS {
        assert!(done.contains(*operation), "no vector in which {operation} succeeds");
        assert!(refused.contains(*operation), "no vector in which {operation} is refused");
    }
    for kind in Event::KINDS {
        assert!(kinds.contains(*kind), "no vector with the event {kind}");
    }
}
