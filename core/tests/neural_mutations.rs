//! The readers of models, checkpoints, options and data take any bytes: an answer or a clear error, never a panic.
//!
//! Deterministic changes of good files: bits flipped, bytes set, cut out, put in, doubled. `fuzz/` holds the same
//! readers for cargo-fuzz.

use ruv_swarm_core::error::Error;
use ruv_swarm_core::hash::sha256;
use ruv_swarm_core::neural::{checkpoint_note, encode_arrays, inspect_data, Model, Session};
use ruv_swarm_core::rng::Rng;

const DATA: &[u8] =
    b"a,b,c\n1,x,0.5\n2,y,1\n3,x,?\n4,z,2.5\n5,y,3\n6,x,1\n7,x,2\n8,z,3\n9,y,1\n10,x,2\n11,x,3.5\n12,z,1\n";
const FANN: &[u8] = b"4 2 1\n0 0\n0\n0 1\n1\n1 0\n1\n1 1\n0\n";
const PROBEN: &[u8] = b"bool_in=0\nreal_in=2\nbool_out=2\nreal_out=0\ntraining_examples=3\nvalidation_examples=1\ntest_examples=1\n0 0.5 1 0\n1 0.2 0 1\n0.3 0 1 0\n0.9 1 0 1\n0.1 0.7 1 0\n";
const OPTIONS: &str = r#"{"target":"b","hidden":[3,2],"activation":["tanh","elliott"],"shortcut":true,"connectionRate":0.7,"epochs":4,"gl":50,"up":3,"classWeights":{"x":2},"split":[60,20,20]}"#;

fn changed(good: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..1 + rng.below(4) {
        let at = rng.below(bytes.len().max(1) as u64) as usize;
        if at >= bytes.len() {
            bytes.push(rng.next_u64() as u8);
            continue;
        }
        match rng.below(6) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes[at] = rng.next_u64() as u8,
            2 => bytes.truncate(at),
            3 => bytes.insert(at, rng.next_u64() as u8),
            4 => {
                let end = (at + 1 + rng.below(16) as usize).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let end = (at + 1 + rng.below(16) as usize).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    bytes
}

/// The file with a right checksum, so that the reader's own checks are all there is.
fn closed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len().saturating_sub(32));
    let digest = sha256(&[&bytes]);
    bytes.extend_from_slice(&digest);
    bytes
}

fn named(error: &Error) {
    assert!(error.message.len() < 2000, "{error}");
    assert_ne!(error.code.as_str(), "internal", "{error}");
}

fn session(data: &[u8], options: &str) -> Session {
    let mut session = Session::new(data, options).unwrap();
    session.run(3).unwrap();
    session
}

#[test]
fn models() {
    let good = session(DATA, OPTIONS).finish().unwrap().model;
    let mut rng = Rng::from_seed(1);
    let mut read = 0;
    for _ in 0..20_000 {
        let bad = closed(changed(&good, &mut rng));
        match Model::load(&bad) {
            Err(error) => named(&error),
            Ok(model) => {
                read += 1;
                let mut out = vec![0.0; model.outputs()];
                let _ = model.predict_rows(&vec![1.0; model.inputs()], 1, &mut out);
                let _ =
                    (model.predict_csv(DATA), model.evaluate_csv(DATA), model.describe(), model.layers(0));
            }
        }
        assert!(Model::load(&changed(&good, &mut rng)).map_or(true, |model| model.hash() == hash(&good)));
    }
    assert!(read > 400, "{read}: the changes reach no further than the checks");
}

fn hash(bytes: &[u8]) -> String {
    ruv_swarm_core::hash::hex(&sha256(&[bytes]))
}

#[test]
fn checkpoints() {
    let mut rng = Rng::from_seed(2);
    for options in [
        OPTIONS,
        r#"{"algorithm":"adam","target":"b","epochs":9}"#,
        r#"{"algorithm":"incremental","target":"b","split":[100,0,0]}"#,
    ] {
        let good = session(DATA, options).checkpoint();
        let mut resumed = 0;
        for _ in 0..4_000 {
            let bad = closed(changed(&good, &mut rng));
            let _ = checkpoint_note(&bad).map_err(|error| named(&error));
            if let Ok(mut session) = Session::resume(&bad, DATA).map_err(|error| named(&error)) {
                resumed += 1;
                let _ = session.run(2).map_err(|error| named(&error));
                let _ = (
                    session.checkpoint(),
                    session.progress(),
                    session.finish().map_err(|error| named(&error)),
                );
            }
        }
        assert!(resumed > 100, "{resumed}: the changes reach no further than the checks");
    }
}

#[test]
fn options() {
    let mut rng = Rng::from_seed(3);
    for _ in 0..5_000 {
        let bad = changed(OPTIONS.as_bytes(), &mut rng);
        let bad = String::from_utf8_lossy(&bad);
        if let Ok(mut session) = Session::new(DATA, &bad).map_err(|error| named(&error)) {
            session.run(1).map_err(|error| named(&error)).ok();
            let options = session.options();
            assert_eq!(Session::new(DATA, &options).unwrap().options(), options);
        }
    }
}

#[test]
fn data() {
    let mut rng = Rng::from_seed(4);
    let array =
        encode_arrays(&[0.5, 1.0, -2.0, 3.0, 0.0, 9.0, 4.0, 1.0], 4, 2, &[1.0, 0.0, 1.0, 0.0], 1, None);
    for good in [DATA, FANN, PROBEN, &array] {
        for _ in 0..3_000 {
            let bad = changed(good, &mut rng);
            let _ = inspect_data(&bad, "").map_err(|error| named(&error));
            if let Ok(mut session) = Session::new(&bad, r#"{"hidden":[2]}"#).map_err(|error| named(&error)) {
                let _ = session.run(1).map_err(|error| named(&error));
            }
        }
    }
}
