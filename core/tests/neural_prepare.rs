//! Data made ready for training: Proben1 and FANN text, scaling, splits, weights.

use ruv_swarm_core::neural::{
    check_targets, encode_arrays, prepare_with, ClassWeights, Preparation, Prepared, Scaling, SplitBy, Task,
};
use ruv_swarm_core::{Code, Error};
use std::collections::BTreeSet;

const CANCER: &[u8] = include_bytes!("../../tests/data/cancer1.dt");
const HEART: &[u8] = include_bytes!("../../tests/data/hearta1.dt");
const XOR: &[u8] = b"4 2 1\n0 0\n0\n0 1\n1\n1 0\n1\n1 1\n0\n";

fn good(bytes: impl AsRef<[u8]>, how: &Preparation) -> Prepared {
    prepare_with(bytes.as_ref(), how).unwrap()
}

fn fault(bytes: impl AsRef<[u8]>, how: &Preparation) -> Error {
    let error = prepare_with(bytes.as_ref(), how).unwrap_err();
    assert!(!error.message.contains('\n') && error.message.len() < 400, "{}", error.message);
    assert!(error.message.starts_with(&format!("{}: ", error.field)), "{error}");
    error
}

fn refused(bytes: impl AsRef<[u8]>, how: &Preparation, text: &str) {
    let error = fault(bytes, how);
    assert!(error.message.contains(text), "wanted {text:?}, got {error}");
}

fn split(shares: [u32; 3]) -> Preparation {
    Preparation { split: Some(shares), ..Preparation::default() }
}

/// `rows` rows below `header` made by `row`.
fn csv(header: &str, rows: usize, row: impl Fn(usize) -> String) -> String {
    (0..rows).fold(format!("{header}\n"), |text, index| text + &row(index) + "\n")
}

/// Every row is in exactly one part.
fn check_parts(found: &Prepared, rows: u32) {
    let mut all: Vec<u32> =
        [&found.train, &found.validation, &found.test].into_iter().flatten().copied().collect();
    for part in [&found.train, &found.validation, &found.test] {
        assert!(part.windows(2).all(|pair| pair[0] < pair[1]), "ascending");
    }
    all.sort_unstable();
    assert_eq!(all, (0..rows).collect::<Vec<u32>>());
}

#[test]
fn proben1_has_its_own_split_and_stays_as_coded() {
    let found = good(CANCER, &Preparation::default());
    assert_eq!((found.schema.format.as_str(), found.schema.task), ("proben1", Task::Classification));
    assert_eq!((found.schema.inputs(), found.schema.outputs()), (9, 2));
    assert_eq!(found.train, (0..36).collect::<Vec<u32>>());
    assert_eq!(found.validation, (36..48).collect::<Vec<u32>>());
    assert_eq!(found.test, (48..60).collect::<Vec<u32>>());
    assert_eq!(found.row(0), [0.2, 0.1, 0.1, 0.1, 0.2, 0.1, 0.2, 0.1, 0.1]);
    assert_eq!(found.target(0), [1.0, 0.0]);
    // bool_out=1, but numbers: a regression, not scaled either
    let found = good(HEART, &Preparation::default());
    assert_eq!((found.schema.task, found.schema.inputs(), found.schema.outputs()), (Task::Regression, 35, 1));
    assert_eq!(found.target(0), [0.6]);
    assert_eq!((found.schema.target_mean[0], found.schema.target_scale[0]), (0.0, 1.0));
    // what is stated goes before the file's own
    let how = Preparation { scaling: Some(Scaling::Standard), ..split([50, 25, 25]) };
    let found = good(CANCER, &how);
    check_parts(&found, 60);
    assert_eq!((found.train.len(), found.validation.len(), found.test.len()), (30, 15, 15));
    assert_ne!(found.train, (0..30).collect::<Vec<u32>>());
    assert_ne!(found.row(0)[0], 0.2);
}

