//! Any bytes as a dataset: inspected, trained on for one epoch, predicted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruv_swarm_core::neural::{inspect_data, Model, Session};

fuzz_target!(|bytes: &[u8]| {
    let _ = inspect_data(bytes, "");
    let Ok(mut session) = Session::new(bytes, r#"{"hidden":[2]}"#) else { return };
    if session.run(1).is_err() {
        return;
    }
    if let Ok(trained) = session.finish() {
        let model = Model::load(&trained.model).expect("a model of our own");
        let _ = model.predict_csv(bytes);
        let _ = model.evaluate_csv(bytes);
    }
});
