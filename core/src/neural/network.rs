//! Multi-layer perceptrons: weights in one vector, forward and backward passes over blocks of rows.
//!
//! Layer weights are `[output][input]` with the bias as a last input that is always 1, each row padded with
//! zeros that never change. Panels, sheets and blocks are those of [`super::kernel`].
#![allow(clippy::indexing_slicing)] // offsets and lengths are fixed together when the network is made

use super::activation::{self, Activation};
use super::kernel::{self, padded, Level, BLOCK};
use crate::rng::Rng;
use alloc::vec;
use alloc::vec::Vec;

/// Shape and place of one layer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    pub inputs: usize,
    pub outputs: usize,
    pub activation: Activation,
    /// Numbers from one output's weights to the next one's.
    pub width: usize,
    /// Where its weights start.
    pub offset: usize,
}

impl Layer {
    pub fn weights(&self) -> usize {
        self.outputs * self.width
    }
}

/// A multi-layer perceptron.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mlp {
    pub layers: Vec<Layer>,
    pub weights: Vec<f32>,
}

impl Mlp {
    /// Layers of `sizes` (inputs first) with zero weights.
    pub fn new(sizes: &[usize], hidden: Activation, output: Activation) -> Mlp {
        let mut layers = Vec::new();
        let mut offset = 0;
        for (index, pair) in sizes.windows(2).enumerate() {
            let activation = if index + 2 == sizes.len() { output } else { hidden };
            let width = padded(pair[0] + 1);
            layers.push(Layer { inputs: pair[0], outputs: pair[1], activation, width, offset });
            offset += pair[1] * width;
        }
        Mlp { layers, weights: vec![0.0; offset] }
    }

    /// Uniform weights of variance gain^2 / inputs, and zero biases.
    pub fn randomise(&mut self, rng: &mut Rng) {
        for layer in &self.layers {
            let half = layer.activation.gain() * super::math::sqrt(3.0 / layer.inputs as f32);
            for output in 0..layer.outputs {
                let start = layer.offset + output * layer.width;
                for weight in &mut self.weights[start..start + layer.inputs] {
                    *weight = rng.uniform_f32(-half, half);
                }
            }
        }
    }

    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// `l2` for each weight, 0 for biases and padding.
    pub fn decay(&self, l2: f32) -> Vec<f32> {
        let mut decay = vec![0.0; self.weights.len()];
        for layer in &self.layers {
            for row in decay[layer.offset..layer.offset + layer.weights()].chunks_exact_mut(layer.width) {
                row[..layer.inputs].fill(l2);
            }
        }
        decay
    }
}

/// What one layer's pass over one block keeps.
struct Pass {
    packed: Vec<f32>,
    transposed: Vec<f32>,
    /// Sums, `[output][row]`.
    z: Vec<f32>,
    /// Values, with a last row of ones: the next layer's bias.
    y: Vec<f32>,
    delta: Vec<f32>,
    /// With dropout: the slope, masked.
    slope: Vec<f32>,
    /// Values row by row for the next layer's gradient.
    sheet: Vec<f32>,
}

/// Scratch memory of forward and backward passes; made once, so that no epoch allocates.
pub(crate) struct Passes {
    level: Level,
    dropping: bool,
    passes: Vec<Pass>,
}

impl Passes {
    pub fn new(level: Level, net: &Mlp) -> Passes {
        let pass = |layer: &Layer| {
            let panel = layer.outputs * BLOCK;
            let mut y = vec![0.0; panel + BLOCK];
            y[panel..].fill(1.0);
            let width = padded(layer.outputs + 1);
            let mut sheet = vec![0.0; width * BLOCK];
            sheet.chunks_exact_mut(width).for_each(|row| row[layer.outputs] = 1.0);
            Pass {
                packed: Vec::new(),
                transposed: Vec::new(),
                z: vec![0.0; panel],
                y,
                delta: vec![0.0; panel],
                slope: vec![0.0; panel],
                sheet,
            }
        };
        Passes { level, dropping: false, passes: net.layers.iter().map(pass).collect() }
    }

    /// Takes over the network's weights; to be called after each change of them.
    pub fn load(&mut self, net: &Mlp, backward: bool) {
        for (index, (layer, pass)) in net.layers.iter().zip(&mut self.passes).enumerate() {
            let weights = &net.weights[layer.offset..layer.offset + layer.weights()];
            kernel::pack(self.level, weights, layer.width, layer.inputs + 1, layer.outputs, &mut pass.packed);
            if backward && index > 0 {
                let packed = &mut pass.transposed;
                kernel::pack_transposed(
                    self.level,
                    weights,
                    layer.width,
                    layer.inputs,
                    layer.outputs,
                    packed,
                );
            }
        }
    }

