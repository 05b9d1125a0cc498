//! Texts of a single network: how a training goes, what came of it, what a model is.

use alloc::format;
use alloc::string::String;
use serde_json::Value;

use super::{decimal, list, number, percent, text, words};

/// One line of how a training goes.
pub(super) fn train_progress(progress: &Value) -> String {
    let mut line = format!(
        "epoch {} of at most {}: loss {}",
        number(progress, "epoch"),
        number(progress, "maxEpochs"),
        loss(progress, "trainLoss")
    );
    if progress.get("validationLoss").is_some_and(Value::is_number) {
        line.push_str(&format!(
            ", validation {} (best {} at epoch {})",
            loss(progress, "validationLoss"),
            loss(progress, "bestValidationLoss"),
            number(progress, "bestEpoch")
        ));
    }
    line.push('\n');
    line
}

/// The figures of a training and where the model is.
pub(super) fn train(report: &Value) -> String {
    let mut out = format!("{} epochs", number(report, "epochs"));
    if report.get("bestEpoch").is_some_and(Value::is_number) {
        out.push_str(&format!(", best {}", number(report, "bestEpoch")));
    }
    out.push_str(match text(report, "stopped") {
        "epochs" => "; stopped after the most epochs asked for",
        "patience" => "; stopped since the validation loss no longer fell",
        "gl" => "; stopped by generalisation loss (GL)",
        "pq" => "; stopped by generalisation loss against progress (PQ)",
        "up" => "; stopped since the validation loss kept growing (UP)",
        "progress" => "; stopped since the training loss hardly fell",
        "diverged" => "; stopped since the numbers ran away",
        "target-error" => "; stopped at the target error",
        "bit-fail" => "; stopped at the allowed number of failed bits",
        "time" => "; stopped by the time limit",
        "cancelled" => "; stopped on request",
        _ => "",
    });
    out.push('\n');
    for (key, what) in [("trainLoss", "training"), ("validationLoss", "validation"), ("testLoss", "test")] {
        if report.get(key).is_some_and(Value::is_number) {
            out.push_str(&format!("{what} loss {}", loss(report, key)));
            if key == "testLoss" && report.get("testAccuracy").is_some_and(Value::is_number) {
                out.push_str(&format!(", accuracy {}", percent(report, "testAccuracy")));
            }
            out.push('\n');
        }
    }
    out.push_str(&format!("model {}\n", text(report, "modelHash")));
    match text(report, "out") {
        "" => out.push_str("the model was not kept; --out FILE writes it\n"),
        path => out.push_str(&format!("wrote {path}\n")),
    }
    out
}

/// How well a model does on rows with targets.
pub(super) fn evaluate(found: &Value) -> String {
    let accuracy = match found.get("accuracy").is_some_and(Value::is_number) {
        true => format!(", accuracy {}", percent(found, "accuracy")),
        false => String::new(),
    };
    format!("{} rows: loss {}{accuracy}\n", number(found, "rows"), loss(found, "loss"))
}

/// A loss with six significant digits, whatever its size.
fn loss(value: &Value, key: &str) -> String {
    match value.get(key).and_then(Value::as_f64) {
        Some(found) if found != 0.0 && !(1e-4..1e6).contains(&found) => format!("{found:.5e}"),
        _ => decimal(value, key, 6),
    }
}

/// What a model file holds.
pub(super) fn inspect(model: &Value) -> String {
    let mut out = format!(
        "model {}\n{} bytes, version {}\n{} of {:?} from {} columns ({} inputs, {} outputs)\n",
        text(model, "hash"),
        number(model, "bytes"),
        number(model, "version"),
        text(model, "task"),
        text(model, "target"),
        number(model, "features"),
        number(model, "inputs"),
        number(model, "outputs"),
    );
    if !list(model, "classes").is_empty() {
        out.push_str(&format!("classes: {}\n", words(model, "classes")));
    }
    out
}
