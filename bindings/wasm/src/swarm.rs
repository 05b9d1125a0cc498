//! The state machine: `Core` and the functions that belong to it.
use js_sys::{Array, JsString, Object, Uint8Array};
use ruv_swarm_core::{self as core, Applied, Attach, Decision, Swarm};
use wasm_bindgen::prelude::*;

use crate::thrown;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** A row of a projection, to be put in place of the former one with the same id. */
export interface Row { table: string; id: string; state: string; body: string; seq: number }
/** What folding one event did. */
export interface Applied { seq: number; atMs: number; kind: string; chain: Uint8Array }
/** Stored data that a host must add to a response. */
export type Attach =
  | { kind: "events"; after: number; limit: number; filter: string }
  | { kind: "artifact"; hash: string };
/** An answer, and the events that make it true; nothing has changed yet. */
export interface Decision { response: string; events: string[]; attach?: Attach }
"#;

#[wasm_bindgen]
extern "C" {
    /// `Decision` of the declarations above; set field by field, which costs less than JSON.
    #[wasm_bindgen(extends = Object, typescript_type = "Decision")]
    pub type JsDecision;
    #[wasm_bindgen(method, setter)]
    fn set_response(this: &JsDecision, value: &str);
    #[wasm_bindgen(method, setter)]
    fn set_events(this: &JsDecision, value: &Array);
    #[wasm_bindgen(method, setter)]
    fn set_attach(this: &JsDecision, value: &JsAttach);

    /// `Attach` of the declarations above.
    #[wasm_bindgen(extends = Object, typescript_type = "Attach")]
    pub type JsAttach;
    #[wasm_bindgen(method, setter)]
    fn set_kind(this: &JsAttach, value: &str);
    #[wasm_bindgen(method, setter)]
    fn set_after(this: &JsAttach, value: f64);
    #[wasm_bindgen(method, setter)]
    fn set_limit(this: &JsAttach, value: f64);
    #[wasm_bindgen(method, setter)]
    fn set_filter(this: &JsAttach, value: &str);
    #[wasm_bindgen(method, setter)]
    fn set_hash(this: &JsAttach, value: &str);

    /// `Applied` of the declarations above.
    #[wasm_bindgen(extends = Object, typescript_type = "Applied")]
    pub type JsApplied;
    #[wasm_bindgen(method, setter)]
    fn set_seq(this: &JsApplied, value: f64);
    #[wasm_bindgen(method, setter, js_name = atMs)]
    fn set_at_ms(this: &JsApplied, value: f64);
    #[wasm_bindgen(method, setter, js_name = kind)]
    fn set_event_kind(this: &JsApplied, value: &str);
    #[wasm_bindgen(method, setter)]
    fn set_chain(this: &JsApplied, value: &Uint8Array);

    /// `Row` of the declarations above.
    #[wasm_bindgen(extends = Object, typescript_type = "Row")]
    pub type JsRow;
    #[wasm_bindgen(method, setter)]
    fn set_table(this: &JsRow, value: &str);
    #[wasm_bindgen(method, setter)]
    fn set_id(this: &JsRow, value: &str);
    #[wasm_bindgen(method, setter)]
    fn set_state(this: &JsRow, value: &str);
    #[wasm_bindgen(method, setter)]
    fn set_body(this: &JsRow, value: &str);
    #[wasm_bindgen(method, setter, js_name = seq)]
    fn set_row_seq(this: &JsRow, value: f64);
}

/// One swarm: decides (`call`), folds events (`apply`) and answers (`query`). No clock, no I/O.
#[wasm_bindgen]
#[derive(Default)]
pub struct Core(Swarm);

