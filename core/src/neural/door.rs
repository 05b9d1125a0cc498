//! What the doors of a single network share: flags as options, the answer of `train`, and texts of errors.
//!
//! The command lines of Rust, Python and Node hand what was typed to these functions, so that the same words
//! mean the same at every door.

use super::number::shown;
use super::plan::to_json;
use crate::error::{Code, Error};
use crate::json::{self, Read};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ruv_swarm_neural::FloatState;

/// The keys of the answer of `train` that come first, in this order.
const FIRST: [&str; 6] = ["epochs", "trainLoss", "validationLoss", "testLoss", "testAccuracy", "modelHash"];

/// The options of a training from the flags of a command line.
///
/// `flags` is a JSON list of `[name, type, text]`, `type` as in the table of commands (`string`, `bool`,
/// `uint`, `float` or `list`); `base` is a JSON object of options, or empty, over which flags win. A number
/// stays a number; what is none stays a text, which the reader of the options then names. A list of one word
/// is that word alone, and an object in a list's place is taken as it is.
///
/// # Errors
/// `invalid_argument` if `base` is no JSON object, or a flag's text that begins with `{` is no JSON.
pub fn options_of_flags(flags: &str, base: &str) -> Result<String, Error> {
    let _settings = FloatState::hold();
    let mut options: Vec<(String, String)> = Vec::new();
    if !base.trim().is_empty() {
        let bad =
            |why| Error::invalid("options", format!("options: {why}; allowed: a JSON object of options"));
        for (key, raw) in json::fields(base).map_err(bad)? {
            put(&mut options, &key, raw.to_string());
        }
    }
    let broken = |why: String| Error::new(Code::Internal, "", format!("flags: {why}"));
    for flag in json::items(flags).map_err(broken)? {
        let parts = json::items(flag).map_err(broken)?;
        let mut parts = parts.iter().map(|raw| String::read(raw).unwrap_or_default());
        let mut next = || parts.next().unwrap_or_default();
        let (name, kind, text) = (next(), next(), next());
        let value = value_of(&name, &kind, &text)?;
        put(&mut options, &name, value);
    }
    let fields: Vec<String> = options.iter().map(|(key, raw)| format!("{}:{raw}", quoted(key))).collect();
    Ok(format!("{{{}}}", fields.join(",")))
}

fn put(options: &mut Vec<(String, String)>, key: &str, raw: String) {
    match options.iter_mut().find(|(known, _)| known == key) {
        Some((_, slot)) => *slot = raw,
        None => options.push((key.to_string(), raw)),
    }
}

fn quoted(text: &str) -> String {
    to_json(&text).unwrap_or_default()
}

/// The JSON value that the text of a flag stands for.
fn value_of(name: &str, kind: &str, text: &str) -> Result<String, Error> {
    match kind {
        "bool" => Ok("true".to_string()),
        "string" => Ok(quoted(text)),
        "list" if text.trim_start().starts_with('{') => match json::fields(text) {
            Ok(_) => Ok(text.trim().to_string()),
            Err(why) => Err(Error::invalid(name, format!("{name}: {text:?} is no JSON: {why}"))),
        },
        "list" => {
            let words: Vec<String> =
                text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(scalar).collect();
            match words.as_slice() {
                [word] => Ok(word.clone()),
                words => Ok(format!("[{}]", words.join(","))),
            }
        }
        _ => Ok(scalar(text.trim())),
    }
}

/// A finite number in its JSON form, anything else as a text.
fn scalar(word: &str) -> String {
    if let Ok(whole) = word.parse::<u64>() {
        return whole.to_string();
    }
    match word.parse::<f64>() {
        // a whole number may be written as one, for example 1e3
        Ok(number) if number == (number as i64) as f64 && number.abs() < 9.0e15 => {
            (number as i64).to_string()
        }
        Ok(number) if number.is_finite() => to_json(&number).unwrap_or_default(),
        _ => quoted(word),
    }
}

