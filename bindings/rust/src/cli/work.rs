//! work: the tasks of the backlog, done by a program of the user's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::limits::{ARTIFACT_BYTES, LEASE_DEFAULT_MS};
use serde::Deserialize;
use serde_json::{json, Map, Value};

use super::output::Output;
use super::program::Program;
use super::{interrupt, Context};
use crate::host::{read, Host};
use crate::work::{Crew, Failure, Happening, Outcome, Stop, Tally};

pub(super) fn run(context: &mut Context<'_>) -> Result<i32, Error> {
    let program = program(context)?;
    let host = Arc::new(context.host()?);
    let agent = agent(context, &host)?;
    let closed = Arc::new(AtomicBool::new(false));
    let gone = closed.clone();
    let stop = Stop::when(move || interrupt::asked() || gone.load(Ordering::Relaxed));
    let lease_ms = context.number("leaseMs").unwrap_or(LEASE_DEFAULT_MS);
    let at_once = context.number("capacity").unwrap_or(0) as usize;
    let mut crew = Crew::new(host).hire(&agent, lease_ms, at_once, Arc::new(program))?.stop(&stop);
    if let Some(most) = context.number("maxTasks") {
        crew = crew.max_tasks(most);
    }
    if context.flag("untilIdle") {
        crew = crew.until_idle();
    }
    context.out.text(&format!("{agent} works\n"));
    context.out.flush();
    let out = &mut *context.out;
    let tally = crew.run(&mut |happening| {
        tell(out, happening);
        closed.store(out.closed(), Ordering::Relaxed);
    })?;
    context.out.result(&summary(&agent, &tally), &response(&agent, &tally));
    Ok(if interrupt::asked() { 130 } else { 0 })
}

/// The program with its limits: whatever is wrong with it is found before anything is claimed.
fn program(context: &Context<'_>) -> Result<Program, Error> {
    let missing = "exec: missing; give a program with its arguments, for example: --exec 'python3 worker.py'";
    let exec = context.word("exec").ok_or_else(|| Error::invalid("exec", missing))?;
    let mut program = Program::find(exec)?;
    if let Some(seconds) = context.seconds("timeLimit") {
        let limit = Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero());
        let message = || format!("timeLimit: {seconds}; allowed: seconds above 0");
        program.time_limit = Some(limit.ok_or_else(|| Error::invalid("timeLimit", message()))?);
    }
    if let Some(limit) = context.number("outputLimit") {
        if !(1..=ARTIFACT_BYTES).contains(&limit) {
            let message = format!("outputLimit: {limit}; allowed: 1 to {ARTIFACT_BYTES}");
            return Err(Error::invalid("outputLimit", message));
        }
        program.output_limit = limit;
    }
    let db = context.database(false);
    program.db = std::path::absolute(&db).unwrap_or(db);
    Ok(program)
}

/// The agent that is named by its id, or by its name, or a new one.
fn agent(context: &Context<'_>, host: &Host) -> Result<String, Error> {
    if let Some(id) = context.word("agent") {
        return Ok(id.clone());
    }
    let mut request = Map::new();
    request.insert("type".into(), json!(context.word("type").map_or("worker", String::as_str)));
    if let Some(name) = context.word("name") {
        request.insert("name".into(), json!(name));
        request.insert("join".into(), json!(true));
    }
    if context.word("capabilities").is_some() {
        request.insert("capabilities".into(), json!(context.words("capabilities")));
    }
    if let Some(capacity) = context.number("capacity") {
        request.insert("capacity".into(), json!(capacity));
    }
    #[derive(Deserialize)]
    struct Spawned {
        agents: Vec<Agent>,
    }
    #[derive(Deserialize)]
    struct Agent {
        id: String,
    }
    let response = host.call("agent_spawn", &Value::Object(request).to_string(), "")?;
    let first = read::<Spawned>(&response)?.agents.into_iter().next();
    first.map(|agent| agent.id).ok_or_else(|| Error::new(Code::Internal, "", "agent_spawn named no agent"))
}

fn tell(out: &mut Output, happening: &Happening) {
    match happening {
        Happening::Started { task, .. } => {
            let name = if task.name.is_empty() { String::new() } else { format!(" ({})", task.name) };
            out.text(&format!("{}{name} attempt {}: started\n", task.id, task.epoch()));
        }
        Happening::Ended { agent_id, task_id, epoch, outcome, state } => {
            let mut line = format!(
                "{{\"taskId\":{},\"agentId\":{},\"epoch\":{epoch},\"outcome\":\"{}\",\"state\":{}",
                json!(task_id),
                json!(agent_id),
                outcome.as_str(),
                json!(state)
            );
            let mut text = format!("{task_id} attempt {epoch}: {}", outcome.as_str());
            if let Outcome::Failed(Failure { code, message }) = outcome {
                line.push_str(&format!(
                    ",\"error\":{{\"code\":{},\"message\":{}}}",
                    json!(code),
                    json!(message)
                ));
                let last = message.lines().last().unwrap_or_default();
                text.push_str(&format!(" with {code}: {last}; the task is {state}"));
            }
            out.result(&format!("{text}\n"), &format!("{line}}}"));
        }
    }
    out.flush();
}

fn summary(agent: &str, tally: &Tally) -> String {
    let Tally { completed, failed, released, cancelled } = tally;
    format!("{agent}: {completed} completed, {failed} failed, {released} given back, {cancelled} cancelled\n")
}

fn response(agent: &str, tally: &Tally) -> String {
    let Tally { completed, failed, released, cancelled } = tally;
    format!(
        "{{\"agentId\":{},\"completed\":{completed},\"failed\":{failed},\"released\":{released},\"cancelled\":{cancelled}}}",
        json!(agent)
    )
}
