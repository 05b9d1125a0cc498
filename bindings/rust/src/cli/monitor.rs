//! monitor: events as they come, the status at the end.

use std::io::{stdout, IsTerminal};
use std::time::{Duration, Instant};

use ruv_swarm_core::error::Error;
use ruv_swarm_core::{render, render_event};

use serde::Deserialize;
use serde_json::{json, Map, Value};

use super::commands::status_json;
use super::{interrupt, Context};
use crate::host::{read, Host};

type Filters = Map<String, Value>;

/// How long it lasts where nobody could interrupt it.
const DEFAULT_SECONDS: f64 = 10.0;

/// How many events are read at a time.
const BLOCK: u64 = 1000;

pub(super) fn run(context: &mut Context<'_>) -> Result<i32, Error> {
    let interval = Duration::from_secs_f64(in_range(
        "interval",
        context.seconds("interval").unwrap_or(0.5),
        0.05,
        3600.0,
    )?);
    let duration = match context.seconds("duration") {
        Some(seconds) => Some(in_range("duration", seconds, 0.0, 1e9)?),
        None if stdout().is_terminal() => None,
        None => Some(DEFAULT_SECONDS),
    };
    let end = duration.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds));
    let host = context.host()?;
    let mut after = match context.number("after") {
        Some(after) => after,
        None => host.version()?,
    };
    let filters = filters(context);
    let status = host.query("swarm_status", "{}")?;
    context.out.text(&render("swarm_status", &status));
    loop {
        after = show(context, &host, &filters, after)?;
        context.out.flush();
        let left = end.map_or(Duration::from_secs(3600), |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() || interrupt::asked() || context.out.closed() {
            break;
        }
        host.wait_for_events(after, interval, left, &interrupt::asked)?;
    }
    let status = host.query("swarm_status", "{}")?;
    let line = status_json(&status)?;
    context.out.result(&render("swarm_status", &status), &line);
    Ok(if interrupt::asked() { 130 } else { 0 })
}

fn in_range(field: &str, value: f64, low: f64, high: f64) -> Result<f64, Error> {
    match (low..=high).contains(&value) {
        true => Ok(value),
        false => Err(Error::invalid(field, format!("{field}: {value}; allowed: {low} to {high}"))),
    }
}

/// Prints what came after `after` and passes the filters, and gives back the cursor to go on from.
fn show(context: &mut Context<'_>, host: &Host, filters: &Filters, mut after: u64) -> Result<u64, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        #[serde(default)]
        events: Vec<String>,
        next_after: u64,
    }
    loop {
        let mut request = filters.clone();
        request.insert("after".into(), json!(after));
        request.insert("limit".into(), json!(BLOCK));
        let response = host.query("swarm_monitor", &Value::Object(request).to_string())?;
        let answer: Answer = read(&response)?;
        for event in &answer.events {
            context.out.result(&render_event(event), event);
        }
        // the answer looks at so many events at most, whatever it shows of them
        let looked_at = answer.next_after.saturating_sub(after);
        after = after.max(answer.next_after);
        if looked_at < BLOCK || interrupt::asked() || context.out.closed() {
            return Ok(after);
        }
    }
}

/// The filters that were given, as fields of the request.
fn filters(context: &Context<'_>) -> Filters {
    let mut filters = Filters::new();
    if context.word("kinds").is_some() {
        filters.insert("kinds".into(), json!(context.words("kinds")));
    }
    for (flag, field) in [("task", "taskId"), ("agent", "agentId"), ("goal", "goalId")] {
        if let Some(id) = context.word(flag) {
            filters.insert(field.into(), json!(id));
        }
    }
    filters
}
