//! One process of `examples/race.py`: clients that claim tasks from a swarm's file, each an agent.
//!
//! `race_worker DB FOLDER AGENT...`: a thread for each agent, all with one host.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use ruv_swarm::core::hash::{hex, sha256};
use ruv_swarm::{Host, Options};
use serde_json::{json, Value};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [db, folder, agents @ ..] = arguments.as_slice() else {
        return Err("race_worker DB FOLDER AGENT...".into());
    };
    let host = Host::open(Options::file(db))?;
    std::thread::scope(|scope| {
        let clients: Vec<_> =
            agents.iter().map(|agent| scope.spawn(|| client(&host, agent, Path::new(folder)))).collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| "a client panicked")?)
    })
}

/// Claims, works and reports until nothing is left; notes each answer before it goes on.
fn client(host: &Host, agent: &str, folder: &Path) -> Outcome {
    let mut notes = File::create(folder.join(format!("{agent}.jsonl")))?;
    let mut longest = Duration::ZERO;
    let mut call =
        |operation: &str, request: Value| -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
            let start = Instant::now();
            let answer = host.call(operation, &request.to_string(), "")?;
            longest = longest.max(start.elapsed());
            Ok(serde_json::from_str(&answer)?)
        };
    let mut task = call("task_claim", json!({ "agentId": agent }))?["task"].take();
    while let Some(id) = task["id"].as_str() {
        let epoch = &task["lease"]["epoch"];
        let output = hex(&sha256(&[task["payload"].as_str().unwrap_or_default().as_bytes()]));
        let report = json!({
            "taskId": id, "agentId": agent, "epoch": epoch, "outcome": "completed",
            "output": json!(output).to_string(), "claimNext": true,
        });
        let mut answer = call("task_report", report)?;
        writeln!(notes, "{}", json!({ "task": id, "epoch": epoch, "output": output }))?;
        task = answer["next"].take();
    }
    writeln!(notes, "{}", json!({ "longestMs": longest.as_secs_f64() * 1000.0 }))?;
    Ok(())
}
