//! Blocks of text that people read, made once for every door. Hosts add colour and live redraw.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde_json::Value;

use crate::time::{duration, utc};

mod curve;
mod event;
mod neural;

pub use curve::Curve;
pub use event::render_event;

/// The response of `operation` as text for people; the response itself where no better text is known.
///
/// Beside the operations: `train`, `train_progress`, `evaluate` and `inspect` of the command line.
pub fn render(operation: &str, response: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(response) else { return response.into() };
    match operation {
        "swarm_init" => swarm_init(&value),
        "agent_spawn" | "agent_list" => agents(list(&value, "agents")),
        "agent_heartbeat" => agents(value.get("agent").map_or(&[], core::slice::from_ref)),
        "agent_retire" => agent_retire(&value),
        "agent_metrics" => agent_metrics(&value),
        "task_submit" => task_submit(&value),
        "task_update" => value.get("task").map(one_task).unwrap_or_default(),
        "task_list" => task_list(&value),
        "task_explain" => task_explain(&value),
        "task_heartbeat" => task_heartbeat(&value),
        "swarm_pause" | "swarm_resume" => pause(&value),
        "task_orchestrate" => task_orchestrate(&value),
        "task_claim" => match value.get("task") {
            Some(task) => one_task(task),
            None => "no task to claim\n".into(),
        },
        "task_report" => task_report(&value),
        "task_cancel" => task_cancel(&value),
        "task_status" => task_status(&value),
        "task_results" => task_results(&value),
        "swarm_status" => swarm_status(&value),
        "swarm_query" => swarm_query(&value),
        "swarm_monitor" => swarm_monitor(&value),
        "artifact_put" => artifact_put(&value),
        "train" => neural::train(&value),
        "train_progress" => neural::train_progress(&value),
        "evaluate" => neural::evaluate(&value),
        "inspect" => neural::inspect(&value),
        _ => format!("{response}\n"),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn words(value: &Value, key: &str) -> String {
    list(value, key).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

/// A float with `digits` decimals, or a dash where there is none.
fn decimal(value: &Value, key: &str, digits: usize) -> String {
    value.get(key).and_then(Value::as_f64).map_or("-".into(), |number| format!("{number:.digits$}"))
}

/// A share as a percentage, or a dash where there is none.
fn percent(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_f64).map_or("-".into(), |share| format!("{:.2} %", share * 100.0))
}

/// Columns aligned by width, two spaces apart; a head, then a row each.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|word| word.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let mut out = String::new();
    for row in core::iter::once(&head).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn swarm_init(value: &Value) -> String {
    let verb = if value.get("created") == Some(&Value::Bool(true)) { "created" } else { "joined" };
    format!(
        "{verb} swarm {}: topology {}, at most {} agents, strategy {}, seed {}\n",
        text(value, "swarmId"),
        text(value, "topology"),
        number(value, "maxAgents"),
        text(value, "strategy"),
        number(value, "seed")
    )
}

fn agents(agents: &[Value]) -> String {
    if agents.is_empty() {
        return "no agents\n".into();
    }
    let row = |agent: &Value| {
        vec![
            text(agent, "id").into(),
            text(agent, "type").into(),
            text(agent, "pattern").into(),
            text(agent, "state").into(),
            number(agent, "completed").to_string(),
            words(agent, "capabilities"),
        ]
    };
    table(
        &["agent", "type", "pattern", "state", "done", "capabilities"],
        &agents.iter().map(row).collect::<Vec<_>>(),
    )
}

fn agent_retire(value: &Value) -> String {
    let agent = value.get("agent").map_or("", |agent| text(agent, "id"));
    let mut out = format!("retired {agent}\n");
    if let Some(replacement) = value.get("replacement") {
        out.push_str(&format!("{} takes its place\n", text(replacement, "id")));
    }
    for (key, what) in [("released", "ready again"), ("cancelled", "cancelled")] {
        if !list(value, key).is_empty() {
            out.push_str(&format!("{what}: {}\n", words(value, key)));
        }
    }
    out
}

fn agent_metrics(value: &Value) -> String {
    let agents = list(value, "agents");
    if agents.is_empty() {
        return "no agents\n".into();
    }
    let counts = ["running", "claimed", "completed", "failed", "expired", "released", "cancelled"];
    let row = |agent: &Value| {
        let mut cells: Vec<String> = vec![text(agent, "agentId").into(), text(agent, "state").into()];
        cells.extend(counts.iter().map(|key| number(agent, key).to_string()));
        cells.extend(["busyMs", "meanMs", "longestMs"].map(|key| duration(number(agent, key))));
        cells
    };
    let mut head = vec!["agent", "state"];
    head.extend(counts);
    head.extend(["busy", "mean", "longest"]);
    table(&head, &agents.iter().map(row).collect::<Vec<_>>())
}

fn task_submit(value: &Value) -> String {
    let goal = match text(value, "goalId") {
        "" => String::new(),
        goal => format!(" of {goal}"),
    };
    format!("submitted {}{goal}\n", words(value, "taskIds"))
}

fn task_list(value: &Value) -> String {
    let listed = list(value, "tasks");
    if listed.is_empty() {
        return "no tasks\n".into();
    }
    let mut out = tasks(listed);
    match text(value, "nextAfter") {
        "" => {}
        last => out.push_str(&format!("there are more; go on after {last}\n")),
    }
    out
}

fn task_explain(value: &Value) -> String {
    let mut out = format!("{} is {}\n", text(value, "taskId"), text(value, "state"));
    for reason in list(value, "reasons") {
        out.push_str(&format!("- {}: {}\n", text(reason, "rule"), text(reason, "message")));
    }
    out
}

fn task_heartbeat(value: &Value) -> String {
    let until = value.get("lease").map_or(0, |lease| number(lease, "expiresAtMs"));
    let stop = if value.get("cancelRequested") == Some(&Value::Bool(true)) {
        "; it was cancelled: stop"
    } else {
        ""
    };
    format!("lease until {}{stop}\n", utc(until))
}

fn pause(value: &Value) -> String {
    let changed = value.get("changed") == Some(&Value::Bool(true));
    let (verb, what) = match text(value, "paused") {
        "" => ("resumed", text(value, "resumed")),
        what => ("paused", what),
    };
    let mut out = match changed {
        true => format!("{verb} {what}\n"),
        false => format!("{what} was {verb} already\n"),
    };
    if !list(value, "running").is_empty() {
        out.push_str(&format!("runs on: {}\n", words(value, "running")));
    }
    out
}

fn task_orchestrate(value: &Value) -> String {
    let mut out = format!(
        "planned {} with strategy {}: {} tasks ({})\n",
        text(value, "goalId"),
        text(value, "strategy"),
        list(value, "taskIds").len(),
        words(value, "taskIds")
    );
    if !list(value, "used").is_empty() {
        out.push_str(&format!("agents that take part: {}\n", words(value, "used")));
    }
    if !list(value, "spawned").is_empty() {
        out.push_str(&format!(
            "agents that were missing and have been spawned: {}\n",
            words(value, "spawned")
        ));
    }
    if !text(value, "message").is_empty() {
        out.push_str(text(value, "message"));
        out.push('\n');
    }
    out
}

/// Why a task stands where it does, in a few words.
fn remark(task: &Value) -> String {
    let lease = task.get("lease");
    let progress = task.get("progress").map_or("", |progress| text(progress, "note"));
    match (text(task, "state"), task.get("error")) {
        ("running", _) => {
            let holder = lease.map_or("", |lease| text(lease, "agentId"));
            format!("by {holder}{}{progress}", if progress.is_empty() { "" } else { ": " })
        }
        ("failed" | "cancelled", Some(error)) => text(error, "message").into(),
        ("completed", _) => format!("by {}", text(task, "lastAgentId")),
        _ => text(task, "waitsFor").into(),
    }
}

fn tasks(tasks: &[Value]) -> String {
    let row = |task: &Value| {
        vec![
            text(task, "id").into(),
            text(task, "name").into(),
            text(task, "state").into(),
            number(task, "attempts").to_string(),
            remark(task),
        ]
    };
    table(&["task", "name", "state", "attempts", "remark"], &tasks.iter().map(row).collect::<Vec<_>>())
}

fn one_task(task: &Value) -> String {
    let mut out = tasks(core::slice::from_ref(task));
    for (label, key) in [
        ("description", "description"),
        ("payload", "payload"),
        ("output", "output"),
        ("artifact", "artifact"),
    ] {
        if !text(task, key).is_empty() {
            out.push_str(&format!("{label}: {}\n", text(task, key)));
        }
    }
    out
}

fn task_report(value: &Value) -> String {
    let mut out = value.get("task").map(one_task).unwrap_or_default();
    if let Some(next) = value.get("next") {
        out.push_str("next:\n");
        out.push_str(&one_task(next));
    }
    out
}

fn task_cancel(value: &Value) -> String {
    let mut out = match words(value, "cancelled") {
        none if none.is_empty() => "nothing to cancel\n".to_string(),
        ids => format!("cancelled {ids}\n"),
    };
    if !list(value, "stopping").is_empty() {
        if list(value, "cancelled").is_empty() {
            out.clear();
        }
        out.push_str(&format!("told to stop: {}\n", words(value, "stopping")));
    }
    out
}

fn goal_line(goal: &Value) -> String {
    let mut line = format!(
        "{} {:?}: {}, strategy {}",
        text(goal, "id"),
        text(goal, "task"),
        text(goal, "state"),
        text(goal, "strategy")
    );
    if !text(goal, "modelHash").is_empty() {
        line.push_str(&format!(", model {}", text(goal, "modelHash")));
    }
    if let Some(error) = goal.get("error") {
        line.push_str(&format!(" ({})", text(error, "message")));
    }
    line.push('\n');
    line
}

fn task_status(value: &Value) -> String {
    let mut out = value.get("task").map(one_task).unwrap_or_default();
    if let Some(goal) = value.get("goal") {
        out.push_str(&goal_line(goal));
        out.push_str(&tasks(list(value, "tasks")));
    }
    out
}

/// The leaderboard, the ensemble's figures and the model's hash.
fn task_results(value: &Value) -> String {
    if let Some(task) = value.get("task") {
        return one_task(task);
    }
    let mut out = format!("{}: {}\n", text(value, "goalId"), text(value, "state"));
    if value.get("members").is_none() {
        out.push_str(&tasks(list(value, "tasks")));
        return out;
    }
    let row = |(place, member): (usize, &Value)| {
        vec![
            (place + 1).to_string(),
            text(member, "agentId").into(),
            text(member, "pattern").into(),
            text(member, "algorithm").into(),
            text(member, "network").into(),
            decimal(member, "validationLoss", 6),
            percent(member, "validationAccuracy"),
            number(member, "epochs").to_string(),
            duration(number(member, "durationMs")),
        ]
    };
    let head =
        ["#", "agent", "pattern", "algorithm", "network", "validation loss", "accuracy", "epochs", "time"];
    let rows: Vec<Vec<String>> = list(value, "members").iter().enumerate().map(row).collect();
    out.push_str(&table(&head, &rows));
    if let Some(ensemble) = value.get("ensemble") {
        out.push_str(&format!(
            "ensemble on held-out rows: loss {}, accuracy {}, mean member loss {}, ambiguity {}\n",
            decimal(ensemble, "testLoss", 6),
            percent(ensemble, "testAccuracy"),
            decimal(ensemble, "meanMemberLoss", 6),
            decimal(ensemble, "ambiguity", 6)
        ));
    }
    if !text(value, "modelHash").is_empty() {
        out.push_str(&format!("model {}\n", text(value, "modelHash")));
    }
    out
}

fn swarm_status(value: &Value) -> String {
    let mut out = format!(
        "swarm {}: topology {}, strategy {}, {} of at most {} agents\n",
        text(value, "swarmId"),
        text(value, "topology"),
        text(value, "strategy"),
        number(value, "agents"),
        number(value, "maxAgents")
    );
    if let Some(counts) = value.get("tasks") {
        let states = ["blocked", "ready", "running", "paused", "completed", "failed", "cancelled"];
        let counts: Vec<String> =
            states.iter().map(|state| format!("{} {state}", number(counts, state))).collect();
        out.push_str(&format!("tasks: {}\n", counts.join(", ")));
    }
    out.push_str(&format!("events {}, state {}\n", number(value, "version"), text(value, "stateHash")));
    if value.get("agentList").is_some() {
        out.push_str(&agents(list(value, "agentList")));
    }
    for goal in list(value, "goals") {
        out.push_str(&goal_line(goal));
    }
    out
}

fn swarm_query(value: &Value) -> String {
    if let Some(agent) = value.get("agent") {
        return agents(core::slice::from_ref(agent));
    }
    if let Some(task) = value.get("task") {
        return one_task(task);
    }
    if let Some(goal) = value.get("goal") {
        return goal_line(goal);
    }
    events(list(value, "events"))
}

fn events(lines: &[Value]) -> String {
    lines.iter().filter_map(Value::as_str).map(render_event).collect()
}

fn swarm_monitor(value: &Value) -> String {
    let mut out = events(list(value, "events"));
    if let Some(status) = value.get("status") {
        out.push_str(&swarm_status(status));
    }
    out
}

fn artifact_put(value: &Value) -> String {
    let Some(artifact) = value.get("artifact") else { return String::new() };
    format!("artifact {}: {} bytes\n", text(artifact, "hash"), number(artifact, "size"))
}
