//! A large log through the whole host, as JSON lines; durability full.
//!
//! `bench_records fill FOLDER EVENTS` appends so many events in groups of 100 calls, taking turns with
//! raw SQLite. `open FOLDER [log]` opens it (`log`: without snapshots) and tells time and memory.
//! `tail FOLDER EVENTS` appends more. `read FOLDER SECONDS` reads single tasks.

#[path = "../../../core/examples/ledger_loop/cpu_clock.rs"]
mod cpu_clock;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cpu_clock::cpu_ms;
use rusqlite::{params, Connection};
use ruv_swarm::core::ids::TaskId;
use ruv_swarm::store::{Durability, Location, Store};
use ruv_swarm::{Call, Error, Host, Options};
use serde_json::{json, Value};

/// Calls of one transaction.
const GROUP: usize = 100;
/// Brings the average event line to about 200 bytes.
const PAYLOAD: usize = 60;

type Trouble = Box<dyn std::error::Error>;

fn main() -> Result<(), Trouble> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let found = match words.as_slice() {
        ["fill", folder, events] => fill(Path::new(folder), events.parse()?)?,
        ["tail", folder, events] => {
            let host = Host::open(Options::file(swarm(folder)))?;
            let done = Filler::new(&host)?.lives(events.parse()?)?;
            json!({ "events": done })
        }
        ["open", folder] => open(folder)?,
        ["open", folder, "log"] => {
            Connection::open(swarm(folder))?.execute("DELETE FROM snapshot", [])?;
            open(folder)?
        }
        ["read", folder, seconds] => read(folder, Duration::from_secs_f64(seconds.parse()?))?,
        _ => return Err("usage: bench_records fill|tail|open|read FOLDER …".into()),
    };
    println!("{found}");
    Ok(())
}

fn swarm(folder: &str) -> PathBuf {
    Path::new(folder).join("swarm.db")
}

/// Lives of tasks: a group of submissions, of claims, of heartbeats, of reports; an event each.
struct Filler<'a> {
    host: &'a Host,
    payload: String,
}

impl<'a> Filler<'a> {
    fn new(host: &'a Host) -> Result<Self, Error> {
        Ok(Filler { host, payload: "x".repeat(PAYLOAD) })
    }

    fn group(&self, operation: &str, requests: impl Iterator<Item = String>) -> Result<Vec<String>, Error> {
        let calls = requests.map(|request| Call::new(operation, request)).collect();
        self.host.call_many(calls).into_iter().collect()
    }

