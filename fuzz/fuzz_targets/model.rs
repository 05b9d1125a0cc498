//! Any bytes as a model file: with the checksum they have, and with a right one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruv_swarm_core::hash::sha256;
use ruv_swarm_core::neural::Model;

fn read(bytes: &[u8]) {
    let Ok(model) = Model::load(bytes) else { return };
    let _ = model.describe();
    let _ = model.layers(0);
    let mut out = vec![0.0; model.outputs()];
    let _ = model.predict_rows(&vec![0.5; model.inputs()], 1, &mut out);
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    // a body of the fuzzer's behind magic and version, closed by its checksum
    for version in [1u32, 2] {
        let mut file = b"RSMODEL\0".to_vec();
        file.extend_from_slice(&version.to_le_bytes());
        file.extend_from_slice(bytes);
        let digest = sha256(&[&file]);
        file.extend_from_slice(&digest);
        read(&file);
    }
});
