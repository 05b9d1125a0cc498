//! The queue of group commit: whoever comes while a group is being committed waits for the next.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use ruv_swarm_core::error::Error;

use super::group::Unit;

type Answers = Vec<Result<Vec<String>, Error>>;

#[derive(Debug, Default)]
enum State {
    #[default]
    Waiting,
    /// The former leader is done and hands over to this caller, whose work is still in the queue.
    Leads,
    Answered(Answers),
}

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    changed: Condvar,
}

impl Slot {
    fn set(&self, state: State) {
        *lock(&self.state) = state;
        self.changed.notify_one();
    }
}

#[derive(Debug)]
struct Entry {
    units: Vec<Unit>,
    slot: Arc<Slot>,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: Vec<Entry>,
    led: bool,
}

/// Callers with their work, and whether one of them leads.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
}

impl Queue {
    /// Has `units` carried out by `run`, together with those of other callers, and gives back their
    /// answers in order. `run` must not panic.
    pub(super) fn submit(&self, units: Vec<Unit>, run: impl Fn(Vec<Unit>) -> Answers) -> Answers {
        let slot = Arc::new(Slot::default());
        let leads = {
            let mut waiting = lock(&self.waiting);
            waiting.entries.push(Entry { units, slot: slot.clone() });
            !std::mem::replace(&mut waiting.led, true)
        };
        if leads {
            self.lead(&run);
        }
        loop {
            let mut state = lock(&slot.state);
            while matches!(*state, State::Waiting) {
                state = slot.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            match std::mem::take(&mut *state) {
                State::Answered(answers) => return answers,
                State::Leads => {
                    drop(state);
                    self.lead(&run);
                }
                State::Waiting => {}
            }
        }
    }

    /// Takes all that wait, runs it as one group, answers, and hands the lead on.
    fn lead(&self, run: &impl Fn(Vec<Unit>) -> Answers) {
        let entries = std::mem::take(&mut lock(&self.waiting).entries);
        let mut slots = Vec::with_capacity(entries.len());
        let mut units = Vec::new();
        for entry in entries {
            slots.push((entry.slot, entry.units.len()));
            units.extend(entry.units);
        }
        let mut answers = run(units).into_iter();
        for (slot, count) in slots {
            slot.set(State::Answered(answers.by_ref().take(count).collect()));
        }
        let mut waiting = lock(&self.waiting);
        match waiting.entries.first() {
            Some(next) => next.slot.set(State::Leads),
            None => waiting.led = false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
