//! Speed of decisions and of replay in memory, as JSON lines.
//!
//! `bench_ledger mix [TASKS] [BLOCKS]` decides and applies a mix of commands while TASKS tasks
//! (default 100,000) wait, and replays the log. `bench_ledger claims TASKS AGENTS [N]` times N single
//! claims (default 2,000) with so many waiting tasks and agents.
//!
//! The mix is timed in CPU time of its thread where the system tells it, so that other processes of
//! the machine do not count; single claims by the clock, of which the median is what it is.

#![allow(clippy::disallowed_types, reason = "a bench reads the clock; the core itself does not")]

#[path = "ledger_loop/cpu_clock.rs"]
mod cpu_clock;
mod ledger_loop;

use std::time::Instant;

use cpu_clock::cpu_ms;
use ledger_loop::Bench;

/// Goals among which the waiting tasks are divided.
const GOALS: u64 = 64;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |place: usize, usual: u64| args.get(place).and_then(|word| word.parse().ok()).unwrap_or(usual);
    let start = Instant::now();
    let clock = move || start.elapsed().as_secs_f64() * 1e3;
    match args.first().map_or("mix", String::as_str) {
        "claims" => claims(number(1, 100_000), number(2, 100), number(3, 2_000), &clock),
        _ => mix(number(1, 100_000), number(2, 20), &cpu_ms),
    }
}

fn mix(tasks: u64, blocks: u64, clock: &dyn Fn() -> f64) {
    let mut bench = Bench::new(tasks, 1_000, GOALS);
    bench.mix(2, clock);
    for timing in bench.mix(blocks, clock) {
        println!("{}", timing.json(tasks));
    }
    println!("{}", bench.replay(clock).json(tasks));
    println!("{}", bench.decode(clock).json(tasks));
    println!("{}", bench.chain(clock).json(tasks));
}

fn claims(tasks: u64, agents: u64, n: u64, clock: &dyn Fn() -> f64) {
    let mut bench = Bench::new(tasks, agents, GOALS);
    bench.claims(n / 10, clock);
    let mut times = bench.claims(n, clock);
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN) * 1e3;
    println!(
        r#"{{"what":"claim","tasks":{tasks},"agents":{agents},"n":{},"medianUs":{:.3},"p95Us":{:.3}}}"#,
        times.len(),
        at(0.5),
        at(0.95)
    );
}
