//! The commands that ask or change the swarm with one or two operations.

use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::hash::hex;
use ruv_swarm_core::{render, render_event};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{json, Map, Value};

use super::{interrupt, Context};
use crate::host::{read, Options};
use crate::init;
use crate::store::{Durability, Store};

/// How many events are read at a time.
const BLOCK: u64 = 1000;

pub(super) fn init(context: &mut Context<'_>) -> Result<i32, Error> {
    if let Some(kind) = context.word("persistence").filter(|kind| *kind != "sqlite") {
        return Err(Error::not_one_of("persistence", kind, &["sqlite"]));
    }
    let path = context.database(true);
    let mut request = Map::new();
    for name in ["topology", "strategy"] {
        if let Some(word) = context.word(name) {
            request.insert(name.into(), json!(word));
        }
    }
    for name in ["maxAgents", "seed"] {
        if let Some(number) = context.number(name) {
            request.insert(name.into(), json!(number));
        }
    }
    let (_, response) = init::open(Options::file(&path), &request)?;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Made {
        swarm_id: String,
        topology: String,
        seed: u64,
    }
    let made: Made = read(&response)?;
    let db = path.display().to_string();
    let quoted = |text: &str| Value::from(text).to_string();
    let json = format!(
        "{{\"swarmId\":{},\"topology\":{},\"db\":{},\"seed\":{}}}",
        quoted(&made.swarm_id),
        quoted(&made.topology),
        quoted(&db),
        made.seed
    );
    context.out.result(&format!("{}database {db}\n", render("swarm_init", &response)), &json);
    Ok(0)
}

pub(super) fn spawn(context: &mut Context<'_>) -> Result<i32, Error> {
    let mut request = Map::new();
    for name in ["type", "model", "pattern", "name"] {
        if let Some(word) = context.word(name) {
            request.insert(name.into(), json!(word));
        }
    }
    let capabilities = context.words("capabilities");
    if !capabilities.is_empty() {
        request.insert("capabilities".into(), json!(capabilities));
    }
    if context.flag("join") {
        request.insert("join".into(), json!(true));
    }
    for (flag, field) in [("parallel", "count"), ("capacity", "capacity"), ("silenceMs", "silenceMs")] {
        if let Some(number) = context.number(flag) {
            request.insert(field.into(), json!(number));
        }
    }
    let host = context.host()?;
    let response = host.call("agent_spawn", &Value::Object(request).to_string(), "")?;

    #[derive(Deserialize, Serialize)]
    struct Spawned {
        agents: Vec<Agent>,
    }
    #[derive(Deserialize, Serialize)]
    struct Agent {
        id: String,
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        pattern: String,
        #[serde(default)]
        capabilities: Vec<String>,
    }
    let spawned: Spawned = read(&response)?;
    context.out.result(&render("agent_spawn", &response), &json_text(&spawned)?);
    Ok(0)
}

pub(super) fn status(context: &mut Context<'_>) -> Result<i32, Error> {
    let host = context.host()?;
    let request = json!({ "verbose": context.flag("verbose") }).to_string();
    let response = host.query("swarm_status", &request)?;
    context.out.result(&render("swarm_status", &response), &status_json(&response)?);
    Ok(0)
}

/// The status as the doors print it.
pub(super) fn status_json(response: &str) -> Result<String, Error> {
    #[derive(Deserialize, Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Status<'a> {
        #[serde(borrow)]
        swarm_id: &'a RawValue,
        #[serde(borrow)]
        topology: &'a RawValue,
        #[serde(borrow)]
        agents: &'a RawValue,
        #[serde(borrow)]
        tasks: &'a RawValue,
        #[serde(borrow)]
        version: &'a RawValue,
        #[serde(borrow)]
        state_hash: &'a RawValue,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        agent_list: Option<&'a RawValue>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        goals: Option<&'a RawValue>,
    }
    json_text(&read::<Status<'_>>(response)?)
}

pub(super) fn query(context: &mut Context<'_>) -> Result<i32, Error> {
    let mut request = Map::new();
    for (flag, field) in [("task", "taskId"), ("agent", "agentId"), ("goal", "goalId")] {
        if let Some(id) = context.word(flag) {
            request.insert(field.into(), json!(id));
        }
    }
    for name in ["events", "limit"] {
        if let Some(number) = context.number(name) {
            request.insert(name.into(), json!(number));
        }
    }
    let host = context.host()?;
    let response = host.query("swarm_query", &Value::Object(request).to_string())?;
    if !context.out.json() {
        context.out.text(&render("swarm_query", &response));
        return Ok(0);
    }
    #[derive(Deserialize)]
    struct Found<'a> {
        #[serde(borrow, default)]
        agent: Option<&'a RawValue>,
        #[serde(borrow, default)]
        task: Option<&'a RawValue>,
        #[serde(borrow, default)]
        goal: Option<&'a RawValue>,
        #[serde(default)]
        events: Vec<String>,
    }
    let found: Found<'_> = read(&response)?;
    for object in [found.agent, found.task, found.goal].into_iter().flatten() {
        context.out.line(object.get());
    }
    for event in &found.events {
        context.out.line(event);
    }
    Ok(0)
}

