//! Work for a host, with a record of what it acknowledged; and the check of what a cut left.

use std::path::Path;

use ruv_swarm::store::Durability;
use ruv_swarm::{Host, Options};
use serde_json::{json, Value};
use tempfile::TempDir;

use crate::disk::{Ack, Draw, Image};
use crate::vfs::{look, Shared};

/// A folder for files that nobody needs to survive this test.
pub fn scratch() -> TempDir {
    // memory where there is some: the shim keeps its own account of what is synced
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// A number of the environment.
pub fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// Calls of many kinds and sizes.
pub struct Worker {
    draw: Draw,
    disk: Shared,
    /// Tasks that it holds: id, agent and epoch.
    held: Vec<(String, String, u64)>,
}

impl Worker {
    pub fn new(seed: u64, disk: &Shared) -> Worker {
        Worker { draw: Draw::new(seed ^ 0x5eed), disk: disk.clone(), held: Vec::new() }
    }

    /// Makes `calls` calls, and notes each of their events as acknowledged once the answer is there.
    pub fn work(&mut self, host: &Host, calls: u32) {
        if host.version().unwrap() == 0 {
            let before = host.version().unwrap();
            host.call("swarm_init", r#"{"swarmId":"s-cut","seed":7,"maxAgents":100000}"#, "").unwrap();
            self.note(host, before);
            let before = host.version().unwrap();
            host.call("agent_spawn", r#"{"type":"coder","count":4}"#, "").unwrap();
            self.note(host, before);
        }
        for _ in 0..calls {
            let before = host.version().unwrap();
            let (operation, request) = self.next();
            match host.call(operation, &request.to_string(), "") {
                Ok(answer) => {
                    self.note(host, before);
                    self.learn(operation, &request, &answer);
                }
                // another worker's doing; what the store says is trouble
                Err(error) => assert!(error.code.exit() == 2, "{operation} {request}: {error}"),
            }
        }
    }

    fn note(&self, host: &Host, before: u64) {
        // of several workers each notes what it sees, which is all committed
        let acks: Vec<Ack> = host.events(before, 10_000).unwrap().iter().map(|e| (e.seq, e.chain)).collect();
        look(&self.disk).acks.extend(acks);
    }

    fn next(&mut self) -> (&'static str, Value) {
        let agent = format!("a{}", 1 + self.draw.below(4));
        match self.draw.below(12) {
            0 => ("agent_spawn", json!({ "type": "coder" })),
            1..=4 => {
                let size = self.draw.below(3000) as usize;
                let count = 1 + self.draw.below(8);
                let task = |number| json!({ "name": format!("n{number}"), "description": "x".repeat(size) });
                ("task_submit", json!({ "tasks": (0..count).map(task).collect::<Vec<_>>() }))
            }
            5 | 6 => ("task_claim", json!({ "agentId": agent, "leaseMs": 600_000 })),
            7 if !self.held.is_empty() => {
                let (task, agent, epoch) = &self.held[0];
                ("task_heartbeat", json!({ "taskId": task, "agentId": agent, "epoch": epoch }))
            }
            8 | 9 if !self.held.is_empty() => {
                let (task, agent, epoch) = self.held.remove(0);
                let output = "y".repeat(self.draw.below(5000) as usize);
                let report = json!({
                    "taskId": task, "agentId": agent, "epoch": epoch, "outcome": "completed",
                    "output": json!(output).to_string(), "claimNext": self.draw.chance(1, 2),
                });
                ("task_report", report)
            }
            10 => {
                // base64 of anything: letters in groups of four
                let content = "QUJD".repeat(1 + self.draw.below(8000) as usize);
                ("artifact_put", json!({ "name": "bytes", "content": content }))
            }
            _ => ("agent_spawn", json!({ "type": "tester", "count": 2 })),
        }
    }

    fn learn(&mut self, operation: &str, request: &Value, answer: &str) {
        let answer: Value = serde_json::from_str(answer).unwrap();
        let task = match operation {
            "task_claim" => &answer["task"],
            "task_report" => &answer["next"],
            _ => return,
        };
        if let (Some(id), Some(epoch)) = (task["id"].as_str(), task["lease"]["epoch"].as_u64()) {
            let agent = request["agentId"].as_str().unwrap_or_default();
            self.held.push((id.to_string(), agent.to_string(), epoch));
        }
    }
}

/// Opens what a cut left as a fresh host does: every acknowledged event must be there, byte for byte
/// (their chain says so), the log whole, no command there by half, and the swarm able to go on.
pub fn check(image: &Image) -> Result<(), String> {
    let folder = scratch();
    image.write_to(folder.path());
    let options = Options::file(folder.path().join("swarm.db")).or_create().durability(Durability::Memory);
    let host = Host::open(options).map_err(|error| format!("does not open: {error}"))?;
    let events = host.events(0, u64::MAX).map_err(|error| format!("cannot be read: {error}"))?;
    for (seq, chain) in &image.acks {
        let found = events.get(*seq as usize - 1);
        if found.is_none_or(|event| event.seq != *seq || event.chain != *chain) {
            return Err(format!("event {seq} was acknowledged and is not there; {} are", events.len()));
        }
    }
    // Testers are always spawned two at a time.
    let testers = events.iter().filter(|event| event.body.contains(r#""type":"tester""#)).count();
    if testers % 2 == 1 {
        return Err(format!("of {testers} testers one came without the other"));
    }
    let replay = host.replay(true).map_err(|error| format!("does not replay: {error}"))?;
    if let Some(problem) = replay.problem {
        return Err(format!("is damaged: {problem}"));
    }
    let goes_on = host.call("swarm_init", r#"{"swarmId":"s-cut"}"#, "");
    let goes_on = goes_on.or_else(|_| host.call("agent_spawn", r#"{"type":"coder"}"#, ""));
    goes_on.map(drop).map_err(|error| format!("cannot go on: {error}"))
}
