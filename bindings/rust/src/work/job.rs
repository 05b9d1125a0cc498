//! What one thread of a worker does: run the code of a task, report, go on with the next.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::sync::Arc;

use ruv_swarm_core::error::Error;

use super::context::{Context, Hold};
use super::crew::{Note, Seat, Shared};
use super::report::{passes_by, report, Reported};
use super::{Failure, Happening, Outcome, Output, Task};

/// Tells the loop that the place is free, however the job ends.
struct Place<'a> {
    place: usize,
    notes: &'a Sender<Note>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // nobody listens any more when the crew has gone: then there is nothing to tell
        let _ = self.notes.send(Note::Idle(self.place));
    }
}

/// Does the task and then those that its reports bring.
pub(super) fn run(shared: &Arc<Shared>, place: usize, seat: &Seat, task: Task, notes: &Sender<Note>) {
    let _place = Place { place, notes };
    let mut next = Some(task);
    while let Some(task) = next.take() {
        match one(shared, seat, task, notes) {
            Ok(following) => next = following,
            Err(error) => {
                let _ = notes.send(Note::Trouble(error));
            }
        }
    }
}

fn one(shared: &Arc<Shared>, seat: &Seat, task: Task, notes: &Sender<Note>) -> Result<Option<Task>, Error> {
    let hold = Arc::new(Hold::new(&seat.agent, &task.id, task.epoch(), seat.lease_ms));
    shared.keeper.add(&hold);
    if shared.stopping.load(Ordering::SeqCst) {
        hold.stop();
    }
    let started = Happening::Started { agent_id: seat.agent.clone(), task: Box::new(task.clone()) };
    let _ = notes.send(Note::Happened(started));
    let context = Context::new(hold.clone(), shared.host.clone());
    let result = catch_unwind(AssertUnwindSafe(|| seat.work.run(&task, &context)));
    let result = result.unwrap_or_else(|panic| Err(Failure::new("panic", words(panic.as_ref()))));
    if !hold.close() {
        // the grace was over before the code was, and the task has been given back
        return Ok(None);
    }
    shared.keeper.remove(&hold);
    let reported = tell(shared, &hold, result)?;
    let Reported { outcome, state, next } = reported;
    let _ = notes.send(Note::Happened(ended(&hold, Reported { outcome, state, next: None })));
    Ok(next)
}

/// Reports unless the lease is lost, and claims the next task with it if one may still be begun.
fn tell(shared: &Shared, hold: &Hold, result: Result<Output, Failure>) -> Result<Reported, Error> {
    if hold.lost() {
        return Ok(Reported { outcome: Outcome::Lost, state: String::new(), next: None });
    }
    let more = !shared.stopping.load(Ordering::SeqCst) && shared.take(1) == 1;
    let reported = report(&shared.host, hold, result, more);
    let brought = reported.as_ref().is_ok_and(|reported| reported.next.is_some());
    if more && !brought {
        shared.put_back(1);
    }
    match reported {
        // the store was out of reach for as long as the lease: others have the task by now
        Err(error) if passes_by(&error) => {
            Ok(Reported { outcome: Outcome::Lost, state: String::new(), next: None })
        }
        reported => reported,
    }
}

/// The end of an attempt, as it is told.
pub(super) fn ended(hold: &Hold, reported: Reported) -> Happening {
    Happening::Ended {
        agent_id: hold.agent.clone(),
        task_id: hold.task_id.clone(),
        epoch: hold.epoch,
        outcome: reported.outcome,
        state: reported.state,
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
