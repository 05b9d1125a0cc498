//! The thread that keeps leases alive while code runs, whatever that code does.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use super::context::Hold;
use super::report::lease_is_lost;
use crate::host::{read, Call, Host};

/// How often the log is looked at for a cancellation or a lost lease, so that code hears of it long
/// before the next heartbeat is due.
const GLANCE: Duration = Duration::from_millis(200);

/// The leases of a crew.
#[derive(Debug)]
pub(super) struct Keeper {
    host: Arc<Host>,
    agents: Vec<String>,
    holds: Mutex<Holds>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Holds {
    /// By task and epoch, with the time from which on a heartbeat is due.
    live: BTreeMap<(String, u64), (Arc<Hold>, Instant)>,
    ended: bool,
}

impl Keeper {
    pub(super) fn new(host: Arc<Host>, agents: Vec<String>) -> Keeper {
        Keeper { host, agents, holds: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Holds> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the lease from now on.
    pub(super) fn add(&self, hold: &Arc<Hold>) {
        let due = Instant::now() + rhythm(hold);
        self.lock().live.insert((hold.task_id.clone(), hold.epoch), (hold.clone(), due));
        self.changed.notify_all();
    }

    /// Lets the lease go.
    pub(super) fn remove(&self, hold: &Hold) {
        self.lock().live.remove(&(hold.task_id.clone(), hold.epoch));
    }

    /// All leases that are kept now.
    pub(super) fn holds(&self) -> Vec<Arc<Hold>> {
        self.lock().live.values().map(|(hold, _)| hold.clone()).collect()
    }

    /// Ends [`Keeper::run`].
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Sends heartbeats until [`Keeper::end`].
    pub(super) fn run(&self) {
        let mut seen = 0;
        while !self.rest() {
            let now = Instant::now();
            let mut due = self.due(now);
            // a look that fails is made up for by the heartbeat
            if let Ok(Some(version)) = self.news(seen, &mut due) {
                seen = version;
            }
            self.beat(due);
            self.be_heard();
        }
    }

    /// Heartbeats of the agents that would soon count as lost, since they have no task, or one whose
    /// lease is longer than their silence may be.
    fn be_heard(&self) {
        let now = self.host.now_ms();
        let silent = self.host.with_swarm(|swarm| {
            let quiet = |id: &&String| {
                let agent = swarm.state().agent("agentId", id).ok();
                agent.is_some_and(|agent| {
                    agent.silence_ms > 0 && now.saturating_sub(agent.last_seen_ms) >= agent.silence_ms / 3
                })
            };
            self.agents.iter().filter(quiet).cloned().collect::<Vec<_>>()
        });
        let beat = |id: &String| Call::new("agent_heartbeat", json!({ "agentId": id }).to_string());
        let calls: Vec<Call> = silent.unwrap_or_default().iter().map(beat).collect();
        if !calls.is_empty() {
            // one that fails is sent again in a moment; one that is refused is refused a claim too
            self.host.call_many(calls);
        }
    }

    /// Sleeps until the next heartbeat or glance is due; true at the end.
    fn rest(&self) -> bool {
        let mut holds = self.lock();
        let end = Instant::now() + GLANCE;
        let first = holds.live.values().map(|(_, due)| *due).min().unwrap_or(end).min(end);
        while !holds.ended {
            let left = first.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            holds = self.changed.wait_timeout(holds, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        holds.ended
    }

    fn due(&self, now: Instant) -> Vec<Arc<Hold>> {
        self.lock().live.values().filter(|(_, due)| *due <= now).map(|(hold, _)| hold.clone()).collect()
    }

    /// Adds the holds of which the log says something new: their heartbeats bring the core's word.
    fn news(&self, seen: u64, due: &mut Vec<Arc<Hold>>) -> Result<Option<u64>, crate::Error> {
        let version = self.host.version()?;
        if version == seen {
            return Ok(None);
        }
        let holds = self.holds();
        self.host.with_swarm(|swarm| {
            for hold in holds {
                let task = swarm.state().task("taskId", &hold.task_id).ok();
                let lease = task.and_then(|task| task.lease.as_ref());
                let ours = lease.is_some_and(|lease| lease.epoch == hold.epoch);
                let called_off = task.is_some_and(|task| task.cancel_requested);
                let known = hold.told();
                if (!ours || called_off) && !known && !due.iter().any(|other| Arc::ptr_eq(other, &hold)) {
                    due.push(hold);
                }
            }
        })?;
        Ok(Some(version))
    }

    /// One heartbeat each, in one commit.
    fn beat(&self, due: Vec<Arc<Hold>>) {
        if due.is_empty() {
            return;
        }
        let answers = self.host.call_many(due.iter().map(|hold| heartbeat(hold)).collect());
        for (hold, answer) in due.iter().zip(answers) {
            if hold.closed() {
                // its report went first, so the answer is about a lease that has ended in order
                continue;
            }
            let pause = match answer {
                Ok(response) => {
                    if cancel_requested(&response) {
                        hold.cancel();
                    }
                    rhythm(hold)
                }
                Err(error) if lease_is_lost(&error) => {
                    hold.lose();
                    self.remove(hold);
                    continue;
                }
                // the store is busy: soon again, for the lease is short of time
                Err(_) => rhythm(hold) / 4,
            };
            if let Some((_, due)) = self.lock().live.get_mut(&(hold.task_id.clone(), hold.epoch)) {
                *due = Instant::now() + pause;
            }
        }
    }
}

/// A third of the lease: two heartbeats may fail before it is lost.
fn rhythm(hold: &Hold) -> Duration {
    Duration::from_millis((hold.lease_ms / 3).max(1))
}

fn heartbeat(hold: &Hold) -> Call {
    let mut request = json!({
        "taskId": hold.task_id, "agentId": hold.agent, "epoch": hold.epoch, "leaseMs": hold.lease_ms,
    });
    if let Some((done, total, note)) = hold.progress() {
        request["progress"] = json!({ "done": done, "total": total, "note": note });
    }
    Call::new("task_heartbeat", request.to_string())
}

fn cancel_requested(response: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Beat {
        #[serde(default)]
        cancel_requested: bool,
    }
    read::<Beat>(response).is_ok_and(|beat| beat.cancel_requested)
}
