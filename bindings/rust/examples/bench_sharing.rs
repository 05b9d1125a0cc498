//! One of several processes on one file: `bench_sharing FOLDER` reads lines of JSON, `{"seconds": s}`,
//! and in that time claims and reports one task after the other; each call waits for its commit.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use ruv_swarm::{Host, Options};
use serde_json::{json, Value};

type Trouble = Box<dyn std::error::Error>;

/// Tasks that a worker adds when it finds none.
const SUPPLY: usize = 500;

fn main() -> Result<(), Trouble> {
    let folder = std::env::args().nth(1).ok_or("usage: bench_sharing FOLDER")?;
    let host = Host::open(Options::file(Path::new(&folder).join("swarm.db")).or_create())?;
    host.call("swarm_init", r#"{"swarmId":"s-bench","seed":1}"#, "")?;
    let made: Value = serde_json::from_str(&host.call("agent_spawn", r#"{"type":"coder"}"#, "")?)?;
    let agent = made["agents"][0]["id"].as_str().ok_or("no agent")?.to_string();
    let mut worker = Worker { host, agent, times: vec![], claims: 0 };
    answer(&json!({ "ready": true }))?;
    for line in std::io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let time = Duration::from_secs_f64(asked["seconds"].as_f64().ok_or("seconds: missing")?);
        let start = Instant::now();
        (worker.times, worker.claims) = (vec![], 0);
        while start.elapsed() < time {
            worker.one_task()?;
        }
        let seconds = start.elapsed().as_secs_f64();
        answer(&json!({ "done": worker.claims, "seconds": seconds, "ms": worker.times }))?;
    }
    Ok(())
}

fn answer(value: &Value) -> Result<(), Trouble> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    Ok(out.flush()?)
}

struct Worker {
    host: Host,
    agent: String,
    times: Vec<f64>,
    claims: u64,
}

impl Worker {
    fn call(&mut self, operation: &str, request: &Value) -> Result<Value, Trouble> {
        let start = Instant::now();
        let response = self.host.call(operation, &request.to_string(), "")?;
        self.times.push(start.elapsed().as_secs_f64() * 1e3);
        Ok(serde_json::from_str(&response)?)
    }

    fn one_task(&mut self) -> Result<(), Trouble> {
        let agent = self.agent.clone();
        let claimed = self.call("task_claim", &json!({ "agentId": agent, "leaseMs": 86_400_000 }))?;
        let Some(id) = claimed["task"]["id"].as_str() else {
            let tasks = vec![json!({}); SUPPLY];
            self.call("task_submit", &json!({ "tasks": tasks }))?;
            return Ok(());
        };
        self.claims += 1;
        let epoch = &claimed["task"]["lease"]["epoch"];
        let report = json!({ "taskId": id, "agentId": agent, "epoch": epoch, "outcome": "completed" });
        self.call("task_report", &report)?;
        Ok(())
    }
}
