//! One network, trained without a swarm.

use ruv_swarm_core::neural::{Model, Session};
use serde_json::Value;

const IRIS: &[u8] = include_bytes!("../../tests/data/iris.csv");

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn train(options: &str, slice: u32) -> (Vec<u8>, Value) {
    let mut session = Session::new(IRIS, options).unwrap();
    while !session.done() {
        session.run(slice).unwrap();
    }
    let trained = session.finish().unwrap();
    (trained.model, value(&trained.report_json))
}

#[test]
fn iris_is_learnt_and_slices_change_no_bit() {
    let (model, report) = train(r#"{"epochs":200}"#, 1000);
    assert!(report["testAccuracy"].as_f64().unwrap() > 0.85, "{report}");
    assert_eq!(report["modelHash"].as_str().unwrap(), Model::load(&model).unwrap().hash());
    for slice in [1, 7] {
        assert_eq!(train(r#"{"epochs":200}"#, slice).0, model);
    }
    assert_ne!(train(r#"{"epochs":200,"seed":2}"#, 1000).0, model);
}

#[test]
fn a_checkpoint_goes_on_bit_for_bit_and_with_the_same_data_only() {
    let mut session = Session::new(IRIS, r#"{"epochs":50}"#).unwrap();
    session.run(20).unwrap();
    let checkpoint = session.checkpoint();
    let mut resumed = Session::resume(&checkpoint, IRIS).unwrap();
    assert_eq!(resumed.progress(), session.progress());
    session.run(100).unwrap();
    resumed.run(100).unwrap();
    assert_eq!(session.finish().unwrap(), resumed.finish().unwrap());
    let other = [IRIS, b"5.1,3.5,1.4,0.2,setosa\n"].concat();
    let error = Session::resume(&checkpoint, &other).err().unwrap();
    assert!(error.message.contains("the checkpoint was taken with"), "{error}");
}

#[test]
fn bad_options_are_named() {
    for (options, field, words) in [
        (r#"{"hidden":[0]}"#, "hidden", "layer 1 has 0 units; allowed: 1 to"),
        (r#"{"steepness":0}"#, "steepness", "steepness: 0; allowed: "),
        (r#"{"speed":1}"#, "speed", "there is no option of this name; allowed: target, task"),
        (r#"{"learningRate":"fast"}"#, "learningRate", "\"fast\""),
        (r#"{"activation":"softmax"}"#, "activation", "softmax"),
        (r#"{"loss":"cross-entropy","outputActivation":"tanh"}"#, "loss", "softmax or logistic"),
        (r#"{"split":[60,20,10]}"#, "split", "60, 20, 10"),
        (r#"{"seed":9007199254740992}"#, "seed", "9007199254740991"),
        (r#"[1]"#, "options", "json object"),
    ] {
        let error = Session::new(IRIS, options).err().unwrap();
        assert_eq!(error.code.as_str(), "invalid_argument", "{options}");
        assert_eq!(error.field, field, "{options}");
        assert!(error.message.contains(words), "{options}: {error}");
    }
    let layers = format!(r#"{{"hidden":[{}1]}}"#, "1,".repeat(9999));
    assert!(Session::new(IRIS, &layers).err().unwrap().message.contains("10000 layers; allowed: at most 64"));
}

#[test]
fn resolved_options_are_complete_and_read_back_the_same() {
    let session = Session::new(IRIS, r#"{"batch_rows":null,"algorithm":"adam"}"#).unwrap();
    let options = session.options();
    let read = value(&options);
    assert_eq!(read["batchRows"], 32);
    assert_eq!(read["loss"], "cross-entropy");
    assert_eq!(read["patience"], 100);
    assert_eq!(read["split"], serde_json::json!([60, 20, 20]));
    assert_eq!(Session::new(IRIS, &options).unwrap().options(), options);
}
