//! The published figures that `docs/papers.md` reproduces, run by run, as JSON lines.
//!
//! `papers proben1|encoders|rules [--data DIR] [--seeds N] [--threads N] [--sets A,B] [--with JSON]`. The lines come
//! in a fixed order and depend on nothing but the data, the seeds and the options; `--with` lays options over those
//! of every training, to try something else.

mod encoders;
mod proben1;
mod rules;
mod training;
mod wanted;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use serde_json::Value;
use training::Job;
use wanted::{Failure, Wanted};

const USAGE: &str =
    "papers proben1|encoders|rules [--data DIR] [--seeds N] [--threads N] [--sets A,B] [--with JSON]";

fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    let part = words.next().unwrap_or_default();
    let wanted = wanted(words)?;
    let jobs = match part.as_str() {
        "proben1" => proben1::jobs(&wanted)?,
        "encoders" => encoders::jobs(&wanted),
        "rules" => rules::jobs(&wanted)?,
        _ => return Err(USAGE.into()),
    };
    print(jobs, &wanted)
}

fn wanted(mut words: impl Iterator<Item = String>) -> Result<Wanted, Failure> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut wanted = Wanted {
        data: PathBuf::from("../shared/data"),
        seeds: 30,
        threads,
        sets: Vec::new(),
        with: Value::Null,
    };
    while let Some(flag) = words.next() {
        let value = words.next().ok_or_else(|| format!("{flag} lacks its value"))?;
        match flag.as_str() {
            "--data" => wanted.data = PathBuf::from(value),
            "--seeds" => wanted.seeds = value.parse()?,
            "--threads" => wanted.threads = value.parse()?,
            "--sets" => wanted.sets = value.split(',').map(str::to_string).collect(),
            "--with" => wanted.with = serde_json::from_str(&value)?,
            _ => return Err(format!("there is no flag {flag}").into()),
        }
    }
    Ok(wanted)
}

/// Runs the jobs on threads and prints their lines in the order of the jobs.
fn print(jobs: Vec<Job>, wanted: &Wanted) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..wanted.threads.max(1) {
            let (sender, next, jobs) = (sender.clone(), &next, &jobs);
            scope.spawn(move || loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = jobs.get(place) else { break };
                if sender.send((place, job.run(&wanted.with))).is_err() {
                    break;
                }
            });
        }
        drop(sender);
        let mut lines: Vec<Option<Value>> = vec![None; jobs.len()];
        let mut printed = 0;
        for (place, line) in receiver {
            lines[place] = Some(line?);
            while let Some(Some(line)) = lines.get(printed) {
                println!("{line}");
                printed += 1;
            }
        }
        Ok(())
    })
}
