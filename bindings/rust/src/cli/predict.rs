//! predict: rows in, predictions out, with a model of the store or of a file.

use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::neural::Model;
use serde_json::json;

use super::Context;
use crate::files;

pub(super) fn run(context: &mut Context<'_>) -> Result<i32, Error> {
    let missing = |field: &str, what: &str| Error::invalid(field, format!("{field}: missing; give {what}"));
    let model = context
        .word("model")
        .ok_or_else(|| missing("model", "a model's hash or the path of a model file"))?;
    let data = context.word("data").ok_or_else(|| missing("data", "a CSV file with the rows to predict"))?;
    let model = Model::load(&model_bytes(context, model)?)?;
    let predicted = model.predict_csv(&files::read("data", data)?)?;
    let rows = predicted.rows;
    let Some(out) = context.word("out") else {
        if context.out.json() {
            let csv = String::from_utf8_lossy(&predicted.csv);
            context.out.line(&format!("{{\"rows\":{rows},\"out\":null,\"csv\":{}}}", json!(csv)));
        } else {
            context.out.bytes(&predicted.csv);
        }
        return Ok(0);
    };
    files::write_atomically("out", out, &predicted.csv)?;
    let line = format!("{{\"rows\":{rows},\"out\":{}}}", json!(out));
    context.out.result(&format!("predicted {rows} rows into {out}\n"), &line);
    Ok(0)
}

/// A word of hexadecimal digits names a model of the store by its hash, anything else a file.
fn model_bytes(context: &Context<'_>, model: &str) -> Result<Vec<u8>, Error> {
    if model.len() < 8 || !model.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return files::read("model", model);
    }
    context.host()?.get_artifact(&model.to_ascii_lowercase()).map_err(|error| match error.code {
        Code::NotFound => Error::unknown_id("model", "model", model),
        _ => error,
    })
}
