//! A model made ready for many calls: raw rows in, answers out, with the bits of [`Model::predict_rows`].
#![allow(clippy::indexing_slicing)] // buffers are made for the model, lengths are checked at the door

use super::model::Model;
use super::schema::{Schema, Task};
use super::stream::no_answer;
use super::view::View;
use crate::error::{Code, Error};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use ruv_swarm_neural::{FloatState, Level, Runner};

/// Rows that go through the members at a time: what they need then stays in the nearer caches.
const ROWS: usize = 256;

/// One member, its network laid out and its inputs' room.
#[derive(Debug)]
struct Ready {
    weight: f64,
    view: View,
    width: usize,
    runner: Runner,
}

/// A model with all that its answers need laid out beforehand: no call allocates.
#[derive(Debug)]
pub struct Predictor {
    schema: Schema,
    inputs: usize,
    outputs: usize,
    members: Vec<Ready>,
    scaled: Vec<f32>,
    seen: Vec<f32>,
    one: Vec<f32>,
    sums: Vec<f64>,
}

impl Predictor {
    /// The model, made ready.
    ///
    /// # Errors
    /// `internal` for a member whose network does not fit itself, which no file that could be read holds.
    pub fn new(model: &Model) -> Result<Predictor, Error> {
        let (inputs, outputs) = (model.inputs(), model.outputs());
        let mut members = Vec::with_capacity(model.members.len());
        for member in &model.members {
            let runner = Runner::new(Level::detect(), &member.network)
                .ok_or_else(|| Error::new(Code::Internal, "", "model: a network does not fit itself"))?;
            let (weight, view) = (member.weight, member.view.clone());
            members.push(Ready { weight, width: view.width(inputs), view, runner });
        }
        let widest =
            members.iter().filter(|member| member.view != View::All).map(|member| member.width).max();
        Ok(Predictor {
            schema: model.schema.clone(),
            inputs,
            outputs,
            members,
            scaled: vec![0.0; ROWS * inputs],
            seen: vec![0.0; ROWS * widest.unwrap_or(0)],
            one: vec![0.0; ROWS * outputs],
            sums: vec![0.0; ROWS * outputs],
        })
    }

    /// Answers one raw row: [`Model::inputs`] numbers in, [`Model::outputs`] out.
    ///
    /// # Errors
    /// `invalid_argument` for a length that does not fit, `invalid_data` for a number that is not finite or too
    /// far from the training rows.
    pub fn row(&mut self, input: &[f32], out: &mut [f32]) -> Result<(), Error> {
        if input.len() != self.inputs || out.len() != self.outputs {
            return Err(self.misfit(input.len(), out.len()));
        }
        let _settings = FloatState::hold();
        self.answer(0, input, out)
    }

    /// Answers raw rows, one after the other; the first is row number `first` (from 0) of the caller's.
    ///
    /// # Errors
    /// As [`Predictor::row`]; the error names the row.
    pub fn rows(&mut self, first: usize, inputs: &[f32], out: &mut [f32]) -> Result<(), Error> {
        let rows = inputs.len() / self.inputs.max(1);
        if inputs.len() != rows * self.inputs || out.len() != rows * self.outputs {
            return Err(self.misfit(inputs.len(), out.len()));
        }
        let _settings = FloatState::hold();
        let parts = inputs.chunks(ROWS * self.inputs).zip(out.chunks_mut(ROWS * self.outputs));
        for (part, (inputs, out)) in parts.enumerate() {
            self.answer(first + part * ROWS, inputs, out)?;
        }
        Ok(())
    }

    #[cold]
    fn misfit(&self, inputs: usize, outs: usize) -> Error {
        let field = if inputs % self.inputs.max(1) == 0 { "out" } else { "inputs" };
        Error::invalid(
            field,
            format!(
                "{field}: {inputs} numbers with room for {outs} answers; allowed: {} a row and {} an answer",
                self.inputs, self.outputs
            ),
        )
    }

