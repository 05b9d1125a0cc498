//! Speed of decisions and of replay in memory, as JSON lines.
//!
//! `cargo run --release --example bench_ledger [TASKS]`: submits TASKS tasks (default 100,000) in
//! batches of 100, claims and reports each, then replays the log.

#![allow(clippy::disallowed_types, reason = "a bench reads the clock; the core itself does not")]

use std::time::Instant;

use ruv_swarm_core::Swarm;

fn main() {
    let tasks: u64 = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(100_000);
    let mut swarm = Swarm::new();
    let mut log: Vec<String> = Vec::new();
    let mut now = 1_000;
    let mut call = |swarm: &mut Swarm, operation: &str, request: &str| {
        now += 1;
        let decision = swarm.call(operation, request, now, "").expect("a valid command");
        for line in decision.events {
            swarm.apply(&line).expect("our own event");
            log.push(line);
        }
        decision.response
    };
    call(&mut swarm, "swarm_init", r#"{"swarmId":"s-bench","seed":1}"#);
    call(&mut swarm, "agent_spawn", r#"{"type":"coder","capacity":1000}"#);
    let batch: Vec<String> = (0..100).map(|i| format!(r#"{{"priority":"{}"}}"#, i % 100)).collect();
    let submit = format!(r#"{{"tasks":[{}]}}"#, batch.join(","));

    let started = Instant::now();
    for _ in 0..tasks / 100 {
        call(&mut swarm, "task_submit", &submit);
    }
    print("submit", tasks, started);

    let started = Instant::now();
    for _ in 0..tasks {
        let response = call(&mut swarm, "task_claim", r#"{"agentId":"a1","leaseMs":86400000}"#);
        let id = response.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a task");
        let report = format!(r#"{{"taskId":"{id}","agentId":"a1","epoch":1,"outcome":"completed"}}"#);
        call(&mut swarm, "task_report", &report);
    }
    print("claim and report (commands)", 2 * tasks, started);

    let started = Instant::now();
    let mut replayed = Swarm::new();
    for line in &log {
        replayed.apply(line).expect("our own event");
    }
    print("replay (events)", log.len() as u64, started);

    let started = Instant::now();
    assert_eq!(replayed.state_hash(), swarm.state_hash());
    print("two state hashes (tasks)", 2 * tasks, started);
}

fn print(what: &str, n: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!(r#"{{"what":"{what}","n":{n},"seconds":{seconds:.3},"perSecond":{:.0}}}"#, n as f64 / seconds);
}
