//! The Rust target of the conformance tests: one JSON request a line on stdin, one answer a line on
//! stdout. It is a host without a store, as the drivers of the other targets are; see
//! `tests/conformance/protocol.md`.

use std::io::{self, BufRead, Write};

use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use ruv_swarm_core::hash::{hex, sha256};
use ruv_swarm_core::neural::{self, Model, Session, Trainer};
use ruv_swarm_core::{attach_artifact, attach_events, render, Attach, Error, Swarm};
use serde::Deserialize;
use serde_json::{json, Map, Value};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    operation: String,
    request: String,
    now_ms: u64,
    #[serde(default)]
    key: String,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "camelCase")]
enum Op {
    Run {
        steps: Vec<Step>,
    },
    /// One more step of a list that is being made up: only this target has it.
    Step {
        fresh: bool,
        step: Step,
    },
    Replay {
        events: Vec<String>,
        snapshot: Option<String>,
        #[serde(default)]
        hashes: bool,
    },
    Inspect {
        data: String,
        options: String,
    },
    Train {
        data: String,
        plan: String,
        epochs: u32,
    },
    Session {
        data: String,
        options: String,
        epochs: u32,
    },
}

#[derive(Deserialize)]
struct Request {
    id: u64,
    #[serde(flatten)]
    op: Op,
}

/// What a step may attach: the log, and the bytes of the artifacts that came along.
#[derive(Default)]
struct Host {
    swarm: Swarm,
    log: Vec<String>,
    artifacts: Vec<(String, Vec<u8>)>,
}

impl Host {
    fn step(&mut self, step: &Step) -> Result<Value, Error> {
        let decision = self.swarm.call(&step.operation, &step.request, step.now_ms, &step.key)?;
        for line in &decision.events {
            self.swarm.apply(line)?;
            self.log.push(line.clone());
        }
        if step.operation == "artifact_put" {
            self.keep(&step.request);
        }
        let response = match decision.attach {
            None => decision.response,
            Some(Attach::Events { after, limit, filter }) => {
                let wanted = self.log.iter().skip(after as usize).take(limit as usize);
                let wanted: Vec<&str> = wanted.map(String::as_str).collect();
                attach_events(&decision.response, &wanted, &filter)
            }
            Some(Attach::Artifact { hash }) => {
                let found = self.artifacts.iter().find(|(known, _)| *known == hash);
                attach_artifact(&decision.response, found.map_or(&[], |(_, bytes)| bytes))
            }
        };
        let text = render(&step.operation, &response);
        Ok(json!({"response": response, "events": decision.events, "text": text}))
    }

    fn answer(&mut self, step: &Step) -> Value {
        self.step(step).unwrap_or_else(|error| json!({"error": failure(&error), "events": []}))
    }

    fn keep(&mut self, request: &str) {
        let request: Value = serde_json::from_str(request).unwrap_or_default();
        if let Some(bytes) = request["content"].as_str().and_then(|text| STANDARD.decode(text).ok()) {
            self.artifacts.push((hex(&sha256(&[&bytes])), bytes));
        }
    }
}

fn failure(error: &Error) -> Value {
    serde_json::from_str(&error.to_json()).unwrap_or_default()
}

fn end(swarm: &Swarm) -> Map<String, Value> {
    let snapshot = swarm.snapshot();
    let restored = match Swarm::restore(&snapshot) {
        Ok(restored) => json!(hex(&restored.state_hash())),
        Err(error) => failure(&error),
    };
    let end = json!({
        "version": swarm.version(),
        "lastAtMs": swarm.last_at_ms(),
        "swarmId": swarm.swarm_id(),
        "stateHash": hex(&swarm.state_hash()),
        "restoredHash": restored,
        "chain": hex(&swarm.chain_head()),
        "pendingEffects": swarm.pending_effects(),
        "nextDeadline": swarm.next_deadline(),
        "snapshot": snapshot,
    });
    end.as_object().cloned().unwrap_or_default()
}

fn run(steps: &[Step]) -> Map<String, Value> {
    let mut host = Host::default();
    let answers: Vec<Value> = steps.iter().map(|step| host.answer(step)).collect();
    let mut answer = end(&host.swarm);
    answer.insert("steps".into(), answers.into());
    answer
}

