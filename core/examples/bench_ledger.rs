//! Speed of decisions and of replay in memory, as JSON lines.
//!
//! `bench_ledger mix [TASKS] [BLOCKS]` decides and applies a mix of commands while TASKS tasks
//! (default 100,000) wait, and replays the log. `bench_ledger claims TASKS AGENTS [N]` times N single
//! claims (default 2,000) with so many waiting tasks and agents.
//!
//! The mix is timed in CPU time of its thread where the system tells it, so that other processes of
//! the machine do not count; single claims by the clock, of which the median is what it is.

#![allow(clippy::disallowed_types, reason = "a bench reads the clock; the core itself does not")]

mod ledger_loop;

use std::time::Instant;

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

/// CPU time of this thread, in ms.
#[cfg(target_os = "linux")]
fn cpu_ms() -> f64 {
    #[repr(C)]
    struct Timespec {
        seconds: i64,
        nanoseconds: i64,
    }
    extern "C" {
        fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
    }
    const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: the C library, which std links, fills in the struct that it is given.
    let failed = unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0, "the system tells the CPU time of a thread");
    time.seconds as f64 * 1e3 + time.nanoseconds as f64 / 1e6
}

/// The clock, where the CPU time of a thread is not to be had.
#[cfg(not(target_os = "linux"))]
fn cpu_ms() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e3
}

fn mix(tasks: u64, blocks: u64, clock: &dyn Fn() -> f64) {
    let mut bench = Bench::new(tasks, 1_000, GOALS);
    bench.mix(2, clock);
    for timing in bench.mix(blocks, clock) {
        println!("{}", timing.json(tasks));
    }
    println!("{}", bench.replay(clock).json(tasks));
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
