//! What training lowers, and its slope at the outputs.
#![allow(clippy::indexing_slicing)] // panels and row sums have BLOCK numbers a unit

use crate::kernel::{BLOCK, STRIP};
use crate::math;
use crate::rows::Block;
use crate::vector::{Scalar, Vector};
use crate::Activation;

/// The loss of a row: the sum over its outputs of the function of the error e = output - target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// e^2 / 2.
    Squared,
    /// |e|; its slope at 0 counts as 0.
    Absolute,
    /// e^2 / 2 up to |e| = delta, then delta (|e| - delta / 2) (Huber 1964).
    Huber {
        /// Where the line begins.
        delta: f32,
    },
    /// With softmax: -t ln y. With logistic outputs: -(t ln y + (1 - t) ln(1 - y)).
    CrossEntropy,
    /// (1 + e) ln(1 + e) + (1 - e) ln(1 - e): its slope is FANN's `tanh` error function ln((1 + e) / (1 - e)), which
    /// is held within ±17 as there; e is halved where outputs run from -1 to 1.
    FannTanh,
    /// -y t: so that an output follows its target up and down, without an end. What a cascade's candidates lower.
    Product,
}

/// An output is kept this far from 0 before its logarithm is taken.
const LEAST: f32 = 1e-37;

/// The largest |e| of [`Loss::FannTanh`] that is still followed.
const FANN_EDGE: f32 = 0.999_999_9;

/// Sums over rows, apart for each place in a block: `[row]`.
#[derive(Debug)]
pub(crate) struct Sums {
    loss: [f64; BLOCK],
    squared: [f64; BLOCK],
    fails: [u32; BLOCK],
}

/// What an epoch or a measurement found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Mean loss of a row, weighted: what is lowered, without the terms of l1 and l2.
    pub loss: f64,
    /// Mean squared error of an output, weighted.
    pub squared: f64,
    /// Outputs that are further from their target than the limit (FANN's bit fail).
    pub bit_fail: u64,
    /// The first layer whose numbers are not finite, if one is.
    pub broken: Option<usize>,
}

/// The loss with the function of the outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Criterion {
    pub loss: Loss,
    pub activation: Activation,
    pub steepness: f32,
    /// Outputs further off than this fail.
    pub limit: f32,
}

impl Criterion {
    /// Whether the slope of the outputs' function is already in the delta.
    pub fn is_plain(&self) -> bool {
        self.loss == Loss::CrossEntropy
    }

    /// Factor of e in [`Loss::FannTanh`].
    fn half(&self) -> f32 {
        if self.activation.range().0 < 0.0 {
            0.5
        } else {
            1.0
        }
    }

    /// Loss and slope of one output, before the row's weight.
    #[inline(always)]
    fn of(&self, y: f32, target: f32) -> (f32, f32) {
        let e = y - target;
        match self.loss {
            Loss::Squared => (0.5 * e * e, e),
            Loss::Absolute => (if e < 0.0 { -e } else { e }, if e == 0.0 { 0.0 } else { copysign(1.0, e) }),
            Loss::Huber { delta } => {
                let size = if e < 0.0 { -e } else { e };
                if size <= delta {
                    (0.5 * e * e, e)
                } else {
                    (delta * (size - 0.5 * delta), copysign(delta, e))
                }
            }
            Loss::CrossEntropy => (self.cross_entropy(y, target), self.steepness * e),
            Loss::Product => (-y * target, -target),
            Loss::FannTanh => {
                let e = e * self.half();
                if !(-FANN_EDGE..=FANN_EDGE).contains(&e) {
                    // 2 ln 2 is the value at the edge
                    let over = if e < 0.0 { -e } else { e } - 1.0;
                    return ((1.386_294_4 + 17.0 * over) / self.half(), copysign(17.0, e));
                }
                let (above, below) = (math::ln(1.0 + e), math::ln(1.0 - e));
                (((1.0 + e) * above + (1.0 - e) * below) / self.half(), above - below)
            }
        }
    }

    fn cross_entropy(&self, y: f32, target: f32) -> f32 {
        let log = |y: f32| math::ln(if y > LEAST { y } else { LEAST });
        let mut loss = 0.0;
        if target != 0.0 {
            loss -= target * log(y);
        }
        if self.activation != Activation::Softmax && target != 1.0 {
            loss -= (1.0 - target) * log(1.0 - y);
        }
        loss
    }
}

fn copysign(x: f32, sign: f32) -> f32 {
    Scalar(x).copysign(Scalar(sign)).0
}

impl Sums {
    pub fn new() -> Sums {
        Sums { loss: [0.0; BLOCK], squared: [0.0; BLOCK], fails: [0; BLOCK] }
    }

