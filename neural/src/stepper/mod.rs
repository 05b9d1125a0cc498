//! One row at a time: forward for a single answer, and incremental back-propagation.
//!
//! Weights lie input by input, so that the lanes hold units. For the way back each layer but the first has a second
//! copy, unit by unit; both get the same update, so that both directions have independent results in their lanes.
#![allow(clippy::indexing_slicing)] // buffers are made for the layout

mod copies;
mod narrow;

use self::copies::copy;
use crate::activation;
use crate::buffer::Buffer;
use crate::kernel::{sum_of, take_off, Kernels, RankOne};
use crate::level::Level;
use crate::loss::{Criterion, Sums};
use crate::shape::Network;
use crate::{Activation, Rng};
use alloc::vec::Vec;

/// Where one layer's numbers are.
#[derive(Clone, Debug)]
struct Step {
    units: usize,
    fan_in: usize,
    activation: Activation,
    steepness: f32,
    /// Units with padding: the stride of `[bias, input…][unit]`.
    width: usize,
    /// First weight forward.
    offset: usize,
    /// Its first input and unit among the values, its first unit among the deltas.
    source: usize,
    value: usize,
    delta: usize,
    /// Way back: first weight, stride, first input, number of inputs, where their deltas are.
    back: usize,
    back_width: usize,
    back_from: usize,
    back_count: usize,
    back_delta: usize,
    /// Its marks of units among those of padding.
    inside: usize,
}

/// A network laid out for single rows, with its scratch memory.
#[derive(Clone, Debug)]
pub(crate) struct Stepper {
    steps: Vec<Step>,
    inputs: usize,
    shortcut: bool,
    forward: Buffer,
    back: Buffer,
    /// Velocities of both copies, with momentum.
    forward_velocity: Buffer,
    back_velocity: Buffer,
    /// Masks of both copies, where connections are missing.
    forward_mask: Buffer,
    back_mask: Buffer,
    /// Inputs and units.
    values: Buffer,
    sums: Buffer,
    slopes: Buffer,
    deltas: Buffer,
    /// Whether each layer is one vector of units with a common activation, read and changed in plain ways.
    narrow: bool,
    /// All bits for a unit, none for padding.
    inside: Buffer,
    /// A layer's change, or what it passes back.
    scratch: Buffer,
    needs_sums: bool,
}

impl Stepper {
    pub fn new(level: Level, network: &Network, training: bool, momentum: bool) -> Stepper {
        let lanes = level.lanes();
        let pad = |n: usize| n.div_ceil(lanes) * lanes;
        let shape = &network.shape;
        let mut steps: Vec<Step> = Vec::new();
        // with shortcuts the values lie without gaps; else each layer starts on a vector
        let place = |n: usize| if shape.shortcut { n } else { pad(n) };
        let (mut offset, mut back, mut delta, mut inside) = (0, 0, 0, 0);
        let mut value = place(shape.inputs);
        for (index, layer) in shape.layers.iter().enumerate() {
            let fan_in = shape.fan_in(index);
            let width = pad(layer.units);
            let before = steps.last();
            let (back_from, back_delta) = match before {
                None => (fan_in, 0),
                Some(_) if shape.shortcut => (shape.inputs, 0),
                Some(step) => (0, step.delta),
            };
            let back_count = fan_in - back_from;
            let source = before.filter(|_| !shape.shortcut).map_or(0, |step| step.value);
            steps.push(Step {
                units: layer.units,
                fan_in,
                activation: layer.activation,
                steepness: layer.steepness,
                width,
                offset,
                source,
                value,
                delta,
                back,
                back_width: pad(back_count),
                back_from,
                back_count,
                back_delta,
                inside,
            });
            inside += width;
            offset += (fan_in + 1) * width;
            back += layer.units * pad(back_count);
            value += place(layer.units);
            delta += place(layer.units);
        }
        // vectors may reach over the end of the last layer
        let room = |n: usize, is: bool| Buffer::new(if is { n } else { 0 });
        let sparse = network.connected.is_some();
        let needs_sums = shape.layers.iter().any(|layer| layer.activation.needs_sum());
        let mut stepper = Stepper {
            inputs: shape.inputs,
            shortcut: shape.shortcut,
            forward: room(offset, true),
            back: room(back, training),
            forward_velocity: room(offset, momentum),
            back_velocity: room(back, momentum),
            forward_mask: room(offset, training && sparse),
            back_mask: room(back, training && sparse),
            values: room(value + lanes, true),
            sums: room(value + lanes, true),
            slopes: room(delta + lanes, training),
            deltas: room(delta + lanes, training),
            narrow: !shape.shortcut
                && !sparse
                && !momentum
                && steps.iter().all(|step| step.is_narrow(lanes, training)),
            inside: room(inside, training),
            scratch: room(delta.max(value) + lanes, training),
            steps,
            needs_sums,
        };
        for step in stepper.steps.iter().filter(|_| training) {
            stepper.inside[step.inside..step.inside + step.units].fill(f32::from_bits(u32::MAX));
        }
        stepper.load(&network.weights);
        if let (Some(connected), true) = (&network.connected, training) {
            let set = |is: &bool| if *is { f32::from_bits(u32::MAX) } else { 0.0 };
            let mask: Vec<f32> = connected.iter().map(set).collect();
            let Stepper { steps, forward_mask, back_mask, .. } = &mut stepper;
            copy(steps, &mask, forward_mask, back_mask);
        }
        stepper
    }

