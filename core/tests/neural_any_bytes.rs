//! Any bytes are answered by prepared data without a number that is not finite, or by one clear error.

use ruv_swarm_core::hash::{hex, sha256};
use ruv_swarm_core::neural::{
    encode_arrays, prepare_with, ClassWeights, EvaluateStream, Model, PredictStream, Preparation, Prepared,
    Scaling, Session, SplitBy,
};
use ruv_swarm_core::rng::Rng;
use ruv_swarm_core::{Code, Error};

const CANCER: &[u8] = include_bytes!("../../tests/data/cancer1.dt");
const IRIS: &[u8] = include_bytes!("../../tests/data/iris.csv");

fn check_error(error: &Error) {
    assert!(matches!(error.code, Code::InvalidData | Code::InvalidArgument), "{error:?}");
    assert!(!error.message.contains('\n') && error.message.len() < 600, "{}", error.message);
    assert!(error.message.starts_with(&format!("{}: ", error.field)), "{error:?}");
}

fn check_prepared(found: &Prepared) {
    let numbers = [&found.inputs, &found.targets, &found.weights, &found.schema.mean, &found.schema.scale];
    assert!(numbers.into_iter().flatten().all(|value| value.is_finite()));
    assert!(found.weights.iter().all(|weight| *weight > 0.0));
    assert!(!found.train.is_empty());
    let rows = found.inputs.len() / found.schema.inputs();
    assert_eq!(found.train.len() + found.validation.len() + found.test.len(), rows);
    assert_eq!(found.targets.len(), rows * found.schema.outputs());
}

/// One way to prepare, drawn.
fn draw(rng: &mut Rng) -> Preparation {
    let scalings = [None, Some(Scaling::Standard), Some(Scaling::MinMax), Some(Scaling::None)];
    let names = ["", "", "", "x1", "x2", "weight"];
    let splits = [None, Some([100, 0, 0]), Some([50, 0, 50]), Some([34, 33, 33])];
    let kinds = [None, None, Some(SplitBy::Stratified), Some(SplitBy::Ordered), Some(SplitBy::File)];
    let folds = [0, 0, 0, 2, 3][rng.below(5) as usize];
    Preparation {
        task: ["", "", "classification", "regression"][rng.below(4) as usize].into(),
        scaling: scalings[rng.below(4) as usize],
        target_scaling: scalings[rng.below(4) as usize],
        bounded: rng.below(2) == 0,
        split: splits[rng.below(4) as usize],
        split_by: kinds[rng.below(5) as usize],
        group_column: names[rng.below(6) as usize].into(),
        folds,
        fold: folds.min(1),
        weight_column: names[rng.below(6) as usize].into(),
        class_weights: [ClassWeights::Equal, ClassWeights::Balanced][rng.below(2) as usize].clone(),
        seed: rng.below(3),
        ..Preparation::default()
    }
}

/// `bytes` with a few of them changed, cut out, doubled or replaced by what is troublesome.
fn damage(bytes: &[u8], rng: &mut Rng) -> Vec<u8> {
    let words: [&[u8]; 16] = [
        b"nan",
        b"inf",
        b"-1e38",
        b"3.4e38",
        b"1e39",
        b"\"",
        b",",
        b"\n",
        b"\r",
        b"?",
        b"NA",
        b"0",
        b"-",
        b"\xff",
        b"99999999999999999999",
        b" ",
    ];
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.below(4) {
        let at = rng.below(bytes.len() as u64 + 1) as usize;
        let end = (at + rng.below(6) as usize).min(bytes.len());
        let new = words[rng.below(words.len() as u64) as usize];
        match rng.below(4) {
            0 => drop(bytes.splice(at..end, new.iter().copied())),
            1 => drop(bytes.splice(at..at, new.iter().copied())),
            2 => bytes.truncate(at),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = rng.next_u64() as u8;
                }
            }
        }
    }
    bytes
}

