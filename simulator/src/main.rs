//! `cargo run -p ruv-swarm-simulator --release -- --seeds 1000 --commands 2000`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use ruv_swarm_simulator::run::{self, call_line, Plan};
use ruv_swarm_simulator::tally::Tally;
use ruv_swarm_simulator::world::World;

const USAGE: &str = "simulator [--seeds N] [--from N] [--commands N] [--seconds N] [--threads N] \
                     [--dump DIR] [--every N] [--mutant NAME]";

/// From how many commands on a run must have seen every kind of event and every fault.
const COVERED: u64 = 300_000;

struct Options {
    plan: Plan,
    dump: Option<PathBuf>,
    every: u64,
}

fn options() -> Result<Options, String> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let plan = Plan { from: 1, seeds: 100, commands: 2_000, limit: None, threads };
    let mut options = Options { plan, dump: None, every: 1 };
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word}: a value is missing\n{USAGE}"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{word}: {value:?} is no number"));
        match word.as_str() {
            "--seeds" => options.plan.seeds = number()?,
            "--from" => options.plan.from = number()?,
            "--commands" => options.plan.commands = number()?,
            "--seconds" => options.plan.limit = Some(Duration::from_secs(number()?)),
            "--threads" => options.plan.threads = number()? as usize,
            "--every" => options.every = number()?.max(1),
            "--dump" => options.dump = Some(value.into()),
            "--mutant" => turn_on(&value)?,
            _ => return Err(format!("{word}: unknown option\n{USAGE}")),
        }
    }
    Ok(options)
}

#[cfg(feature = "mutants")]
fn turn_on(name: &str) -> Result<(), String> {
    use ruv_swarm_core::mutants::{set, Mutant};
    let names = || Mutant::ALL.iter().map(|mutant| mutant.as_str()).collect::<Vec<_>>().join(", ");
    let mutant = Mutant::ALL.iter().copied().find(|mutant| mutant.as_str() == name);
    let mutant = mutant.ok_or_else(|| format!("--mutant: unknown value {name:?}; allowed: {}", names()))?;
    set(Some(mutant));
    Ok(())
}

#[cfg(not(feature = "mutants"))]
fn turn_on(name: &str) -> Result<(), String> {
    Err(format!("--mutant: {name:?} needs a build with --features mutants"))
}

/// Writes a world's log, its calls and its end, for other targets to replay.
fn dump(folder: &Path, seed: u64, world: &World) -> std::io::Result<()> {
    let mut log = world.store.lines.join("\n");
    log.push('\n');
    fs::write(folder.join(format!("seed-{seed}.log")), log)?;
    let calls: String = world.calls.iter().map(|call| call_line(call) + "\n").collect();
    fs::write(folder.join(format!("seed-{seed}.calls")), calls)?;
    let (state, chain) = world.hashes();
    let end = format!(
        "{{\"seed\":{seed},\"version\":{},\"stateHash\":\"{state}\",\"chain\":\"{chain}\"}}\n",
        world.store.head()
    );
    fs::write(folder.join(format!("seed-{seed}.json")), end)
}

fn print(tally: &Tally, seconds: f64) {
    println!(
        "{} seeds, {} commands ({} answered by their key again), {} queries, {} events, {} checks of a whole log",
        tally.seeds, tally.commands, tally.repeated, tally.queries, tally.events, tally.whole
    );
    let list = |counts: &mut dyn Iterator<Item = (&str, u64)>| {
        counts.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    };
    println!("done: {}", list(&mut tally.operations.iter().map(|(name, count)| (*name, *count))));
    println!("refused: {}", list(&mut tally.refusals.iter().map(|(name, count)| (*name, *count))));
    println!("events: {}", list(&mut tally.kinds.iter().map(|(name, count)| (*name, *count))));
    println!("faults: {}", list(&mut tally.faults.iter().map(|(fault, count)| (fault.as_str(), count))));
    println!("{:.1} s, {:.0} commands/s", seconds, tally.commands as f64 / seconds.max(0.001));
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    if let Some(folder) = &options.dump {
        if let Err(why) = fs::create_dir_all(folder) {
            eprintln!("--dump: cannot make {folder:?}: {why}");
            return ExitCode::from(2);
        }
    }
    let started = Instant::now();
    let keep = |seed: u64, world: &World| {
        if let Some(folder) = options.dump.as_ref().filter(|_| seed.is_multiple_of(options.every)) {
            if let Err(why) = dump(folder, seed, world) {
                eprintln!("--dump: cannot write to {folder:?}: {why}");
            }
        }
    };
    let (tally, failure) = run::all(&options.plan, &keep);
    print(&tally, started.elapsed().as_secs_f64());
    if let Some(failure) = failure {
        println!("{}", run::explain(&failure));
        return ExitCode::FAILURE;
    }
    let unseen = run::unseen(&tally);
    if tally.commands >= COVERED && !unseen.is_empty() {
        println!("never seen: {}", unseen.join(", "));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
