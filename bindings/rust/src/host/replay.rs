//! The state again from the log alone, and what `replay --verify` compares it with.

use std::collections::BTreeMap;

use ruv_swarm_core::error::Error;
use ruv_swarm_core::hash::{hex, Hash};
use ruv_swarm_core::Swarm;

use super::session::check;
use crate::store::Store;

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// How many events were replayed.
    pub events: u64,
    /// The hash of the rebuilt state.
    pub state_hash: Hash,
    /// The hash chain up to the last event.
    pub chain: Hash,
    /// What does not agree; `None` if all does.
    pub problem: Option<Error>,
}

impl Replay {
    /// The result as the doors print it.
    pub fn to_json(&self) -> String {
        format!(
            "{{\"events\":{},\"stateHash\":\"{}\",\"chain\":\"{}\",\"ok\":{}}}",
            self.events,
            hex(&self.state_hash),
            hex(&self.chain),
            self.problem.is_none()
        )
    }
}

/// Events are read in blocks of this many, so that a long log is never in memory as a whole.
const BLOCK: u64 = 1000;

/// One projection row: its state word, its body and its event, by table and id.
type Rows = BTreeMap<(&'static str, String), (String, String, u64)>;

pub(super) fn run(store: &Store, live: &Swarm, verify: bool) -> Result<Replay, Error> {
    let mut rebuilt = Swarm::new();
    let mut problem = None;
    'log: loop {
        let events = store.events(rebuilt.version(), BLOCK)?;
        for event in &events {
            let applied = match verify {
                true => rebuilt.apply(&event.body),
                false => rebuilt.replay(&event.body),
            };
            match check(store, event.seq, &event.chain, applied) {
                Ok(_) => {}
                Err(error) => {
                    problem = Some(error);
                    break 'log;
                }
            }
        }
        if (events.len() as u64) < BLOCK {
            break;
        }
    }
    let rows = rebuilt.take_rows().into_iter();
    let rows: Rows = rows.map(|row| ((row.table, row.id), (row.state, row.body, row.seq))).collect();
    if problem.is_none() {
        problem = compare(store, live, &rebuilt, &rows, verify)?;
    }
    Ok(Replay {
        events: rebuilt.version(),
        state_hash: rebuilt.state_hash(),
        chain: rebuilt.chain_head(),
        problem,
    })
}

fn compare(
    store: &Store,
    live: &Swarm,
    rebuilt: &Swarm,
    rows: &Rows,
    verify: bool,
) -> Result<Option<Error>, Error> {
    let (version, chain) = store.head()?.map_or((0, [0; 32]), |head| (head.version, head.chain));
    if version != rebuilt.version() || chain != rebuilt.chain_head() {
        let last = rebuilt.version();
        return Ok(Some(store.damaged(&format!("the log ends at event {last} and its head says {version}"))));
    }
    if !verify {
        return Ok(None);
    }
    if rebuilt.state_hash() != live.state_hash() {
        return Ok(Some(store.damaged("the live state is not the replayed one")));
    }
    for table in ["agent", "task", "goal"] {
        let expected = rows.keys().filter(|(name, _)| *name == table).count() as u64;
        let stored = store.count_rows(table)?;
        if stored != expected {
            return Ok(Some(
                store.damaged(&format!("table {table} has {stored} rows and the log makes {expected}")),
            ));
        }
    }
    for ((table, id), row) in rows {
        if store.row(table, id)?.as_ref() != Some(row) {
            return Ok(Some(
                store.damaged(&format!("row {id} of table {table} is not what the log makes of it")),
            ));
        }
    }
    if let Some(report) = store.quick_check()? {
        return Ok(Some(store.damaged(&report.to_lowercase())));
    }
    Ok(None)
}
