//! Data that comes in pieces is predicted and evaluated as the whole is.

use ruv_swarm_core::neural::{
    encode_arrays, inspect_data, resolve_plan, EvaluateStream, MemberRequest, Model, PredictStream, Session,
    Trainer,
};
use ruv_swarm_core::rng::Rng;
use ruv_swarm_core::Error;

/// A model of the swarm's trainer on `bytes`.
fn model(bytes: &[u8], options: &str) -> Model {
    let request = MemberRequest { pattern: "convergent".into(), algorithms: vec![] };
    let plan = resolve_plan(&inspect_data(bytes, options).unwrap(), 3, &[request]).unwrap();
    let plan = serde_json::to_string(&plan).unwrap();
    let mut trainer = Trainer::new(bytes, &plan, 0).unwrap();
    trainer.run(5).unwrap();
    Model::load(&trainer.finish().unwrap().model).unwrap()
}

/// Columns `größe`, `colour` (texts) and the classes `hi, "you"` and `lö`.
fn text_model() -> Model {
    let mut text = "größe,colour,kind\n".to_string();
    for index in 0..40 {
        let colour = ["red", "\"dark, blue\"", "?", "grün"][index % 4];
        let kind = ["\"hi, \"\"you\"\"\"", "lö"][usize::from(index > 20)];
        text.push_str(&format!("{index},{colour},{kind}\n"));
    }
    model(text.as_bytes(), "")
}

/// The answers of a stream that gets `pieces`.
fn predict<'a>(model: &Model, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(String, u64), Error> {
    let mut out = Vec::new();
    let mut stream = PredictStream::new(model);
    for piece in pieces {
        stream.push(piece, &mut out)?;
    }
    let rows = stream.finish(&mut out)?;
    Ok((String::from_utf8(out).unwrap(), rows))
}

fn evaluate<'a>(model: &Model, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<String, Error> {
    let mut stream = EvaluateStream::new(model);
    for piece in pieces {
        stream.push(piece)?;
    }
    stream.finish()
}

/// Cut at every byte, byte by byte, and at random: always as the whole.
fn check_pieces(model: &Model, bytes: &[u8]) -> Result<(String, u64), Error> {
    let whole = predict(model, [bytes]);
    let loss = evaluate(model, [bytes]);
    for cut in 0..=bytes.len() {
        let (left, right) = bytes.split_at(cut);
        assert_eq!(predict(model, [left, right]), whole, "cut at {cut}");
        assert_eq!(evaluate(model, [left, right]), loss, "cut at {cut}");
    }
    for size in [1, 2, 3, 7] {
        assert_eq!(predict(model, bytes.chunks(size)), whole, "pieces of {size}");
        assert_eq!(evaluate(model, bytes.chunks(size)), loss, "pieces of {size}");
    }
    whole
}

#[test]
fn csv_cut_anywhere_is_predicted_alike() {
    let model = text_model();
    let text = "\u{feff}more,kind,größe,colour\r\n\"a\"\"b\r\n,\",lö,3,red\r\r\n\nx,\"hi, \"\"you\"\"\",4,\"dark, blue\"\n,lö,?,grün\r\ny,lö,7,purple";
    let (answers, rows) = check_pieces(&model, text.as_bytes()).unwrap();
    assert_eq!(rows, 4);
    let lines: Vec<&str> = answers.lines().collect();
    assert_eq!(lines[0], "prediction,\"probability_hi, \"\"you\"\"\",probability_lö");
    assert_eq!(lines.len(), 5);
    assert_eq!(answers.as_bytes(), model.predict_csv(text.as_bytes()).unwrap().csv);
    let loss = evaluate(&model, [text.as_bytes()]).unwrap();
    assert_eq!(loss, model.evaluate_csv(text.as_bytes()).unwrap());
    assert!(loss.starts_with("{\"rows\":4,\"loss\":"), "{loss}");
    // row 1 as the model itself answers it: size, three texts, and whether the text was missing
    let mut out = [0.0; 2];
    model.predict_rows(&[3.0, 0.0, 0.0, 1.0, 0.0], 1, &mut out).unwrap();
    assert!(lines[1].ends_with(&format!("{},{}", out[0], out[1])), "{} {out:?}", lines[1]);
}

