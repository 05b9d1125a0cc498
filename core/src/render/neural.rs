//! Texts of a single network: how a training goes, what came of it, what a model is.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde_json::Value;

use super::{decimal, list, number, percent, table, text, words};

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

/// What a model file holds: columns with their scaling, then each member with its layers.
pub(super) fn inspect(model: &Value) -> String {
    let mut out = format!(
        "model {}\n{} bytes, version {}\n{} of {:?}: {} columns, {} inputs, {} outputs\n",
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
    out.push('\n');
    let columns: Vec<Vec<String>> = list(model, "columns").iter().map(column).collect();
    out.push_str(&table(&["column", "holds", "mean", "factor"], &columns));
    for (place, member) in list(model, "members").iter().enumerate() {
        out.push('\n');
        out.push_str(&member_text(place, member, list(model, "members").len()));
    }
    out
}

/// Name, kind and scaling; a column of texts has an input for each and is not scaled.
fn column(column: &Value) -> Vec<String> {
    let categories = list(column, "categories").len();
    let numbers = |key: &str| match list(column, key).first().and_then(Value::as_f64) {
        Some(value) if categories == 0 => format!("{value:.6}"),
        _ => "-".into(),
    };
    let mut holds = match categories {
        0 => "numbers".into(),
        count => format!("{count} texts"),
    };
    if column.get("indicator") == Some(&Value::Bool(true)) {
        holds.push_str(", or nothing");
    }
    vec![text(column, "name").into(), holds, numbers("mean"), numbers("scale")]
}

fn member_text(place: usize, member: &Value, members: usize) -> String {
    let mut out = String::new();
    if members > 1 {
        out.push_str(&format!(
            "member {} ({}), weight {}: ",
            place + 1,
            text(member, "pattern"),
            decimal(member, "weight", 4)
        ));
    }
    out.push_str(&format!(
        "network {}, {} weights, {} after {} epochs\n",
        text(member, "network"),
        number(member, "connections"),
        text(member, "algorithm"),
        number(member, "epochs")
    ));
    if member.get("shortcut") == Some(&Value::Bool(true)) {
        out.push_str("each layer sees the inputs and all layers before it\n");
    }
    let row = |(place, layer): (usize, &Value)| {
        vec![
            (place + 1).to_string(),
            number(layer, "units").to_string(),
            text(layer, "activation").into(),
            layer.get("steepness").map(Value::to_string).unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = list(member, "layers").iter().enumerate().map(row).collect();
    out.push_str(&table(&["layer", "units", "activation", "steepness"], &rows));
    out
}