    /// The outputs of the row that was run last.
    #[inline(always)]
    pub fn output(&self) -> &[f32] {
        self.steps.last().map_or(&[], |step| &self.values[step.value..step.value + step.units])
    }

    /// Where a layer's inputs are: the row itself for the first layer.
    #[inline(always)]
    fn source(&self, index: usize, input: &[f32]) -> *const f32 {
        if index == 0 {
            input.as_ptr()
        } else {
            self.values.as_ptr().wrapping_add(self.steps[index].source)
        }
    }

    /// Runs a row of as many numbers as the network has inputs through the layers.
    #[inline(always)]
    pub fn forward<V: Kernels>(&mut self, input: &[f32], dropout: f32, rng: Option<&mut Rng>) {
        if self.narrow && dropout == 0.0 {
            return self.forward_narrow::<V>(input);
        }
        let last = self.steps.len() - 1;
        let mut rng = rng;
        if self.shortcut {
            self.values[..self.inputs].copy_from_slice(input);
        }
        let (values, sums) = (self.values.as_mut_ptr(), self.sums.as_mut_ptr());
        for index in 0..self.steps.len() {
            let step = &self.steps[index];
            let x = self.source(index, input);
            // SAFETY: the steps' places lie inside the buffers, with room for a vector that reaches over.
            unsafe {
                let y = values.add(step.value);
                let z = if self.needs_sums { sums.add(step.value) } else { y };
                let weights = self.forward.as_ptr().add(step.offset);
                if step.width == V::LANES {
                    let sum = sum_of::<V>(weights, x, step.fan_in, true);
                    match activation::common_value(step.activation, sum.mul(V::splat(step.steepness))) {
                        Some(value) => {
                            if self.needs_sums {
                                sum.store(z);
                            }
                            value.store(y);
                        }
                        None => {
                            sum.store(z);
                            activate::<V>(step, z, y, sums.add(step.value));
                        }
                    }
                } else {
                    V::row_multiply(weights, step.width, x, step.fan_in, z, true);
                    activate::<V>(step, z, y, sums.add(step.value));
                }
            }
            if let (true, true, Some(rng)) = (dropout > 0.0, index < last, rng.as_deref_mut()) {
                self.drop_units(index, dropout, rng);
            }
        }
    }

