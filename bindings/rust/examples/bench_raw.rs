//! The floor of the chain bench: `bench_raw raw|sync BYTES FOLDER` reads lines of JSON,
//! `{"seconds": s}`, and answers each with what it did in that time.
//!
//! `raw`: one prepared insert of so many bytes a commit, with the SQLite that the host is built with,
//! in WAL mode and with synchronous=FULL. `sync`: so many bytes appended to a file and fdatasync.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{params, Connection};
use serde_json::{json, Value};

type Trouble = Box<dyn std::error::Error>;

fn main() -> Result<(), Trouble> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [what, bytes, folder] = args.as_slice() else {
        return Err("usage: bench_raw raw|sync BYTES FOLDER".into());
    };
    let body = "x".repeat(bytes.parse()?);
    match what.as_str() {
        "raw" => raw(Path::new(folder), &body),
        "sync" => sync(Path::new(folder), &body),
        other => Err(format!("{other}: raw or sync is allowed").into()),
    }
}

fn raw(folder: &Path, body: &str) -> Result<(), Trouble> {
    let connection = Connection::open(folder.join("raw.db"))?;
    connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
    connection.execute_batch(
        "PRAGMA synchronous=FULL; CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT",
    )?;
    let mut insert = connection.prepare("INSERT INTO event (body) VALUES (?1)")?;
    answer(json!({ "sqlite": rusqlite::version() }))?;
    answer_lines(|| {
        insert.execute(params![body])?;
        Ok(())
    })
}

fn sync(folder: &Path, body: &str) -> Result<(), Trouble> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("sync"))?;
    answer(json!({}))?;
    answer_lines(|| {
        file.write_all(body.as_bytes())?;
        Ok(file.sync_data()?)
    })
}

fn answer(value: Value) -> Result<(), Trouble> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    Ok(out.flush()?)
}

/// Repeats `unit` for each slice that is asked for.
fn answer_lines(mut unit: impl FnMut() -> Result<(), Trouble>) -> Result<(), Trouble> {
    answer(json!({ "ready": true }))?;
    for line in std::io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let time = Duration::from_secs_f64(asked["seconds"].as_f64().ok_or("seconds: missing")?);
        let start = Instant::now();
        let mut times = Vec::new();
        while start.elapsed() < time {
            let before = Instant::now();
            unit()?;
            times.push(before.elapsed().as_secs_f64() * 1e3);
        }
        answer(json!({ "done": times.len(), "seconds": start.elapsed().as_secs_f64(), "ms": times }))?;
    }
    Ok(())
}