fn replay(events: &[String], snapshot: Option<&str>, hashes: bool) -> Map<String, Value> {
    let mut swarm = match snapshot.map(Swarm::restore).transpose() {
        Ok(restored) => restored.unwrap_or_default(),
        Err(error) => return Map::from_iter([("error".into(), failure(&error))]),
    };
    let mut rows = vec![];
    let mut error = Value::Null;
    for line in events {
        match swarm.apply(line) {
            Ok(applied) => {
                let touched = swarm.take_rows();
                let list = touched.iter().map(|row| json!([row.table, row.id, row.state, row.body]));
                let mut entry = json!({
                    "seq": applied.seq,
                    "atMs": applied.at_ms,
                    "kind": applied.kind,
                    "chain": hex(&applied.chain),
                    "rows": list.collect::<Vec<_>>(),
                });
                if hashes {
                    entry["stateHash"] = hex(&swarm.state_hash()).into();
                }
                rows.push(entry);
            }
            Err(trouble) => {
                error = failure(&trouble);
                break;
            }
        }
    }
    let mut answer = end(&swarm);
    answer.insert("applied".into(), rows.into());
    if !error.is_null() {
        answer.insert("error".into(), error);
    }
    answer
}

fn train(bytes: &[u8], plan: &str, epochs: u32) -> Result<Map<String, Value>, Error> {
    let members =
        serde_json::from_str::<Value>(plan).ok().and_then(|plan| Some(plan["members"].as_array()?.len()));
    let mut models = vec![];
    let mut reports = vec![];
    for member in 0..members.unwrap_or_default() {
        let mut trainer = Trainer::new(bytes, plan, member)?;
        while !trainer.done() {
            trainer.run(epochs)?;
        }
        let result = trainer.finish()?;
        reports.push(json!({"hash": hex(&sha256(&[&result.model])), "report": result.report_json}));
        models.push(result.model);
    }
    let fused = neural::fuse(bytes, plan, &models)?;
    let model = Model::load(&fused.model)?;
    let predicted = model.predict_csv(bytes)?;
    let answer = json!({
        "members": reports,
        "report": fused.report_json,
        "modelHash": model.hash(),
        "modelBytes": fused.model.len(),
        "describe": model.describe(),
        "evaluate": model.evaluate_csv(bytes)?,
        "predictions": hex(&sha256(&[&predicted.csv])),
        "rows": predicted.rows,
    });
    Ok(answer.as_object().cloned().unwrap_or_default())
}

fn session(bytes: &[u8], options: &str, epochs: u32) -> Result<Map<String, Value>, Error> {
    let mut session = Session::new(bytes, options)?;
    session.run(epochs)?;
    let mut session = Session::resume(&session.checkpoint(), bytes)?;
    while !session.done() {
        session.run(epochs)?;
    }
    let state = hex(&sha256(&[&session.checkpoint()]));
    let trained = session.finish()?;
    let report: Value = serde_json::from_str(&trained.report_json).unwrap_or_default();
    let hash = hex(&sha256(&[&trained.model]));
    let fields = [("checkpointHash", state.into()), ("modelHash", hash.into()), ("report", report)];
    Ok(fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

fn answer(op: &Op, open: &mut Host) -> Map<String, Value> {
    let decode = |text: &str| STANDARD.decode(text).unwrap_or_default();
    let outcome = match op {
        Op::Run { steps } => Ok(run(steps)),
        Op::Step { fresh, step } => {
            if *fresh {
                *open = Host::default();
            }
            Ok(Map::from_iter([("step".into(), open.answer(step))]))
        }
        Op::Replay { events, snapshot, hashes } => Ok(replay(events, snapshot.as_deref(), *hashes)),
        Op::Inspect { data, options } => neural::inspect_data(&decode(data), options)
            .map(|summary| Map::from_iter([("summary".into(), summary.into())])),
        Op::Train { data, plan, epochs } => train(&decode(data), plan, *epochs),
        Op::Session { data, options, epochs } => session(&decode(data), options, *epochs),
    };
    outcome.unwrap_or_else(|error| Map::from_iter([("error".into(), failure(&error))]))
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut open = Host::default();
    for line in io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        let mut answer = answer(&request.op, &mut open);
        answer.insert("id".into(), request.id.into());
        writeln!(out, "{}", Value::Object(answer))?;
        out.flush()?;
    }
    Ok(())
}
