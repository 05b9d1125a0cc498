//! Bad data is refused with one clear line, good data is read as the rules say.
#![allow(clippy::disallowed_types)] // one test bounds the time of a refusal

use ruv_swarm_core::neural::{
    encode_arrays, inspect_data, resolve_plan, MemberRequest, Model, Task, Trainer, MODEL_VERSION,
};
use ruv_swarm_core::Code;
use serde_json::Value;
use std::time::Instant;

fn message(bytes: &[u8], options: &str) -> (Code, String, String) {
    let error = inspect_data(bytes, options).unwrap_err();
    assert!(!error.message.contains('\n') && error.message.len() < 400, "{}", error.message);
    assert!(error.message.starts_with(char::is_lowercase));
    (error.code, error.field, error.message)
}

fn summary(bytes: &[u8], options: &str) -> Value {
    serde_json::from_str(&inspect_data(bytes, options).unwrap()).unwrap()
}

/// `rows` rows below `header` made by `row`.
fn csv(header: &str, rows: usize, row: impl Fn(usize) -> String) -> String {
    (0..rows).fold(format!("{header}\n"), |text, index| text + &row(index) + "\n")
}

type Fault = (Vec<u8>, &'static str, Code, &'static str, &'static str);

fn fault(
    bytes: impl AsRef<[u8]>,
    options: &'static str,
    code: Code,
    field: &'static str,
    text: &'static str,
) -> Fault {
    (bytes.as_ref().to_vec(), options, code, field, text)
}

#[test]
fn every_fault_has_its_line() {
    let good = |index: usize| format!("{},{},{}", index, index * index, ["a", "b"][index % 2]);
    let with = |at: usize, cell: &str| {
        let row = |index| if index == at { cell.to_string() } else { good(index) };
        csv("x,y,class", 20, row)
    };
    let wide = (0..11_000).map(|index| format!("c{index}")).collect::<Vec<_>>().join(",");
    let one_class = csv("x,y,class", 20, |index| format!("{index},{index},a"));
    let constant = csv("x,class", 20, |index| format!("1,{}", index % 2));
    let texts = csv("id,class", 200, |index| format!("name{index},{}", index % 2));
    let gap = with(4, "4,16,");
    let data = Code::InvalidData;
    let cases: Vec<Fault> = vec![
        fault(b"", "", data, "data", "data: the file is empty"),
        fault(b" \n\r\n", "", data, "data", "data: the file is empty"),
        fault(b"x,y,class\n", "", data, "data", "data: there are no rows below the header"),
        fault(with(2, "1,2"), "", data, "data", "data: row 3 has 2 fields, but the header names 3"),
        fault(with(5, "1,2,a,4"), "", data, "data", "data: row 6 has 4 fields"),
        fault(b"x,y\n1,\xff\n", "", data, "data", "data: byte 6 is not UTF-8"),
        fault(b"x,x,class\n1,2,a\n", "", data, "data", "data: two columns are named \"x\""),
        fault(b"class\na\nb\n", "", data, "data", "data: no feature column: the only column is the target"),
        fault(b"x;y\n1;2\n", "", data, "data", "separate the columns by commas"),
        fault(
            with(0, "0,0,a"),
            r#"{"target":"nope"}"#,
            Code::InvalidArgument,
            "target",
            "target: no column \"nope\"; the columns are: x, y, class",
        ),
        fault(one_class, "", data, "target", "target: column \"class\" holds one class only"),
        fault(with(3, "nan,9,a"), "", data, "data", "data: row 4, column \"x\": \"nan\" is not finite"),
        fault(with(3, "3,-Inf,a"), "", data, "data", "data: row 4, column \"y\": \"-Inf\" is not finite"),
        fault(with(3, "1e39,9,a"), "", data, "data", "\"1e39\" is not finite"),
        fault(wide, "", data, "data", "data: 11000 columns; at most 10000 are allowed"),
        fault(csv("x,y,class", 6, good), "", data, "data", "data: 6 rows; at least 10 are needed"),
        fault(constant, "", data, "data", "data: every feature column holds one value only"),
        fault(
            texts,
            "",
            data,
            "data",
            "data: column \"id\" holds texts (row 1: \"name0\") of more than 64 kinds",
        ),
        fault(gap, "", data, "target", "target: row 5 of column \"class\" is empty"),
        fault(with(1, "1,1,\"a"), "", data, "data", "data: row 2, column 3: a quote is never closed"),
        fault(
            with(0, "0,0,a"),
            r#"{"task":"regression"}"#,
            data,
            "target",
            "target: row 1 of column \"class\" is \"a\"; regression needs numbers",
        ),
        fault(
            with(0, "0,0,a"),
            r#"{"task":"guess"}"#,
            Code::InvalidArgument,
            "task",
            "task: unknown value \"guess\"; allowed: classification, regression",
        ),
        fault(
            with(0, "0,0,a"),
            r#"{"format":"xls"}"#,
            Code::InvalidArgument,
            "format",
            "allowed: csv, fann, proben1, array",
        ),
        fault(
            with(0, "0,0,a"),
            r#"{"goal":"x"}"#,
            Code::InvalidArgument,
            "options",
            "options: unknown field",
        ),
        fault(b"12 2 1\n1 2\n", "", data, "data", "data: the first line promises 12 rows"),
        fault(b"RSARRAY1abc", "", data, "data", "data: no array header"),
    ];
    for (bytes, options, code, field, text) in cases {
        let found = message(&bytes, options);
        assert!(
            found.0 == code && found.1 == field && found.2.contains(text),
            "wanted {text:?}, got {found:?}"
        );
    }
}

#[test]
fn a_million_columns_are_refused_at_once() {
    let mut text = String::new();
    for index in 0..1_000_000 {
        text.push_str(&format!("column{index},"));
    }
    text.push_str("class\n");
    let start = Instant::now();
    let found = message(text.as_bytes(), "");
    assert_eq!(found.2, "data: 1000001 columns; at most 10000 are allowed");
    assert!(start.elapsed().as_secs_f64() < 2.0);
}

#[test]
fn missing_values_texts_and_tasks_follow_the_rules() {
    let rows = csv("size,colour,speed", 30, |index| {
        let size = if index % 7 == 0 { "NA".to_string() } else { index.to_string() };
        let colour = ["red", "\"dark, blue\"", "?", "green"][index % 4];
        format!("{size},{colour},{}", index as f32 * 1.5)
    });
    let found = summary(rows.as_bytes(), "");
    // one number and its indicator; three texts and theirs
    assert_eq!((&found["features"], &found["inputs"], &found["outputs"]), (&2.into(), &6.into(), &1.into()));
    assert_eq!(
        (&found["task"], &found["target"], &found["missing"]),
        (&"regression".into(), &"speed".into(), &12.into())
    );
    let found = summary(rows.as_bytes(), r#"{"target":"colour"}"#.replace("colour", "speed").as_str());
    assert_eq!(found["classes"], Value::Array(vec![]));
    let found = summary(rows.as_bytes(), r#"{"task":"classification"}"#);
    assert_eq!((&found["outputs"], &found["classes"][1]), (&30.into(), &"1.5".into()));
    let integers = csv("x,y", 40, |index| format!("{index},{}", ["1", "2.0", "10"][index % 3]));
    assert_eq!(summary(integers.as_bytes(), "")["classes"], serde_json::json!(["1", "2", "10"]));
    let many = csv("x,y", 40, |index| format!("{index},{index}"));
    assert_eq!(summary(many.as_bytes(), "")["task"], "regression");
}

#[test]
fn fann_text_and_arrays_are_read() {
    let fann = (0..12).fold("12 2 2\n".to_string(), |text, index| {
        text + &format!("{} {}\n{}\n", index, index * 2, ["1 0", "0 1"][index % 2])
    });
    let found = summary(fann.as_bytes(), "");
    assert_eq!(
        (&found["format"], &found["task"], &found["outputs"]),
        (&"fann".into(), &"classification".into(), &2.into())
    );
    let inputs: Vec<f32> = (0..40).map(|index| index as f32).collect();
    let bytes = encode_arrays(&inputs, 20, 2, &inputs, 2, None);
    let found = summary(&bytes, "");
    assert_eq!(
        (&found["format"], &found["task"], &found["outputs"]),
        (&"array".into(), &"regression".into(), &2.into())
    );
    let short = &bytes[..bytes.len() - 1];
    assert!(message(short, "")
        .2
        .contains("20 rows of 2 inputs and 2 targets take 348 bytes, but there are 347"));
    let labels: Vec<f32> = (0..20).map(|index| (index % 3) as f32).collect();
    let bytes = encode_arrays(&inputs, 20, 2, &labels, 1, Some(Task::Classification));
    assert_eq!(summary(&bytes, "")["classes"], serde_json::json!(["0", "1", "2"]));
    let mut spoilt = inputs.clone();
    spoilt[5] = f32::NAN;
    let bytes = encode_arrays(&spoilt, 20, 2, &labels, 1, None);
    assert!(message(&bytes, "").2.contains("row 3, column \"x2\": \"NaN\" is not finite"));
}

fn small_model(text: &str) -> (Vec<u8>, Model) {
    let request = MemberRequest { pattern: "convergent".into(), algorithms: vec![] };
    let plan = resolve_plan(&inspect_data(text.as_bytes(), "").unwrap(), 3, &[request]).unwrap();
    let plan = serde_json::to_string(&plan).unwrap();
    let mut trainer = Trainer::new(text.as_bytes(), &plan, 0).unwrap();
    trainer.run(30).unwrap();
    let bytes = trainer.finish().unwrap().model;
    let model = Model::load(&bytes).unwrap();
    (bytes, model)
}

#[test]
fn new_rows_may_hold_gaps_and_unseen_texts_but_no_wrong_numbers() {
    let text = csv("size,colour,kind", 40, |index| {
        format!("{},{},{}", index, ["red", "blue", ""][index % 3], ["low", "high"][usize::from(index > 20)])
    });
    let (_, model) = small_model(&text);
    let answer = model.predict_csv(b"kind,size,colour,more\n?,3,purple,x\nlow,,red,y\n").unwrap();
    let lines = String::from_utf8(answer.csv).unwrap();
    assert_eq!((answer.rows, lines.lines().next()), (2, Some("prediction,probability_high,probability_low")));
    assert!(lines.lines().nth(1).unwrap().starts_with("low,"), "{lines}");
    for (csv, wanted) in [
        ("size,colour\n1,red\nten,red\n", "data: row 2, column \"size\": \"ten\" is no number"),
        ("size,colour\ninf,red\n", "data: row 1, column \"size\": \"inf\" is not finite"),
        ("size\n1\n", "data: no column \"colour\", which the model needs; the columns are: size"),
        ("size,colour\n", "data: there are no rows below the header"),
        ("", "data: the file is empty"),
        ("size,colour\n1\n", "data: row 1 has 1 fields, but the header names 2"),
    ] {
        let error = model.predict_csv(csv.as_bytes()).unwrap_err();
        assert!(error.message.starts_with(wanted), "{error}");
    }
    let error = model.evaluate_csv(b"size,colour,kind\n1,red,middle\n").unwrap_err();
    assert_eq!(error.message, "target: row 1 of column \"kind\" is \"middle\"; allowed: high, low");
    let mut out = [0.0; 2];
    assert!(model.predict_rows(&[1.0], 1, &mut out).is_err());
    assert!(model
        .predict_rows(&[f32::NAN, 0.0, 0.0, 0.0], 1, &mut out)
        .unwrap_err()
        .message
        .contains("row 1, column 1"));
}

#[test]
fn damaged_model_files_are_refused() {
    let text = csv("x,y,class", 30, |index| format!("{index},{},{}", index % 5, index % 2));
    let (bytes, _) = small_model(&text);
    for end in 0..bytes.len() {
        assert!(Model::load(&bytes[..end]).is_err(), "cut at {end}");
    }
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 0x40;
        assert!(Model::load(&bad).is_err(), "flipped at {at}");
    }
    let mut newer = bytes.clone();
    newer[8] += 1;
    let error = Model::load(&newer).unwrap_err();
    assert_eq!(error.code, Code::UnsupportedVersion);
    let wanted = format!("format version {} is newer than {MODEL_VERSION}", MODEL_VERSION + 1);
    assert!(error.message.contains(&wanted), "{error}");
    assert_eq!(
        Model::load(b"PK\x03\x04").unwrap_err().message,
        "model: the bytes are no ruv-swarm model file"
    );
}

#[test]
fn a_forged_model_file_never_panics() {
    // with a right checksum over wrong bytes, the reader's own checks are all there is
    let text = csv("x,y,class", 30, |index| format!("{index},{},{}", index % 5, index % 2));
    let (bytes, _) = small_model(&text);
    let mut rng = ruv_swarm_core::rng::Rng::from_seed(11);
    for _ in 0..20_000 {
        let mut bad = bytes[..bytes.len() - 32].to_vec();
        for _ in 0..1 + rng.below(4) {
            let at = 12 + rng.below(bad.len() as u64 - 12) as usize;
            bad[at] = rng.next_u64() as u8;
        }
        let digest = ruv_swarm_core::hash::sha256(&[&bad]);
        bad.extend_from_slice(&digest);
        if let Ok(model) = Model::load(&bad) {
            let mut out = vec![0.0; model.outputs()];
            let _ = model.predict_rows(&vec![1.0; model.inputs()], 1, &mut out);
            let _ = (model.predict_csv(text.as_bytes()), model.describe());
        }
    }
}

#[test]
fn plans_are_checked_and_stay_explicit() {
    let text = csv("x,y,class", 30, |index| format!("{index},{},{}", index % 5, index % 2));
    let facts = inspect_data(text.as_bytes(), "").unwrap();
    let ask = |pattern: &str, words: &[&str]| {
        let algorithms = words.iter().map(|word| word.to_string()).collect();
        resolve_plan(&facts, 5, &[MemberRequest { pattern: pattern.into(), algorithms }])
    };
    assert!(ask("sideways", &[])
        .unwrap_err()
        .message
        .starts_with("pattern: unknown value \"sideways\"; allowed: convergent"));
    assert!(ask("lateral", &["magic"]).unwrap_err().message.contains("allowed: rprop, batch"));
    let plan = ask("lateral", &["rprop", "batch"]).unwrap();
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<ruv_swarm_core::neural::TrainingPlan>(&json).unwrap(), plan);
    assert_ne!(ask("lateral", &["batch"]).unwrap().members[0].seed, plan.members[0].seed);
    for (from, to, wanted) in [
        ("\"engine\":2", "\"engine\":9", "engine: the plan needs engine 9"),
        (
            "\"activation\":\"gaussian\"",
            "\"activation\":\"softmax\"",
            "activation: softmax is for outputs only",
        ),
        ("\"maxEpochs\":", "\"maxEpochs\":0,\"x\":", "maxEpochs: 0; allowed: 1 to 1000000"),
        ("\"hidden\":[", "\"hidden\":[0,", "hidden: at most 16 layers"),
    ] {
        let changed = json.replace(from, to);
        assert_ne!(changed, json);
        let error = Trainer::new(text.as_bytes(), &changed, 0).map(|_| ()).unwrap_err();
        assert!(error.message.starts_with(wanted), "{error}");
    }
    let error = Trainer::new(text.as_bytes(), &json, 4).map(|_| ()).unwrap_err();
    assert_eq!(error.message, "member: 4; the plan has 1 members, from 0");
    let error = Trainer::new(b"x,y\n1,2\n", &json, 0).map(|_| ()).unwrap_err();
    assert!(error.message.contains("the plan was made for"));
}

#[test]
fn numbers_that_run_away_are_named() {
    let text = csv("x,y,z", 60, |index| format!("{index},{},{}", index % 5, index as f32 * 0.5));
    let request = MemberRequest { pattern: "divergent".into(), algorithms: vec!["batch".into()] };
    let mut plan = resolve_plan(&inspect_data(text.as_bytes(), "").unwrap(), 3, &[request]).unwrap();
    plan.members[0].recipe.learning_rate = 1000.0;
    plan.members[0].recipe.output_activation = "linear".into();
    let mut trainer = Trainer::new(text.as_bytes(), &serde_json::to_string(&plan).unwrap(), 0).unwrap();
    let error = trainer.run(1000).unwrap_err();
    assert_eq!(error.code, Code::WorkFailed);
    assert!(
        error.message.contains("member 0 (divergent, batch) left the finite numbers in epoch"),
        "{error}"
    );
}
