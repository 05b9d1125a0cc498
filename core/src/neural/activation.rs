//! Activation functions over panels, and their derivatives from what the forward pass kept.

use super::kernel::{by_level, Level, BLOCK};
use super::math;
use crate::error::Error;

/// The function of a layer's units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// y = x.
    Linear,
    /// y = 1 / (1 + e^-x).
    Logistic,
    /// y = tanh x.
    Tanh,
    /// y = x / (1 + |x|) (Elliott 1993).
    Elliott,
    /// y = max(0, x).
    Relu,
    /// y = e^(-x^2).
    Gaussian,
    /// y = sin x.
    Sine,
    /// Output layers only: e^x over the sum of all outputs' e^x.
    Softmax,
}

/// Names in the order of the codes of the model file.
const NAMES: &[(&str, Activation)] = &[
    ("linear", Activation::Linear),
    ("logistic", Activation::Logistic),
    ("tanh", Activation::Tanh),
    ("elliott", Activation::Elliott),
    ("relu", Activation::Relu),
    ("gaussian", Activation::Gaussian),
    ("sine", Activation::Sine),
    ("softmax", Activation::Softmax),
];

impl Activation {
    /// The activation that `word` names; `field` is for the message.
    pub fn parse(field: &str, word: &str) -> Result<Activation, Error> {
        NAMES.iter().find(|(name, _)| *name == word).map(|(_, known)| *known).ok_or_else(|| {
            let mut allowed = [""; 8];
            allowed.iter_mut().zip(NAMES).for_each(|(slot, (name, _))| *slot = name);
            Error::not_one_of(field, word, &allowed)
        })
    }

    /// The code in the model file.
    pub(crate) fn code(self) -> u8 {
        NAMES.iter().position(|(_, known)| *known == self).unwrap_or(0) as u8
    }

    /// The activation of a code.
    pub(crate) fn from_code(code: u8) -> Option<Activation> {
        NAMES.get(usize::from(code)).map(|(_, known)| *known)
    }

    /// Standard deviation of initial weights is this over the root of the number of inputs.
    pub(crate) fn gain(self) -> f32 {
        match self {
            Activation::Relu => core::f32::consts::SQRT_2,
            Activation::Logistic => 2.0,
            _ => 1.0,
        }
    }
}

/// Applies the activation `name` to each value, with the bits that training has: for comparing targets.
///
/// `softmax` is refused, since it has no meaning for single values.
pub fn activate(name: &str, values: &mut [f32]) -> Result<(), Error> {
    let activation = Activation::parse("activation", name)?;
    if activation == Activation::Softmax {
        return Err(Error::invalid("activation", "activation: softmax needs all outputs of a row"));
    }
    let _settings = super::float_state::FloatState::hold();
    let sums = values.to_vec();
    forward(Level::detect(), activation, &sums, values);
    Ok(())
}

macro_rules! map {
    ($z:ident, $y:ident, |$x:ident| $f:expr) => {
        for (slot, value) in $y.iter_mut().zip($z) {
            let $x = *value;
            *slot = $f;
        }
    };
}

/// d *= f', where `f` is from the sum `z` and the value `y`.
macro_rules! scale {
    ($z:ident, $y:ident, $d:ident, |$zv:ident, $yv:ident| $f:expr) => {
        for ((slot, z), y) in $d.iter_mut().zip($z).zip($y) {
            let ($zv, $yv) = (*z, *y);
            *slot *= $f;
        }
    };
}

#[inline(always)]
fn forward_body(activation: Activation, z: &[f32], y: &mut [f32]) {
    match activation {
        Activation::Linear => y.copy_from_slice(z),
        Activation::Logistic => map!(z, y, |x| math::logistic(x)),
        Activation::Tanh => map!(z, y, |x| math::tanh(x)),
        Activation::Elliott => map!(z, y, |x| x / (1.0 + math::abs(x))),
        Activation::Relu => map!(z, y, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::Gaussian => map!(z, y, |x| math::exp(-(x * x))),
        Activation::Sine => map!(z, y, |x| math::sin(x)),
        Activation::Softmax => softmax(z, y),
    }
}

/// Softmax of each row of a panel, with the row's largest sum taken off first.
#[inline(always)]
fn softmax(z: &[f32], y: &mut [f32]) {
    let mut top = [f32::NEG_INFINITY; BLOCK];
    for values in z.chunks_exact(BLOCK) {
        for (slot, value) in top.iter_mut().zip(values) {
            *slot = math::max(*value, *slot);
        }
    }
    let mut sum = [0.0f32; BLOCK];
    for (values, results) in z.chunks_exact(BLOCK).zip(y.chunks_exact_mut(BLOCK)) {
        for (((slot, value), top), sum) in results.iter_mut().zip(values).zip(&top).zip(&mut sum) {
            *slot = math::exp(*value - *top);
            *sum += *slot;
        }
    }
    for results in y.chunks_exact_mut(BLOCK) {
        for (slot, sum) in results.iter_mut().zip(&sum) {
            *slot /= *sum;
        }
    }
}

#[inline(always)]
fn backward_body(activation: Activation, z: &[f32], y: &[f32], d: &mut [f32]) {
    match activation {
        Activation::Linear | Activation::Softmax => {}
        Activation::Logistic => scale!(z, y, d, |_z, y| y * (1.0 - y)),
        Activation::Tanh => scale!(z, y, d, |_z, y| 1.0 - y * y),
        Activation::Elliott => scale!(z, y, d, |_z, y| {
            let slope = 1.0 - math::abs(y);
            slope * slope
        }),
        Activation::Relu => scale!(z, y, d, |z, _y| if z > 0.0 { 1.0 } else { 0.0 }),
        Activation::Gaussian => scale!(z, y, d, |z, y| -2.0 * z * y),
        Activation::Sine => scale!(z, y, d, |z, _y| math::cos(z)),
    }
}

by_level! {
    /// y = f(z) over whole panels.
    pub(crate) fn forward(activation: Activation, z: &[f32], y: &mut [f32]) = forward_body, forward_body
}
by_level! {
    /// d *= f'(z) over whole panels; softmax is left to the loss, which knows all outputs.
    pub(crate) fn backward(activation: Activation, z: &[f32], y: &[f32], d: &mut [f32]) = backward_body, backward_body
}
