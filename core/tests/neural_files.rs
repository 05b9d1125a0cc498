//! Model files of earlier releases are read forever.

use ruv_swarm_core::hash::{hex, sha256};
use ruv_swarm_core::neural::Model;
use serde_json::Value;
use std::path::PathBuf;

fn read(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/neural").join(name))
        .unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

/// The file was written by release 0.1.0 (engine 1): every kind of view and network is in it.
#[test]
fn a_model_of_version_1_is_read() {
    let bytes = read("model_v1.rsm");
    let stored: Value = serde_json::from_slice(&read("model_v1.json")).unwrap();
    assert_eq!(hex(&sha256(&[&bytes])), stored["hash"].as_str().unwrap());
    let model = Model::load(&bytes).unwrap();
    assert_eq!(model.hash(), stored["hash"].as_str().unwrap());
    let described: Value = serde_json::from_str(&model.describe()).unwrap();
    assert_eq!(described["version"], 1);
    for (member, stored) in
        described["members"].as_array().unwrap().iter().zip(stored["members"].as_array().unwrap())
    {
        for (key, value) in stored.as_object().unwrap() {
            assert_eq!(&member[key], value, "{key}");
        }
    }
    let (inputs, wanted) = (numbers(&stored["inputs"]), numbers(&stored["outputs"]));
    let mut found = vec![0.0f32; wanted.len()];
    model.predict_rows(&inputs, wanted.len() / 3, &mut found).unwrap();
    // the arithmetic of later engines may round otherwise, and no more than that
    for (found, wanted) in found.iter().zip(&wanted) {
        assert!((found - wanted).abs() <= 2e-6, "{found} is not {wanted}");
    }
}
