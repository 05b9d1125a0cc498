//! Training of one network, in slices of epochs.
use js_sys::{Object, Uint8Array};
use ruv_swarm_core::neural;
use wasm_bindgen::prelude::*;

use crate::thrown;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** A trained network: the model file's bytes, and its report as JSON text. */
export interface Trained { model: Uint8Array; report: string }
"#;

#[wasm_bindgen]
extern "C" {
    /// `Trained` of the declarations above.
    #[wasm_bindgen(extends = Object, typescript_type = "Trained")]
    pub type JsTrained;
    #[wasm_bindgen(method, setter)]
    fn set_model(this: &JsTrained, value: &Uint8Array);
    #[wasm_bindgen(method, setter)]
    fn set_report(this: &JsTrained, value: &str);
}

/// Training of one network; how it is cut into slices changes no bit.
#[wasm_bindgen]
pub struct Session(neural::Session);

#[wasm_bindgen]
impl Session {
    /// A session on a dataset's bytes (CSV, FANN or Proben1 text, or arrays) with options as JSON text.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8], options: &str) -> Result<Session, JsError> {
        neural::Session::new(bytes, options).map(Session).map_err(thrown)
    }

    /// A session on numbers, row after row.
    #[wasm_bindgen(js_name = fromArrays)]
    pub fn from_arrays(
        inputs: &[f32],
        targets: &[f32],
        rows: usize,
        options: &str,
    ) -> Result<Session, JsError> {
        neural::Session::from_arrays(inputs, targets, rows, options).map(Session).map_err(thrown)
    }

    /// The session that a checkpoint was taken of, on the same bytes.
    pub fn resume(checkpoint: &[u8], bytes: &[u8]) -> Result<Session, JsError> {
        neural::Session::resume(checkpoint, bytes).map(Session).map_err(thrown)
    }

    /// The session that a checkpoint was taken of, on the same numbers.
    #[wasm_bindgen(js_name = resumeArrays)]
    pub fn resume_arrays(
        checkpoint: &[u8],
        inputs: &[f32],
        targets: &[f32],
        rows: usize,
    ) -> Result<Session, JsError> {
        neural::Session::resume_arrays(checkpoint, inputs, targets, rows).map(Session).map_err(thrown)
    }

    /// Trains up to `epochs` more and returns the progress as JSON text.
    pub fn run(&mut self, epochs: u32) -> Result<String, JsError> {
        self.0.run(epochs).map_err(thrown)
    }

    /// How far it is, as JSON text.
    pub fn progress(&self) -> String {
        self.0.progress()
    }

    /// Whether training has ended.
    pub fn done(&self) -> bool {
        self.0.done()
    }

    /// Ends training from outside: `time` or `cancelled`.
    pub fn stop(&mut self, reason: &str) {
        self.0.stop(reason);
    }

    /// Keeps a short text of the host in the checkpoints that follow.
    #[wasm_bindgen(js_name = setNote)]
    pub fn set_note(&mut self, note: &str) -> Result<(), JsError> {
        self.0.set_note(note).map_err(thrown)
    }

    /// All that it takes to go on later, bit for bit.
    pub fn checkpoint(&self) -> Vec<u8> {
        self.0.checkpoint()
    }

    /// The trained network; consumes the session.
    pub fn finish(self) -> Result<JsTrained, JsError> {
        let trained = self.0.finish().map_err(thrown)?;
        let object: JsTrained = Object::new().unchecked_into();
        object.set_model(&Uint8Array::from(&trained.model[..]));
        object.set_report(&trained.report_json);
        Ok(object)
    }
}
