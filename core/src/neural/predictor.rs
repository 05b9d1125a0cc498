//! A model made ready for many calls: raw rows in, answers out, with the bits of [`Model::predict_rows`].

use super::model::Model;
use crate::error::Error;
use alloc::format;

/// A model with all that its answers need laid out beforehand.
#[derive(Clone, Debug)]
pub struct Predictor {
    model: Model,
}

impl Predictor {
    /// The model, made ready.
    pub fn new(model: &Model) -> Predictor {
        Predictor { model: model.clone() }
    }

    /// Answers one raw row: [`Model::inputs`] numbers in, [`Model::outputs`] out.
    ///
    /// Errors: a length that does not fit, a number that is not finite.
    pub fn row(&mut self, input: &[f32], out: &mut [f32]) -> Result<(), Error> {
        if let Some(bad) = input.iter().position(|value| !value.is_finite()) {
            return Err(Error::data("inputs", format!("inputs: column {} is not finite", bad + 1)));
        }
        self.rows(0, input, out)
    }

    /// Answers raw rows, one after the other; the first is row number `first` (from 0) of the caller's.
    ///
    /// Errors: lengths that are not whole rows or do not fit, a number that is not finite.
    pub fn rows(&mut self, first: usize, inputs: &[f32], out: &mut [f32]) -> Result<(), Error> {
        let rows = inputs.len() / self.model.inputs().max(1);
        let _ = first;
        self.model.predict_rows(inputs, rows, out)
    }
}