    /// Runs a panel of inputs (with its row of ones) through the layers.
    ///
    /// `dropout` drops each hidden unit of each row with that probability and enlarges the others to match.
    pub fn forward(&mut self, net: &Mlp, panel: &[f32], rows: usize, mut dropout: Option<(f32, &mut Rng)>) {
        let lanes = kernel::lanes(rows);
        let last = net.layers.len().saturating_sub(1);
        self.dropping = dropout.is_some();
        for (index, layer) in net.layers.iter().enumerate() {
            let (before, rest) = self.passes.split_at_mut(index);
            let Some(pass) = rest.first_mut() else { return };
            let input = before.last().map_or(panel, |pass| pass.y.as_slice());
            kernel::multiply(
                self.level,
                &pass.packed,
                layer.inputs + 1,
                layer.outputs,
                input,
                &mut pass.z,
                lanes,
            );
            let size = layer.outputs * BLOCK;
            activation::forward(self.level, layer.activation, &pass.z, &mut pass.y[..size]);
            if let (true, Some((share, rng))) = (index < last, &mut dropout) {
                // the slope is taken before the mask, since most slopes come from the value
                pass.slope.fill(1.0);
                activation::backward(self.level, layer.activation, &pass.z, &pass.y[..size], &mut pass.slope);
                drop_units(&mut pass.y[..size], &mut pass.slope, *share, rng);
            }
        }
    }

    /// The output values, `[output][row]`.
    pub fn output(&self) -> &[f32] {
        self.passes.last().map_or(&[], |pass| &pass.y[..pass.y.len() - BLOCK])
    }

    /// Sets the output layer's delta from targets of the same shape, and answers the sum of squared errors.
    ///
    /// `plain` leaves the error as it is (cross-entropy on softmax); otherwise it is multiplied by the slope.
    pub fn output_delta(&mut self, net: &Mlp, targets: &[f32], rows: usize, plain: bool) -> f64 {
        let (Some(pass), Some(layer)) = (self.passes.last_mut(), net.layers.last()) else { return 0.0 };
        let size = layer.outputs * BLOCK;
        let y = &pass.y[..size];
        let squares = errors(y, targets, &mut pass.delta, rows);
        if !plain {
            if layer.activation == Activation::Softmax {
                softmax_delta(y, &mut pass.delta);
            } else {
                activation::backward(self.level, layer.activation, &pass.z, y, &mut pass.delta);
            }
        }
        squares
    }

    /// Adds the block's gradient to `gradient`; the output delta is set, `sheet` holds the inputs row by row.
    pub fn backward(&mut self, net: &Mlp, sheet: &[f32], rows: usize, gradient: &mut [f32]) {
        let lanes = kernel::lanes(rows);
        for (index, layer) in net.layers.iter().enumerate().rev() {
            let (before, rest) = self.passes.split_at_mut(index);
            let Some(pass) = rest.first_mut() else { return };
            let part = &mut gradient[layer.offset..layer.offset + layer.weights()];
            let Some(below) = before.last_mut() else {
                kernel::accumulate(self.level, part, layer.width, &pass.delta, layer.outputs, sheet, rows);
                return;
            };
            kernel::to_sheet(&below.y, layer.inputs, rows, &mut below.sheet, layer.width);
            kernel::accumulate(self.level, part, layer.width, &pass.delta, layer.outputs, &below.sheet, rows);
            let (packed, delta) = (&pass.transposed, &pass.delta);
            kernel::multiply(self.level, packed, layer.outputs, layer.inputs, delta, &mut below.delta, lanes);
            if self.dropping {
                below.delta.iter_mut().zip(&below.slope).for_each(|(delta, slope)| *delta *= slope);
            } else {
                let size = layer.inputs * BLOCK;
                let activation = net.layers[index - 1].activation;
                activation::backward(self.level, activation, &below.z, &below.y[..size], &mut below.delta);
            }
        }
    }
}

/// delta = y - targets; the sum of squares over `rows`, output by output in row order.
pub(crate) fn errors(y: &[f32], targets: &[f32], delta: &mut [f32], rows: usize) -> f64 {
    for ((delta, y), target) in delta.iter_mut().zip(y).zip(targets) {
        *delta = y - target;
    }
    let mut sum = 0.0;
    for values in delta.chunks_exact(BLOCK) {
        sum += values[..rows].iter().fold(0.0, |sum, value| sum + f64::from(*value) * f64::from(*value));
    }
    sum
}

/// Squared error through softmax: delta_o = y_o * (e_o - sum over k of e_k * y_k).
pub(crate) fn softmax_delta(y: &[f32], delta: &mut [f32]) {
    let mut dot = [0.0f32; BLOCK];
    for (errors, values) in delta.chunks_exact(BLOCK).zip(y.chunks_exact(BLOCK)) {
        for ((slot, error), value) in dot.iter_mut().zip(errors).zip(values) {
            *slot += error * value;
        }
    }
    for (errors, values) in delta.chunks_exact_mut(BLOCK).zip(y.chunks_exact(BLOCK)) {
        for ((error, value), dot) in errors.iter_mut().zip(values).zip(&dot) {
            *error = value * (*error - dot);
        }
    }
}

