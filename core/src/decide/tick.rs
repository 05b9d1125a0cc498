//! tick: what is due by now ends.

use alloc::vec::Vec;
use serde::Serialize;

use super::draft::Draft;
use super::Outcome;
use crate::command;
use crate::error::Error;
use crate::event::{AgentLost, Event};
use crate::ids::{AgentId, TaskId};
use crate::index::{Timer, TimerKind};
use crate::json::is_default;
use crate::limits;
use crate::mutants::{self, Mutant};
use crate::state::State;
use crate::table::{Numbered, Table};
use crate::task::Deadline;

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

/// A task that this tick has handled.
struct Handled(TaskId);

impl Numbered for Handled {
    fn number(&self) -> u64 {
        self.0 .0
    }
}

/// Ends leases, deadlines and patience that have run out: at most a thousand timers, by their time.
pub fn tick(state: &State, now: u64, _request: &command::Tick) -> Result<Outcome, Error> {
    state.config()?;
    let mut draft = Draft::new(state, now);
    let mut response = TickResponse::default();
    let mut handled: Table<Handled> = Table::default();
    let mut timers = state.index.timers.iter();
    let due = timers.by_ref().take_while(|timer| timer.at_ms <= now).take(limits::TIMERS);
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
            if draft.ends(task.id) || handled.get(task.id).is_some() {
                continue;
            }
            handled.insert(Handled(task.id));
            let deadline = match kind {
                TimerKind::Total => Deadline::Total,
                TimerKind::Run => Deadline::Run,
                TimerKind::Queue => Deadline::Queue,
                TimerKind::Lease | TimerKind::Silence => {
                    draft.expire(task);
                    response.expired.push(task.id);
                    continue;
                }
            };
            draft.time_out(task, deadline);
            response.timed_out.push(task.id);
        }
    }
    let passed = state.index.timers.iter().take_while(|timer| timer.at_ms <= now).take(limits::TIMERS);
    let next = state.index.timers.iter().nth(passed.count());
    response.next_deadline_ms = next.map_or(0, |timer| timer.at_ms);
    Ok(Outcome::new(draft.close(), &response))
}