    fn drop_units(&mut self, index: usize, share: f32, rng: &mut Rng) {
        let step = &self.steps[index];
        let slopes = &mut self.slopes[step.delta..step.delta + step.units];
        for (unit, slope) in slopes.iter_mut().enumerate() {
            let (z, y) = (self.sums[step.value + unit], self.values[step.value + unit]);
            let z = if self.needs_sums { z } else { y };
            *slope = activation::slope_of(step.activation, step.steepness, z, y);
        }
        let keep = 1.0 / (1.0 - share);
        let values = &mut self.values[step.value..step.value + step.units];
        for (value, slope) in values.iter_mut().zip(slopes) {
            let factor = if rng.unit_f32() < share { 0.0 } else { keep };
            *value *= factor;
            *slope *= factor;
        }
    }

    /// Takes in the error of the row that was run, and changes the weights.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    pub fn learn<V: Kernels>(
        &mut self,
        criterion: &Criterion,
        input: &[f32],
        target: impl Fn(usize) -> f32,
        weight: f32,
        rate: f32,
        momentum: f32,
        dropping: bool,
        sums: &mut Sums,
    ) {
        if self.narrow && !dropping {
            return self.learn_narrow::<V>(criterion, input, target, weight, rate, sums);
        }
        self.output_delta::<V>(criterion, target, weight, sums);
        for index in (0..self.steps.len()).rev() {
            if index > 0 {
                self.pass_back::<V>(index);
            }
            self.change::<V>(index, input, rate, momentum);
            if index > 0 {
                self.apply_slope::<V>(index - 1, dropping);
            }
        }
    }

    #[inline(always)]
    fn output_delta<V: Kernels>(
        &mut self,
        criterion: &Criterion,
        target: impl Fn(usize) -> f32,
        weight: f32,
        sums: &mut Sums,
    ) {
        let Some(step) = self.steps.last() else { return };
        let (value, delta, units) = (step.value, step.delta, step.units);
        for unit in 0..units {
            self.deltas[delta + unit] =
                sums.single(criterion, self.values[value + unit], target(unit), weight);
        }
        if criterion.is_plain() {
            return;
        }
        if step.activation == Activation::Softmax {
            let (y, d) = (&self.values[value..value + units], &mut self.deltas[delta..delta + units]);
            let dot = d.iter().zip(y).fold(0.0, |sum, (error, value)| sum + error * value);
            let steepness = step.steepness;
            d.iter_mut().zip(y).for_each(|(error, value)| *error = steepness * (value * (*error - dot)));
            return;
        }
        self.apply_slope::<V>(self.steps.len() - 1, false);
    }

    /// Gives the layers below their share of a layer's delta.
    #[inline(always)]
    fn pass_back<V: Kernels>(&mut self, index: usize) {
        let step = &self.steps[index];
        // SAFETY: the steps' places lie inside the buffers, with room for a vector that reaches over.
        unsafe {
            let delta = self.deltas.as_mut_ptr();
            let to = if self.shortcut { self.scratch.as_mut_ptr() } else { delta.add(step.back_delta) };
            let back = self.back.as_ptr().add(step.back);
            if step.back_width == V::LANES {
                sum_of::<V>(back, delta.add(step.delta), step.units, false).store(to);
            } else {
                V::row_multiply(back, step.back_width, delta.add(step.delta), step.units, to, false);
            }
        }
        if self.shortcut {
            let first = index + 1 == self.steps.len();
            let to = &mut self.deltas[step.back_delta..step.back_delta + step.back_count];
            for (slot, value) in to.iter_mut().zip(self.scratch.iter()) {
                *slot = if first { *value } else { *slot + *value };
            }
        }
    }

    /// Changes a layer's weights, in both copies.
    #[inline(always)]
    fn change<V: Kernels>(&mut self, index: usize, input: &[f32], rate: f32, momentum: f32) {
        let step = &self.steps[index];
        let x = self.source(index, input);
        // SAFETY: the steps' places lie inside the buffers, with room for a vector that reaches over.
        unsafe {
            let (change, rate) = (self.scratch.as_mut_ptr(), V::splat(rate));
            let mut at = 0;
            while at < step.width {
                let (delta, inside) =
                    (self.deltas.as_ptr().add(step.delta + at), self.inside.as_ptr().add(step.inside + at));
                rate.mul(V::load(delta)).and(V::load(inside)).store(change.add(at));
                at += V::LANES;
            }
            if !self.forward_velocity.is_empty() || !self.forward_mask.is_empty() {
                return self.change_with::<V>(index, x, momentum);
            }
            let weights = self.forward.as_mut_ptr().add(step.offset);
            if step.width == V::LANES {
                take_off::<V>(weights, x, step.fan_in, V::load(change), true);
            } else {
                V::rank_one(weights, step.width, x, step.fan_in, change, true);
            }
            if index == 0 {
                return;
            }
            let (x, weights) = (x.add(step.back_from), self.back.as_mut_ptr().add(step.back));
            if step.back_width == V::LANES {
                take_off::<V>(weights, change, step.units, V::load(x), false);
            } else {
                V::rank_one(weights, step.back_width, change, step.units, x, false);
            }
        }
    }

    /// [`Stepper::change`] with momentum or missing connections.
    unsafe fn change_with<V: Kernels>(&mut self, index: usize, x: *const f32, momentum: f32) {
        let step = &self.steps[index];
        let change = self.scratch.as_ptr();
        // SAFETY: as for `change`.
        unsafe {
            let rule = |velocity: &mut Buffer, mask: &Buffer, at: usize| RankOne {
                momentum,
                velocity: if velocity.is_empty() {
                    core::ptr::null_mut()
                } else {
                    velocity.as_mut_ptr().add(at)
                },
                mask: if mask.is_empty() { core::ptr::null() } else { mask.as_ptr().add(at) },
            };
            let weights = self.forward.as_mut_ptr().add(step.offset);
            let forward = rule(&mut self.forward_velocity, &self.forward_mask, step.offset);
            V::rank_one_with(weights, step.width, x, step.fan_in, change, true, forward);
            if index > 0 {
                let (x, weights) = (x.add(step.back_from), self.back.as_mut_ptr().add(step.back));
                let back = rule(&mut self.back_velocity, &self.back_mask, step.back);
                V::rank_one_with(weights, step.back_width, change, step.units, x, false, back);
            }
        }
    }

    #[inline(always)]
    fn apply_slope<V: Kernels>(&mut self, index: usize, dropping: bool) {
        let step = &self.steps[index];
        let (at, from) = (step.value, step.delta);
        if dropping {
            let deltas = &mut self.deltas[from..from + step.units];
            deltas.iter_mut().zip(&self.slopes[from..]).for_each(|(delta, slope)| *delta *= slope);
            return;
        }
        // SAFETY: a layer's place, with room for a vector that reaches over into deltas that are done with.
        unsafe {
            let y = self.values.as_ptr().add(at);
            let z = if self.needs_sums { self.sums.as_ptr().add(at) } else { y };
            let delta = self.deltas.as_mut_ptr().add(from);
            if step.width == V::LANES {
                if let Some(slope) = activation::common_slope(step.activation, V::load(y)) {
                    V::load(delta).mul(slope.mul(V::splat(step.steepness))).store(delta);
                    return;
                }
            }
            V::slope_row(step.activation, step.steepness, z, y, delta, step.width);
        }
    }
}

/// A layer's values from its sums; `copy` has room for the sums of softmax.
#[inline(always)]
unsafe fn activate<V: Kernels>(step: &Step, z: *mut f32, y: *mut f32, copy: *mut f32) {
    // SAFETY: the caller's promise that the layer's vectors are inside.
    unsafe {
        if step.activation != Activation::Softmax {
            return V::activate_row(step.activation, step.steepness, z, y, step.width);
        }
        core::ptr::copy(z, copy, step.units);
        let sums = core::slice::from_raw_parts(copy, step.units);
        activation::softmax_row(step.steepness, sums, core::slice::from_raw_parts_mut(y, step.units));
    }
}
