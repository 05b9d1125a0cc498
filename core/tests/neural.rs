//! The whole way: a file is inspected, planned, trained in slices, fused, stored, read and used.

use ruv_swarm_core::neural::{
    encode_arrays, fuse, inspect_data, resolve_plan, sample, FuseResult, MemberRequest, Model, Task, Trainer,
};
use serde_json::Value;

const IRIS: &[u8] = include_bytes!("../../tests/data/iris.csv");
const WDBC: &[u8] = include_bytes!("../../tests/data/wdbc.csv");
const SUNSPOTS: &[u8] = include_bytes!("../../tests/data/sunspots.csv");
const ALL: &[&str] = &["convergent", "divergent", "lateral", "systems", "critical", "abstract"];

fn requests(patterns: &[&str], algorithms: &[&str]) -> Vec<MemberRequest> {
    let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
    patterns
        .iter()
        .map(|pattern| MemberRequest { pattern: pattern.to_string(), algorithms: words(algorithms) })
        .collect()
}

fn plan_of(bytes: &[u8], options: &str, members: &[MemberRequest]) -> String {
    let summary = inspect_data(bytes, options).unwrap();
    serde_json::to_string(&resolve_plan(&summary, 7, members).unwrap()).unwrap()
}

fn train(bytes: &[u8], plan: &str, member: usize, slice: u32) -> (Vec<u8>, Value) {
    let mut trainer = Trainer::new(bytes, plan, member).unwrap();
    while !trainer.done() {
        trainer.run(slice).unwrap();
    }
    let result = trainer.finish().unwrap();
    (result.model, serde_json::from_str(&result.report_json).unwrap())
}

fn whole(bytes: &[u8], patterns: &[&str], algorithms: &[&str]) -> (FuseResult, Value) {
    let plan = plan_of(bytes, "", &requests(patterns, algorithms));
    let models: Vec<Vec<u8>> =
        (0..patterns.len()).map(|member| train(bytes, &plan, member, 1000).0).collect();
    let fused = fuse(bytes, &plan, &models).unwrap();
    let report = serde_json::from_str(&fused.report_json).unwrap();
    (fused, report)
}

fn number(report: &Value, key: &str) -> f64 {
    report["ensemble"][key].as_f64().unwrap()
}

fn check_identity(report: &Value) {
    let (whole, mean, spread) =
        (number(report, "testLoss"), number(report, "meanMemberLoss"), number(report, "ambiguity"));
    assert!((whole - (mean - spread)).abs() <= 1e-12 * mean, "{whole} is not {mean} - {spread}");
    assert!(spread > 0.0 && whole <= mean);
}

#[test]
fn iris_and_wdbc_are_learnt_by_all_patterns() {
    for (bytes, bound) in [(IRIS, 0.89), (WDBC, 0.94)] {
        let (_, report) = whole(bytes, ALL, &[]);
        println!("{report:#}");
        check_identity(&report);
        assert!(number(&report, "testAccuracy") > bound, "{report}");
        for member in report["members"].as_array().unwrap() {
            assert!(member["validationAccuracy"].as_f64().unwrap() > 0.85, "{member}");
        }
    }
}

#[test]
fn sunspots_are_predicted_better_than_by_their_mean() {
    let (fused, report) = whole(SUNSPOTS, ALL, &[]);
    println!("{report:#}");
    check_identity(&report);
    assert!(report["ensemble"]["testAccuracy"].is_null());
    assert!(number(&report, "testLoss") < 0.3, "{report}");
    let model = Model::load(&fused.model).unwrap();
    let answer = model.predict_csv(SUNSPOTS).unwrap();
    assert_eq!(answer.rows, 297);
    let text = String::from_utf8(answer.csv).unwrap();
    assert!(text.starts_with("prediction\n"));
}

#[test]
fn every_algorithm_trains_every_pattern() {
    for algorithm in ruv_swarm_core::neural::plan::ALGORITHMS {
        let plan = plan_of(IRIS, "", &requests(ALL, &[algorithm]));
        for (member, pattern) in ALL.iter().enumerate() {
            let (model, report) = train(IRIS, &plan, member, 50);
            println!("{report}");
            assert_eq!(report["algorithm"], *algorithm);
            let accuracy = report["validationAccuracy"].as_f64().unwrap();
            assert!(accuracy > 0.75, "{algorithm} {pattern}: {accuracy}");
            Model::load(&model).unwrap();
        }
    }
}

#[test]
fn slices_and_kernels_never_change_a_bit() {
    for algorithm in ruv_swarm_core::neural::plan::ALGORITHMS {
        let plan = plan_of(WDBC, "", &requests(&["divergent"], &[algorithm]));
        let plan = plan.replace("\"maxEpochs\":", "\"maxEpochs\":60,\"was\":");
        let reference = train(WDBC, &plan, 0, 1000).0;
        for slice in [1, 7] {
            assert_eq!(train(WDBC, &plan, 0, slice).0, reference, "{algorithm}, slices of {slice}");
        }
        let mut plain = Trainer::new_baseline(WDBC, &plan, 0).unwrap();
        plain.run(1000).unwrap();
        assert_eq!(plain.finish().unwrap().model, reference, "{algorithm}, baseline kernels");
    }
}

#[test]
fn xor_is_learnt_from_arrays() {
    // three copies, so that each part of the split can hold every case
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for row in 0..40u32 {
        let (a, b) = (row & 1, (row >> 1) & 1);
        inputs.extend([a as f32, b as f32]);
        targets.push((a ^ b) as f32);
    }
    let bytes = encode_arrays(&inputs, 40, 2, &targets, 1, Some(Task::Classification));
    let (fused, report) = whole(&bytes, &["convergent", "divergent", "systems"], &[]);
    check_identity(&report);
    assert_eq!(number(&report, "testAccuracy"), 1.0, "{report}");
    let model = Model::load(&fused.model).unwrap();
    let mut out = [0.0; 8];
    model.predict_rows(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], 4, &mut out).unwrap();
    let classes: Vec<bool> = out.chunks(2).map(|row| row[1] > row[0]).collect();
    assert_eq!(classes, [false, true, true, false]);
}

#[test]
fn a_stored_model_predicts_new_rows_by_column_name() {
    let (fused, _) = whole(sample(), &["convergent", "systems"], &["rprop", "batch"]);
    let model = Model::load(&fused.model).unwrap();
    let csv = b"petal_width,petal_length,sepal_width,sepal_length\n0.2,1.4,3.5,5.1\n2.3,6.1,3.0,7.2\n";
    let answer = model.predict_csv(csv).unwrap();
    let text = String::from_utf8(answer.csv).unwrap();
    println!("{text}{}", model.describe());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "prediction,probability_setosa,probability_versicolor,probability_virginica");
    assert!(lines[1].starts_with("setosa,") && lines[2].starts_with("virginica,"));
    let error = model.predict_csv(b"petal_width\n1\n").unwrap_err();
    assert!(error.message.contains("no column \"sepal_length\""), "{error}");
    let figures: Value = serde_json::from_str(&model.evaluate_csv(IRIS).unwrap()).unwrap();
    assert!(figures["accuracy"].as_f64().unwrap() > 0.9);
}
