//! Event lines as people read them.

use alloc::format;
use alloc::string::{String, ToString};

use crate::codec;
use crate::event::Event;
use crate::ids::{AgentId, GoalId, TaskId};
use crate::time::utc;

/// One event line as text for people; the line itself if it is none.
pub fn render_event(line: &str) -> String {
    let Ok(read) = codec::decode(line) else { return format!("{line}\n") };
    format!("{:>6}  {}  {:<16} {}\n", read.seq, utc(read.at_ms), read.event.kind(), what(&read.event))
}

fn what(event: &Event) -> String {
    match event {
        Event::SwarmCreated(e) => {
            format!("topology {}, at most {} agents, seed {}", e.topology, e.max_agents, e.seed)
        }
        Event::AgentSpawned(e) => format!("{} {} {}", e.agent_id, e.agent_type, e.pattern),
        Event::AgentHeartbeat(e) => format!("{}", e.agent_id),
        Event::AgentLost(e) => format!("{} was silent for too long", e.agent_id),
        Event::AgentRetired(e) => {
            let heir = e.replaced_by.map(|id| format!(", replaced by {id}")).unwrap_or_default();
            format!("{}{heir} {}", e.agent_id, e.reason)
        }
        Event::GoalPlanned(e) => format!("{} {:?} by {}", e.goal_id, e.task, e.strategy),
        Event::TaskSubmitted(e) => format!("{} {:?}", e.task_id, e.name),
        Event::TaskUpdated(e) => format!("{} {:?}", e.task_id, e.name),
        Event::TaskClaimed(e) => format!("{} by {}, epoch {}", e.task_id, e.agent_id, e.epoch),
        Event::TaskHeartbeat(e) => {
            format!("{} {}", e.task_id, e.progress.as_ref().map_or("", |progress| progress.note.as_str()))
        }
        Event::TaskCompleted(e) => format!("{} by {}, epoch {}", e.task_id, e.agent_id, e.epoch),
        Event::TaskFailed(e) => {
            let more = if e.retry { "; it is tried again" } else { "" };
            format!("{} {}{more}", e.task_id, e.error.message)
        }
        Event::LeaseExpired(e) => {
            let more = if e.retry { "; it is tried again" } else { "" };
            format!("{} held by {}, epoch {}{more}", e.task_id, e.agent_id, e.epoch)
        }
        Event::TaskReleased(e) => format!("{} by {}, epoch {}", e.task_id, e.agent_id, e.epoch),
        Event::TaskTimedOut(e) => {
            let more = if e.retry { "; it is tried again" } else { "" };
            format!("{} {} deadline{more}", e.task_id, e.deadline)
        }
        Event::Paused(e) => format!("{} {}", held(e.task_id, e.goal_id, e.agent_id), e.reason),
        Event::Resumed(e) => held(e.task_id, e.goal_id, e.agent_id),
        Event::TaskCancelled(e) => {
            let verb = if e.requested { "is to stop" } else { "cancelled" };
            format!("{} {verb}: {}", e.task_id, e.reason)
        }
        Event::GoalFinished(e) => format!("{} {} {}", e.goal_id, e.state, e.model_hash),
        Event::ArtifactStored(e) => format!("{} {} bytes", e.hash, e.size),
        Event::CommandRecorded(e) => format!("key {:?}", e.key),
    }
}

fn held(task: Option<TaskId>, goal: Option<GoalId>, agent: Option<AgentId>) -> String {
    let named =
        [task.map(|id| id.to_string()), goal.map(|id| id.to_string()), agent.map(|id| id.to_string())];
    named.into_iter().flatten().next().unwrap_or_else(|| "the swarm".into())
}
