//! A trained network that answers: rows pass through two buffers in the module's own memory.
use js_sys::{Object, Uint8Array};
use ruv_swarm_core::error::Error;
use ruv_swarm_core::neural::{Model, Predictor};
use wasm_bindgen::prelude::*;

use crate::thrown;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Predictions as CSV bytes. */
export interface PredictedCsv { csv: Uint8Array; rows: number }
"#;

#[wasm_bindgen]
extern "C" {
    /// `PredictedCsv` of the declarations above.
    #[wasm_bindgen(extends = Object, typescript_type = "PredictedCsv")]
    pub type JsPredictedCsv;
    #[wasm_bindgen(method, setter)]
    fn set_csv(this: &JsPredictedCsv, value: &Uint8Array);
    #[wasm_bindgen(method, setter)]
    fn set_rows(this: &JsPredictedCsv, value: f64);
}

/// A model that answers rows of numbers, and files of them.
///
/// For rows a host writes to the memory at `inputAddress` and reads at `outputAddress`, so that a
/// call passes whole numbers only; both addresses hold until the next `reserve`.
#[wasm_bindgen]
pub struct Network {
    model: Model,
    predictor: Predictor,
    input: Vec<f32>,
    output: Vec<f32>,
    refusal: Option<Error>,
}

#[wasm_bindgen]
impl Network {
    /// The network that a model file holds, with room for one row.
    pub fn load(bytes: &[u8]) -> Result<Network, JsError> {
        let model = Model::load(bytes).map_err(thrown)?;
        let predictor = Predictor::new(&model).map_err(thrown)?;
        let (input, output) = (vec![0.0; model.inputs()], vec![0.0; model.outputs()]);
        Ok(Network { model, predictor, input, output, refusal: None })
    }

    /// What it is, as JSON text.
    pub fn describe(&self) -> String {
        self.model.describe()
    }

    /// SHA-256 of the model file, in hex.
    pub fn hash(&self) -> String {
        self.model.hash().into()
    }

    /// How many numbers a row has.
    pub fn inputs(&self) -> usize {
        self.model.inputs()
    }

    /// How many numbers an answer has.
    pub fn outputs(&self) -> usize {
        self.model.outputs()
    }

    /// Makes room for `rows` rows; never less than there was.
    pub fn reserve(&mut self, rows: usize) {
        let grown = |cells: usize, least: usize| cells.saturating_mul(rows).max(least);
        self.input.resize(grown(self.model.inputs(), self.input.len()), 0.0);
        self.output.resize(grown(self.model.outputs(), self.output.len()), 0.0);
    }

    /// For how many rows there is room.
    pub fn room(&self) -> usize {
        self.input.len() / self.model.inputs().max(1)
    }

    /// Where the first row's numbers are to be written, in bytes from the start of the memory.
    #[wasm_bindgen(js_name = inputAddress)]
    pub fn input_address(&self) -> usize {
        self.input.as_ptr() as usize
    }

    /// Where the first row's answer can be read afterwards, in bytes from the start of the memory.
    #[wasm_bindgen(js_name = outputAddress)]
    pub fn output_address(&self) -> usize {
        self.output.as_ptr() as usize
    }

    /// Answers the row that stands in the memory; false if it is refused, see `refusal`.
    pub fn run(&mut self) -> bool {
        let (inputs, outputs) = (self.model.inputs(), self.model.outputs());
        let (Some(row), Some(out)) = (self.input.get(..inputs), self.output.get_mut(..outputs)) else {
            return false;
        };
        self.refusal = self.predictor.row(row, out).err();
        self.refusal.is_none()
    }

    /// Answers the first `rows` rows in the memory, of which the first is number `first` (from 0) of
    /// the caller's; false if one is refused, see `refusal`.
    #[wasm_bindgen(js_name = runRows)]
    pub fn run_rows(&mut self, rows: usize, first: usize) -> bool {
        let inputs = self.input.get(..rows.saturating_mul(self.model.inputs()));
        let outputs = self.output.get_mut(..rows.saturating_mul(self.model.outputs()));
        let (Some(inputs), Some(outputs)) = (inputs, outputs) else {
            return false;
        };
        self.refusal = self.predictor.rows(first, inputs, outputs).err();
        self.refusal.is_none()
    }

    /// Why the last call was refused: the core's JSON object, or an empty text.
    pub fn refusal(&mut self) -> String {
        self.refusal.take().map(|error| error.to_json()).unwrap_or_default()
    }

    /// Predictions for the rows of a file of data, as CSV.
    #[wasm_bindgen(js_name = predictCsv)]
    pub fn predict_csv(&self, csv: &[u8]) -> Result<JsPredictedCsv, JsError> {
        let predicted = self.model.predict_csv(csv).map_err(thrown)?;
        let object: JsPredictedCsv = Object::new().unchecked_into();
        object.set_csv(&Uint8Array::from(&predicted.csv[..]));
        object.set_rows(predicted.rows as f64);
        Ok(object)
    }

    /// How well it does on the rows of a file of data that holds the targets too, as JSON text.
    pub fn evaluate(&self, bytes: &[u8]) -> Result<String, JsError> {
        self.model.evaluate_csv(bytes).map_err(thrown)
    }
}
