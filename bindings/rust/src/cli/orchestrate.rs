//! orchestrate: train on data, plan a goal for workers, or go on with what was interrupted.

use std::path::Path;

use ruv_swarm_core::error::{host_error, Code, Error, HostTrouble};
use ruv_swarm_core::swarm::SAMPLE_MESSAGE;
use ruv_swarm_core::{neural, render};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{json, Map, Value};

use super::live::Live;
use super::{interrupt, Context};
use crate::files;
use crate::host::{read, Call, Content, Host};
use crate::training::Executor;

/// Most threads that may be asked for.
const MAX_THREADS: u64 = 1024;

pub(super) fn run(context: &mut Context<'_>) -> Result<i32, Error> {
    let threads = threads(context)?;
    if context.flag("resume") {
        return resume(context, threads);
    }
    let text = context.word("text").map_or("", |text| text.trim()).to_string();
    let has_data = context.word("data").is_some();
    let host = context.host()?;
    if host.with_swarm(|swarm| swarm.orchestrate_intent(&text, has_data))?? == "goal" {
        return plan_work(context, &host, &text);
    }
    // whatever is wrong with the data is found before anything is written
    let (bytes, name) = dataset(context)?;
    let options = options(context);
    let summary = neural::inspect_data(&bytes, &options.to_string())?;
    let content = Content::new(bytes);
    let mut request = common(context);
    request.insert("task".into(), json!(if text.is_empty() { "train" } else { &text }));
    request.insert("dataset".into(), json!({ "hash": content.hash(), "summary": summary }));
    let calls = vec![
        Call::artifact(content, &name, media_type(&name)),
        Call::new("task_orchestrate", Value::Object(request).to_string()),
    ];
    let response = host.call_all(calls)?.pop().unwrap_or_default();
    context.out.text(&render("task_orchestrate", &response));
    let goal = goal_id(&response)?;
    train_goal(context, &host, threads, &goal)
}

fn threads(context: &Context<'_>) -> Result<usize, Error> {
    match context.number("threads") {
        None => Ok(std::thread::available_parallelism().map_or(1, |n| n.get())),
        Some(n) if (1..=MAX_THREADS).contains(&n) => Ok(n as usize),
        Some(n) => Err(Error::invalid("threads", format!("threads: {n}; allowed: 1 to {MAX_THREADS}"))),
    }
}

/// Fields that goals of both kinds share.
fn common(context: &Context<'_>) -> Map<String, Value> {
    let mut request = Map::new();
    for name in ["strategy", "priority"] {
        if let Some(word) = context.word(name) {
            request.insert(name.into(), json!(word));
        }
    }
    let agents = context.words("agents");
    if !agents.is_empty() {
        request.insert("agents".into(), json!(agents));
    }
    if let Some(most) = context.number("maxAgents") {
        request.insert("maxAgents".into(), json!(most));
    }
    request
}

fn options(context: &Context<'_>) -> Value {
    let mut options = Map::new();
    for name in ["target", "task"] {
        if let Some(word) = context.word(name) {
            options.insert(name.into(), json!(word));
        }
    }
    Value::Object(options)
}

/// The dataset's bytes and their name; the bundled sample if none was given, which is said first.
fn dataset(context: &mut Context<'_>) -> Result<(Vec<u8>, String), Error> {
    if let Some(path) = context.word("data") {
        let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
        return Ok((files::read("data", path)?, name.unwrap_or_else(|| path.clone())));
    }
    let line = format!("{{\"message\":{}}}", json!(SAMPLE_MESSAGE));
    context.out.result(&format!("{SAMPLE_MESSAGE}\n"), &line);
    Ok((neural::sample().to_vec(), "iris.csv".to_string()))
}

fn media_type(name: &str) -> &'static str {
    match Path::new(name).extension().and_then(|end| end.to_str()) {
        Some("csv") => "text/csv",
        _ => "text/plain",
    }
}

fn goal_id(response: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Planned {
        goal_id: String,
    }
    read::<Planned>(response).map(|planned| planned.goal_id)
}

fn plan_work(context: &mut Context<'_>, host: &Host, text: &str) -> Result<i32, Error> {
    let mut request = common(context);
    request.insert("task".into(), json!(text));
    let response = host.call("task_orchestrate", &Value::Object(request).to_string(), "")?;
    context.out.result(&render("task_orchestrate", &response), &response);
    Ok(0)
}

fn resume(context: &mut Context<'_>, threads: usize) -> Result<i32, Error> {
    let host = context.host()?;
    let goals = Executor::unfinished(&host)?;
    if goals.is_empty() {
        context.out.result("no training goal is unfinished\n", "{\"goals\":[]}");
        return Ok(0);
    }
    for goal in &goals {
        context.out.text(&format!("going on with {goal}\n"));
        let code = train_goal(context, &host, threads, goal)?;
        if code != 0 {
            return Ok(code);
        }
    }
    Ok(0)
}

/// Runs the goal to its end, shows how it goes, and prints what came of it.
fn train_goal(context: &mut Context<'_>, host: &Host, threads: usize, goal: &str) -> Result<i32, Error> {
    context.out.flush();
    let mut live = Live::default();
    let executor = Executor { host, threads, cancelled: &interrupt::asked };
    let results = executor.run(goal, &mut |view| live.show(context.out, view))?;
    live.end(context.out);

    let outcome: Results<'_> = read(&results)?;
    match outcome.state.as_str() {
        "completed" => {
            let json = serde_json::to_string(&outcome).unwrap_or_else(|_| results.clone());
            context.out.result(&render("task_results", &results), &json);
            Ok(0)
        }
        "cancelled" if interrupt::asked() => Err(host_error(HostTrouble::Interrupted, "", "", "")),
        "cancelled" => Err(Error::new(Code::Cancelled, "", format!("goal {goal} was cancelled"))),
        _ => Err(Error::new(Code::WorkFailed, "", format!("goal {goal} failed: {}", executor.why(goal)?))),
    }
}

/// The result as the doors print it.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Results<'a> {
    goal_id: String,
    state: String,
    #[serde(default)]
    model_hash: String,
    #[serde(default, borrow)]
    members: Vec<Member<'a>>,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    ensemble: Option<&'a RawValue>,
    state_hash: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Member<'a> {
    agent_id: String,
    pattern: String,
    algorithm: String,
    network: String,
    #[serde(borrow)]
    validation_loss: &'a RawValue,
    #[serde(borrow, default)]
    validation_accuracy: Option<&'a RawValue>,
}
