//! tick: what is due by now ends.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use serde::Serialize;

use super::draft::Draft;
use super::Outcome;
use crate::command;
use crate::error::Error;
use crate::event::{AgentLost, Event};
use crate::ids::{AgentId, TaskId};
use crate::index::{timers, Timer, TimerKind};
use crate::json::is_default;
use crate::limits;
use crate::mutants::{self, Mutant};
use crate::state::State;
use crate::task::{Deadline, Task};

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct TickResponse {
    expired: Vec<TaskId>,
    next_deadline_ms: u64,
    #[serde(skip_serializing_if = "is_default")]
    timed_out: Vec<TaskId>,
    #[serde(skip_serializing_if = "is_default")]
    lost: Vec<AgentId>,
}

/// Ends leases, deadlines and patience that have run out: at most a thousand timers, by their time.
pub fn tick(state: &State, now: u64, _request: &command::Tick) -> Result<Outcome, Error> {
    state.config()?;
    let mut draft = Draft::new(state, now);
    let mut response = TickResponse::default();
    let mut handled: BTreeMap<TaskId, Task> = BTreeMap::new();
    let due = state.index.timers.iter().take_while(|timer| timer.at_ms <= now).take(limits::TIMERS);
    for Timer { kind, number, .. } in due {
        if *kind == TimerKind::Lease && mutants::on(Mutant::LeaseNotEnded) {
            continue;
        }
        let ids = match kind {
            TimerKind::Silence => {
                let agent_id = AgentId(*number);
                draft.push(Event::AgentLost(AgentLost { agent_id }));
                response.lost.push(agent_id);
                state.index.held_by(agent_id)
            }
            _ => &[TaskId(*number)],
        };
        for task in ids.iter().filter_map(|id| state.tasks.get(*id)) {
            if draft.ends(task.id) || handled.contains_key(&task.id) {
                continue;
            }
            let mut task = task.clone();
            let deadline = match kind {
                TimerKind::Total => Some(Deadline::Total),
                TimerKind::Run => Some(Deadline::Run),
                TimerKind::Queue => Some(Deadline::Queue),
                TimerKind::Lease | TimerKind::Silence => None,
            };
            match deadline {
                Some(deadline) => {
                    draft.time_out(&mut task, deadline);
                    response.timed_out.push(task.id);
                }
                None => {
                    draft.expire(&mut task);
                    response.expired.push(task.id);
                }
            }
            handled.insert(task.id, task);
        }
    }
    for task in draft.unblocked().into_iter().filter_map(|id| state.tasks.get(id)) {
        let mut task = task.clone();
        task.wait(false, now);
        handled.insert(task.id, task);
    }
    response.next_deadline_ms = next_deadline(state, &draft, &handled, &response.lost).unwrap_or(0);
    Ok(Outcome::new(draft.close(), &response))
}

/// The first timer once the draft has happened: of those that are there, without the tasks and agents
/// that it changes, and of these as they will be.
fn next_deadline(
    state: &State,
    draft: &Draft<'_>,
    changed: &BTreeMap<TaskId, Task>,
    lost: &[AgentId],
) -> Option<u64> {
    let stays = |timer: &&Timer| match timer.kind {
        TimerKind::Silence => !lost.contains(&AgentId(timer.number)),
        TimerKind::Total | TimerKind::Run | TimerKind::Lease | TimerKind::Queue => {
            let id = TaskId(timer.number);
            !draft.ends(id) && !changed.contains_key(&id)
        }
    };
    let kept = state.index.timers.iter().find(stays).map(|timer| timer.at_ms);
    let new = changed.values().flat_map(timers).flatten().map(|timer| timer.at_ms);
    kept.into_iter().chain(new).min()
}