fn samples() -> [Vec<u8>; 5] {
    let fann = "6 2 1\n1 2\n0\n3 4\n1\n5 6\n0\n7 8\n1\n9 1\n0\n2 2\n1\n".as_bytes();
    let csv = "x1,x2,weight,y\n1,a,1,u\n2,,2,v\n3,b,1,u\n,\"a\",3,v\n4,c,2,u\n5,a,1,v\n".as_bytes();
    let numbers: Vec<f32> = (0..24).map(|index| (index * 7 % 11) as f32).collect();
    let array = encode_arrays(&numbers, 12, 2, &numbers[..12], 1, None);
    [fann.to_vec(), csv.to_vec(), array, CANCER.to_vec(), IRIS.to_vec()]
}

#[test]
fn damaged_data_is_prepared_or_refused() {
    let mut rng = Rng::from_seed(21);
    let (mut good, mut bad) = (0, 0);
    for round in 0..20_000 {
        let samples = samples();
        let sample = &samples[if round % 20 == 0 { 3 + round / 20 % 2 } else { round % 3 }];
        let bytes = damage(sample, &mut rng);
        match prepare_with(&bytes, &draw(&mut rng)) {
            Ok(found) => {
                check_prepared(&found);
                good += 1;
            }
            Err(error) => {
                check_error(&error);
                bad += 1;
            }
        }
    }
    assert!(good > 1000 && bad > 1000, "{good} prepared, {bad} refused");
}

#[test]
fn damaged_data_is_answered_or_refused() {
    let mut rng = Rng::from_seed(22);
    let options = r#"{"hidden":[2],"epochs":2,"split":[100,0,0]}"#;
    for sample in &samples()[..3] {
        let mut session = Session::new(sample, options).unwrap();
        session.run(2).unwrap();
        let model = Model::load(&session.finish().unwrap().model).unwrap();
        let (mut good, mut bad) = (0, 0);
        for _ in 0..1500 {
            let bytes = damage(sample, &mut rng);
            let (left, right) = bytes.split_at(rng.below(bytes.len() as u64 + 1) as usize);
            let mut out = Vec::new();
            let mut stream = PredictStream::new(&model);
            let answer = stream
                .push(left, &mut out)
                .and_then(|()| stream.push(right, &mut out))
                .and_then(|()| stream.finish(&mut out));
            match answer {
                Ok(rows) => {
                    let text = String::from_utf8(out).unwrap();
                    assert!(text.lines().count() as u64 == rows + 1 && !text.contains("null"), "{text}");
                    good += 1;
                }
                Err(error) => {
                    check_error(&error);
                    bad += 1;
                }
            }
            let mut stream = EvaluateStream::new(&model);
            match stream.push(&bytes).and_then(|()| stream.finish()) {
                Ok(json) => assert!(!json.contains("\"loss\":null"), "{json}"),
                Err(error) => check_error(&error),
            }
        }
        assert!(good > 100 && bad > 100, "{good} answered, {bad} refused");
    }
}

/// The rows of the three parts, hashed.
fn parts(bytes: &[u8], how: &Preparation) -> String {
    let found = prepare_with(bytes, how).unwrap();
    let text = format!("{:?} {:?} {:?}", found.train, found.validation, found.test);
    hex(&sha256(&[text.as_bytes()]))[..16].to_string()
}

#[test]
fn splits_never_change_between_releases() {
    let text = (0..90)
        .fold("who,a,y\n".to_string(), |text, row| text + &format!("p{},{row},{}\n", row % 17, row % 3));
    let of = |how: Preparation| parts(text.as_bytes(), &Preparation { seed: 7, ..how });
    let grouped = Preparation { group_column: "who".into(), ..Preparation::default() };
    let folded = |how: Preparation| Preparation { folds: 5, fold: 2, ..how };
    let found = [
        of(Preparation::default()),
        of(Preparation {
            split_by: Some(SplitBy::Ordered),
            split: Some([33, 33, 34]),
            ..Preparation::default()
        }),
        of(grouped.clone()),
        of(folded(Preparation::default())),
        of(folded(grouped)),
    ];
    let wanted =
        ["a58e9494b55ecd5b", "1a4d7bb359542c04", "bd56ad3ba136791c", "aa2b8f50ae6a92be", "533a3a899e869a8e"];
    assert_eq!(found, wanted);
}
