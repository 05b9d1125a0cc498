//! From raw numbers to answers: inputs scaled, members run, their outputs weighed and added, and back to the
//! targets' units.
#![allow(clippy::indexing_slicing)] // buffers are made for the members, lengths are checked at the door

use crate::{FloatState, Level, Network, Runner};
use alloc::vec;
use alloc::vec::Vec;

/// Rows that go through the members at a time: what they need then stays in the nearer caches.
const ROWS: usize = 256;

/// A network's inputs as a function of the scaled ones.
#[derive(Clone, Debug, PartialEq)]
pub enum View {
    /// All of them.
    All,
    /// Some of them, in index order.
    Subset(Vec<u32>),
    /// All of them, then products of two.
    Products(Vec<[u32; 2]>),
    /// Weighted sums: `[component][input]`.
    Components(Vec<f32>),
}

impl View {
    /// How many inputs the network gets of `inputs`.
    pub fn width(&self, inputs: usize) -> usize {
        match self {
            View::All => inputs,
            View::Subset(chosen) => chosen.len(),
            View::Products(pairs) => inputs + pairs.len(),
            View::Components(weights) => weights.len() / inputs.max(1),
        }
    }

    /// Fills `out` (of [`View::width`]) from a scaled row; indices must be those of the row.
    pub fn apply(&self, row: &[f32], out: &mut [f32]) {
        match self {
            View::All => out.copy_from_slice(row),
            View::Subset(chosen) => {
                for (slot, index) in out.iter_mut().zip(chosen) {
                    *slot = row[*index as usize];
                }
            }
            View::Products(pairs) => {
                let (plain, products) = out.split_at_mut(row.len());
                plain.copy_from_slice(row);
                for (slot, [first, second]) in products.iter_mut().zip(pairs) {
                    *slot = row[*first as usize] * row[*second as usize];
                }
            }
            View::Components(weights) => {
                for (slot, weights) in out.iter_mut().zip(weights.chunks_exact(row.len())) {
                    *slot = weights.iter().zip(row).fold(0.0, |sum, (weight, value)| sum + weight * value);
                }
            }
        }
    }
}

/// Scales a row in place: `(value - shift) * factor`.
#[inline]
pub fn scale(row: &mut [f32], shift: &[f32], factor: &[f32]) {
    for ((value, shift), factor) in row.iter_mut().zip(shift).zip(factor) {
        let distance = *value - shift;
        *value = if distance.is_finite() {
            distance * factor
        } else {
            // two numbers near 3.4e38 of unlike sign: their distance needs f64
            ((f64::from(*value) - f64::from(*shift)) * f64::from(*factor)) as f32
        };
    }
}

/// Turns scaled numbers back in place: `value * factor + shift`.
#[inline]
pub fn unscale(row: &mut [f32], shift: &[f32], factor: &[f32]) {
    for ((value, shift), factor) in row.iter_mut().zip(shift).zip(factor) {
        let distance = *value * factor;
        *value = if distance.is_finite() {
            distance + shift
        } else {
            (f64::from(*value) * f64::from(*factor) + f64::from(*shift)) as f32
        };
    }
}

/// Why rows got no answer; places count the numbers of all rows from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The lengths are not those of as many rows.
    Length,
    /// The input there is not finite.
    Input(usize),
    /// The input there is not finite once it is scaled.
    Scaled(usize),
    /// The answer there is not finite.
    Answer(usize),
}

/// What a pipeline is made of.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// Subtracted from each input.
    pub shift: &'a [f32],
    /// Multiplied with each input after that.
    pub factor: &'a [f32],
    /// Shift and factor of each answer; none if outputs are the answers.
    pub back: Option<(&'a [f32], &'a [f32])>,
    /// Weight, view and network of each member.
    pub members: Vec<(f64, &'a View, &'a Network)>,
}

#[derive(Debug)]
struct Member {
    weight: f64,
    view: View,
    width: usize,
    runner: Runner,
}

/// Networks with all that their answers need laid out beforehand: no call allocates.
#[derive(Debug)]
pub struct Pipeline {
    inputs: usize,
    outputs: usize,
    shift: Vec<f32>,
    factor: Vec<f32>,
    back: Option<(Vec<f32>, Vec<f32>)>,
    members: Vec<Member>,
    scaled: Vec<f32>,
    seen: Vec<f32>,
    one: Vec<f32>,
    sums: Vec<f64>,
}

