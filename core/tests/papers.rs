//! `docs/papers.md` against the engine: one small set gives the hash that stands there.

#[path = "../examples/papers/encoders.rs"]
#[allow(dead_code, reason = "the example uses more of it")]
mod encoders;
#[path = "../examples/papers/training.rs"]
#[allow(dead_code, reason = "the example uses more of it")]
mod training;
#[path = "../examples/papers/wanted.rs"]
#[allow(dead_code, reason = "the example uses more of it")]
mod wanted;

use ruv_swarm_core::hash::{hex, sha256};
use serde_json::Value;
use std::path::PathBuf;
use wanted::Wanted;

const PAGE: &str = include_str!("../../docs/papers.md");

#[test]
fn the_page_is_of_this_engine() {
    let wanted = Wanted {
        data: PathBuf::new(),
        seeds: 3,
        threads: 1,
        sets: vec!["10-5-10".to_string()],
        with: Value::Null,
    };
    let lines: Vec<String> =
        encoders::jobs(&wanted).iter().map(|job| format!("{}\n", job.run(&Value::Null).unwrap())).collect();
    let hash = hex(&sha256(&[lines.concat().as_bytes()]));
    let line = format!("10-5-10, seeds 1 to {}: `{hash}`", wanted.seeds);
    assert!(
        PAGE.contains(&line),
        "docs/papers.md is of another engine: `python3 dev.py papers --write`\n{line}"
    );
}