#[test]
fn proben1_text_is_strict() {
    let text = std::str::from_utf8(CANCER).unwrap();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from));
        text.replacen(from, to, 1)
    };
    let how = Preparation::default();
    refused(
        with("test_examples=12", "test_examples=13"),
        &how,
        "data: the header promises 36 + 12 + 13 rows, but there are 60",
    );
    refused(with("test_examples=12", "test_examples=11"), &how, "follows the last of 59 rows");
    refused(
        with("real_in=9", "real_in=8"),
        &how,
        "data: row 1 has 11 numbers, but the header promises 8 inputs and 2 outputs",
    );
    refused(with("real_in=9", "real_in=nine"), &how, "data: real_in=nine; allowed: whole numbers");
    refused(with("real_in=9", "real_in=-9"), &how, "data: real_in=-9; allowed: whole numbers");
    refused(with("real_in=9\n", "real_in=9\nreal_in=9\n"), &how, "data: real_in stands twice");
    refused(with("real_in=9", "real=9"), &how, "data: \"real=9\" in the header of proben1 text");
    refused(with("bool_out=2\n", ""), &how, "data: \"0.2 0.1 0.1");
    refused("bool_in=1\nreal_in=2\n", &how, "data: the header of proben1 text lacks bool_out=");
    refused(
        with("0.2 0.1 0.1 0.1 0.2 0.1 0.2 0.1 0.1 1 0", "0.2 0.1 ? 0.1 0.2 0.1 0.2 0.1 0.1 1 0"),
        &how,
        "data: row 1, column \"x3\": \"?\" is no number",
    );
    refused(with("0.1 1 0\n", "0.1 1 nan\n"), &how, "data: row 1, column \"y2\": \"nan\" is not finite");
    refused(
        with("training_examples=36", "training_examples=4000000000"),
        &how,
        "data: training_examples=4000000000; allowed: whole numbers below 2147483648",
    );
    let most = with("training_examples=36", "training_examples=2147483647");
    refused(&most, &how, "data: the header promises 2147483647 + 12 + 12 rows, but there are 60");
    let most = most.replace("test_examples=12", "test_examples=2147483647");
    refused(most, &how, "data: 4294967306 rows; at most 4294967295 are allowed");
    let training_only = with("training_examples=36", "training_examples=0")
        .replace("validation_examples=12", "validation_examples=48");
    refused(training_only, &how, "data: training_examples=0; at least 1 is needed");
    // the same file with another line end and order of its header
    let other = with("bool_in=0\nreal_in=9\n", "real_in = 9\nbool_in=0\n").replace('\n', "\r\n");
    assert_eq!(good(other, &how).inputs, good(CANCER, &how).inputs);
}

#[test]
fn fann_text_is_strict() {
    let how = split([100, 0, 0]);
    let found = good(XOR, &how);
    assert_eq!((found.train.len(), found.schema.classes.len()), (4, 2));
    for (text, wanted) in [
        ("4 2 1\n0 0\n0\n0 1\n1\n1 0\n1\n1\n0\n", "promises 4 rows, but row 4 is not complete"),
        (
            "4 2 1\n0 0\n0\n0 1 1\n1\n1 0\n1\n1 1\n0\n",
            "data: row 3 has 1 inputs, but the first line promises 2",
        ),
        (
            "4 2 1\n0 0\n0\n0 1\n1 1\n1 0\n1\n1 1\n0\n",
            "data: row 2 has 2 outputs, but the first line promises 1",
        ),
        (
            "4 2 1\n0 0 0 0\n0\n0 1\n1\n1 0\n1\n1 1\n0\n",
            "data: row 1 has 4 inputs, but the first line promises 2",
        ),
        ("4 2 1\n0 0\n0\n0 1\n1\n1 0\n1\n1 1\n", "promises 4 rows, but row 4 is not complete"),
        ("4 2 1\n0 0\n0\n0 1\n1\n1 0\n1\n1 1\n0\n7\n", "data: text \"7\" follows the last of 4 rows"),
        ("4 2 1\n0 0\n0\n0 x\n1\n1 0\n1\n1 1\n0\n", "data: row 2, column \"x2\": \"x\" is no number"),
        ("4 2 1\n0 0\n0\n0 1\n1e39\n1 0\n1\n1 1\n0\n", "data: row 2, column \"y1\": \"1e39\" is not finite"),
        ("0 2 1\n", "data: there are no rows"),
        ("4 0 1\n1\n1\n1\n1\n", "data: no feature column"),
    ] {
        refused(text, &how, wanted);
    }
    let one_line_rows = "4 2 1\n0 0 0\n0 1 1\r\n\n1 0 1\n1 1 0\n";
    assert_eq!(good(one_line_rows, &how).inputs, found.inputs);
    assert_eq!(good("2 4 1\n1 2\n3 4\n1\n5 6\n7 9\n0\n", &how).schema.inputs(), 4);
}

