//! Incremental back-propagation: one update per row.
//!
//! Two copies of each layer's weights are kept, one per direction of the sums, so that both passes have
//! independent results in their lanes; both get the same update.
#![allow(clippy::indexing_slicing)] // lengths are fixed together when the stepper is made

use super::activation::{self, Activation};
use super::kernel::{by_level, padded, Level};
use super::math;
use super::network::Mlp;
use crate::rng::Rng;
use alloc::vec;
use alloc::vec::Vec;

struct Step {
    /// `[input][output]`, rows padded.
    transposed: Vec<f32>,
    width: usize,
    z: Vec<f32>,
    /// Values, then the 1 of the next bias.
    y: Vec<f32>,
    delta: Vec<f32>,
    slope: Vec<f32>,
}

/// Scratch memory and the transposed weights.
pub(crate) struct Stepper {
    level: Level,
    steps: Vec<Step>,
    input: Vec<f32>,
}

impl Stepper {
    pub fn new(level: Level, net: &Mlp) -> Stepper {
        let step = |layer: &super::network::Layer| {
            let width = padded(layer.outputs + 1);
            Step {
                transposed: vec![0.0; (layer.inputs + 1) * width],
                width,
                z: vec![0.0; width],
                y: vec![0.0; width],
                delta: vec![0.0; width],
                slope: vec![0.0; width],
            }
        };
        let input = vec![0.0; net.layers.first().map_or(0, |layer| layer.width)];
        Stepper { level, steps: net.layers.iter().map(step).collect(), input }
    }

    /// Takes over the weights, at the start of an epoch.
    pub fn load(&mut self, net: &Mlp) {
        for (layer, step) in net.layers.iter().zip(&mut self.steps) {
            for (output, row) in
                net.weights[layer.offset..].chunks_exact(layer.width).take(layer.outputs).enumerate()
            {
                for (input, weight) in row[..=layer.inputs].iter().enumerate() {
                    step.transposed[input * step.width + output] = *weight;
                }
            }
        }
    }

    /// One row forward, back and into the weights; its sum of squared errors.
    #[allow(clippy::too_many_arguments)]
    pub fn row(
        &mut self,
        net: &mut Mlp,
        row: &[f32],
        target: impl Fn(usize) -> f32,
        plain: bool,
        rate: f32,
        noise: f32,
        dropout: f32,
        rng: &mut Rng,
    ) -> f64 {
        let inputs = net.inputs();
        self.input.copy_from_slice(row);
        if noise > 0.0 {
            for value in &mut self.input[..inputs] {
                *value += rng.uniform_f32(-noise, noise);
            }
        }
        self.forward(net, dropout, rng);
        let squares = self.output_delta(net, target, plain);
        self.backward(net, rate, dropout > 0.0);
        squares
    }

    fn forward(&mut self, net: &Mlp, dropout: f32, rng: &mut Rng) {
        let last = net.layers.len().saturating_sub(1);
        for (index, layer) in net.layers.iter().enumerate() {
            let (before, rest) = self.steps.split_at_mut(index);
            let Some(step) = rest.first_mut() else { return };
            let input = before.last().map_or(self.input.as_slice(), |step| step.y.as_slice());
            let input = &input[..layer.inputs + 1];
            matrix_vector(self.level, &step.transposed, step.width, input, &mut step.z);
            if layer.activation == Activation::Softmax {
                softmax_row(&step.z[..layer.outputs], &mut step.y[..layer.outputs]);
            } else {
                activation::forward(self.level, layer.activation, &step.z, &mut step.y);
            }
            if index < last && dropout > 0.0 {
                step.slope.fill(1.0);
                activation::backward(self.level, layer.activation, &step.z, &step.y, &mut step.slope);
                let keep = 1.0 / (1.0 - dropout);
                for (value, slope) in step.y.iter_mut().zip(&mut step.slope).take(layer.outputs) {
                    let factor = if rng.unit_f32() < dropout { 0.0 } else { keep };
                    *value *= factor;
                    *slope *= factor;
                }
            }
            step.y[layer.outputs] = 1.0;
        }
    }