#[test]
fn faults_in_pieces_are_the_faults_of_the_whole() {
    let model = text_model();
    let head = "größe,colour,kind\n";
    for (rows, wanted) in [
        ("1,red,lö\nten,red,lö\n", "data: row 2, column \"größe\": \"ten\" is no number"),
        ("1,red,lö\n2,red\n3,red,lö\n", "data: row 2 has 2 fields, but the header names 3"),
        ("1,red,lö\n2,\"red,lö\n3,red,lö\n", "data: row 2, column 2: a quote is never closed"),
        ("1,red,lö\n2,\"red\"x,lö\n3,red,lö\n", "data: row 2, column 2: text after the closing quote"),
        ("1,red,lö\n1e39,red,lö\n", "data: row 2, column \"größe\": \"1e39\" is not finite"),
        ("", "data: there are no rows below the header"),
        ("\n\n\r\n", "data: there are no rows below the header"),
    ] {
        let error = check_pieces(&model, format!("{head}{rows}").as_bytes()).unwrap_err();
        assert!(error.message.starts_with(wanted), "{error}");
    }
    for (text, wanted) in [
        ("", "data: the file is empty"),
        ("\r\n\n", "data: the file is empty"),
        ("größe\n1\n", "data: no column \"colour\", which the model needs; the columns are: größe"),
        ("größe,größe\n1,2\n", "data: two columns are named"),
    ] {
        let error = check_pieces(&model, text.as_bytes()).unwrap_err();
        assert!(error.message.starts_with(wanted), "{error}");
    }
    let mut bytes = format!("{head}1,red,lö\n2,red,l").into_bytes();
    let at = bytes.len();
    bytes.extend_from_slice(b"\xff\n3,red,l\n");
    let error = check_pieces(&model, &bytes).unwrap_err();
    assert!(error.message.starts_with(&format!("data: byte {at} is not UTF-8")), "{error}");
    // a character that the end of the file cuts
    let cut = format!("{head}1,red,lö");
    let error = check_pieces(&model, &cut.as_bytes()[..cut.len() - 1]).unwrap_err();
    assert!(error.message.contains("is not UTF-8"), "{error}");
    let error = evaluate(&model, [format!("{head}1,red,lö\n2,red,low\n").as_bytes()]).unwrap_err();
    assert_eq!(error.message, "target: row 2 of column \"kind\" is \"low\"; allowed: hi, \"you\", lö");
    let mut stream = PredictStream::new(&model);
    let mut out = Vec::new();
    stream.push(format!("{head}1,\"").as_bytes(), &mut out).unwrap();
    let error = (0..1000).find_map(|_| stream.push(&[b'x'; 65536], &mut out).err()).unwrap();
    assert_eq!(error.message, "data: row 1: longer than 16 MiB; is a quote never closed?");
}

#[test]
fn many_rows_come_out_as_they_go_in() {
    let mut text = "x,y,z\n".to_string();
    for index in 0..5000 {
        text.push_str(&format!("{},{},{}\n", index % 97, index % 31, (index % 7) as f32 * 0.5));
    }
    let few: Vec<&str> = text.split_inclusive('\n').take(200).collect();
    let model = model(few.concat().as_bytes(), r#"{"task":"regression"}"#);
    let whole = predict(&model, [text.as_bytes()]).unwrap();
    assert_eq!(whole.1, 5000);
    let loss = evaluate(&model, [text.as_bytes()]).unwrap();
    let mut rng = Rng::from_seed(9);
    for _ in 0..5 {
        let mut pieces = Vec::new();
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(rng.below(9000) as usize + 1));
            pieces.push(piece);
            rest = after;
        }
        assert_eq!(predict(&model, pieces.iter().copied()).unwrap(), whole);
        assert_eq!(evaluate(&model, pieces.iter().copied()).unwrap(), loss);
    }
    // a stream answers the rows that are complete, before the next come
    let mut stream = PredictStream::new(&model);
    let mut out = Vec::new();
    stream.push(b"x,y\n1,2\n3,4", &mut out).unwrap();
    assert_eq!(String::from_utf8(out.clone()).unwrap().lines().count(), 2);
    assert_eq!(stream.finish(&mut out).unwrap(), 2);
}

