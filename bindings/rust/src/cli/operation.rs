//! The commands that are one operation of the catalogue each, `call`, and `submit`.

use ruv_swarm_core::error::Error;
use ruv_swarm_core::render;
use serde_json::{json, Map, Value};

use super::table::Argument;
use super::{input, Context};
use crate::files;

/// Runs the operation of a command of the table: its arguments are the fields of the request.
pub(super) fn run(context: &mut Context<'_>, operation: &str, arguments: &[Argument]) -> Result<i32, Error> {
    let request = request(context, arguments);
    carry_out(context, operation, &request.to_string())
}

fn carry_out(context: &mut Context<'_>, operation: &str, request: &str) -> Result<i32, Error> {
    let host = context.host()?;
    let response = host.call(operation, request, "")?;
    context.out.result(&render(operation, &response), &response);
    Ok(0)
}

/// The request of the arguments that were given; what is missing is the core's to say.
fn request(context: &Context<'_>, arguments: &[Argument]) -> Value {
    let mut request = Map::new();
    for argument in arguments {
        if let Some(value) = value(context, argument) {
            put(&mut request, argument.field.as_ref().unwrap_or(&argument.name), value);
        }
    }
    Value::Object(request)
}

fn value(context: &Context<'_>, argument: &Argument) -> Option<Value> {
    let name = argument.name.as_str();
    match (argument.kind.as_str(), argument.value.as_str()) {
        ("flag", _) => context.flag(name).then_some(Value::Bool(true)),
        (_, "uint") => context.number(name).map(|number| json!(number)),
        (_, "float") => context.seconds(name).map(|number| json!(number)),
        (_, "list") => context.word(name).map(|_| json!(context.words(name))),
        _ => context.word(name).map(|word| json!(word)),
    }
}

/// Puts a value under a name, or under a path of names with dots between.
fn put(fields: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            fields.insert(path.into(), value);
        }
        Some((outer, inner)) => {
            let inside = fields.entry(outer).or_insert_with(|| json!({}));
            if let Value::Object(inside) = inside {
                put(inside, inner, value);
            }
        }
    }
}

/// call: any operation, JSON in and out.
pub(super) fn call(context: &mut Context<'_>) -> Result<i32, Error> {
    let missing = "operation: missing; give one of the catalogue, for example: call swarm_status";
    let operation = context.word("operation").ok_or_else(|| Error::invalid("operation", missing))?.clone();
    let request = match context.word("request") {
        Some(word) if word == "-" => input::text("request")?,
        Some(word) => word.clone(),
        None => "{}".to_string(),
    };
    let key = context.word("key").cloned().unwrap_or_default();
    let response = context.host()?.call(&operation, &request, &key)?;
    context.out.line(&response);
    Ok(0)
}

/// submit: one task by its flags, or a whole request from a file.
pub(super) fn submit(context: &mut Context<'_>, arguments: &[Argument]) -> Result<i32, Error> {
    const CLAIMS: [&str; 2] = ["exclusive", "shared"];
    let fields: Vec<&Argument> = arguments.iter().filter(|argument| argument.name != "file").collect();
    let Some(path) = context.word("file") else {
        let mut task = Map::new();
        let plain = fields.iter().filter(|argument| !CLAIMS.contains(&argument.name.as_str()));
        for argument in plain {
            if let Some(value) = value(context, argument) {
                put(&mut task, &argument.name, value);
            }
        }
        let claims: Vec<Value> = CLAIMS
            .iter()
            .flat_map(|mode| {
                context.words(mode).into_iter().map(move |key| json!({ "key": key, "mode": mode }))
            })
            .collect();
        if !claims.is_empty() {
            task.insert("resources".into(), json!(claims));
        }
        return carry_out(context, "task_submit", &json!({ "tasks": [task] }).to_string());
    };
    if let Some(other) = fields.iter().find(|argument| value(context, argument).is_some()) {
        let shown = other.flag.as_ref().unwrap_or(&other.name);
        let message = format!("file: give the tasks in a file or by flags, not both; {shown} was given too");
        return Err(Error::invalid("file", message));
    }
    let request = match path.as_str() {
        "-" => input::text("file")?,
        path => input::as_text("file", files::read("file", path)?)?,
    };
    carry_out(context, "task_submit", &request)
}