pub(super) fn log(context: &mut Context<'_>) -> Result<i32, Error> {
    let host = context.host()?;
    let chain = context.flag("chain");
    let mut after = context.number("from").unwrap_or(1).max(1) - 1;
    let mut left = context.number("limit").unwrap_or(u64::MAX);
    while left > 0 && !context.out.closed() && !interrupt::asked() {
        let events = host.events(after, BLOCK.min(left))?;
        let Some(last) = events.last() else { break };
        after = last.seq;
        left -= events.len() as u64;
        for event in &events {
            if chain {
                context.out.bytes(format!("{}\t", hex(&event.chain)).as_bytes());
            }
            context.out.result(&render_event(&event.body), &event.body);
        }
    }
    Ok(if interrupt::asked() { 130 } else { 0 })
}

pub(super) fn replay(context: &mut Context<'_>) -> Result<i32, Error> {
    let host = context.host()?;
    let verify = context.flag("verify");
    let replay = host.replay(verify)?;
    if let Some(problem) = replay.problem.clone() {
        if context.out.json() {
            context.out.line(&replay.to_json());
        }
        return Err(problem);
    }
    let agrees = match verify {
        true => "verified: chain, head, live state and projections agree\n",
        false => "",
    };
    let text = format!(
        "replayed {} events\nstate {}\nchain {}\n{agrees}",
        replay.events,
        hex(&replay.state_hash),
        hex(&replay.chain)
    );
    context.out.result(&text, &replay.to_json());
    Ok(0)
}

pub(super) fn doctor(context: &mut Context<'_>) -> Result<i32, Error> {
    let features = cpu_features();
    let (core, sqlite) = (ruv_swarm_core::VERSION, Store::sqlite_version());
    let durability = Durability::default();
    let words = features.join(", ");
    let text = format!(
        "ruv-swarm {}\ncore {core}\nsqlite {sqlite}\ncpu features: {}\ndurability: {} (an answer is given after its sync)\n",
        crate::version(),
        if words.is_empty() { "none that the kernels use" } else { &words },
        durability.as_str()
    );
    let json = format!(
        "{{\"version\":\"{}\",\"core\":\"{core}\",\"sqlite\":\"{sqlite}\",\"cpuFeatures\":{},\"durability\":\"{}\"}}",
        crate::version(),
        json!(features),
        durability.as_str()
    );
    context.out.text(&text);
    let path = context.database(false);
    if Store::exists(&path) || context.word("db").is_some() {
        let host = context.host()?;
        let (id, version) = host.with_swarm(|swarm| (swarm.swarm_id().to_string(), swarm.version()))?;
        context.out.text(&format!("database {}: swarm {id}, {version} events\n", path.display()));
    }
    if context.out.json() {
        context.out.line(&json);
    }
    Ok(0)
}

/// Instruction sets of this processor that the kernels know.
fn cpu_features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        let known = [
            ("sse2", std::is_x86_feature_detected!("sse2")),
            ("avx2", std::is_x86_feature_detected!("avx2")),
            ("avx512f", std::is_x86_feature_detected!("avx512f")),
        ];
        known.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }
    #[cfg(target_arch = "aarch64")]
    {
        vec!["neon"]
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        vec![]
    }
}

pub(super) fn mcp(context: &mut Context<'_>) -> Result<i32, Error> {
    match context.word("action").map(String::as_str) {
        Some("start") => {}
        Some(other) => return Err(Error::not_one_of("action", other, &["start"])),
        None => return Err(Error::invalid("action", "action: missing; allowed: start")),
    }
    let db = context.database(false).display().to_string();
    let message = format!(
        "action: this program does not serve MCP; run: python -m pip install 'ruv-swarm[server]' && ruv-swarm mcp start --db {db}, or: npx @ruv/swarm mcp start --db {db}"
    );
    Err(Error::invalid("action", message))
}

fn json_text<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(Code::Internal, "", format!("cannot write JSON: {error}")))
}