#[test]
fn text_of_numbers_and_arrays_are_predicted_like_csv() {
    let row = |index: usize| (index as f32 * 0.5, (index * 7 % 13) as f32);
    let rows = 24;
    let mut csv = "x1,x2,y\n".to_string();
    let mut fann = format!("{rows} 2 1\n");
    let mut proben1 = "bool_in=0\nreal_in=2\nbool_out=1\nreal_out=0\ntraining_examples=12\nvalidation_examples=6\ntest_examples=6\n".to_string();
    let (mut inputs, mut targets) = (vec![], vec![]);
    for index in 0..rows {
        let ((a, b), y) = (row(index), index % 2);
        csv.push_str(&format!("{a},{b},{y}\n"));
        fann.push_str(&format!("{a} {b}\n{y}\n"));
        proben1.push_str(&format!("{a} {b} {y}\n"));
        inputs.extend([a, b]);
        targets.push(y as f32);
    }
    let array = encode_arrays(&inputs, rows, 2, &targets, 1, None);
    let model = model(fann.as_bytes(), "");
    let wanted = check_pieces(&model, csv.as_bytes()).unwrap();
    let loss = evaluate(&model, [csv.as_bytes()]).unwrap();
    for bytes in [fann.as_bytes(), proben1.as_bytes(), &array] {
        assert_eq!(check_pieces(&model, bytes).unwrap(), wanted);
        assert_eq!(evaluate(&model, [bytes]).unwrap(), loss);
    }
    for (text, message) in [
        ("2 3 1\n1 2 3\n0\n1 2 3\n0\n", ""),
        ("2 1 1\n1\n0\n1\n0\n", "data: 1 inputs a row; the model needs 2, in the order of its columns"),
        ("2 2 1\n1 2\n0\n1\n0\n", "data: the first line promises 2 rows, but row 2 is not complete"),
        ("2 2 1\n1 2\n0\n1 2\n0\n1 2", "data: text \"1 2\" follows the last of 2 rows"),
        ("2 2 1\n1 2\n0\n1 ?\n0\n", "data: row 2, column \"x2\": \"?\" is no number"),
    ] {
        let found =
            check_pieces(&model, text.as_bytes()).map_or_else(|error| error.message, |_| String::new());
        assert!(found.starts_with(message) && found.is_empty() == message.is_empty(), "{found}");
    }
    let error = evaluate(&model, ["2 2 3\n1 2\n0 1 0\n1 2\n0 1 0\n".as_bytes()]).unwrap_err();
    assert_eq!(error.message, "target: 3 targets a row; the model has 2 outputs");
    let error = evaluate(&model, ["1 2 1\n1 2\n5\n".as_bytes()]).unwrap_err();
    assert_eq!(error.message, "target: row 1 of column \"y\" is \"5\"; allowed: 0, 1");
    let error = check_pieces(&model, &array[..array.len() - 1]).unwrap_err();
    assert_eq!(error.message, "data: 24 rows of 2 inputs and 1 targets take 316 bytes, but there are 315");
    let spoilt = encode_arrays(&[1.0, f32::NAN], 1, 2, &[1.0], 1, None);
    let error = check_pieces(&model, &spoilt).unwrap_err();
    assert!(error.message.starts_with("data: row 1, column \"x2\": \"NaN\" is not finite"), "{error}");
}

#[test]
fn several_targets_are_named_in_csv() {
    let inputs: Vec<f32> = (0..60).map(|index| (index % 11) as f32).collect();
    let targets: Vec<f32> = inputs.iter().map(|value| value * 0.5 + 0.25).collect();
    let array = encode_arrays(&inputs, 30, 2, &targets, 2, None);
    let model = model(&array, "");
    let mut csv = "y2,x2,y1,x1\n".to_string();
    for (x, y) in inputs.chunks(2).zip(targets.chunks(2)) {
        csv.push_str(&format!("{},{},{},{}\n", y[1], x[1], y[0], x[0]));
    }
    assert_eq!(evaluate(&model, [csv.as_bytes()]), evaluate(&model, [&array[..]]));
    let answers = predict(&model, [csv.as_bytes()]).unwrap();
    assert_eq!(answers, predict(&model, [&array[..]]).unwrap());
    assert!(answers.0.starts_with("prediction,prediction2\n"));
    let error = evaluate(&model, ["x1,x2,y1\n1,2,3\n".as_bytes()]).unwrap_err();
    assert!(error.message.starts_with("data: no column \"y2\""), "{error}");
}