    /// Answers at most [`ROWS`] rows.
    fn answer(&mut self, first: usize, inputs: &[f32], out: &mut [f32]) -> Result<(), Error> {
        if let Some(bad) = inputs.iter().position(|value| !value.is_finite()) {
            return Err(not_finite(first + bad / self.inputs + 1, bad % self.inputs + 1));
        }
        let scaled = &mut self.scaled[..inputs.len()];
        scaled.copy_from_slice(inputs);
        for (index, row) in scaled.chunks_exact_mut(self.inputs).enumerate() {
            self.schema.standardise(row);
            if row.iter().any(|value| !value.is_finite()) {
                self.schema.check_scaled(row, &format!("row {}", first + index + 1))?;
            }
        }
        let sums = &mut self.sums[..out.len()];
        sums.fill(0.0);
        let one = &mut self.one[..out.len()];
        for member in &mut self.members {
            if member.view == View::All {
                run(&mut member.runner, scaled, one);
            } else {
                let seen = &mut self.seen[..scaled.len() / self.inputs * member.width];
                for (row, slots) in scaled.chunks_exact(self.inputs).zip(seen.chunks_exact_mut(member.width))
                {
                    member.view.apply(row, slots);
                }
                run(&mut member.runner, seen, one);
            }
            for (sum, value) in sums.iter_mut().zip(one.iter()) {
                *sum += member.weight * f64::from(*value);
            }
        }
        for (slot, sum) in out.iter_mut().zip(sums.iter()) {
            *slot = *sum as f32;
        }
        if self.schema.task == Task::Regression {
            for row in out.chunks_exact_mut(self.outputs) {
                self.schema.unscale_target(row);
            }
        }
        match out.iter().position(|value| !value.is_finite()) {
            Some(bad) => Err(no_answer(first + bad / self.outputs + 1)),
            None => Ok(()),
        }
    }
}

/// One row has a way of its own, which needs no block of rows.
#[inline]
fn run(runner: &mut Runner, inputs: &[f32], out: &mut [f32]) {
    if inputs.len() == runner.inputs() {
        runner.row(inputs, out);
    } else {
        runner.rows(inputs, out);
    }
}

#[cold]
fn not_finite(row: usize, column: usize) -> Error {
    Error::data("inputs", format!("inputs: row {row}, column {column} is not finite"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neural::Session;

    fn model(options: &str) -> Model {
        let rows: Vec<[f32; 3]> =
            (0..90).map(|i| [i as f32, (i * 7 % 13) as f32, (i * i % 31) as f32]).collect();
        let inputs: Vec<f32> = rows.iter().flat_map(|row| [row[0], row[1]]).collect();
        let targets: Vec<f32> = rows.iter().map(|row| row[2]).collect();
        let mut session = Session::from_arrays(&inputs, &targets, rows.len(), options).unwrap();
        session.run(20).unwrap();
        Model::load(&session.finish().unwrap().model).unwrap()
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn every_way_to_ask_gives_the_same_bits() {
        for options in [
            r#"{"task":"regression","hidden":[7,3]}"#,
            r#"{"task":"classification","hidden":[5],"shortcut":true}"#,
        ] {
            let model = model(options);
            let mut predictor = Predictor::new(&model).unwrap();
            let rows = 3 * ROWS + 17;
            let inputs: Vec<f32> = (0..rows * 2).map(|i| (i * 29 % 101) as f32 - 30.5).collect();
            let outputs = model.outputs();
            let mut wanted = vec![0.0; rows * outputs];
            model.predict_rows(&inputs, rows, &mut wanted).unwrap();
            let mut many = vec![0.0; rows * outputs];
            predictor.rows(0, &inputs, &mut many).unwrap();
            assert_eq!(bits(&many), bits(&wanted), "{options}");
            for (row, wanted) in inputs.chunks_exact(2).zip(wanted.chunks_exact(outputs)) {
                let mut one = vec![0.0; outputs];
                predictor.row(row, &mut one).unwrap();
                assert_eq!(bits(&one), bits(wanted), "{options}");
            }
        }
    }

    #[test]
    fn what_is_refused_is_named() {
        let model = model(r#"{"task":"regression"}"#);
        let mut predictor = Predictor::new(&model).unwrap();
        let mut out = vec![0.0; 2 * ROWS];
        let mut inputs = vec![1.0; 4 * ROWS];
        inputs[2 * ROWS + 3] = f32::NAN;
        let error = predictor.rows(1000, &inputs, &mut out).unwrap_err();
        assert_eq!(error.message, format!("inputs: row {}, column 2 is not finite", 1000 + ROWS + 2));
        assert_eq!(predictor.rows(0, &inputs[1..], &mut out).unwrap_err().field, "inputs");
        assert_eq!(predictor.rows(0, &inputs, &mut out[1..]).unwrap_err().field, "out");
        assert_eq!(predictor.row(&[1.0], &mut out[..1]).unwrap_err().code, Code::InvalidArgument);
        assert!(predictor.row(&[1.0, 2.0], &mut out[..1]).is_ok());
    }
}
