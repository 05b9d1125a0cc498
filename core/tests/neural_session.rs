//! One network, trained without a swarm.

use ruv_swarm_core::error::Code;
use ruv_swarm_core::neural::{checkpoint_note, encode_arrays, Level, Model, Session, Trained};
use serde_json::{json, Value};

const IRIS: &[u8] = include_bytes!("../../tests/data/iris.csv");

const ALGORITHMS: [&str; 9] =
    ["batch", "incremental", "rprop+", "rprop-", "irprop+", "irprop-", "sarprop", "quickprop", "adam"];

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn finish(mut session: Session, slice: u32) -> Trained {
    while !session.done() {
        session.run(slice).unwrap();
    }
    session.finish().unwrap()
}

fn train(options: &Value, slice: u32) -> (Vec<u8>, Value) {
    let trained = finish(Session::new(IRIS, &options.to_string()).unwrap(), slice);
    (trained.model, value(&trained.report_json))
}

/// Options that touch everything an algorithm remembers: shuffling, momentum, noise, dropout, missing weights.
fn options(algorithm: &str) -> Value {
    let mut options = json!({
        "algorithm": algorithm, "hidden": [7, 3], "activation": ["tanh", "logistic"], "steepness": [1, 0.5, 2],
        "shortcut": true, "connectionRate": 0.8, "epochs": 60, "classWeights": "balanced", "l2": 0.001,
        "patience": 40, "up": 9,
    });
    if ["batch", "adam", "incremental"].contains(&algorithm) {
        options["batchRows"] = json!(20);
        options["noise"] = json!(0.05);
        options["dropout"] = json!(0.1);
        options["momentum"] = json!(0.5);
    }
    options
}

#[test]
fn iris_is_learnt_by_every_algorithm() {
    for algorithm in ALGORITHMS {
        let (model, report) = train(&json!({"algorithm": algorithm, "epochs": 400}), 1000);
        assert!(report["testAccuracy"].as_f64().unwrap() > 0.85, "{algorithm} {report}");
        let model = Model::load(&model).unwrap();
        assert_eq!(report["modelHash"].as_str().unwrap(), model.hash());
        let score = value(&model.evaluate_csv(IRIS).unwrap());
        assert!(score["accuracy"].as_f64().unwrap() > 0.9, "{algorithm} {score}");
    }
}

#[test]
fn slices_and_checkpoints_change_no_bit() {
    for algorithm in ALGORITHMS {
        let options = options(algorithm);
        let (model, report) = train(&options, 1000);
        for slice in [1, 7] {
            let mut session = Session::new(IRIS, &options.to_string()).unwrap();
            while !session.done() {
                session.run(slice).unwrap();
                session = Session::resume(&session.checkpoint(), IRIS).unwrap();
            }
            let found = session.finish().unwrap();
            assert_eq!(value(&found.report_json), report, "{algorithm}");
            assert_eq!(found.model, model, "{algorithm}");
            assert_eq!(train(&options, slice).0, model, "{algorithm}");
        }
        let mut other = options.clone();
        other["seed"] = json!(2);
        assert_ne!(train(&other, 1000).0, model, "{algorithm}");
    }
}

#[test]
fn every_instruction_set_gives_the_same_model() {
    for algorithm in ALGORITHMS {
        let options = options(algorithm).to_string();
        let models: Vec<Vec<u8>> = Level::available()
            .into_iter()
            .map(|level| finish(Session::with_level(IRIS, &options, level).unwrap(), 1000).model)
            .collect();
        assert!(models.iter().all(|model| *model == models[0]), "{algorithm}");
    }
}

