//! One training: its data, its options, and the line that it becomes.

use std::sync::Arc;

use ruv_swarm_core::neural::Session;
use serde_json::{json, Map, Value};

use crate::wanted::Failure;

/// What is trained, and what is written down of it.
pub struct Job {
    /// Keys of the line that are known before.
    pub line: Value,
    /// The bytes of the dataset.
    pub data: Arc<Vec<u8>>,
    /// The options of the training.
    pub options: Value,
    /// The epochs after which the training error is written down; none: it trains until a rule stops it.
    pub marks: &'static [u32],
}

impl Job {
    /// Trains, with `with` laid over the options, and answers the line.
    pub fn run(&self, with: &Value) -> Result<Value, Failure> {
        let options = laid(&self.options, with).to_string();
        let mut session = Session::new(&self.data, &options)?;
        if !self.marks.is_empty() {
            return self.errors_at_marks(session);
        }
        while !session.done() {
            session.run(1000)?;
        }
        let report: Value = serde_json::from_str(&session.finish()?.report_json)?;
        let wrong = report["testAccuracy"].as_f64().map(|right| 100.0 * (1.0 - right));
        Ok(laid(
            &self.line,
            &json!({
                "epochs": report["epochs"], "relevant": report["bestEpoch"], "stopped": report["stopped"],
                "train": report["trainLoss"], "validation": report["validationLoss"],
                "test": report["testLoss"], "wrong": wrong,
            }),
        ))
    }

    fn errors_at_marks(&self, mut session: Session) -> Result<Value, Failure> {
        let (mut errors, mut epoch) = (Vec::new(), 0);
        for mark in self.marks {
            let progress: Value = serde_json::from_str(&session.run(mark - epoch)?)?;
            epoch = *mark;
            errors.push(progress["trainLoss"].clone());
        }
        Ok(laid(&self.line, &json!({ "errors": errors })))
    }
}

/// The keys of `below`, and those of `above` in their place.
pub fn laid(below: &Value, above: &Value) -> Value {
    let keys = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut both: Map<String, Value> = keys(below);
    both.extend(keys(above));
    Value::Object(both)
}
