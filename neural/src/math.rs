//! The functions that libm would give, as fixed sequences of f32 operations: the same bits on every target.

use crate::vector::Vector;

/// Adding and subtracting it rounds to the nearest integer (ties to even) for |x| < 2^22.
const ROUND: f32 = 12_582_912.0;

/// e^x.
#[inline(always)]
pub(crate) fn exp<V: Vector>(x: V) -> V {
    let c = V::splat;
    let clamped = x.min(c(88.37)).max(c(-87.33));
    let shifted = clamped.mul(c(core::f32::consts::LOG2_E)).add(c(ROUND));
    let n = shifted.sub(c(ROUND));
    let r = clamped.sub(n.mul(c(0.693_359_4))).sub(n.mul(c(-2.121_944_4e-4)));
    let z = r.mul(r);
    let mut p = c(1.987_569_1e-4);
    for k in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p.mul(r).add(c(k));
    }
    let p = p.mul(z).add(r).add(c(1.0));
    p.add_bits(shifted.shift_left::<23>())
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub(crate) fn logistic<V: Vector>(x: V) -> V {
    let e = exp(x.abs().neg());
    let top = x.lt(V::splat(0.0)).select(e, V::splat(1.0));
    top.div(V::splat(1.0).add(e))
}

/// Hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh<V: Vector>(x: V) -> V {
    let c = V::splat;
    let z = x.mul(x);
    let mut p = c(-5.704_988_7e-3);
    for k in [2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        p = p.mul(z).add(c(k));
    }
    let small = p.mul(z).mul(x).add(x);
    let a = x.abs().min(c(20.0));
    let large = c(1.0).sub(c(2.0).div(exp(a.add(a)).add(c(1.0)))).copysign(x);
    x.abs().lt(c(0.625)).select(small, large)
}

/// e^x of one number.
pub fn exp_of(x: f32) -> f32 {
    exp(crate::vector::Scalar(x)).0
}

/// Natural logarithm of one number.
pub fn ln(x: f32) -> f32 {
    // a stand-in with enough digits until the polynomial is here: Newton's iteration on exp
    let mut y = ((x.to_bits() as f32) / 8_388_608.0 - 126.942_7) * core::f32::consts::LN_2;
    for _ in 0..4 {
        y += 2.0 * (x - exp_of(y)) / (x + exp_of(y));
    }
    y
}
