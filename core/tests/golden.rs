//! The golden logs of every release: each event must lead to the chain and the state that were recorded
//! with it. The other targets replay the same files in `tests/conformance/test_golden_logs.py`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ruv_swarm_core::event::Event;
use ruv_swarm_core::hash::hex;
use ruv_swarm_core::Swarm;
use serde_json::Value;

/// After how many events a state is restored from a snapshot and carried on from there.
const RESTORED: usize = 10;

/// Path and content of every golden log.
fn logs() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/golden");
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let releases = inside(&folder);
    assert!(!releases.is_empty());
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    releases.iter().flat_map(|release| inside(release)).map(read).collect()
}

/// Chain, state and event of each line.
fn steps(text: &str) -> Vec<[&str; 3]> {
    let parts = |line| {
        let mut parts = str::splitn(line, 3, '\t');
        [parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap()]
    };
    text.strip_suffix('\n').unwrap().split('\n').map(parts).collect()
}

/// Replays a log, beside it one that is restored now and then; tells the first event that leads elsewhere.
fn check(steps: &[[&str; 3]]) -> Result<(), String> {
    let mut live = Swarm::new();
    let mut restored = Swarm::new();
    for (place, [chain, state, line]) in steps.iter().enumerate() {
        for (which, swarm) in [("replayed", &mut live), ("restored", &mut restored)] {
            let trouble = |what: &str| format!("event {}, {which}: {what}", place + 1);
            let applied = swarm.apply(line).map_err(|error| trouble(&error.to_json()))?;
            if hex(&applied.chain) != *chain {
                return Err(trouble("another chain"));
            }
            if hex(&swarm.state_hash()) != *state {
                return Err(trouble("another state"));
            }
        }
        if (place + 1) % RESTORED == 0 {
            restored = Swarm::restore(&live.snapshot()).map_err(|error| error.to_json())?;
        }
    }
    Ok(())
}

#[test]
fn every_event_leads_to_the_recorded_chain_and_state() {
    for (path, text) in logs() {
        assert_eq!(check(&steps(&text)), Ok(()), "{}", path.display());
    }
}

#[test]
fn the_logs_of_this_release_hold_every_kind_of_event() {
    let release = concat!("golden/", env!("CARGO_PKG_VERSION"));
    let mut kinds = BTreeSet::new();
    for (_, text) in logs().iter().filter(|(path, _)| path.parent().unwrap().ends_with(release)) {
        for [_, _, line] in steps(text) {
            let event: Value = serde_json::from_str(line).unwrap();
            kinds.insert(event["kind"].as_str().unwrap().to_string());
        }
    }
    for kind in Event::KINDS {
        assert!(kinds.contains(*kind), "no golden log with the event {kind}");
    }
}

#[test]
fn one_altered_letter_of_an_event_or_a_hash_is_found() {
    let logs = logs();
    let good =
        logs.iter().map(|(_, text)| steps(text)).find(|steps| (20..60).contains(&steps.len())).unwrap();
    for place in 0..good.len() {
        for part in 0..3 {
            let at = good[place][part].len() / 2;
            let mut bytes = good[place][part].as_bytes().to_vec();
            // Any other letter of ASCII will do; what is no text any more would not reach the core.
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            let Ok(altered) = String::from_utf8(bytes) else { continue };
            let mut forged = good.clone();
            forged[place][part] = &altered;
            let told = check(&forged).unwrap_err();
            assert!(told.starts_with(&format!("event {},", place + 1)), "{told}");
        }
    }
}