#[test]
fn values_far_from_the_training_rows_are_named() {
    let mut text = "x,y\n".to_string();
    for index in 0..20 {
        text.push_str(&format!("{index}e-30,{index}\n"));
    }
    let model = model(text.as_bytes(), r#"{"task":"regression"}"#);
    let error = predict(&model, ["x\n1e-30\n3e38\n".as_bytes()]).unwrap_err();
    assert_eq!(
        error.message,
        "data: row 2, column \"x\": the value is too far from the training rows to be scaled"
    );
    let mut out = [0.0; 2];
    let error = model.predict_rows(&[0.0, 3e38], 2, &mut out).unwrap_err();
    assert!(error.message.starts_with("data: row 2, column \"x\""), "{error}");
}

/// A model of a session on `bytes`.
fn trained(bytes: &[u8], options: &str) -> Model {
    let mut session = Session::new(bytes, options).unwrap();
    session.run(300).unwrap();
    Model::load(&session.finish().unwrap().model).unwrap()
}

#[test]
fn a_model_asks_for_features_only() {
    let mut text = "who,a,w,b,y\n".to_string();
    for row in 0..60 {
        text.push_str(&format!(
            "p{},{},{},{},{}\n",
            row % 9,
            row % 7,
            1 + row % 2,
            row % 5,
            ["no", "yes"][usize::from(row % 7 > 3)]
        ));
    }
    let options =
        r#"{"groupColumn":"who","weightColumn":"w","classWeights":"balanced","hidden":[4],"epochs":200}"#;
    let model = trained(text.as_bytes(), options);
    assert_eq!(model.inputs(), 2);
    let (answers, rows) = predict(&model, ["b,a\n1,6\n1,0\n".as_bytes()]).unwrap();
    assert_eq!(rows, 2);
    let lines: Vec<&str> = answers.lines().collect();
    assert!(lines[1].starts_with("yes,") && lines[2].starts_with("no,"), "{answers}");
    // numbers without a header: the columns that are left, by name or by position
    let fann = (0..60).fold("60 3 1\n".to_string(), |text, row| {
        text + &format!("{} {} {}\n{}\n", row % 7, row % 9, row % 5, row % 7 * 2)
    });
    let options = r#"{"groupColumn":"x2","task":"regression","hidden":[4],"epochs":100}"#;
    let model = trained(fann.as_bytes(), options);
    let named = predict(&model, ["2 3 1\n1 9 2\n0\n6 9 4\n0\n".as_bytes()]).unwrap();
    assert_eq!(predict(&model, ["2 2 1\n1 2\n0\n6 4\n0\n".as_bytes()]).unwrap(), named);
    assert_eq!(predict(&model, ["x3,x1\n2,1\n4,6\n".as_bytes()]).unwrap(), named);
}

#[test]
fn xor_of_four_rows_is_learnt_and_evaluated() {
    let xor = "4 2 1\n0 0\n0\n0 1\n1\n1 0\n1\n1 1\n0\n";
    let options = r#"{"split":[100,0,0],"hidden":[4],"epochs":300}"#;
    let model = trained(xor.as_bytes(), options);
    let found = evaluate(&model, [xor.as_bytes()]).unwrap();
    assert!(found.starts_with("{\"rows\":4,") && found.ends_with("\"accuracy\":1.0}"), "{found}");
    let error = Session::new(xor.as_bytes(), r#"{"hidden":[4]}"#).map(|_| ()).unwrap_err();
    assert!(error.message.starts_with("data: 4 rows are too few for the split 60, 20, 20"), "{error}");
}
