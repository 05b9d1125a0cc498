//! What one thread does: train a member in slices, or fuse the members.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::neural::{fuse, Progress, Trainer};

use crate::slices::next_slice;

/// A slice lasts about this long: soon enough for a stop to be heard, long enough to cost nothing.
const SLICE: Duration = Duration::from_millis(50);

/// How far a thread is, and whether it should stop.
#[derive(Debug, Default)]
pub(super) struct Shared {
    stop: AtomicBool,
    progress: Mutex<(u64, u64, String)>,
}

impl Shared {
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Epochs done, epochs at most, a short line.
    pub(super) fn progress(&self) -> (u64, u64, String) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_progress(&self, progress: &Progress) {
        let note = format!("validation loss {:.6}", progress.best_validation_loss);
        let (done, total) = (u64::from(progress.epoch), u64::from(progress.max_epochs));
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = (done, total, note);
    }
}

pub(super) enum Work {
    Train { member: usize },
    Fuse { models: Vec<Vec<u8>> },
}

pub(super) enum Outcome {
    Done { model: Vec<u8>, report: String, name: String },
    Stopped,
    Failed(Error),
}

pub(super) struct Finished {
    pub(super) task_id: String,
    pub(super) outcome: Outcome,
}

/// Does the work and sends what came of it.
pub(super) fn run(
    task_id: String,
    work: Work,
    data: &[u8],
    plan: &str,
    shared: &Shared,
    results: &Sender<Finished>,
) {
    let outcome = catch_unwind(AssertUnwindSafe(|| match work {
        Work::Train { member } => train(data, plan, member, shared),
        Work::Fuse { models } => fuse(data, plan, &models).map(|fused| Outcome::Done {
            model: fused.model,
            report: fused.report_json,
            name: "ensemble".into(),
        }),
    }));
    let outcome = match outcome {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Outcome::Failed(error),
        Err(_) => Outcome::Failed(Error::new(Code::Internal, "", "the neural engine met a defect")),
    };
    // nobody listens any more when the run has ended: then there is nothing to tell
    let _ = results.send(Finished { task_id, outcome });
}

fn train(data: &[u8], plan: &str, member: usize, shared: &Shared) -> Result<Outcome, Error> {
    let mut trainer = Trainer::new(data, plan, member)?;
    let mut epochs = 1u32;
    while !trainer.done() {
        if shared.stopped() {
            return Ok(Outcome::Stopped);
        }
        let started = Instant::now();
        let progress = trainer.run(epochs)?;
        epochs = next_slice(epochs, started.elapsed(), SLICE);
        shared.set_progress(&progress);
    }
    let result = trainer.finish()?;
    Ok(Outcome::Done {
        model: result.model,
        report: result.report_json,
        name: format!("member {}", member + 1),
    })
}