#[test]
fn scalings_are_affine_and_measured_on_the_training_rows() {
    let text = csv("a,b,c,y", 10, |index| format!("{},{},7,{}", index, index * index, 10 * index + 5));
    let ordered = |scaling, target_scaling| Preparation {
        scaling: Some(scaling),
        target_scaling: Some(target_scaling),
        split_by: Some(SplitBy::Ordered),
        task: "regression".into(),
        ..Preparation::default()
    };
    let found = good(&text, &ordered(Scaling::MinMax, Scaling::MinMax));
    // rows 0 to 5 train
    assert_eq!(
        (found.schema.mean.clone(), found.schema.scale.clone()),
        (vec![0.0, 0.0, 7.0], vec![0.2, 0.04, 0.0])
    );
    assert_eq!((found.row(5), found.target(5)), (&[1.0, 1.0, 0.0][..], &[1.0][..]));
    assert_eq!(found.target(9), [1.8]);
    assert!(check_targets(&found, 0.0, 1.0).is_ok());
    let found = good(&text, &ordered(Scaling::None, Scaling::None));
    assert_eq!((found.row(3), found.target(3)), (&[3.0, 9.0, 7.0][..], &[35.0][..]));
    let error = check_targets(&found, 0.0, 1.0).unwrap_err();
    assert!(
        error.message.starts_with(
            "target: row 1, column \"y\": 5 (after scaling) is outside the output's range 0 to 1"
        ),
        "{error}"
    );
    let found = good(&text, &ordered(Scaling::Standard, Scaling::Standard));
    assert_eq!(found.schema.mean[0], 2.5);
    assert_eq!(found.row(3)[2], 0.0);
    assert!(check_targets(&found, -1.0, 1.0).is_err());
    // auto: what a bounded output can reach
    let how =
        Preparation { bounded: true, target_scaling: None, ..ordered(Scaling::Standard, Scaling::None) };
    assert!(check_targets(&good(&text, &how), 0.0, 1.0).is_ok());
}

#[test]
fn numbers_at_the_end_of_the_range_are_scaled_or_refused() {
    let far = csv("a,y", 10, |index| format!("{},{}", ["-3.4e38", "3.4e38", "1e38"][index % 3], index));
    for scaling in [Scaling::Standard, Scaling::MinMax] {
        let how = Preparation { scaling: Some(scaling), task: "regression".into(), ..split([100, 0, 0]) };
        let found = good(&far, &how);
        assert!(found.inputs.iter().all(|value| value.abs() < 2.0), "{:?}", found.inputs);
        assert!(found.inputs[0] < 0.1 && found.inputs[1] > 0.8);
    }
    let far = csv("a,y", 10, |index| format!("{index},{}", ["-3.4e38", "3.4e38"][index % 2]));
    let how = |scaling| Preparation {
        target_scaling: Some(scaling),
        task: "regression".into(),
        ..split([100, 0, 0])
    };
    let found = good(&far, &how(Scaling::Standard));
    assert!(found.targets.iter().all(|value| (value.abs() - 1.0).abs() < 1e-6), "{:?}", found.targets);
    refused(&far, &how(Scaling::MinMax), "target: column \"y\" reaches over more than 3.4e38");
    // the training rows hardly differ, a test row is far away
    let odd = csv("a,y", 10, |index| {
        format!("{},{}", if index == 9 { "3e38".into() } else { format!("{index}e-30") }, index)
    });
    let ordered =
        Preparation { split_by: Some(SplitBy::Ordered), task: "regression".into(), ..Preparation::default() };
    refused(
        odd,
        &ordered,
        "data: row 10, column \"a\": the value is too far from the training rows to be scaled",
    );
    let odd = csv("a,y", 10, |index| {
        format!("{index},{}", if index == 9 { "3e38".into() } else { format!("{index}e-30") })
    });
    refused(odd, &ordered, "target: row 10, column \"y\": 3e38 is too far");
    let found = good(
        csv("a,y", 10, |index| format!("{}e38,{index}", 1 + index % 2)),
        &Preparation { task: "regression".into(), ..split([100, 0, 0]) },
    );
    assert!(found.inputs.iter().all(|value| value.is_finite() && *value != 0.0));
}

