//! Many seeds: on all cores, to the first failure.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::check::Call;
use crate::faults::Fault;
use crate::shrink;
use crate::tally::Tally;
use crate::world::{Failure, World};

/// Every kind of event there is.
pub const KINDS: &[&str] = &[
    "SwarmCreated",
    "AgentSpawned",
    "AgentHeartbeat",
    "AgentLost",
    "AgentRetired",
    "GoalPlanned",
    "GoalFinished",
    "TaskSubmitted",
    "TaskUpdated",
    "TaskClaimed",
    "TaskHeartbeat",
    "TaskCompleted",
    "TaskFailed",
    "LeaseExpired",
    "TaskReleased",
    "TaskTimedOut",
    "TaskCancelled",
    "Paused",
    "Resumed",
    "ArtifactStored",
    "CommandRecorded",
];

/// Which worlds to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The first seed.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// Commands in each world before it is drained.
    pub commands: u64,
    /// No new world begins after this.
    pub limit: Option<Duration>,
    /// How many worlds at a time.
    pub threads: usize,
}

/// Runs the world of one seed.
pub fn seed(seed: u64, commands: u64) -> Result<World, Box<Failure>> {
    let mut world = World::new(seed);
    match world.run(commands) {
        Ok(()) => Ok(world),
        Err(violation) => {
            let calls = std::mem::take(&mut world.calls);
            Err(Box::new(Failure { seed, step: calls.len(), violation, calls }))
        }
    }
}

/// Runs all worlds of a plan and hands each to `keep`; the failure of the lowest seed is told.
pub fn all(plan: &Plan, keep: &(dyn Fn(u64, &World) + Sync)) -> (Tally, Option<Box<Failure>>) {
    let next = AtomicU64::new(plan.from);
    let stop = AtomicBool::new(false);
    let started = Instant::now();
    let total = Mutex::new(Tally::default());
    let failed: Mutex<Option<Box<Failure>>> = Mutex::new(None);
    let work = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let late = plan.limit.is_some_and(|limit| started.elapsed() >= limit);
        if number >= plan.from.saturating_add(plan.seeds) || late || stop.load(Ordering::Relaxed) {
            return;
        }
        match seed(number, plan.commands) {
            Ok(world) => {
                keep(number, &world);
                total.lock().unwrap_or_else(|held| held.into_inner()).add(&world.checker.tally);
            }
            Err(failure) => {
                stop.store(true, Ordering::Relaxed);
                let mut first = failed.lock().unwrap_or_else(|held| held.into_inner());
                if first.as_ref().is_none_or(|other| failure.seed < other.seed) {
                    *first = Some(failure);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..plan.threads.max(1) {
            scope.spawn(work);
        }
    });
    let total = total.into_inner().unwrap_or_else(|held| held.into_inner());
    (total, failed.into_inner().unwrap_or_else(|held| held.into_inner()))
}

/// What a run of some size must have seen and has not.
pub fn unseen(tally: &Tally) -> Vec<&'static str> {
    let kinds = KINDS.iter().copied().filter(|kind| !tally.kinds.contains_key(kind));
    let faults = tally.faults.iter().filter(|(_, count)| *count == 0).map(|(fault, _)| Fault::as_str(fault));
    kinds.chain(faults).collect()
}

/// One call as a line of JSON.
pub fn call_line(call: &Call) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    format!(
        r#"{{"operation":"{}","request":{},"nowMs":{},"key":{}}}"#,
        call.operation,
        quoted(&call.request),
        call.now,
        quoted(&call.key)
    )
}

/// What a person needs of a failure: seed, step, promise, and the shortest list of calls that shows it.
pub fn explain(failure: &Failure) -> String {
    let mut text = format!("seed {}, call {}: {}\n", failure.seed, failure.step, failure.violation);
    match shrink::shrink(&failure.calls, failure.violation.invariant) {
        Some((calls, violation)) => {
            let _ = writeln!(text, "shrunk to {} of {} calls: {violation}", calls.len(), failure.calls.len());
            for call in &calls {
                let _ = writeln!(text, "{}", call_line(call));
            }
        }
        None => {
            let _ = writeln!(
                text,
                "the {} calls alone do not show it: it lies in how hosts and store work together",
                failure.calls.len()
            );
        }
    }
    text
}
