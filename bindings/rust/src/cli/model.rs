//! predict, evaluate and inspect: what is done with a model of the store or of a file.

use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::neural::{EvaluateStream, Model, PredictStream};
use ruv_swarm_core::render;
use serde_json::json;

use super::{input, Context};
use crate::files::{self, NewFile};

/// predict: rows in, predictions out, piece by piece.
pub(super) fn predict(context: &mut Context<'_>) -> Result<i32, Error> {
    let model = model(context)?;
    let data = data(context, "a CSV file with the rows to predict")?;
    let out = context.word("out").cloned();
    let mut file = out.as_ref().map(|path| NewFile::begin("out", path)).transpose()?;
    let mut stream = PredictStream::new(&model);
    // with --json and no file the predictions are a text of the answer, so they are gathered
    let gathers = file.is_none() && context.out.json();
    let (mut made, mut kept) = (Vec::new(), Vec::new());
    let out_stream = &mut *context.out;
    let mut pass_on = |made: &mut Vec<u8>| -> Result<(), Error> {
        match &mut file {
            Some(file) => file.write(made)?,
            None if gathers => kept.extend_from_slice(made),
            None => out_stream.bytes(made),
        }
        made.clear();
        Ok(())
    };
    input::stream("data", &data, &mut |piece| {
        stream.push(piece, &mut made)?;
        pass_on(&mut made)
    })?;
    let rows = stream.finish(&mut made)?;
    pass_on(&mut made)?;
    match (file, out) {
        (Some(file), Some(out)) => {
            file.commit()?;
            let line = format!("{{\"rows\":{rows},\"out\":{}}}", json!(out));
            context.out.result(&format!("predicted {rows} rows into {out}\n"), &line);
        }
        _ if gathers => {
            let csv = String::from_utf8_lossy(&kept);
            context.out.line(&format!("{{\"rows\":{rows},\"out\":null,\"csv\":{}}}", json!(csv)));
        }
        _ => {}
    }
    Ok(0)
}

/// evaluate: how well a model does on rows with targets.
pub(super) fn evaluate(context: &mut Context<'_>) -> Result<i32, Error> {
    let model = model(context)?;
    let data = data(context, "a CSV file with rows and their targets")?;
    let mut stream = EvaluateStream::new(&model);
    input::stream("data", &data, &mut |piece| stream.push(piece))?;
    let found = stream.finish()?;
    context.out.result(&render("evaluate", &found), &found);
    Ok(0)
}

/// inspect: what a model file holds.
pub(super) fn inspect(context: &mut Context<'_>) -> Result<i32, Error> {
    let found = model(context)?.describe();
    context.out.result(&render("inspect", &found), &found);
    Ok(0)
}

fn missing(field: &str, what: &str) -> Error {
    Error::invalid(field, format!("{field}: missing; give {what}"))
}

fn data(context: &Context<'_>, what: &str) -> Result<String, Error> {
    context.word("data").cloned().ok_or_else(|| missing("data", what))
}

fn model(context: &Context<'_>) -> Result<Model, Error> {
    let model = context
        .word("model")
        .ok_or_else(|| missing("model", "a model's hash or the path of a model file"))?;
    Model::load(&model_bytes(context, model)?)
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