#[wasm_bindgen]
impl Core {
    /// A swarm without events.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Core {
        Core(Swarm::new())
    }

    /// The swarm that a snapshot describes.
    pub fn restore(snapshot: &str) -> Result<Core, JsError> {
        Swarm::restore(snapshot).map(Core).map_err(thrown)
    }

    /// Decides a command or answers a query; changes nothing.
    pub fn call(
        &self,
        operation: &str,
        request: &str,
        #[wasm_bindgen(js_name = nowMs)] now_ms: f64,
        #[wasm_bindgen(js_name = idempotencyKey)] idempotency_key: &str,
    ) -> Result<JsDecision, JsError> {
        // a cast of a float saturates, so no number of a caller can overflow the time
        self.0.call(operation, request, now_ms as u64, idempotency_key).map(decision).map_err(thrown)
    }

    /// Answers a query; refuses commands.
    pub fn query(&self, operation: &str, request: &str) -> Result<JsDecision, JsError> {
        self.0.query(operation, request).map(decision).map_err(thrown)
    }

    /// Folds one event line into the state; the state is unchanged if this throws.
    pub fn apply(
        &mut self,
        #[wasm_bindgen(js_name = eventLine)] event_line: &str,
    ) -> Result<JsApplied, JsError> {
        self.0.apply(event_line).map(applied).map_err(thrown)
    }

    /// Folds one event line of a log whose rows are stored already: `takeRows` gives none for it.
    pub fn replay(
        &mut self,
        #[wasm_bindgen(js_name = eventLine)] event_line: &str,
    ) -> Result<JsApplied, JsError> {
        self.0.replay(event_line).map(applied).map_err(thrown)
    }

    /// The rows that events applied since the last call have touched, each once, as an array of `Row`.
    #[wasm_bindgen(js_name = takeRows, unchecked_return_type = "Row[]")]
    pub fn take_rows(&mut self) -> Array {
        self.0.take_rows().iter().map(row).collect()
    }

    /// What orchestrate means by `text`: `train` on the data, train on the bundled `sample`, or plan a `goal`.
    #[wasm_bindgen(js_name = orchestrateIntent)]
    pub fn orchestrate_intent(
        &self,
        text: &str,
        #[wasm_bindgen(js_name = hasData)] has_data: bool,
    ) -> Result<String, JsError> {
        self.0.orchestrate_intent(text, has_data).map(Into::into).map_err(thrown)
    }

    /// Training tasks that a host should run, as a JSON array.
    #[wasm_bindgen(js_name = pendingEffects)]
    pub fn pending_effects(&self) -> String {
        self.0.pending_effects()
    }

    /// When the operation `tick` has something to do, in ms since 1970.
    #[wasm_bindgen(js_name = nextDeadline)]
    pub fn next_deadline(&self) -> Option<f64> {
        self.0.next_deadline().map(|ms| ms as f64)
    }

    /// When something changes next by time alone: `tick` is due, or a back-off that is not over at
    /// `nowMs` ends; in ms since 1970.
    #[wasm_bindgen(js_name = nextChange)]
    pub fn next_change(&self, #[wasm_bindgen(js_name = nowMs)] now_ms: f64) -> Option<f64> {
        self.0.next_change(now_ms as u64).map(|ms| ms as f64)
    }

    /// Whether a task that has not ended is for this agent, now or later.
    #[wasm_bindgen(js_name = hasWorkFor)]
    pub fn has_work_for(&self, #[wasm_bindgen(js_name = agentId)] agent_id: &str) -> Result<bool, JsError> {
        self.0.has_work_for(agent_id).map_err(thrown)
    }

    /// The whole state as canonical JSON.
    pub fn snapshot(&self) -> String {
        self.0.snapshot()
    }

    /// SHA-256 of the snapshot, in hex.
    #[wasm_bindgen(js_name = stateHash)]
    pub fn state_hash(&self) -> String {
        ruv_swarm_core::hash::hex(&self.0.state_hash())
    }

    /// The chain hash of the last event.
    #[wasm_bindgen(js_name = chainHead)]
    pub fn chain_head(&self) -> Uint8Array {
        Uint8Array::from(&self.0.chain_head()[..])
    }

    /// The number of the last event.
    pub fn version(&self) -> f64 {
        self.0.version() as f64
    }

    /// The time of the last event, in ms since 1970.
    #[wasm_bindgen(js_name = lastAtMs)]
    pub fn last_at_ms(&self) -> f64 {
        self.0.last_at_ms() as f64
    }

    /// The swarm's id; empty before it is created.
    #[wasm_bindgen(js_name = swarmId)]
    pub fn swarm_id(&self) -> String {
        self.0.swarm_id().into()
    }

    /// What the swarm was created with, as JSON text; empty before it is created.
    #[wasm_bindgen(js_name = configJson)]
    pub fn config_json(&self) -> String {
        self.0.config_json()
    }

    /// A second machine in the same state: what a host goes back to if it has to undo.
    pub fn fork(&self) -> Core {
        Core(self.0.clone())
    }
}

