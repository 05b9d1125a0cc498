//! A model made ready for many calls: raw rows in, answers out, with the bits of [`Model::predict_rows`].

use super::model::Model;
use super::schema::{Schema, Task};
use super::stream::no_answer;
use crate::error::{Code, Error};
use alloc::format;
use alloc::vec::Vec;
use ruv_swarm_neural::pipeline::{Parts, Pipeline, Refusal};
use ruv_swarm_neural::{FloatState, Level};

/// A model with all that its answers need laid out beforehand: no call allocates.
#[derive(Debug)]
pub struct Predictor {
    schema: Schema,
    pipeline: Pipeline,
}

impl Predictor {
    /// The model, made ready.
    ///
    /// # Errors
    /// `internal` for a member whose network does not fit, which no file that could be read holds.
    pub fn new(model: &Model) -> Result<Predictor, Error> {
        let schema = &model.schema;
        let back =
            (schema.task == Task::Regression).then_some((&schema.target_mean[..], &schema.target_scale[..]));
        let members: Vec<_> =
            model.members.iter().map(|member| (member.weight, &member.view, &member.network)).collect();
        let parts = Parts { shift: &schema.mean, factor: &schema.scale, back, members };
        let pipeline = Pipeline::new(Level::detect(), &parts)
            .ok_or_else(|| Error::new(Code::Internal, "", "model: a network does not fit"))?;
        Ok(Predictor { schema: schema.clone(), pipeline })
    }

    /// Answers one raw row: [`Model::inputs`] numbers in, [`Model::outputs`] out.
    ///
    /// # Errors
    /// `invalid_argument` for a length that does not fit, `invalid_data` for a number that is not finite or too
    /// far from the training rows.
    #[inline]
    pub fn row(&mut self, input: &[f32], out: &mut [f32]) -> Result<(), Error> {
        match self.pipeline.row(input, out) {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.refused(refusal, 0, input, out.len())),
        }
    }

    /// Answers raw rows, one after the other; the first is row number `first` (from 0) of the caller's.
    ///
    /// # Errors
    /// As [`Predictor::row`]; the error names the row.
    #[inline]
    pub fn rows(&mut self, first: usize, inputs: &[f32], out: &mut [f32]) -> Result<(), Error> {
        match self.pipeline.rows(inputs, out) {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.refused(refusal, first, inputs, out.len())),
        }
    }

    #[cold]
    fn refused(&self, refusal: Refusal, first: usize, inputs: &[f32], out: usize) -> Error {
        let _settings = FloatState::hold();
        let (width, answer) = (self.pipeline.inputs(), self.pipeline.outputs());
        match refusal {
            Refusal::Length => {
                let field = if inputs.len().is_multiple_of(width) { "out" } else { "inputs" };
                let count = inputs.len();
                let text = "numbers with room for";
                Error::invalid(
                    field,
                    format!("{field}: {count} {text} {out} of answers; allowed: {width} a row and {answer} an answer"),
                )
            }
            Refusal::Input(at) => {
                let (row, column) = (first + at / width + 1, at % width + 1);
                Error::data("inputs", format!("inputs: row {row}, column {column} is not finite"))
            }
            Refusal::Scaled(at) => {
                let start = at / width * width;
                let mut row = inputs.get(start..start + width).unwrap_or_default().to_vec();
                self.schema.standardise(&mut row);
                let place = format!("row {}", first + at / width + 1);
                self.schema
                    .check_scaled(&row, &place)
                    .err()
                    .unwrap_or_else(|| no_answer(first + at / width + 1))
            }
            Refusal::Answer(at) => no_answer(first + at / answer + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neural::Session;
    use alloc::vec;

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
            let rows = 785;
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
        let mut out = vec![0.0; 512];
        let mut inputs = vec![1.0; 1024];
        inputs[515] = f32::NAN;
        let error = predictor.rows(1000, &inputs, &mut out).unwrap_err();
        assert_eq!(error.message, format!("inputs: row {}, column 2 is not finite", 1258));
        assert_eq!(predictor.rows(0, &inputs[1..], &mut out).unwrap_err().field, "inputs");
        assert_eq!(predictor.rows(0, &inputs, &mut out[1..]).unwrap_err().field, "out");
        assert_eq!(predictor.row(&[1.0], &mut out[..1]).unwrap_err().code, Code::InvalidArgument);
        assert!(predictor.row(&[1.0, 2.0], &mut out[..1]).is_ok());
    }
}
