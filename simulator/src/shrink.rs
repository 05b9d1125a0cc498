//! Makes the list of calls behind a failure short: delta debugging (Zeller and Hildebrandt, 2002).

use crate::check::Call;
use crate::machine::Machine;
use crate::violation::Violation;

/// How many calls all attempts together may make.
const BUDGET: usize = 1_000_000;

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

/// How many tasks, agents and goals there are before each call of a list, and after the last.
fn counts(calls: &[Call]) -> Vec<[u64; 3]> {
    let mut machine = Machine::default();
    let mut found = vec![[0; 3]];
    for call in calls {
        let went_on = machine.step(call.clone()).is_ok();
        let shadow = &machine.checker.shadow;
        found.push([shadow.tasks.len() as u64, shadow.agents.len() as u64, shadow.goals.len() as u64]);
        if !went_on {
            break;
        }
    }
    found
}

/// `request` with each id that was minted after `after` lowered by what is no longer minted.
fn renumber(request: &str, before: [u64; 3], after: [u64; 3]) -> String {
    let mut text = String::with_capacity(request.len());
    for (place, part) in request.split('"').enumerate() {
        if place > 0 {
            text.push('"');
        }
        let kind = ["t", "a", "g"].iter().position(|letter| part.starts_with(letter));
        let number = kind.and_then(|kind| Some((kind, part.get(1..)?.parse::<u64>().ok()?)));
        match number {
            Some((kind, number)) if number > after[kind] => {
                text.push_str(part.get(..1).unwrap_or(""));
                text.push_str(&(number - (after[kind] - before[kind])).to_string());
            }
            _ => text.push_str(part),
        }
    }
    text
}

/// The list without the calls from `start` to `end`; what later ones name keeps its meaning.
fn without(calls: &[Call], counts: &[[u64; 3]], start: usize, end: usize) -> Vec<Call> {
    let (before, after) = (counts[start], counts[end]);
    let mut fewer = calls[..start].to_vec();
    for call in &calls[end..] {
        fewer.push(Call { request: renumber(&call.request, before, after), ..call.clone() });
    }
    fewer
}

/// The shortest list that was found to break the same promise, and how it does.
pub fn shrink(calls: &[Call], invariant: &str) -> Option<(Vec<Call>, Violation)> {
    let breaks = |calls: &[Call]| replay(calls).filter(|(_, found)| found.invariant == invariant);
    let (length, mut violation) = breaks(calls)?;
    let mut best = calls[..length].to_vec();
    let mut spent = 2 * length;
    let mut minted = counts(&best);
    let mut size = best.len().div_ceil(2);
    while size > 0 && spent < BUDGET {
        let mut end = best.len();
        let mut shorter = false;
        while end > 0 && spent < BUDGET {
            let start = end.saturating_sub(size);
            let fewer = without(&best, &minted, start, end);
            spent += fewer.len();
            if let Some((length, found)) = breaks(&fewer) {
                best = fewer;
                best.truncate(length);
                minted = counts(&best);
                spent += length;
                violation = found;
                shorter = true;
            }
            end = start.min(best.len());
        }
        if !shorter || size > 1 {
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }
    for place in 0..best.len() {
        let plain = Call { key: String::new(), ..best[place].clone() };
        let mut other = best.clone();
        other[place] = plain;
        if let Some((length, found)) = breaks(&other).filter(|_| !best[place].key.is_empty()) {
            best = other;
            best.truncate(length);
            violation = found;
            if place + 1 >= best.len() {
                break;
            }
        }
    }
    Some((best, violation))
}
