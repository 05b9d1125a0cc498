//! Durable events a second beside raw SQLite in the same run, as one JSON line.
//!
//! `bench_store [SECONDS] [FOLDER]`: each part runs for so many seconds (default 1), on the disk of
//! the folder (default the current one). Ratios of one run mean something; absolute figures are those
//! of this disk, with synchronous=FULL on both sides.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{params, Connection};
use ruv_swarm::{Call, Error, Host, Options};
use serde_json::json;

/// Events of one transaction in the grouped parts.
const GROUP: usize = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let seconds: f64 = args.next().map_or(Ok(1.0), |text| text.parse())?;
    let folder = PathBuf::from(args.next().unwrap_or_else(|| ".".into()));
    let time = Duration::from_secs_f64(seconds);
    let scratch = folder.join(format!(".bench-store-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let figures = measure(&scratch, time);
    std::fs::remove_dir_all(&scratch)?;
    println!("{}", figures?);
    Ok(())
}

fn measure(folder: &Path, time: Duration) -> Result<serde_json::Value, Box<dyn std::error::Error>> {
    let syncs = rate(time, 1, || sync_rate(folder))?;
    let raw_one = raw_rate(&folder.join("raw-one.db"), time, 1)?;
    let raw_many = raw_rate(&folder.join("raw-many.db"), time, GROUP)?;
    let one = host_rate(&folder.join("one.db"), time, 1)?;
    let many = host_rate(&folder.join("many.db"), time, GROUP)?;
    let threads = threads_rate(&folder.join("threads.db"), time, 8)?;
    Ok(json!({
        "durability": "full", "group": GROUP, "secondsEach": time.as_secs_f64(),
        "fsyncPerSecond": syncs.round(),
        "rawOneAtATime": raw_one.round(), "rawGrouped": raw_many.round(),
        "oneAtATime": one.round(), "grouped": many.round(), "eightThreads": threads.round(),
        "oneAtATimeOfRaw": one / raw_one, "groupedOfRaw": many / raw_many,
    }))
}

/// How many units a second `work` does, `each` a call.
fn rate<E>(time: Duration, each: usize, mut work: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let start = Instant::now();
    let mut done = 0usize;
    while start.elapsed() < time {
        work()?;
        done += each;
    }
    Ok(done as f64 / start.elapsed().as_secs_f64())
}

fn sync_rate(folder: &Path) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("sync"))?;
    file.write_all(&[7; 512])?;
    file.sync_data()
}

/// The same event rows into the same tables by hand, `group` a transaction.
fn raw_rate(path: &Path, time: Duration, group: usize) -> rusqlite::Result<f64> {
    let connection = Connection::open(path)?;
    connection.execute_batch(ruv_swarm::core::SCHEMA_SQL)?;
    connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous=FULL")?;
    let sql = "INSERT INTO event (seq, swarm, at_ms, kind, body, chain) VALUES (?1, 's', ?2, 'TaskSubmitted', ?3, ?4)";
    let body = "x".repeat(200);
    let mut seq = 0i64;
    rate(time, group, || {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..group {
            seq += 1;
            connection.prepare_cached(sql)?.execute(params![seq, seq, body, [0u8; 32]])?;
        }
        connection.execute_batch("COMMIT")
    })
}

fn open(path: &Path) -> Result<Host, Error> {
    let host = Host::open(Options::file(path).or_create())?;
    host.call("swarm_init", r#"{"swarmId":"s-bench","seed":1}"#, "")?;
    Ok(host)
}

fn submit() -> Call {
    Call::new(
        "task_submit",
        r#"{"tasks":[{"name":"a task","description":"what is to be done, in some words"}]}"#,
    )
}

/// Commands of one event each through the whole host: decide, store with projections, commit, answer.
fn host_rate(path: &Path, time: Duration, group: usize) -> Result<f64, Error> {
    let host = open(path)?;
    rate(time, group, || {
        host.call_many((0..group).map(|_| submit()).collect()).into_iter().try_for_each(|a| a.map(drop))
    })
}

/// The same from several threads that each wait for every answer: what group commit is for.
fn threads_rate(path: &Path, time: Duration, threads: usize) -> Result<f64, Error> {
    let host = Arc::new(open(path)?);
    let stop = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let (host, stop) = (host.clone(), stop.clone());
            std::thread::spawn(move || -> Result<u64, Error> {
                let mut done = 0;
                while !stop.load(Ordering::Relaxed) {
                    host.call_all(vec![submit()])?;
                    done += 1;
                }
                Ok(done)
            })
        })
        .collect();
    std::thread::sleep(time);
    stop.store(true, Ordering::Relaxed);
    let mut done = 0;
    for worker in workers {
        done +=
            worker.join().map_err(|_| Error::new(ruv_swarm::Code::Internal, "", "a thread panicked"))??;
    }
    Ok(done as f64 / start.elapsed().as_secs_f64())
}