impl Pipeline {
    /// The parts laid out; none if there are no inputs or members, or their shapes do not fit.
    pub fn new(level: Level, parts: &Parts<'_>) -> Option<Pipeline> {
        let inputs = parts.shift.len();
        let outputs = parts.members.first()?.2.shape.outputs();
        let targets = parts.back.map_or((outputs, outputs), |(shift, factor)| (shift.len(), factor.len()));
        if inputs == 0 || outputs == 0 || parts.factor.len() != inputs || targets != (outputs, outputs) {
            return None;
        }
        let mut members = Vec::with_capacity(parts.members.len());
        let mut widest = 0;
        for (weight, view, network) in &parts.members {
            let runner = Runner::new(level, network)?;
            let width = view.width(inputs);
            if runner.inputs() != width || runner.outputs() != outputs {
                return None;
            }
            if **view != View::All {
                widest = widest.max(width);
            }
            members.push(Member { weight: *weight, view: (*view).clone(), width, runner });
        }
        Some(Pipeline {
            inputs,
            outputs,
            shift: parts.shift.to_vec(),
            factor: parts.factor.to_vec(),
            back: parts.back.map(|(shift, factor)| (shift.to_vec(), factor.to_vec())),
            members,
            scaled: vec![0.0; ROWS * inputs],
            seen: vec![0.0; ROWS * widest],
            one: vec![0.0; ROWS * outputs],
            sums: vec![0.0; ROWS * outputs],
        })
    }

    /// Numbers of a raw row.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Numbers of an answer.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Answers one raw row.
    pub fn row(&mut self, input: &[f32], out: &mut [f32]) -> Result<(), Refusal> {
        if input.len() != self.inputs || out.len() != self.outputs {
            return Err(Refusal::Length);
        }
        let _settings = FloatState::hold();
        self.answer(0, input, out)
    }

    /// Answers raw rows, one after the other.
    pub fn rows(&mut self, inputs: &[f32], out: &mut [f32]) -> Result<(), Refusal> {
        let rows = inputs.len() / self.inputs;
        if inputs.len() != rows * self.inputs || out.len() != rows * self.outputs {
            return Err(Refusal::Length);
        }
        let _settings = FloatState::hold();
        let parts = inputs.chunks(ROWS * self.inputs).zip(out.chunks_mut(ROWS * self.outputs));
        for (part, (inputs, out)) in parts.enumerate() {
            self.answer(part * ROWS, inputs, out)?;
        }
        Ok(())
    }

    /// Answers at most [`ROWS`] rows, before which there were `before`.
    fn answer(&mut self, before: usize, inputs: &[f32], out: &mut [f32]) -> Result<(), Refusal> {
        let scaled = &mut self.scaled[..inputs.len()];
        let rows = inputs.chunks_exact(self.inputs).zip(scaled.chunks_exact_mut(self.inputs));
        if !rows.fold(true, |all, (from, to)| all & scale_plain(from, &self.shift, &self.factor, to)) {
            self.scale_far(before, inputs)?;
        }
        let scaled = &mut self.scaled[..inputs.len()];
        if let [Member { weight, view: View::All, runner, .. }] = &mut self.members[..] {
            run(runner, scaled, out);
            for slot in out.iter_mut() {
                // from zero on, as in the sum of several: -0 becomes 0
                *slot = (0.0 + *weight * f64::from(*slot)) as f32;
            }
        } else {
            self.ensemble(inputs.len() / self.inputs, out);
        }
        if let Some((shift, factor)) = &self.back {
            for row in out.chunks_exact_mut(self.outputs) {
                unscale(row, shift, factor);
            }
        }
        match not_finite(out) {
            Some(bad) => Err(Refusal::Answer(before * self.outputs + bad)),
            None => Ok(()),
        }
    }

    /// Scales rows of which some number is not finite, or is not once it is scaled in f32.
    #[cold]
    fn scale_far(&mut self, before: usize, inputs: &[f32]) -> Result<(), Refusal> {
        if let Some(bad) = not_finite(inputs) {
            return Err(Refusal::Input(before * self.inputs + bad));
        }
        let scaled = &mut self.scaled[..inputs.len()];
        scaled.copy_from_slice(inputs);
        for row in scaled.chunks_exact_mut(self.inputs) {
            scale(row, &self.shift, &self.factor);
        }
        match not_finite(scaled) {
            Some(bad) => Err(Refusal::Scaled(before * self.inputs + bad)),
            None => Ok(()),
        }
    }

