//! Networks whose layers are one vector each: nothing but the sums and the functions, without a call.
#![allow(clippy::indexing_slicing)] // buffers are made for the layout

use super::{Step, Stepper};
use crate::activation::{self, Activation};
use crate::kernel::{sum_of, take_off, Kernels};
use crate::loss::{Criterion, Loss, Sums};

impl Step {
    pub(super) fn is_narrow(&self, lanes: usize, training: bool) -> bool {
        self.width == lanes
            && (!training || self.back_width <= lanes)
            && matches!(self.activation, Activation::Logistic | Activation::Tanh)
    }
}

impl Stepper {
    /// [`Stepper::forward`] of narrow layers: nothing but the sums and the functions.
    #[inline(always)]
    pub(super) fn forward_narrow<V: Kernels>(&mut self, input: &[f32]) {
        let (values, weights) = (self.values.as_mut_ptr(), self.forward.as_ptr());
        let mut x = input.as_ptr();
        for step in &self.steps {
            // SAFETY: the steps' places lie inside the buffers; each layer is one vector.
            unsafe {
                let sum = sum_of::<V>(weights.add(step.offset), x, step.fan_in, true);
                let y = values.add(step.value);
                narrow_value(step.activation, sum.mul(V::splat(step.steepness))).store(y);
                x = y;
            }
        }
    }

    /// [`Stepper::learn`] of narrow layers.
    #[inline(always)]
    pub(super) fn learn_narrow<V: Kernels>(
        &mut self,
        criterion: &Criterion,
        input: &[f32],
        target: impl Fn(usize) -> f32,
        weight: f32,
        rate: f32,
        sums: &mut Sums,
    ) {
        let last = self.steps.len() - 1;
        let step = &self.steps[last];
        let (values, deltas) = (self.values.as_ptr(), self.deltas.as_mut_ptr());
        let (scratch, rate) = (self.scratch.as_mut_ptr(), V::splat(rate));
        let plain = criterion.loss == Loss::Squared && step.units == 1;
        if !plain {
            for unit in 0..step.units {
                let y = self.values[step.value + unit];
                self.deltas[step.delta + unit] = sums.single(criterion, y, target(unit), weight);
            }
        }
        // SAFETY: the steps' places lie inside the buffers; each layer is one vector.
        unsafe {
            let y = V::load(values.add(step.value));
            // one number just written and a vector read over it would wait for the store
            let mut delta = if plain {
                sums.single(criterion, self.values[step.value], target(0), weight);
                y.sub(V::splat(target(0))).mul(V::splat(weight))
            } else {
                V::load(deltas.add(step.delta))
            };
            if !criterion.is_plain() {
                delta = delta.mul(narrow_slope(step.activation, y).mul(V::splat(step.steepness)));
            }
            for index in (0..=last).rev() {
                let step = &self.steps[index];
                let change = rate.mul(delta).and(V::load(self.inside.as_ptr().add(step.inside)));
                let weights = self.forward.as_mut_ptr().add(step.offset);
                if index == 0 {
                    take_off::<V>(weights, input.as_ptr(), step.fan_in, change, true);
                    return;
                }
                let below = &self.steps[index - 1];
                let (x, back) = (values.add(below.value), self.back.as_mut_ptr().add(step.back));
                let place = deltas.add(step.delta);
                delta.store(place);
                change.store(scratch);
                let y = V::load(x);
                let sum = sum_of::<V>(back, place, step.units, false);
                delta = sum.mul(narrow_slope(below.activation, y).mul(V::splat(below.steepness)));
                take_off::<V>(weights, x, step.fan_in, change, true);
                take_off::<V>(back, scratch, step.units, y, false);
            }
        }
    }
}

/// The value of a narrow layer.
#[inline(always)]
fn narrow_value<V: Kernels>(activation: Activation, x: V) -> V {
    activation::common_value(activation, x).unwrap_or(x)
}

/// The slope of a narrow layer.
#[inline(always)]
fn narrow_slope<V: Kernels>(activation: Activation, y: V) -> V {
    activation::common_slope(activation, y).unwrap_or(y)
}
