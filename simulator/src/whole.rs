//! Checks of the whole log: replay, snapshots, the chain, rows, metrics, and the shadow field by field.

use std::collections::BTreeMap;

use ruv_swarm_core::{Row, Swarm};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::host::refused;
use crate::line::{AgentNo, Shown, ShownLease};
use crate::shadow::Shadow;
use crate::store::Store;
use crate::violation::{ensure, Checked, Violation};

/// The chain as far as it was reckoned, by the simulator's own SHA-256.
#[derive(Default)]
pub struct Whole {
    chain: [u8; 32],
    linked: usize,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metric {
    agent_id: AgentNo,
    state: String,
    running: u64,
    claimed: u64,
    completed: u64,
    failed: u64,
    expired: u64,
    released: u64,
    cancelled: u64,
    busy_ms: u64,
    mean_ms: u64,
    longest_ms: u64,
    last_seen_ms: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metrics {
    agents: Vec<Metric>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    tasks: BTreeMap<String, u64>,
    version: u64,
    state_hash: String,
    paused: bool,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unreadable(what: &str, why: &serde_json::Error) -> Violation {
    Violation { invariant: "line", message: format!("{what} does not read: {why}") }
}

impl Whole {
    /// Compares `live`, which is at the head of `store`, with everything that must equal it, and leaves
    /// its snapshot in the store. With `all`, the log is also replayed from its first line.
    pub fn check(&mut self, live: &Swarm, store: &mut Store, shadow: &Shadow, all: bool) -> Checked {
        let snapshot = live.snapshot();
        let hash: [u8; 32] = Sha256::digest(snapshot.as_bytes()).into();
        ensure!(hash == live.state_hash(), "snapshot", "the state's hash is not that of its snapshot");
        self.check_chain(live, store)?;
        let mut tail = match &store.snapshot {
            Some((_, text)) => Swarm::restore(text).map_err(|error| refused(&error))?,
            None => Swarm::new(),
        };
        replay(&mut tail, store)?;
        equal("snapshot", "snapshot and tail", &tail.snapshot(), &snapshot)?;
        if all && store.snapshot.is_some() {
            let mut replayed = Swarm::new();
            replay(&mut replayed, store)?;
            equal("replay", "the replayed log", &replayed.snapshot(), &snapshot)?;
        }
        check_rows(&tail.all_rows(), store)?;
        check_shadow(&tail.all_rows(), shadow)?;
        check_metrics(live, shadow)?;
        check_status(live, shadow, &hex(&hash))?;
        shadow.check_counts()?;
        let deadline = shadow.next_deadline();
        ensure!(
            live.next_deadline() == deadline,
            "deadline",
            "next at {:?}, not {deadline:?}",
            live.next_deadline()
        );
        store.snapshot = Some((store.head(), snapshot));
        Ok(())
    }

    fn check_chain(&mut self, live: &Swarm, store: &Store) -> Checked {
        for line in store.after(self.linked as u64) {
            let mut link = Sha256::new();
            link.update(self.chain);
            link.update(line.as_bytes());
            self.chain = link.finalize().into();
        }
        self.linked = store.lines.len();
        ensure!(live.version() == store.head(), "sequence", "{} of {}", live.version(), store.head());
        ensure!(live.chain_head() == self.chain, "chain", "the chain ends in another hash");
        Ok(())
    }

    /// The chain's hash in hexadecimal.
    pub fn chain(&self) -> String {
        hex(&self.chain)
    }
}

fn replay(swarm: &mut Swarm, store: &Store) -> Checked {
    for line in store.after(swarm.version()) {
        swarm.replay(line).map_err(|error| refused(&error))?;
    }
    Ok(())
}

fn equal(invariant: &'static str, what: &str, found: &str, wanted: &str) -> Checked {
    if found == wanted {
        return Ok(());
    }
    let at = found.bytes().zip(wanted.bytes()).take_while(|(a, b)| a == b).count();
    let near = |text: &str| -> String {
        let start = at.saturating_sub(80);
        String::from_utf8_lossy(text.as_bytes().get(start..(at + 80).min(text.len())).unwrap_or_default())
            .into_owned()
    };
    let message = format!("{what} differs at byte {at}: …{}… is not …{}…", near(found), near(wanted));
    Err(Violation { invariant, message })
}

fn check_rows(rows: &[Row], store: &Store) -> Checked {
    ensure!(rows.len() == store.rows.len(), "rows", "{} rows, {} stored", rows.len(), store.rows.len());
    for row in rows {
        let stored = store.rows.get(&(row.table, row.id.clone()));
        let same = stored.is_some_and(|stored| (&stored.state, &stored.body) == (&row.state, &row.body));
        ensure!(same, "rows", "stored is {stored:?}, the state has {row:?}");
    }
    Ok(())
}

fn check_shadow(rows: &[Row], shadow: &Shadow) -> Checked {
    let tasks = rows.iter().filter(|row| row.table == "task");
    let mut seen = 0;
    for row in tasks {
        seen += 1;
        let shown: Shown = serde_json::from_str(&row.body).map_err(|why| unreadable("a row", &why))?;
        let Some(task) = shadow.tasks.get(&shown.id.0) else {
            ensure!(false, "rows", "the log has no {}", row.id);
            continue;
        };
        let lease = task.lease.map(|lease| ShownLease {
            agent_id: crate::line::Id(lease.agent),
            epoch: lease.epoch,
            expires_at_ms: lease.expires,
        });
        let found = (&*shown.state, shown.attempts, shown.released, shown.lease, shown.not_before_ms);
        let not_before = if task.end.is_none() { task.not_before } else { shown.not_before_ms };
        let known = (task.state(), task.attempts, task.released, lease, not_before);
        ensure!(found == known, "rows", "{} is {found:?}, the log says {known:?}", row.id);
        let ids = |list: &[crate::line::TaskNo]| list.iter().map(|id| id.0).collect::<Vec<_>>();
        let found = (ids(&shown.depends_on), ids(&shown.after_failure), shown.assigned_to.map(|id| id.0));
        let known = (task.depends_on.clone(), task.after_failure.clone(), task.assigned_to);
        ensure!(found == known, "rows", "{} has {found:?}, the log says {known:?}", row.id);
        ensure!(
            task.end.is_some()
                || (shown.held == task.held && shown.cancel_requested == task.cancel_requested),
            "rows",
            "{}: held {}, asked to stop {}",
            row.id,
            shown.held,
            shown.cancel_requested
        );
    }
    ensure!(seen == shadow.tasks.len(), "rows", "{seen} tasks; the log has {}", shadow.tasks.len());
    Ok(())
}

fn check_metrics(live: &Swarm, shadow: &Shadow) -> Checked {
    // An older core does not know the operation; coverage tells that it was never answered.
    let Ok(answer) = live.query("agent_metrics", "{}") else { return Ok(()) };
    let metrics: Metrics =
        serde_json::from_str(&answer.response).map_err(|why| unreadable("agent_metrics", &why))?;
    ensure!(metrics.agents.len() == shadow.agents.len(), "metrics", "{} agents", metrics.agents.len());
    for metric in &metrics.agents {
        let Some(agent) = shadow.agent(metric.agent_id.0) else { continue };
        let found = [
            metric.running,
            metric.claimed,
            metric.completed,
            metric.failed,
            metric.expired,
            metric.released,
            metric.cancelled,
            metric.busy_ms,
            metric.mean_ms,
            metric.longest_ms,
            metric.last_seen_ms,
        ];
        let ended = agent.claimed - agent.running;
        let known = [
            agent.running,
            agent.claimed,
            agent.completed,
            agent.failed,
            agent.expired,
            agent.released,
            agent.cancelled,
            agent.busy_ms,
            agent.busy_ms.checked_div(ended).unwrap_or(0),
            agent.longest_ms,
            agent.last_seen,
        ];
        ensure!(
            found == known && metric.state == agent.state(),
            "metrics",
            "a{} {} {found:?}, the log says {} {known:?}",
            metric.agent_id.0,
            metric.state,
            agent.state()
        );
    }
    Ok(())
}

fn check_status(live: &Swarm, shadow: &Shadow, hash: &str) -> Checked {
    let Ok(answer) = live.query("swarm_status", "{}") else { return Ok(()) };
    let status: Status =
        serde_json::from_str(&answer.response).map_err(|why| unreadable("swarm_status", &why))?;
    let mut counts: BTreeMap<String, u64> = status.tasks.keys().map(|state| (state.clone(), 0)).collect();
    for task in shadow.tasks.values() {
        *counts.entry(task.state().into()).or_default() += 1;
    }
    ensure!(status.tasks == counts, "status", "{:?}, the log says {counts:?}", status.tasks);
    let found = (status.version, status.state_hash.as_str(), status.paused);
    let known = (shadow.seq, hash, shadow.paused);
    ensure!(found == known, "status", "{found:?}, the log says {known:?}");
    Ok(())
}