/// The answer of `train --json`: the report of a training with the path of the model file, null if none was
/// written, behind the figures that every caller reads.
pub fn train_answer(report: &str, out: &str) -> String {
    let Ok(fields) = json::fields(report) else { return report.to_string() };
    let find = |name: &str| fields.iter().find(|(key, _)| key == name).map_or("null", |(_, raw)| *raw);
    let mut parts: Vec<String> =
        FIRST.iter().map(|name| format!("{}:{}", quoted(name), find(name))).collect();
    parts.push(format!("\"out\":{}", if out.is_empty() { "null".to_string() } else { quoted(out) }));
    let rest = fields.iter().filter(|(key, _)| !FIRST.contains(&&**key) && *key != "out");
    parts.extend(rest.map(|(key, raw)| format!("{}:{raw}", quoted(key))));
    format!("{{{}}}", parts.join(","))
}

/// The error of a training that the user has broken off after `epoch`; it tells how to go on from the
/// checkpoint, if one was written.
pub fn interrupted(epoch: u32, checkpoint: &str) -> Error {
    let message = match checkpoint {
        "" => format!("interrupted after epoch {epoch}; nothing was kept, since no checkpoint was asked for"),
        path => format!("interrupted after epoch {epoch}; go on with: ruv-swarm train --resume {path}"),
    };
    Error::new(Code::Interrupted, "", message)
}

/// The error of a training whose numbers ran away, by its report; the model holds the last good weights then.
///
/// # Errors
/// `work_failed` with the report's message, which names epoch and layer.
pub fn check_report(report: &str) -> Result<(), Error> {
    let field = |name: &str| -> Option<String> {
        let fields = json::fields(report).ok()?;
        let (_, raw) = fields.iter().find(|(key, _)| key == name)?;
        String::read(raw).ok()
    };
    match field("stopped").as_deref() {
        Some("diverged") => Err(Error::new(Code::WorkFailed, "", field("message").unwrap_or_default())),
        _ => Ok(()),
    }
}

/// Refuses arguments of `train` that do not go together; every argument is its text, empty if it was not given.
///
/// # Errors
/// `invalid_argument` that names the argument: no data, options beside a checkpoint to go on from, `every`
/// without a checkpoint, `seconds` that are none.
pub fn check_train(arguments: &TrainArguments<'_>) -> Result<(), Error> {
    let TrainArguments { data, resume, first_option, checkpoint, every, seconds } = *arguments;
    if data.is_empty() && resume.is_empty() {
        return Err(Error::invalid("data", "data: missing; give a file to learn from, CSV or FANN text"));
    }
    if !resume.is_empty() && !first_option.is_empty() {
        return Err(Error::invalid(
            first_option,
            format!("{first_option}: given beside resume; a checkpoint holds the options it goes on with"),
        ));
    }
    if every.is_some() && checkpoint.is_empty() && resume.is_empty() {
        return Err(Error::invalid("every", "every: given without checkpoint; name the file to write"));
    }
    check_limits("every", every, seconds)
}

/// Refuses numbers of epochs between checkpoints, given as `name`, and time limits that are none.
///
/// # Errors
/// `invalid_argument` that names the argument.
pub fn check_limits(name: &str, every: Option<u64>, seconds: Option<f64>) -> Result<(), Error> {
    if every.is_some_and(|every| !(1..=u64::from(u32::MAX)).contains(&every)) {
        let every = every.unwrap_or(0);
        return Err(Error::invalid(name, format!("{name}: {every}; allowed: 1 to {}", u32::MAX)));
    }
    match seconds {
        // written so that a value that is no number is refused too
        Some(seconds) if !(seconds > 0.0 && seconds <= 1e9) => Err(Error::invalid(
            "seconds",
            format!("seconds: {}; allowed: above 0, at most 1000000000", shown(seconds)),
        )),
        _ => Ok(()),
    }
}

