//! Activation functions.

use crate::math;
use crate::vector::Vector;

/// The function of a layer's units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// y = x.
    Linear,
    /// y = 1 / (1 + e^-x).
    Logistic,
    /// y = tanh x.
    Tanh,
    /// Output layers only: e^x over the sum of all outputs' e^x.
    Softmax,
}

impl Activation {
    /// Whether the slope needs the sum beside the value.
    pub fn needs_sum(self) -> bool {
        false
    }

    /// Standard deviation of initial weights is this over the root of the number of inputs.
    pub fn gain(self) -> f32 {
        1.0
    }

    /// The values it can take.
    pub fn range(self) -> (f32, f32) {
        (0.0, 1.0)
    }
}

/// y = f(steepness * z) over whole vectors; `z` and `y` hold `count` numbers, a multiple of the lanes, and may be
/// the same place.
///
/// # Safety
/// `count` numbers must be readable at `z` and writable at `y`.
#[inline(always)]
pub(crate) unsafe fn forward<V: Vector>(
    activation: Activation,
    steepness: f32,
    z: *const f32,
    y: *mut f32,
    count: usize,
) {
    let s = V::splat(steepness);
    let mut at = 0;
    while at < count {
        // SAFETY: `at` stays below `count`, a multiple of the lanes.
        unsafe {
            let x = V::load(z.add(at)).mul(s);
            let value = match activation {
                Activation::Logistic => math::logistic(x),
                Activation::Tanh => math::tanh(x),
                _ => x,
            };
            value.store(y.add(at));
        }
        at += V::LANES;
    }
}

/// delta *= steepness * f'(x), from the sums and the values.
///
/// # Safety
/// `count` numbers, a multiple of the lanes, must be readable at `z` and `y` and writable at `delta`.
#[inline(always)]
pub(crate) unsafe fn backward<V: Vector>(
    activation: Activation,
    steepness: f32,
    _z: *const f32,
    y: *const f32,
    delta: *mut f32,
    count: usize,
) {
    let s = V::splat(steepness);
    let one = V::splat(1.0);
    let mut at = 0;
    while at < count {
        // SAFETY: `at` stays below `count`, a multiple of the lanes.
        unsafe {
            let v = V::load(y.add(at));
            let slope = match activation {
                Activation::Logistic => v.mul(one.sub(v)),
                Activation::Tanh => one.sub(v.mul(v)),
                _ => one,
            };
            V::load(delta.add(at)).mul(slope.mul(s)).store(delta.add(at));
        }
        at += V::LANES;
    }
}

/// The slope at one sum and value: steepness * f'(steepness * z).
pub(crate) fn slope_of(activation: Activation, steepness: f32, z: f32, y: f32) -> f32 {
    let mut delta = 1.0;
    // SAFETY: one number each, for vectors of one lane.
    unsafe { backward::<crate::vector::Scalar>(activation, steepness, &z, &y, &mut delta, 1) };
    delta
}

/// Softmax of each row of a panel; `z` and `y` may be the same place.
///
/// # Safety
/// `units` panels of 64 numbers must be readable at `z` and writable at `y`; `lanes` is a multiple of the vector's.
#[inline(always)]
pub(crate) unsafe fn softmax_panel<V: Vector>(
    steepness: f32,
    z: *const f32,
    y: *mut f32,
    units: usize,
    lanes: usize,
) {
    let steep = V::splat(steepness);
    let mut at = 0;
    while at < lanes {
        // SAFETY: the caller's promise.
        unsafe {
            let mut top = V::load(z.add(at)).mul(steep);
            for unit in 1..units {
                top = V::load(z.add(unit * 64 + at)).mul(steep).max(top);
            }
            let mut sum = V::splat(0.0);
            for unit in 0..units {
                let value = math::exp(V::load(z.add(unit * 64 + at)).mul(steep).sub(top));
                sum = sum.add(value);
                value.store(y.add(unit * 64 + at));
            }
            for unit in 0..units {
                let place = y.add(unit * 64 + at);
                V::load(place).div(sum).store(place);
            }
        }
        at += V::LANES;
    }
}

/// Softmax of one row.
pub(crate) fn softmax_row(steepness: f32, z: &[f32], y: &mut [f32]) {
    let scaled = |z: &f32| z * steepness;
    let top =
        z.iter().map(scaled).fold(f32::NEG_INFINITY, |top, value| if value > top { value } else { top });
    let mut sum = 0.0f32;
    for (slot, value) in y.iter_mut().zip(z) {
        *slot = math::exp_of(scaled(value) - top);
        sum += *slot;
    }
    y.iter_mut().for_each(|slot| *slot /= sum);
}
