//! The neural engine: datasets, training in slices, fusion and prediction.
use js_sys::{Array, Float32Array, Object, Uint8Array};
use ruv_swarm_core::error::Error;
use ruv_swarm_core::neural;
use wasm_bindgen::prelude::*;

use crate::thrown;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** A trained network or ensemble: the model file's bytes, and its report as JSON text. */
export interface Trained { model: Uint8Array; report: string }
/** Predictions as CSV bytes. */
export interface PredictedCsv { csv: Uint8Array; rows: number }
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

    /// `PredictedCsv` of the declarations above.
    #[wasm_bindgen(extends = Object, typescript_type = "PredictedCsv")]
    pub type JsPredictedCsv;
    #[wasm_bindgen(method, setter)]
    fn set_csv(this: &JsPredictedCsv, value: &Uint8Array);
    #[wasm_bindgen(method, setter)]
    fn set_rows(this: &JsPredictedCsv, value: f64);

    /// A list of model files.
    #[wasm_bindgen(extends = Array, typescript_type = "Uint8Array[]")]
    pub type ModelFiles;
}

/// Reads a dataset's bytes and returns its summary as JSON text.
#[wasm_bindgen(js_name = inspectData)]
pub fn inspect_data(bytes: &[u8], options: &str) -> Result<String, JsError> {
    neural::inspect_data(bytes, options).map_err(thrown)
}

/// The canonical dataset bytes of numbers held in typed arrays, row after row.
#[wasm_bindgen(js_name = encodeArrays)]
pub fn encode_arrays(
    inputs: &[f32],
    rows: usize,
    #[wasm_bindgen(js_name = nInputs)] n_inputs: usize,
    targets: &[f32],
    #[wasm_bindgen(js_name = nTargets)] n_targets: usize,
    task: &str,
) -> Result<Vec<u8>, JsError> {
    let task = neural::Task::parse(task).map_err(thrown)?;
    Ok(neural::encode_arrays(inputs, rows, n_inputs, targets, n_targets, task))
}

/// Fuses trained members into one ensemble.
#[wasm_bindgen]
pub fn fuse(bytes: &[u8], plan: &str, models: &ModelFiles) -> Result<JsTrained, JsError> {
    let models: Vec<Vec<u8>> = models.iter().map(|model| Uint8Array::new(&model).to_vec()).collect();
    let fused = neural::fuse(bytes, plan, &models).map_err(thrown)?;
    Ok(trained(&fused.model, &fused.report_json))
}

/// The bundled sample dataset, for a first run without data.
#[wasm_bindgen(js_name = sampleData)]
pub fn sample_data() -> Vec<u8> {
    neural::sample().to_vec()
}

/// Trains one member of a plan, a slice of epochs at a time; slicing changes no bit.
#[wasm_bindgen]
pub struct Trainer(neural::Trainer);

#[wasm_bindgen]
impl Trainer {
    /// The trainer of a plan's member on the dataset's bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8], plan: &str, member: usize) -> Result<Trainer, JsError> {
        neural::Trainer::new(bytes, plan, member).map(Trainer).map_err(thrown)
    }

    /// Trains up to `epochs` more and returns the progress as JSON text.
    pub fn run(&mut self, epochs: u32) -> Result<String, JsError> {
        self.0.run(epochs).map(|progress| progress.to_json()).map_err(thrown)
    }

    /// Whether training has ended.
    pub fn done(&self) -> bool {
        self.0.done()
    }

    /// The trained model; consumes the trainer.
    pub fn finish(self) -> Result<JsTrained, JsError> {
        let result = self.0.finish().map_err(thrown)?;
        Ok(trained(&result.model, &result.report_json))
    }
}

/// A model that predicts.
#[wasm_bindgen]
pub struct Model(neural::Model);

impl Model {
    pub(crate) fn inner(&self) -> &neural::Model {
        &self.0
    }
}

#[wasm_bindgen]
impl Model {
    /// The model that a model file holds.
    pub fn load(bytes: &[u8]) -> Result<Model, JsError> {
        neural::Model::load(bytes).map(Model).map_err(thrown)
    }

    /// What the model is, as JSON text.
    pub fn describe(&self) -> String {
        self.0.describe()
    }

    /// SHA-256 of the model file, in hex.
    pub fn hash(&self) -> String {
        self.0.hash().into()
    }

    /// How many encoded inputs a row has.
    pub fn inputs(&self) -> usize {
        self.0.inputs()
    }

    /// How many outputs a row has.
    pub fn outputs(&self) -> usize {
        self.0.outputs()
    }

    /// Predictions for the rows of a CSV file.
    #[wasm_bindgen(js_name = predictCsv)]
    pub fn predict_csv(&self, csv: &[u8]) -> Result<JsPredictedCsv, JsError> {
        let predicted = self.0.predict_csv(csv).map_err(thrown)?;
        Ok(self::predicted(&predicted.csv, predicted.rows as f64))
    }

    /// Outputs for encoded rows, row after row.
    #[wasm_bindgen(js_name = predictRows)]
    pub fn predict_rows(&self, inputs: &[f32], rows: usize) -> Result<Float32Array, JsError> {
        let cells = rows.checked_mul(self.0.inputs()).filter(|cells| *cells == inputs.len());
        if cells.is_none() {
            let text = format!("inputs: {} numbers are not {rows} rows of {}", inputs.len(), self.0.inputs());
            return Err(thrown(Error::invalid("inputs", text)));
        }
        let mut outputs = vec![0.0; rows * self.0.outputs()];
        self.0.predict_rows(inputs, rows, &mut outputs).map_err(thrown)?;
        Ok(Float32Array::from(&outputs[..]))
    }

    /// How well the model does on the rows of a CSV file, as JSON text.
    #[wasm_bindgen(js_name = evaluateCsv)]
    pub fn evaluate_csv(&self, csv: &[u8]) -> Result<String, JsError> {
        self.0.evaluate_csv(csv).map_err(thrown)
    }
}

fn trained(model: &[u8], report: &str) -> JsTrained {
    let object: JsTrained = Object::new().unchecked_into();
    object.set_model(&Uint8Array::from(model));
    object.set_report(report);
    object
}

pub(crate) fn predicted(csv: &[u8], rows: f64) -> JsPredictedCsv {
    let object: JsPredictedCsv = Object::new().unchecked_into();
    object.set_csv(&Uint8Array::from(csv));
    object.set_rows(rows);
    object
}
