//! The functions that libm would give, as fixed sequences of f32 operations: the same bits on every target.
//!
//! Each is written once over [`Vector`]: additions, multiplications, one division where it pays, selects in place of
//! branches, no table. The polynomials are minimax fits made for these forms (Remez's exchange, coefficients rounded
//! to f32 one after the other, the later ones fitted again). NaN gives the one NaN 0x7fc00000. The errors on all 2^32
//! inputs are in docs/neural.md; `cargo run --release -p ruv-swarm-neural --example ulps` measures them again.

mod apply;
mod exp;
mod log;
#[cfg(test)]
mod measure;
#[cfg(test)]
pub(crate) mod sweep;
#[cfg(test)]
mod tests;
mod trig;

pub use apply::{apply, Function};
pub use exp::{exp, exp_nonpositive, gaussian, logistic, tanh};
pub use log::{log, softplus};
pub use trig::{cosine, sine};

use crate::vector::{Scalar, Vector};

/// Adding and subtracting it rounds to the nearest integer (ties to even) for |x| < 2^22; the low bits of the sum
/// are that integer.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts; 355/512, so that its products with integers below 2^15 are exact ...
const LN_2_HIGH: f32 = 0.693_359_4;
/// ... and the rest.
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// The one NaN of this engine.
pub const NAN: f32 = f32::from_bits(0x7fc0_0000);

/// `y`, or the one NaN where `x` is NaN.
#[inline(always)]
pub(crate) fn or_nan<V: Vector>(x: V, y: V) -> V {
    x.eq(x).select(y, V::splat(NAN))
}

/// [`exp`] of one number.
pub fn exp_of(x: f32) -> f32 {
    exp(Scalar(x)).0
}

/// [`log`] of one number.
pub fn ln(x: f32) -> f32 {
    log(Scalar(x)).0
}