    /// The members' outputs for the scaled rows, weighed and added in f64 in their order.
    fn ensemble(&mut self, rows: usize, out: &mut [f32]) {
        let scaled = &self.scaled[..rows * self.inputs];
        let sums = &mut self.sums[..out.len()];
        sums.fill(0.0);
        let one = &mut self.one[..out.len()];
        for member in &mut self.members {
            if member.view == View::All {
                run(&mut member.runner, scaled, one);
            } else {
                let seen = &mut self.seen[..rows * member.width];
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
    }
}

/// All bits of the exponent: what is not finite has them.
const EXPONENT: u32 = 0x7f80_0000;

/// Writes `(value - shift) * factor`; whether all of it is finite. Where it is, so are the values and their distances,
/// and [`scale`] gives the same.
#[inline]
fn scale_plain(from: &[f32], shift: &[f32], factor: &[f32], to: &mut [f32]) -> bool {
    let mut bad = false;
    for (((slot, value), shift), factor) in to.iter_mut().zip(from).zip(shift).zip(factor) {
        *slot = (value - shift) * factor;
        bad |= slot.to_bits() & EXPONENT == EXPONENT;
    }
    !bad
}

/// Where the first number that is not finite stands.
#[inline]
fn not_finite(values: &[f32]) -> Option<usize> {
    // no sum of floats, whose order would keep the lanes apart
    let bad = values.iter().fold(false, |bad, value| bad | (value.to_bits() & EXPONENT == EXPONENT));
    if bad {
        values.iter().position(|value| !value.is_finite())
    } else {
        None
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Init, Layer, Rng, Shape};

    fn network(inputs: usize, seed: u64) -> Network {
        let layer = |units| Layer { units, activation: Activation::Tanh, steepness: 1.0 };
        let mut network = Network::new(Shape { inputs, layers: vec![layer(5), layer(2)], shortcut: false });
        network.initialise(Init::Glorot, &mut Rng::from_seed(seed));
        network
    }

    #[test]
    fn members_are_weighed_in_their_order_whatever_they_see() {
        let views = [
            View::All,
            View::Subset(vec![2, 0]),
            View::Products(vec![[0, 1]]),
            View::Components(vec![1.0, 0.5, -1.0]),
        ];
        let networks: Vec<Network> =
            views.iter().zip(1..).map(|(view, seed)| network(view.width(3), seed)).collect();
        let weights = [0.25, 0.3, 0.15, 0.3];
        let members = (0..4).map(|i| (weights[i], &views[i], &networks[i])).collect();
        let (shift, factor) = ([1.0, -2.0, 0.5], [0.1, 0.2, 0.3]);
        let back = Some((&[10.0, 20.0][..], &[3.0, 4.0][..]));
        let parts = Parts { shift: &shift, factor: &factor, back, members };
        let mut pipeline = Pipeline::new(Level::detect(), &parts).unwrap();
        let rows = 2 * ROWS + 3;
        let inputs: Vec<f32> = (0..rows * 3).map(|i| (i * 31 % 17) as f32 - 8.0).collect();
        let mut many = vec![0.0; rows * 2];
        pipeline.rows(&inputs, &mut many).unwrap();
        for (row, many) in inputs.chunks_exact(3).zip(many.chunks_exact(2)) {
            let mut scaled = row.to_vec();
            scale(&mut scaled, &shift, &factor);
            let mut sums = [0.0f64; 2];
            for ((view, network), weight) in views.iter().zip(&networks).zip(weights) {
                let mut seen = vec![0.0; view.width(3)];
                view.apply(&scaled, &mut seen);
                let mut out = [0.0; 2];
                assert!(Runner::new(Level::Scalar, network).unwrap().row(&seen, &mut out));
                sums.iter_mut().zip(out).for_each(|(sum, value)| *sum += weight * f64::from(value));
            }
            let mut wanted = sums.map(|sum| sum as f32);
            unscale(&mut wanted, &[10.0, 20.0], &[3.0, 4.0]);
            let mut one = [0.0; 2];
            pipeline.row(row, &mut one).unwrap();
            assert_eq!(one.map(f32::to_bits), wanted.map(f32::to_bits));
            assert_eq!([many[0].to_bits(), many[1].to_bits()], wanted.map(f32::to_bits));
        }
    }

    #[test]
    fn what_has_no_answer_is_named_by_its_place() {
        let network = network(3, 1);
        let members = vec![(1.0, &View::All, &network)];
        let (shift, factor) = ([0.0; 3], [1.0, 1.0, 1e30]);
        let parts = Parts { shift: &shift, factor: &factor, back: None, members };
        let mut pipeline = Pipeline::new(Level::detect(), &parts).unwrap();
        let mut inputs = vec![1.0; 3 * (ROWS + 2)];
        let mut out = vec![0.0; 2 * (ROWS + 2)];
        assert_eq!(pipeline.rows(&inputs, &mut out), Ok(()));
        assert_eq!(pipeline.rows(&inputs[1..], &mut out), Err(Refusal::Length));
        assert_eq!(pipeline.row(&inputs, &mut out), Err(Refusal::Length));
        let at = 3 * ROWS + 5;
        inputs[at] = 1e30;
        assert_eq!(pipeline.rows(&inputs, &mut out), Err(Refusal::Scaled(at)));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            inputs[at] = bad;
            assert_eq!(pipeline.rows(&inputs, &mut out), Err(Refusal::Input(at)));
        }
        let huge = [3e38; 2];
        let back = Some((&huge[..], &huge[..]));
        let mut pipeline = Pipeline::new(Level::detect(), &Parts { back, ..parts.clone() }).unwrap();
        inputs[at] = 1.0;
        assert!(matches!(pipeline.rows(&inputs, &mut out), Err(Refusal::Answer(_)) | Ok(())));
        assert!(Pipeline::new(Level::detect(), &Parts { members: vec![], ..parts.clone() }).is_none());
        assert!(Pipeline::new(Level::detect(), &Parts { factor: &factor[1..], ..parts }).is_none());
    }
}