    /// Starts anew; no more than `places` places were used, or will be.
    #[inline(always)]
    pub fn clear(&mut self, places: usize) {
        let places = places.min(BLOCK);
        self.loss[..places].fill(0.0);
        self.squared[..places].fill(0.0);
        self.fails[..places].fill(0);
    }

    /// Takes in a block: sets `delta` (slope of the loss at the outputs, times the row's weight) from the outputs.
    ///
    /// `y` and `delta` begin at the outputs' first unit and have a strip each `stride` and `delta_stride` numbers.
    #[inline(always)]
    pub fn block(
        &mut self,
        criterion: &Criterion,
        (y, stride): (&[f32], usize),
        block: &Block<'_>,
        (delta, delta_stride): (&mut [f32], usize),
    ) {
        let size = block.targets.len() / (BLOCK / STRIP);
        for (strip, targets) in block.targets.chunks_exact(size).enumerate() {
            let first = strip * STRIP;
            if first >= block.rows {
                return;
            }
            let rows = STRIP.min(block.rows - first);
            let weights = block.weights.map(|weights| &weights[first..first + rows]);
            let units = targets.chunks_exact(STRIP).zip(y[strip * stride..].chunks_exact(STRIP));
            for ((target, y), delta) in units.zip(delta[strip * delta_stride..].chunks_exact_mut(STRIP)) {
                self.unit(criterion, first, &y[..rows], &target[..rows], weights, &mut delta[..rows]);
            }
        }
    }

    /// One output of a strip that starts at row `first` of its block.
    #[inline(always)]
    fn unit(
        &mut self,
        criterion: &Criterion,
        first: usize,
        y: &[f32],
        target: &[f32],
        weights: Option<&[f32]>,
        delta: &mut [f32],
    ) {
        let rows = first..first + y.len();
        for ((delta, y), target) in delta.iter_mut().zip(y).zip(target) {
            *delta = y - target;
        }
        let squared = &mut self.squared[rows.clone()];
        match weights {
            None => {
                for (sum, e) in squared.iter_mut().zip(delta.iter()) {
                    *sum += f64::from(*e) * f64::from(*e);
                }
            }
            Some(weights) => {
                for ((sum, e), weight) in squared.iter_mut().zip(delta.iter()).zip(weights) {
                    *sum += f64::from(*e) * f64::from(*e) * f64::from(*weight);
                }
            }
        }
        for (count, e) in self.fails[rows.clone()].iter_mut().zip(delta.iter()) {
            *count += u32::from(*e > criterion.limit || *e < -criterion.limit);
        }
        if criterion.loss != Loss::Squared {
            for (row, (sum, delta)) in self.loss[rows].iter_mut().zip(delta.iter_mut()).enumerate() {
                let (loss, slope) = criterion.of(y[row], target[row]);
                let weight = weights.map_or(1.0, |weights| f64::from(weights[row]));
                *sum += f64::from(loss) * weight;
                *delta = slope;
            }
        }
        if let Some(weights) = weights {
            delta.iter_mut().zip(weights).for_each(|(delta, weight)| *delta *= weight);
        }
    }

    /// Takes in one output of one row; answers the slope of the loss there, times the row's weight.
    #[inline(always)]
    pub fn single(&mut self, criterion: &Criterion, y: f32, target: f32, weight: f32) -> f32 {
        let e = y - target;
        self.squared[0] += f64::from(e) * f64::from(e) * f64::from(weight);
        self.fails[0] += u32::from(e > criterion.limit || e < -criterion.limit);
        if criterion.loss == Loss::Squared {
            return e * weight;
        }
        let (loss, slope) = criterion.of(y, target);
        self.loss[0] += f64::from(loss) * f64::from(weight);
        slope * weight
    }

    /// Adds the sums of other rows, place by place.
    pub fn add(&mut self, other: &Sums) {
        self.loss.iter_mut().zip(&other.loss).for_each(|(sum, value)| *sum += value);
        self.squared.iter_mut().zip(&other.squared).for_each(|(sum, value)| *sum += value);
        self.fails.iter_mut().zip(&other.fails).for_each(|(sum, value)| *sum += value);
    }

    /// The means over rows of summed weight `total`, of which at most `places` places of a block were used.
    #[inline(always)]
    pub fn finish(&self, criterion: &Criterion, total: f64, outputs: usize, places: usize) -> Epoch {
        let places = places.min(BLOCK);
        let squares = self.squared[..places].iter().fold(0.0, |sum, value| sum + value);
        let loss = if criterion.loss == Loss::Squared {
            0.5 * squares
        } else {
            self.loss[..places].iter().fold(0.0, |sum, value| sum + value)
        };
        let bit_fail = self.fails[..places].iter().map(|count| u64::from(*count)).sum();
        Epoch { loss: loss / total, squared: squares / (total * outputs as f64), bit_fail, broken: None }
    }
}