    fn one_round(&self) -> Result<(), Error> {
        let many = || 0..GROUP;
        let new = format!(r#"{{"tasks":[{{"payload":"{}"}}]}}"#, self.payload);
        self.group("task_submit", many().map(|_| new.clone()))?;
        let claim = r#"{"agentId":"a1","leaseMs":86400000}"#;
        let claimed = self.group("task_claim", many().map(|_| claim.into()))?;
        let id = |response: &String| {
            response.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next()).map(String::from)
        };
        let held: Vec<String> = claimed.iter().filter_map(id).collect();
        let note = &self.payload;
        self.group("task_heartbeat", held.iter().map(|id| {
            format!(r#"{{"taskId":"{id}","agentId":"a1","epoch":1,"leaseMs":86400000,"progress":{{"note":"{note}"}}}}"#)
        }))?;
        self.group(
            "task_report",
            held.iter().map(|id| {
                format!(
                    r#"{{"taskId":"{id}","agentId":"a1","epoch":1,"outcome":"completed","output":"{note}"}}"#
                )
            }),
        )?;
        Ok(())
    }

    fn lives(&self, events: usize) -> Result<usize, Error> {
        let rounds = events / (4 * GROUP);
        for _ in 0..rounds {
            self.one_round()?;
        }
        Ok(rounds * 4 * GROUP)
    }
}

fn fill(folder: &Path, events: usize) -> Result<Value, Trouble> {
    let path = folder.join("swarm.db");
    let host = Host::open(Options::file(&path).or_create())?;
    host.call("swarm_init", r#"{"swarmId":"s-bench","seed":1}"#, "")?;
    host.call("agent_spawn", r#"{"type":"coder","capacity":1000}"#, "")?;
    let filler = Filler::new(&host)?;
    let raw = Raw::new(&folder.join("raw.db"))?;
    let (mut ours, mut theirs, mut ratios) = (0.0, 0.0, vec![]);
    let (mut our_cpu, mut their_cpu) = (0.0, 0.0);
    let rounds = events / (4 * GROUP);
    for round in 0..rounds {
        let (start, cpu) = (Instant::now(), cpu_ms());
        filler.one_round()?;
        let (half, half_cpu) = (start.elapsed().as_secs_f64(), cpu_ms());
        for group in 0..4 {
            raw.group(round * 4 + group)?;
        }
        let whole = start.elapsed().as_secs_f64();
        our_cpu += half_cpu - cpu;
        their_cpu += cpu_ms() - half_cpu;
        ours += half;
        theirs += whole - half;
        ratios.push((whole - half) / half);
    }
    ratios.sort_unstable_by(f64::total_cmp);
    let done = rounds * 4 * GROUP;
    drop(host);
    let connection = Connection::open(&path)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let line: f64 = connection.query_row("SELECT avg(length(body)) FROM event", [], |row| row.get(0))?;
    let sql = "SELECT sum(pgsize) FROM dbstat WHERE name = 'event'";
    let events: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(json!({
        "events": done, "perSecond": done as f64 / ours, "rawPerSecond": done as f64 / theirs,
        "cpuPerSecond": done as f64 / our_cpu * 1e3, "rawCpuPerSecond": done as f64 / their_cpu * 1e3,
        "ofRaw": ratios.get(ratios.len() / 2), "averageLine": line, "eventBytes": events,
        "fileBytes": std::fs::metadata(&path)?.len(),
        "rawBytes": std::fs::metadata(folder.join("raw.db"))?.len(),
    }))
}

/// The same rows of events by hand, a group a transaction.
struct Raw(Connection);

impl Raw {
    fn new(path: &Path) -> rusqlite::Result<Raw> {
        let connection = Connection::open(path)?;
        connection.execute_batch(ruv_swarm::core::SCHEMA_SQL)?;
        connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
        connection.execute_batch("PRAGMA synchronous=FULL")?;
        Ok(Raw(connection))
    }

    fn group(&self, number: usize) -> rusqlite::Result<()> {
        let sql = "INSERT INTO event (seq, swarm, at_ms, kind, body, chain) VALUES (?1, 's', ?2, 'TaskSubmitted', ?3, ?4)";
        let body = "x".repeat(200);
        self.0.execute_batch("BEGIN IMMEDIATE")?;
        for seq in number * GROUP..(number + 1) * GROUP {
            let seq = seq as i64 + 1;
            self.0.prepare_cached(sql)?.execute(params![seq, seq, body, [0u8; 32]])?;
        }
        self.0.execute_batch("COMMIT")
    }
}

fn open(folder: &str) -> Result<Value, Trouble> {
    let before = resident_bytes()?;
    let start = Instant::now();
    let host = Host::open(Options::file(swarm(folder)))?;
    let seconds = start.elapsed().as_secs_f64();
    let bytes = resident_bytes()? - before;
    let (events, tasks) = host.with_swarm(|swarm| (swarm.version(), swarm.state().tasks.values().count()))?;
    Ok(json!({ "events": events, "tasks": tasks, "seconds": seconds, "bytes": bytes }))
}

/// What this process has in memory, in bytes.
fn resident_bytes() -> Result<i64, Trouble> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS here")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<i64>()? * 1024)
}

fn read(folder: &str, time: Duration) -> Result<Value, Trouble> {
    let store = Store::open(&Location::File(swarm(folder)), Durability::Full, false)?;
    let host = Host::open(Options::file(swarm(folder)))?;
    let tasks = host.with_swarm(|swarm| swarm.state().tasks.values().count())? as u64;
    store.begin_read()?;
    let stored = rate(time, |i| Ok(store.row("task", &TaskId(place(i, tasks)).to_string())?.is_some()))?;
    store.rollback();
    let live = host.with_swarm(|swarm| {
        rate(time, |i| Ok(swarm.state().tasks.get(TaskId(place(i, tasks))).is_some()))
    })??;
    let query = rate(time, |i| {
        let request = format!(r#"{{"taskId":"t{}"}}"#, place(i, tasks));
        Ok(host.query("swarm_query", &request)?.contains("\"state\""))
    })?;
    Ok(json!({ "tasks": tasks, "stored": stored, "live": live, "query": query }))
}

/// A number from 1 to `count`, another for each `i`.
fn place(i: u64, count: u64) -> u64 {
    1 + i.wrapping_mul(0x9E37_79B9_7F4A_7C15) % count
}

/// How often a second `look` finds what it looks for.
fn rate(time: Duration, look: impl Fn(u64) -> Result<bool, Trouble>) -> Result<f64, Trouble> {
    let start = Instant::now();
    let mut done = 0;
    while start.elapsed() < time {
        for _ in 0..64 {
            done += 1;
            if !look(done)? {
                return Err(format!("nothing found at look {done}").into());
            }
        }
    }
    Ok(done as f64 / start.elapsed().as_secs_f64())
}