#[test]
fn a_stop_of_the_host_is_the_same_as_so_many_epochs() {
    let mut session = Session::new(IRIS, r#"{"patience":0}"#).unwrap();
    session.run(13).unwrap();
    session.stop("time");
    assert!(session.done());
    let stopped = session.finish().unwrap();
    assert_eq!(value(&stopped.report_json)["stopped"], "time");
    let (model, report) = train(&json!({"patience": 0, "epochs": 13}), 1000);
    assert_eq!(report["stopped"], "epochs");
    assert_eq!(stopped.model, model);
}

#[test]
fn arrays_are_the_same_as_their_bytes() {
    let inputs: Vec<f32> = (0..40).map(|place| (place % 7) as f32 - (place % 5) as f32).collect();
    let targets: Vec<f32> = inputs.chunks(2).map(|row| row[0] * 0.5 - row[1] + 0.25).collect();
    let bytes = encode_arrays(&inputs, 20, 2, &targets, 1, None);
    let options = r#"{"epochs":20}"#;
    let whole = finish(Session::new(&bytes, options).unwrap(), 100);
    assert_eq!(finish(Session::from_arrays(&inputs, &targets, 20, options).unwrap(), 3), whole);
    let mut session = Session::from_arrays(&inputs, &targets, 20, options).unwrap();
    session.run(5).unwrap();
    let resumed = Session::resume_arrays(&session.checkpoint(), &inputs, &targets, 20).unwrap();
    assert_eq!(finish(resumed, 100), whole);
    let error = Session::from_arrays(&inputs, &targets, 19, options).err().unwrap();
    assert!(error.message.contains("40 numbers for 19 rows"), "{error}");
}

#[test]
fn a_checkpoint_needs_the_same_data_and_whole_bytes() {
    let mut session = Session::new(IRIS, r#"{"epochs":50}"#).unwrap();
    session.set_note("{\"out\":\"m.rsn\"}").unwrap();
    session.run(20).unwrap();
    let checkpoint = session.checkpoint();
    assert_eq!(checkpoint_note(&checkpoint).unwrap(), "{\"out\":\"m.rsn\"}");
    let resumed = Session::resume(&checkpoint, IRIS).unwrap();
    assert_eq!(resumed.progress(), session.progress());
    assert_eq!(resumed.checkpoint(), checkpoint);
    let other = [IRIS, b"5.1,3.5,1.4,0.2,setosa\n"].concat();
    let error = Session::resume(&checkpoint, &other).err().unwrap();
    assert!(error.message.contains("the checkpoint was taken with"), "{error}");
    let mut bad = checkpoint.clone();
    bad[40] ^= 1;
    assert!(Session::resume(&bad, IRIS).err().unwrap().message.contains("checksum"));
    bad = checkpoint.clone();
    bad[8] = 9;
    assert_eq!(Session::resume(&bad, IRIS).err().unwrap().code, Code::UnsupportedVersion);
    assert_eq!(Session::resume(b"", IRIS).err().unwrap().code, Code::InvalidData);
    assert!(session.set_note(&"x".repeat(70_000)).is_err());
}

#[test]
fn every_stopping_rule_ends_a_training() {
    for (rule, limit) in [
        ("patience", json!(3)),
        ("gl", json!(1)),
        ("pq", json!(0.001)),
        ("up", json!(1)),
        ("progress", json!(20)),
        ("targetError", json!(0.05)),
        ("bitFail", json!(20)),
    ] {
        let mut options = json!({"patience": 0, "epochs": 900});
        options[rule] = limit;
        let report = train(&options, 1000).1;
        let word = match rule {
            "targetError" => "target-error",
            "bitFail" => "bit-fail",
            rule => rule,
        };
        assert_eq!(report["stopped"], word, "{report}");
        assert!(report["epochs"].as_u64().unwrap() < 900);
    }
}

#[test]
fn validation_rows_can_be_measured_less_often() {
    let options = json!({"validateEvery": 7, "epochs": 40, "patience": 0});
    let (model, report) = train(&options, 1000);
    let each = train(&json!({"epochs": 40, "patience": 0}), 1000).1;
    // measuring trains nothing: of the same epochs those that are measured may be the best
    assert_eq!(report["epochs"], each["epochs"]);
    assert_eq!(report["bestEpoch"].as_u64().unwrap() % 7, 0);
    assert!(report["validationLoss"].as_f64() >= each["validationLoss"].as_f64());
    let mut session = Session::new(IRIS, &options.to_string()).unwrap();
    let progress = |session: &Session| value(&session.progress());
    session.run(5).unwrap();
    assert_eq!(progress(&session)["validationLoss"], Value::Null);
    assert_eq!(progress(&session)["bestEpoch"], 5);
    session.run(2).unwrap();
    let measured = progress(&session);
    assert_eq!(measured["validationLoss"], measured["bestValidationLoss"]);
    session.run(3).unwrap();
    assert_eq!(progress(&session)["validationLoss"], measured["validationLoss"]);
    let resumed = Session::resume(&session.checkpoint(), IRIS).unwrap();
    assert_eq!(finish(resumed, 3).model, model);
    // any loss of generalisation stops, but only where one is measured
    let strict = json!({"validateEvery": 7, "epochs": 1000, "patience": 0, "gl": 1e-9, "learningRate": 0.5});
    let stopped = train(&strict, 1000).1;
    assert_eq!((stopped["stopped"].as_str(), stopped["epochs"].as_u64().unwrap() % 7), (Some("gl"), 0));
    // never measured: the last weights
    let few = train(&json!({"validateEvery": 100, "epochs": 3, "patience": 0}), 1000);
    assert_eq!(few.1["bestEpoch"], 3);
    let last = train(&json!({"epochs": 3, "patience": 0, "split": [60, 20, 20]}), 1).1;
    assert_eq!(few.1["trainLoss"], last["trainLoss"]);
}

#[test]
fn without_validation_rows_the_last_weights_are_kept() {
    let (_, report) = train(&json!({"split": [70, 0, 30], "epochs": 30}), 1000);
    assert_eq!((&report["bestEpoch"], &report["validationLoss"]), (&json!(30), &Value::Null));
    let (_, report) = train(&json!({"split": [100, 0, 0], "epochs": 30}), 1000);
    assert_eq!((&report["testLoss"], &report["testAccuracy"]), (&Value::Null, &Value::Null));
    let error = Session::new(IRIS, r#"{"split":[70,0,30],"gl":5}"#).err().unwrap();
    assert_eq!(error.field, "gl");
}

#[test]
fn numbers_that_run_away_keep_the_last_good_weights() {
    let rows: String = (0..40).map(|row| format!("{},{}\n", row, row * row)).collect();
    let data = format!("x,y\n{rows}");
    let options = r#"{"algorithm":"batch","activation":"linear","learningRate":1,"momentum":0.9,"targetScaling":"standard"}"#;
    let mut session = Session::new(data.as_bytes(), options).unwrap();
    session.run(1000).unwrap();
    assert_eq!(value(&session.progress())["stopped"], "diverged");
    // a checkpoint of it says the same again
    let resumed = Session::resume(&session.checkpoint(), data.as_bytes()).unwrap();
    let trained = resumed.finish().unwrap();
    assert_eq!(session.finish().unwrap(), trained);
    let report = value(&trained.report_json);
    assert!(report["message"].as_str().unwrap().contains("in epoch "), "{report}");
    assert!(report["message"].as_str().unwrap().contains("layer "), "{report}");
    assert!(report["trainLoss"].as_f64().unwrap().is_finite());
    let model = Model::load(&trained.model).unwrap();
    assert!(model
        .layers(0)
        .unwrap()
        .iter()
        .all(|layer| layer.weights.iter().all(|weight| weight.is_finite())));
    // without validation rows the weights of the epoch before, however the epochs were cut
    let options = r#"{"algorithm":"batch","activation":"linear","learningRate":4.1,"momentum":0.9,"epochs":5000,"targetScaling":"standard","split":[100,0,0],"hidden":[]}"#;
    let mut session = Session::new(data.as_bytes(), options).unwrap();
    session.run(10_000).unwrap();
    let whole = session.finish().unwrap();
    let report = value(&whole.report_json);
    assert_eq!(report["stopped"], "diverged");
    assert!(
        report["trainLoss"].as_f64().unwrap().is_finite() && report["epochs"].as_u64().unwrap() > 100,
        "{report}"
    );
    let mut session = Session::new(data.as_bytes(), options).unwrap();
    while !session.done() {
        session.run(37).unwrap();
        session = Session::resume(&session.checkpoint(), data.as_bytes()).unwrap();
    }
    assert_eq!(session.finish().unwrap(), whole);
    // in the first epoch there is nothing to keep
    let options = r#"{"algorithm":"batch","activation":"linear","learningRate":1000,"init":"uniform","initRange":1000,"steepness":1000,"hidden":[8,8,8],"split":[100,0,0],"targetScaling":"none"}"#;
    let mut session = Session::new(data.as_bytes(), options).unwrap();
    let error = session.run(1000).map(|progress| panic!("{progress}")).unwrap_err();
    assert_eq!(error.code, Code::WorkFailed);
    assert!(error.message.contains("in epoch 1;"), "{error}");
    assert_eq!(session.finish().unwrap_err(), error);
}

#[test]
fn targets_beyond_the_outputs_are_named() {
    let rows: String = (0..40).map(|row| format!("{},{}\n", row, row * 3)).collect();
    let data = format!("x,y\n{rows}");
    let ask = |options: &str| Session::new(data.as_bytes(), options);
    let error = ask(r#"{"outputActivation":"logistic","targetScaling":"none"}"#).err().unwrap();
    assert_eq!(error.field, "target");
    assert!(error.message.contains("outside the output's range 0 to 1"), "{error}");
    assert!(ask(r#"{"outputActivation":"logistic"}"#).is_ok());
}

#[test]
fn bad_options_are_named() {
    for (options, field, words) in [
        (r#"{"hidden":[0]}"#, "hidden", "layer 1 has 0 units; allowed: 1 to"),
        (r#"{"hidden":"many"}"#, "hidden", "hidden: \"many\"; allowed: units of a layer, or a list of them"),
        (r#"{"steepness":0}"#, "steepness", "steepness: 0; allowed: "),
        (
            r#"{"steepness":[1,2,3]}"#,
            "steepness",
            "3 values; allowed: one value, or one for each of 2 layers",
        ),
        (r#"{"speed":1}"#, "speed", "there is no option of this name; allowed: target, task"),
        (r#"{"learningRate":"fast"}"#, "learningRate", "learningRate: \"fast\"; allowed: a number"),
        (r#"{"learningRate":-1}"#, "learningRate", "learningRate: -1; allowed: "),
        (r#"{"activation":"softmax"}"#, "activation", "softmax"),
        (r#"{"activation":"sigmoid"}"#, "activation", "unknown value \"sigmoid\"; allowed: linear, logistic"),
        (r#"{"activation":"threshold"}"#, "activation", "no slope"),
        (r#"{"loss":"cross-entropy","outputActivation":"tanh"}"#, "loss", "softmax or logistic"),
        (r#"{"split":[60,20,10]}"#, "split", "60, 20, 10"),
        (r#"{"split":60}"#, "split", "split: 60; allowed: three whole numbers"),
        (r#"{"connectionRate":0}"#, "connectionRate", "connectionRate: 0; allowed: above 0 to 1"),
        (r#"{"algorithm":"magic"}"#, "algorithm", "unknown value \"magic\"; allowed: rprop, rprop+"),
        (r#"{"classWeights":{"setosa":-1}}"#, "classWeights", "-1"),
        (r#"{"classWeights":"some"}"#, "classWeights", "\"some\"; allowed: equal, balanced"),
        (r#"{"epochs":0}"#, "epochs", "epochs: 0; allowed: 1 to"),
        (r#"{"seed":9007199254740992}"#, "seed", "9007199254740991"),
        (r#"{"hidden":[10000,10000]}"#, "hidden", "more than 50000000 weights"),
        (r#"[1]"#, "options", "json object"),
        (r#"{"#, "options", "json object"),
    ] {
        let error = Session::new(IRIS, options).err().unwrap();
        assert_eq!(error.code, Code::InvalidArgument, "{options}");
        assert_eq!(error.field, field, "{options}");
        assert!(error.message.contains(words), "{options}: {error}");
    }
    let layers = format!(r#"{{"hidden":[{}1]}}"#, "1,".repeat(9999));
    assert!(Session::new(IRIS, &layers).err().unwrap().message.contains("10000 layers; allowed: at most 64"));
}

#[test]
fn resolved_options_are_complete_and_read_back_the_same() {
    for given in [
        r#"{"batch_rows":null,"algorithm":"adam","hidden":8}"#,
        r#"{"algorithm":"batch","classWeights":{"setosa":2},"split":[70,0,30],"activation":["tanh"],"bitFail":0}"#,
        r#"{"hidden":[],"gl":5,"pq":0.75,"up":3,"progress":0.1,"targetError":0.01,"folds":5,"fold":2}"#,
    ] {
        let options = Session::new(IRIS, given).unwrap().options();
        assert_eq!(Session::new(IRIS, &options).unwrap().options(), options);
    }
    let read = value(&Session::new(IRIS, r#"{"algorithm":"adam"}"#).unwrap().options());
    for (key, wanted) in [
        ("batchRows", json!(32)),
        ("loss", json!("cross-entropy")),
        ("outputActivation", json!("softmax")),
        ("patience", json!(100)),
        ("split", json!([60, 20, 20])),
        ("splitBy", json!("stratified")),
        ("target", json!("species")),
        ("activation", json!(["tanh"])),
        ("steepness", json!([1.0, 1.0])),
    ] {
        assert_eq!(read[key], wanted, "{key}");
    }
    let undecided = ["gl", "pq", "up", "progress", "targetError", "bitFail"];
    let empty: Vec<&String> =
        read.as_object().unwrap().iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key).collect();
    assert!(empty.iter().all(|key| undecided.contains(&key.as_str())), "{empty:?}");
}

#[test]
fn a_model_says_what_it_is() {
    let (model, report) = train(&options("irprop-"), 1000);
    let model = Model::load(&model).unwrap();
    let said = value(&model.describe());
    assert_eq!(said["version"], 2);
    assert_eq!(said["options"]["algorithm"], "irprop-");
    assert_eq!(said["columns"][0]["scale"].as_array().unwrap().len(), 1);
    let member = &said["members"][0];
    assert_eq!((&member["network"], &member["epochs"]), (&json!("4-7-3-3"), &report["epochs"]));
    assert_eq!(member["weights"], 7 * 5 + 3 * 12 + 3 * 15);
    assert!(member["connections"].as_u64().unwrap() < 100);
    assert_eq!(member["layers"][1], json!({"units": 3, "activation": "logistic", "steepness": 0.5}));
    let layers = model.layers(0).unwrap();
    assert_eq!((layers[2].inputs, layers[2].outputs, layers[2].weights.len()), (14, 3, 45));
    assert_eq!(model.layers(1), None);
}