/// What [`check_train`] looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrainArguments<'a> {
    /// The path of the data.
    pub data: &'a str,
    /// The path of a checkpoint to go on from.
    pub resume: &'a str,
    /// The name of the first option that was given, of a flag or `options`.
    pub first_option: &'a str,
    /// The path of checkpoints to write.
    pub checkpoint: &'a str,
    /// Epochs between them.
    pub every: Option<u64>,
    /// The time limit.
    pub seconds: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_become_values_of_their_kind() {
        let flags = r#"[["target","string","5"],["hidden","list","32, 16"],["activation","list","tanh"],
            ["learningRate","float",".5"],["l2","float","1e-5"],["epochs","uint","1e3"],["seed","uint","9007199254740991"],
            ["shortcut","bool",""],["momentum","float","much"],["steepness","list","0.5,1"],["noise","float","nan"],
            ["classWeights","list","{\"a\":2}"],["split","list",""],["decay","float","-0.0001"]]"#;
        assert_eq!(
            options_of_flags(flags, "").unwrap(),
            r#"{"target":"5","hidden":[32,16],"activation":"tanh","learningRate":0.5,"l2":0.00001,"epochs":1000,"seed":9007199254740991,"shortcut":true,"momentum":"much","steepness":[0.5,1],"noise":"nan","classWeights":{"a":2},"split":[],"decay":-0.0001}"#
        );
    }

    #[test]
    fn flags_win_over_the_base() {
        let options =
            options_of_flags(r#"[["epochs","uint","5"]]"#, r#" {"hidden":[3], "epochs": 7} "#).unwrap();
        assert_eq!(options, r#"{"hidden":[3],"epochs":5}"#);
        assert_eq!(options_of_flags("[]", " ").unwrap(), "{}");
        let error = options_of_flags("[]", "[1]").unwrap_err();
        assert_eq!((error.field.as_str(), error.code), ("options", Code::InvalidArgument));
        let error = options_of_flags(r#"[["classWeights","list","{a"]]"#, "").unwrap_err();
        assert_eq!(error.field, "classWeights");
    }

    #[test]
    fn the_answer_begins_with_the_figures() {
        let report = r#"{"epochs":7,"bestEpoch":5,"trainLoss":0.5,"validationLoss":null,"testLoss":1,"testAccuracy":null,"modelHash":"ab","stopped":"time"}"#;
        assert_eq!(
            train_answer(report, "m.rsn"),
            r#"{"epochs":7,"trainLoss":0.5,"validationLoss":null,"testLoss":1,"testAccuracy":null,"modelHash":"ab","out":"m.rsn","bestEpoch":5,"stopped":"time"}"#
        );
        assert!(train_answer(report, "").contains("\"out\":null"));
        assert_eq!(check_report(report), Ok(()));
        let error =
            check_report(r#"{"stopped":"diverged","message":"training: NaN in layer 2"}"#).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (Code::WorkFailed, "training: NaN in layer 2"));
    }

    #[test]
    fn arguments_that_do_not_go_together() {
        let good = TrainArguments { data: "d.csv", ..Default::default() };
        assert_eq!(check_train(&good), Ok(()));
        let field = |arguments: TrainArguments<'_>| check_train(&arguments).unwrap_err().field;
        assert_eq!(field(TrainArguments::default()), "data");
        assert_eq!(field(TrainArguments { resume: "c", first_option: "hidden", ..good }), "hidden");
        assert_eq!(field(TrainArguments { every: Some(5), ..good }), "every");
        assert_eq!(field(TrainArguments { every: Some(0), checkpoint: "c", ..good }), "every");
        for seconds in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(field(TrainArguments { seconds: Some(seconds), ..good }), "seconds");
        }
        assert!(interrupted(7, "").message.contains("epoch 7; nothing"));
        assert!(interrupted(7, "c.rsc").message.ends_with("--resume c.rsc"));
    }
}