#[test]
fn splits_follow_their_rules() {
    let text = csv("a,class", 11, |index| format!("{index},{}", index % 2));
    let ordered = |shares| Preparation { split_by: Some(SplitBy::Ordered), ..split(shares) };
    let found = good(&text, &ordered([60, 20, 20]));
    assert_eq!((found.train, found.validation, found.test), ((0..7).collect(), vec![7, 8], vec![9, 10]));
    let found = good(&text, &ordered([50, 0, 50]));
    assert_eq!((found.train.len(), found.validation.len(), found.test.len()), (6, 0, 5));
    let found = good(&text, &split([70, 30, 0]));
    check_parts(&found, 11);
    assert_eq!((found.train.len(), found.validation.len(), found.test.len()), (8, 3, 0));
    let seeded = |seed| good(&text, &Preparation { seed, ..Preparation::default() });
    assert_eq!(seeded(5), seeded(5));
    assert_ne!(seeded(5).train, seeded(6).train);
    for (shares, wanted) in [
        ([60, 20, 30], "split: 60, 20, 30; allowed: three shares in percent that add up to 100"),
        ([0, 50, 50], "the first at least 1"),
        ([u32::MAX, 1, 100], "add up to 100"),
    ] {
        let error = fault(&text, &split(shares));
        assert!(error.code == Code::InvalidArgument && error.message.contains(wanted), "{error}");
    }
    refused(
        XOR,
        &Preparation::default(),
        "data: 4 rows are too few for the split 60, 20, 20; give more rows, or a split such as 100, 0, 0",
    );
    let by_file = Preparation { split_by: Some(SplitBy::File), ..Preparation::default() };
    refused(&text, &by_file, "splitBy: file; only proben1 text states its split, and this is csv");
    assert_eq!(good(CANCER, &by_file), good(CANCER, &Preparation::default()));
}

#[test]
fn stratified_folds_are_a_partition_with_each_class_in_proportion() {
    let text = csv("a,class", 53, |index| format!("{index},{}", ["x", "y", "y"][index % 3]));
    let mut tested = BTreeSet::new();
    for fold in 1..=5 {
        let how = Preparation { folds: 5, fold, seed: 3, ..Preparation::default() };
        let found = good(&text, &how);
        check_parts(&found, 53);
        assert!(found.test.iter().all(|row| tested.insert(*row)), "a row tests once");
        assert!((10..=11).contains(&found.test.len()), "{}", found.test.len());
        // a quarter of the rest, as 20 to 60
        assert!((10..=11).contains(&found.validation.len()), "{}", found.validation.len());
        for part in [&found.test, &found.validation] {
            let first = part.iter().filter(|row| found.target(**row)[0] == 1.0).count();
            assert!((3..=4).contains(&first), "{first} of class x");
        }
    }
    assert_eq!(tested.len(), 53);
    let folds = |folds, fold| Preparation { folds, fold, ..Preparation::default() };
    for (how, wanted) in [
        (folds(1, 1), "folds: 1; allowed: 2 to 1000"),
        (folds(1001, 1), "folds: 1001; allowed"),
        (folds(5, 0), "fold: 0; allowed: 1 to 5"),
        (folds(5, 6), "fold: 6; allowed: 1 to 5"),
        (folds(0, 2), "fold: 2 without folds"),
        (folds(60, 1), "folds: 60 for 53 rows; at most 53 are possible"),
        (Preparation { split_by: Some(SplitBy::Ordered), ..folds(5, 1) }, "splitBy: ordered has no folds"),
    ] {
        refused(&text, &how, wanted);
    }
    let leave_one_out = Preparation { split: Some([100, 0, 0]), ..folds(4, 2) };
    let found = good(XOR, &leave_one_out);
    assert_eq!((found.train.len(), found.validation.len(), found.test.len()), (3, 0, 1));
}

