//! Whatever text the core is given, as an event, a request or a snapshot, it ends in a value or an error,
//! and takes no more memory than the text's size allows; a text that is refused changes nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::Path;

use ruv_swarm_core::rng::Rng;
use ruv_swarm_core::{Swarm, OPERATIONS};
use serde_json::Value;

/// The system's allocator, which also counts what the thread asks for.
struct Counting;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + layout.size()));
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` gives, and how many bytes it asked for in all.
fn asked<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = ASKED.get();
    let done = work();
    (done, ASKED.get() - before)
}

/// Bytes that reading a text may ask for in all: in proportion to it, and some more for an error's words.
fn allowed(text: &str) -> usize {
    256 * text.len() + 65_536
}

/// Event lines, and requests with their operation.
type Vector = (Vec<String>, Vec<(String, String)>);

/// The logs and requests of all vectors.
fn vectors() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/operations");
    let read = |entry: std::io::Result<fs::DirEntry>| -> Value {
        serde_json::from_str(&fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap()
    };
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let parts = |vector: Value| {
        let steps = vector["steps"].as_array().unwrap();
        let log = steps.iter().flat_map(|step| step["events"].as_array().unwrap()).map(text).collect();
        let calls = steps.iter().map(|step| (text(&step["operation"]), text(&step["request"]))).collect();
        (log, calls)
    };
    fs::read_dir(folder).unwrap().map(read).map(parts).collect()
}

/// Bytes that mean something in JSON, and some that are none of its own.
const MARKS: &[u8] = b"{}[]\",:\\-.e01x\0\xc3";

/// A text with one to four mistakes: bytes changed, cut out, doubled, or put elsewhere.
fn damaged(text: &str, rng: &mut Rng) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..1 + rng.below(4) {
        let at = |rng: &mut Rng, bytes: &[u8]| rng.below(bytes.len() as u64 + 1) as usize;
        let (a, b) = (at(rng, &bytes), at(rng, &bytes));
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 40));
        match rng.below(5) {
            0 => bytes.truncate(from),
            1 => drop(bytes.drain(from..to)),
            2 => {
                let copy = bytes[from..to].to_vec();
                let place = at(rng, &bytes);
                bytes.splice(place..place, copy);
            }
            3 => bytes.splice(from..from, rng.below(u64::MAX).to_string().into_bytes()).for_each(drop),
            _ if from < bytes.len() => bytes[from] = MARKS[rng.below(MARKS.len() as u64) as usize],
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_damaged_event_is_read_or_refused_and_never_more() {
    let mut rng = Rng::from_seed(30);
    let (mut refused, mut read) = (0, 0);
    for (log, _) in vectors() {
        let mut swarm = Swarm::new();
        for line in &log {
            let before = (swarm.version(), swarm.chain_head(), swarm.state_hash());
            for _ in 0..20 {
                let bad = damaged(line, &mut rng);
                let mut trial = Swarm::restore(&swarm.snapshot()).unwrap();
                let (answer, bytes) = asked(|| trial.apply(&bad).map(|applied| applied.seq));
                assert!(bytes <= allowed(&bad), "{bytes} bytes for {} of {bad}", bad.len());
                match answer {
                    Ok(seq) => {
                        assert_eq!(seq, before.0 + 1, "{bad}");
                        read += 1;
                    }
                    Err(_) => {
                        let after = (trial.version(), trial.chain_head(), trial.state_hash());
                        assert_eq!(after, before, "{bad}");
                        refused += 1;
                    }
                }
            }
            swarm.apply(line).unwrap();
        }
    }
    assert!(refused > 5_000 && read > 10, "{refused} refused, {read} read");
}

#[test]
fn a_damaged_request_or_snapshot_is_read_or_refused_and_never_more() {
    let mut rng = Rng::from_seed(31);
    let (mut refused, mut read) = (0, 0);
    let mut count = |good: bool| *(if good { &mut read } else { &mut refused }) += 1;
    for (log, calls) in vectors() {
        let mut swarm = Swarm::new();
        for line in &log {
            swarm.apply(line).unwrap();
        }
        for (operation, request) in calls {
            for _ in 0..10 {
                let bad = damaged(&request, &mut rng);
                count(swarm.call(&operation, &bad, swarm.last_at_ms(), "").is_ok());
            }
        }
        let snapshot = swarm.snapshot();
        for _ in 0..50 {
            let bad = damaged(&snapshot, &mut rng);
            let (answer, bytes) = asked(|| Swarm::restore(&bad).is_ok());
            assert!(bytes <= allowed(&bad), "{bytes} bytes for a snapshot of {}", bad.len());
            count(answer);
        }
    }
    assert!(refused > 2_000 && read > 100, "{refused} refused, {read} read");
}

#[test]
fn a_text_that_is_nested_without_end_is_refused() {
    for open in ["[", "{\"a\":", "[{\"body\":"] {
        let deep = open.repeat(50_000);
        let line =
            format!("{{\"v\":1,\"swarm\":\"s\",\"seq\":1,\"atMs\":1,\"kind\":\"Paused\",\"body\":{deep}");
        for text in [&deep, &line] {
            let (answer, bytes) =
                asked(|| Swarm::new().apply(text).is_err() && Swarm::restore(text).is_err());
            assert!(answer && bytes <= 2 * allowed(text), "{bytes} bytes for {}", text.len());
            for (operation, _) in OPERATIONS {
                assert!(Swarm::new().call(operation, text, 1, "").is_err(), "{operation}");
            }
        }
    }
}