/// `command`, `query`, or undefined for no operation.
#[wasm_bindgen(js_name = operationKind)]
pub fn operation_kind(operation: &str) -> Option<String> {
    core::operation_kind(operation).map(Into::into)
}

/// The text for people that goes with a response.
#[wasm_bindgen]
pub fn render(operation: &str, response: &str) -> String {
    core::render(operation, response)
}

/// The words of a user's command line, split without a shell.
#[wasm_bindgen(js_name = splitWords)]
pub fn split_words(field: &str, text: &str) -> Result<Vec<String>, JsError> {
    core::split_words(field, text).map_err(thrown)
}

/// One event line as a line for people.
#[wasm_bindgen(js_name = renderEvent)]
pub fn render_event(line: &str) -> String {
    core::render_event(line)
}

/// Said before training on the bundled sample.
#[wasm_bindgen(js_name = sampleMessage)]
pub fn sample_message() -> String {
    core::SAMPLE_MESSAGE.into()
}

/// The one schema of every SQLite store.
#[wasm_bindgen(js_name = schemaSql)]
pub fn schema_sql() -> String {
    core::SCHEMA_SQL.into()
}

/// The version of the schema: `user_version` of a database file.
#[wasm_bindgen(js_name = schemaVersion)]
pub fn schema_version() -> f64 {
    f64::from(core::SCHEMA_VERSION)
}

/// The mark of a swarm's file: `application_id` of a database file.
#[wasm_bindgen(js_name = applicationId)]
pub fn application_id() -> f64 {
    f64::from(core::APPLICATION_ID)
}

/// Puts stored event lines into a response that asked for them.
#[wasm_bindgen(js_name = attachEvents)]
pub fn attach_events(response: &str, lines: Vec<String>, filter: &str) -> String {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    core::attach_events(response, &lines, filter)
}

/// Puts an artifact's bytes into a response that asked for them.
#[wasm_bindgen(js_name = attachArtifact)]
pub fn attach_artifact(response: &str, content: &[u8]) -> String {
    core::attach_artifact(response, content)
}

fn decision(decision: Decision) -> JsDecision {
    let object: JsDecision = Object::new().unchecked_into();
    object.set_response(&decision.response);
    let events: Array = decision.events.iter().map(|line| JsString::from(line.as_str())).collect();
    object.set_events(&events);
    if let Some(attach) = decision.attach {
        let wanted: JsAttach = Object::new().unchecked_into();
        match attach {
            Attach::Events { after, limit, filter } => {
                wanted.set_kind("events");
                wanted.set_after(after as f64);
                wanted.set_limit(limit as f64);
                wanted.set_filter(&filter);
            }
            Attach::Artifact { hash } => {
                wanted.set_kind("artifact");
                wanted.set_hash(&hash);
            }
        }
        object.set_attach(&wanted);
    }
    object
}

fn applied(applied: Applied) -> JsApplied {
    let object: JsApplied = Object::new().unchecked_into();
    object.set_seq(applied.seq as f64);
    object.set_at_ms(applied.at_ms as f64);
    object.set_event_kind(applied.kind);
    object.set_chain(&Uint8Array::from(&applied.chain[..]));
    object
}

fn row(row: &core::Row) -> JsRow {
    let object: JsRow = Object::new().unchecked_into();
    object.set_table(row.table);
    object.set_id(&row.id);
    object.set_state(&row.state);
    object.set_body(&row.body);
    object.set_row_seq(row.seq as f64);
    object
}