#[test]
fn groups_stay_together_and_are_no_feature() {
    let text = csv("who,a,class", 100, |index| format!("p{},{index},{}", index * index % 23, index % 2));
    let group = |row: u32| (row as usize * row as usize) % 23;
    let how = Preparation { group_column: "who".into(), ..Preparation::default() };
    let check = |found: &Prepared| {
        check_parts(found, 100);
        let of = |part: &[u32]| part.iter().map(|row| group(*row)).collect::<BTreeSet<_>>();
        let (train, validation, test) = (of(&found.train), of(&found.validation), of(&found.test));
        assert!(train.is_disjoint(&validation) && train.is_disjoint(&test) && validation.is_disjoint(&test));
        test
    };
    let found = good(&text, &how);
    check(&found);
    assert_eq!(found.schema.columns.len(), 1);
    assert!((50..=70).contains(&found.train.len()), "{}", found.train.len());
    assert!((10..=30).contains(&found.test.len()), "{}", found.test.len());
    let mut tested = BTreeSet::new();
    for fold in 1..=4 {
        let test = check(&good(&text, &Preparation { folds: 4, fold, ..how.clone() }));
        assert!(test.iter().all(|group| tested.insert(*group)));
    }
    assert_eq!(tested.len(), 12);
    // three groups are enough for three parts, two are not
    let few = |groups: usize| csv("who,a,y", 30, |index| format!("{},{index},{}", index % groups, index % 2));
    assert_eq!(good(few(3), &how).train.len(), 10);
    refused(few(2), &how, "data: 2 groups are too few for the split 60, 20, 20");
    refused(few(3), &Preparation { folds: 4, fold: 1, ..how.clone() }, "folds: 4 for 3 groups");
    refused(
        few(3),
        &Preparation { group_column: "whom".into(), ..how.clone() },
        "groupColumn: no column \"whom\"; the columns are: who, a, y",
    );
    refused(few(3).replacen("\n1,", "\n,", 1), &how, "groupColumn: row 2, column \"who\" is empty");
    let both = Preparation { group_column: "y".into(), target: "y".into(), ..Preparation::default() };
    refused(few(3), &both, "groupColumn: column \"y\" has another role already");
    refused(
        few(3),
        &Preparation { split_by: Some(SplitBy::Stratified), ..how.clone() },
        "groupColumn: goes with splitBy groups, not with stratified",
    );
    refused(
        few(3),
        &Preparation { split_by: Some(SplitBy::Groups), ..Preparation::default() },
        "groupColumn: splitBy groups needs a group column",
    );
    // a column of numbers without a header
    let how = Preparation { group_column: "x1".into(), ..split([50, 0, 50]) };
    let found = good(XOR, &how);
    assert_eq!(
        (found.schema.columns.len(), found.schema.columns[0].name.as_str(), found.train.len()),
        (1, "x2", 2)
    );
}