fn drop_units(values: &mut [f32], slopes: &mut [f32], share: f32, rng: &mut Rng) {
    let keep = 1.0 / (1.0 - share);
    let limit = (share * 65536.0) as u64;
    for (values, slopes) in values.chunks_mut(4).zip(slopes.chunks_mut(4)) {
        let mut bits = rng.next_u64();
        for (value, slope) in values.iter_mut().zip(slopes) {
            let factor = if (bits & 0xffff) < limit { 0.0 } else { keep };
            *value *= factor;
            *slope *= factor;
            bits >>= 16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::blocks::Blocks;
    use super::*;

    /// The same network in f64: the loss whose gradient the passes claim to give.
    fn reference(net: &Mlp, weights: &[f64], row: &[f32], target: &[f32], cross: bool) -> f64 {
        let mut values: Vec<f64> = row.iter().map(|value| f64::from(*value)).collect();
        for layer in &net.layers {
            let sums: Vec<f64> = (0..layer.outputs)
                .map(|output| {
                    let start = layer.offset + output * layer.width;
                    let dot: f64 =
                        values.iter().zip(&weights[start..]).map(|(value, weight)| value * weight).sum();
                    dot + weights[start + layer.inputs]
                })
                .collect();
            let total: f64 = sums.iter().map(|sum| sum.exp()).sum();
            let value = |z: f64| match layer.activation {
                Activation::Linear => z,
                Activation::Logistic => 1.0 / (1.0 + (-z).exp()),
                Activation::Tanh => z.tanh(),
                Activation::Elliott => z / (1.0 + z.abs()),
                Activation::Relu => z.max(0.0),
                Activation::Gaussian => (-z * z).exp(),
                Activation::Sine => z.sin(),
                Activation::Softmax => z.exp() / total,
            };
            values = sums.into_iter().map(value).collect();
        }
        let pairs = values.iter().zip(target).map(|(value, target)| (*value, f64::from(*target)));
        if cross {
            pairs.map(|(value, target)| -target * value.ln()).sum()
        } else {
            pairs.map(|(value, target)| 0.5 * (value - target) * (value - target)).sum()
        }
    }

    fn check(hidden: Activation, output: Activation, cross: bool) {
        let mut rng = Rng::from_seed(3);
        let mut net = Mlp::new(&[5, 7, 4, 3], hidden, output);
        net.randomise(&mut rng);
        let rows = 70; // more than one block, and a last one that is not full
        let blocks = Blocks::build(rows, 5, 3, |row, inputs, targets| {
            inputs.iter_mut().for_each(|value| *value = rng.uniform_f32(-1.0, 1.0));
            targets
                .iter_mut()
                .enumerate()
                .for_each(|(o, value)| *value = if row % 3 == o { 1.0 } else { 0.0 });
        });
        for level in [Level::Baseline, Level::detect()] {
            let mut passes = Passes::new(level, &net);
            passes.load(&net, true);
            let mut gradient = vec![0.0; net.weights.len()];
            for index in 0..blocks.count() {
                let block = blocks.block(index);
                passes.forward(&net, block.panel, block.rows, None);
                passes.output_delta(&net, block.targets, block.rows, cross);
                passes.backward(&net, block.sheet, block.rows, &mut gradient);
            }
            let loss = |weights: &[f64]| -> f64 {
                let target = |row: usize| [0, 1, 2].map(|output| blocks.target(row, output));
                (0..rows)
                    .map(|row| reference(&net, weights, &blocks.row(row)[..5], &target(row), cross))
                    .sum()
            };
            let mut wide: Vec<f64> = net.weights.iter().map(|weight| f64::from(*weight)).collect();
            for layer in &net.layers {
                for place in 0..layer.weights() {
                    if place % layer.width > layer.inputs {
                        assert_eq!(gradient[layer.offset + place], 0.0, "padding has no slope");
                        continue;
                    }
                    let at = layer.offset + place;
                    let (kept, step) = (wide[at], 1e-5);
                    wide[at] = kept + step;
                    let above = loss(&wide);
                    wide[at] = kept - step;
                    let slope = (above - loss(&wide)) / (2.0 * step);
                    wide[at] = kept;
                    let error = (f64::from(gradient[at]) - slope).abs();
                    assert!(
                        error <= 2e-4 * slope.abs().max(1.0),
                        "{hidden:?} {output:?}: {} not {slope}",
                        gradient[at]
                    );
                }
            }
        }
    }

    #[test]
    fn gradients_agree_with_differences_in_f64() {
        use Activation::{Elliott, Gaussian, Linear, Logistic, Relu, Sine, Softmax, Tanh};
        for hidden in [Linear, Logistic, Tanh, Elliott, Relu, Gaussian, Sine] {
            check(hidden, Linear, false);
            check(hidden, Softmax, true);
        }
        for output in [Logistic, Tanh, Softmax] {
            check(Tanh, output, false);
        }
    }
}