    fn output_delta(&mut self, net: &Mlp, target: impl Fn(usize) -> f32, plain: bool) -> f64 {
        let (Some(step), Some(layer)) = (self.steps.last_mut(), net.layers.last()) else { return 0.0 };
        let mut squares = 0.0;
        step.delta.fill(0.0);
        for output in 0..layer.outputs {
            let error = step.y[output] - target(output);
            step.delta[output] = error;
            squares += f64::from(error) * f64::from(error);
        }
        if plain {
            return squares;
        }
        if layer.activation == Activation::Softmax {
            let pairs = step.delta.iter().zip(&step.y).take(layer.outputs);
            let dot = pairs.fold(0.0, |sum, (error, value)| sum + error * value);
            for (error, value) in step.delta.iter_mut().zip(&step.y).take(layer.outputs) {
                *error = value * (*error - dot);
            }
        } else {
            activation::backward(self.level, layer.activation, &step.z, &step.y, &mut step.delta);
        }
        squares
    }

    fn backward(&mut self, net: &mut Mlp, rate: f32, dropping: bool) {
        for index in (0..net.layers.len()).rev() {
            let layer = net.layers[index].clone();
            let activation_below = index.checked_sub(1).map(|below| net.layers[below].activation);
            let weights = &mut net.weights[layer.offset..layer.offset + layer.weights()];
            let (before, rest) = self.steps.split_at_mut(index);
            let Some(step) = rest.first_mut() else { return };
            let delta = &mut step.delta;
            if let (Some(below), Some(kind)) = (before.last_mut(), activation_below) {
                // the weights' rows may be wider than the layer below: only its own part is taken
                let width = below.width.min(layer.width);
                below.delta.fill(0.0);
                matrix_vector(
                    self.level,
                    weights,
                    layer.width,
                    &delta[..layer.outputs],
                    &mut below.delta[..width],
                );
                below.delta[layer.inputs..].fill(0.0);
                if dropping {
                    below.delta.iter_mut().zip(&below.slope).for_each(|(delta, slope)| *delta *= slope);
                } else {
                    activation::backward(self.level, kind, &below.z, &below.y, &mut below.delta);
                }
            }
            delta[layer.outputs..].fill(0.0);
            delta.iter_mut().for_each(|value| *value *= rate);
            let input = before.last().map_or(self.input.as_slice(), |below| below.y.as_slice());
            let input = &input[..layer.inputs + 1];
            rank_one(self.level, weights, layer.width, &delta[..layer.outputs], input);
            rank_one(self.level, &mut step.transposed, step.width, input, &delta[..layer.outputs]);
        }
    }
}

fn softmax_row(z: &[f32], y: &mut [f32]) {
    let top = z.iter().copied().fold(f32::NEG_INFINITY, |top, value| math::max(value, top));
    let mut sum = 0.0f32;
    for (slot, value) in y.iter_mut().zip(z) {
        *slot = math::exp(value - top);
        sum += *slot;
    }
    y.iter_mut().for_each(|slot| *slot /= sum);
}

by_level! {
    /// out[c] = sum over k of x[k] * rows[k][c].
    fn matrix_vector(rows: &[f32], width: usize, x: &[f32], out: &mut [f32])
        = matrix_vector_body::<8>, matrix_vector_body::<16>
}

#[inline(always)]
fn matrix_vector_body<const L: usize>(rows: &[f32], width: usize, x: &[f32], out: &mut [f32]) {
    for (index, slots) in out.chunks_exact_mut(L).enumerate() {
        let mut sums = [0.0f32; L];
        for (row, factor) in rows.chunks_exact(width).zip(x) {
            let values = &row[index * L..index * L + L];
            for l in 0..L {
                sums[l] += factor * values[l];
            }
        }
        slots.copy_from_slice(&sums);
    }
}

by_level! {
    /// rows[k][c] -= x[k] * y[c].
    fn rank_one(rows: &mut [f32], width: usize, x: &[f32], y: &[f32]) = rank_one_body, rank_one_body
}

#[inline(always)]
fn rank_one_body(rows: &mut [f32], width: usize, x: &[f32], y: &[f32]) {
    for (row, factor) in rows.chunks_exact_mut(width).zip(x) {
        for (slot, value) in row.iter_mut().zip(y) {
            *slot -= factor * value;
        }
    }
}