#[test]
fn rows_and_classes_have_weights() {
    let text = csv("a,w,class", 20, |index| {
        format!("{index},{},{}", 0.5 + index as f32, ["x", "y", "y", "y"][index % 4])
    });
    let weighed = Preparation { weight_column: "w".into(), ..split([100, 0, 0]) };
    let found = good(&text, &weighed);
    assert_eq!((found.schema.columns.len(), found.weight(0), found.weight(19)), (1, 0.5, 19.5));
    assert!(good(&text, &split([100, 0, 0])).weights.is_empty());
    let balanced = Preparation { class_weights: ClassWeights::Balanced, ..weighed.clone() };
    let found = good(&text, &balanced);
    // 20 rows, 2 classes of 5 and 15
    assert_eq!((found.weight(0), found.weight(1)), (0.5 * 2.0, (1.5 * (20.0 / 30.0)) as f32));
    let given = |class: &str, weight| Preparation {
        class_weights: ClassWeights::Given(vec![(class.into(), weight)]),
        ..split([100, 0, 0])
    };
    let found = good(&text, &given("y", 3.0));
    assert_eq!((found.weight(0), found.weight(1)), (1.0, 3.0));
    for (cell, shown) in [
        ("0", "\"0\""),
        ("-1", "\"-1\""),
        ("", "\"\""),
        ("nan", "\"nan\""),
        ("1e39", "\"1e39\""),
        ("much", "\"much\""),
        ("1e-60", "\"1e-60\""),
    ] {
        let wanted =
            format!("weightColumn: row 3, column \"w\": {shown}; allowed: numbers above 0 to 3.4e38");
        refused(text.replacen("2,2.5,", &format!("2,{cell},"), 1), &weighed, &wanted);
    }
    refused(&text, &given("z", 1.0), "classWeights: no class \"z\"; the classes are: x, y");
    for weight in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e39, 1e-60] {
        refused(&text, &given("y", weight), "classWeights: class \"y\" has");
    }
    let regression = Preparation { target: "a".into(), task: "regression".into(), ..balanced };
    refused(
        csv("a,w,b", 9, |index| format!("{index},1,{}", index * index)),
        &regression,
        "classWeights: the task is regression",
    );
    let twice = Preparation { weight_column: "a".into(), group_column: "a".into(), ..split([100, 0, 0]) };
    refused(&text, &twice, "weightColumn: column \"a\" has another role already");
    let target =
        Preparation { weight_column: "class".into(), target: "class".into(), ..Preparation::default() };
    refused(&text, &target, "weightColumn: column \"class\" has another role already");
    let found = good(
        b"4 2 1\n0 1\n0\n0 2\n1\n1 1\n1\n1 3\n0\n",
        &Preparation { weight_column: "x2".into(), ..split([100, 0, 0]) },
    );
    assert_eq!(found.weights, [1.0, 2.0, 1.0, 3.0]);
}

#[test]
fn small_data_is_trained_on_or_refused_with_its_reason() {
    let all = split([100, 0, 0]);
    let arrays = |inputs: &[f32], width: usize, targets: &[f32], outputs: usize| {
        encode_arrays(inputs, inputs.len() / width, width, targets, outputs, None)
    };
    let found = good(arrays(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], 2, &[0.0, 1.0, 1.0, 0.0], 1), &all);
    assert_eq!((found.train.len(), found.schema.classes.len()), (4, 2));
    refused(arrays(&[], 2, &[], 1), &all, "data: there are no rows");
    refused(arrays(&[1.0, 2.0], 2, &[1.0], 1), &all, "data: 1 row; at least 2 are needed");
    refused(arrays(&[1.0, 2.0], 1, &[1.0, 1.0], 1), &all, "target: column \"y\" holds one class only");
    refused(arrays(&[1.0, 2.0], 1, &[1.5, 1.5], 1), &all, "target: column \"y\" holds one value only");
    refused(
        arrays(&[1.0, 2.0], 1, &[1.5, 1.0, 1.25, 1.0], 2),
        &all,
        "target: column \"y2\" holds one value only",
    );
    refused(arrays(&[3.0, 3.0], 1, &[0.0, 1.0], 1), &all, "data: every feature column holds one value only");
    refused(arrays(&[1.0, 2.0], 1, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0], 3), &all, "target: 3 classes for 2 rows");
    refused(
        arrays(&[1.0, f32::INFINITY], 1, &[0.0, 1.0], 1),
        &all,
        "data: row 2, column \"x1\": \"inf\" is not finite",
    );
    refused(
        arrays(&[1.0, 2.0], 1, &[0.0, f32::NAN], 1),
        &all,
        "data: row 2, column \"y1\": \"NaN\" is not finite",
    );
    refused("a,y\n1,2\n", &all, "data: 1 row; at least 2 are needed");
    refused("a,y\n", &all, "data: there are no rows below the header");
    refused("", &all, "data: the file is empty");
    refused("a,y\n1,2\n2\n", &all, "data: row 2 has 1 fields, but the header names 2");
    refused(
        XOR,
        &Preparation { target: "z".into(), ..all.clone() },
        "target: no column \"z\"; fann data has its targets last",
    );
    assert_eq!(good(XOR, &Preparation { target: "y".into(), ..all.clone() }).train.len(), 4);
}
