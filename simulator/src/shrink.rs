//! Makes the list of calls behind a failure short: delta debugging (Zeller and Hildebrandt, 2002).

use crate::check::Call;
use crate::machine::Machine;
use crate::violation::Violation;

/// How many calls all attempts together may make.
const BUDGET: usize = 3_000_000;

/// What a list of calls breaks on a core of its own, and after how many calls; nothing if all holds.
pub fn replay(calls: &[Call]) -> Option<(usize, Violation)> {
    let mut machine = Machine::default();
    for (place, call) in calls.iter().enumerate() {
        if let Err(violation) = machine.step(call.clone()) {
            return Some((place + 1, violation));
        }
    }
    machine.check_whole(true).err().map(|violation| (calls.len(), violation))
}

/// The shortest list that was found to break the same promise, and how it does.
pub fn shrink(calls: &[Call], invariant: &str) -> Option<(Vec<Call>, Violation)> {
    let breaks = |calls: &[Call]| replay(calls).filter(|(_, found)| found.invariant == invariant);
    let (length, mut violation) = breaks(calls)?;
    let mut best: Vec<Call> = calls.get(..length).unwrap_or(calls).to_vec();
    let mut spent = length;
    let mut size = best.len().div_ceil(2);
    while size > 0 && spent < BUDGET {
        let mut start = 0;
        let mut shorter = false;
        while start < best.len() && spent < BUDGET {
            let end = (start + size).min(best.len());
            let fewer: Vec<Call> = best.iter().take(start).chain(best.iter().skip(end)).cloned().collect();
            spent += fewer.len();
            if let Some((length, found)) = breaks(&fewer) {
                best = fewer;
                best.truncate(length);
                violation = found;
                shorter = true;
            } else {
                start = end;
            }
        }
        if !shorter || size > 1 {
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }
    Some((best, violation))
}
