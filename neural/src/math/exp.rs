//! Powers of e, and what is made of them.
//!
//! x = n ln 2 + r with |r| <= ln(2)/2, and e^x = s + s t with s = 2^n exact and t = e^r - 1. Leaving the sum open lets
//! each function round it once, together with its own constants.

use super::{or_nan, LN_2_HIGH, LN_2_LOW, ROUND};
use crate::vector::Vector;
use core::f32::consts::{LN_2, LOG2_E};

/// e^r - 1 for |r| <= 0.347, to 2^-27.7 of 1 and, below 0, to 2^-26.1 of itself; with `MINUS`, e^-r - 1.
#[inline(always)]
fn power_less_one<V: Vector, const MINUS: bool>(r: V) -> V {
    let c = V::splat;
    let sign = if MINUS { -1.0 } else { 1.0 };
    let z = r.mul(r);
    let low = c(sign * 0.166_665_12).mul(r).add(c(0.499_999_9));
    let middle = c(sign * 8.369_667e-3).mul(r).add(c(4.166_855_7e-2));
    let high = c(1.382_463_1e-3).mul(z).add(middle);
    let curve = high.mul(z).add(low).mul(z);
    if MINUS {
        curve.sub(r)
    } else {
        curve.add(r)
    }
}

/// The bits whose lowest are n, and n: the nearest integer to `x * factor`.
#[inline(always)]
fn nearest<V: Vector>(x: V, factor: f32) -> (V, V) {
    let shifted = x.mul(V::splat(factor)).add(V::splat(ROUND));
    (shifted, shifted.sub(V::splat(ROUND)))
}

/// `scale * 2^n`, n from the bits of [`nearest`]; the product must be a normal number.
#[inline(always)]
fn scaled<V: Vector>(scale: V, shifted: V) -> V {
    scale.add_bits(shifted.shift_left::<23>())
}

/// Below it e^x is 0 ...
const LEAST: f32 = -104.0;
/// ... and above it, infinite.
const MOST: f32 = 88.73;
const UP: f32 = f32::from_bits((127 + 64) << 23);
const DOWN: f32 = f32::from_bits((127 - 64) << 23);

/// e^x: denormal below -87.34, 0 below -103.98, infinite above 88.72.
#[inline(always)]
pub fn exp<V: Vector>(x: V) -> V {
    let c = V::splat;
    let limited = x.min(c(MOST)).max(c(LEAST));
    let (shifted, n) = nearest(limited, LOG2_E);
    let r = limited.sub(n.mul(c(LN_2_HIGH))).sub(n.mul(c(LN_2_LOW)));
    let t = power_less_one::<V, false>(r);
    // a detour of 2^64 keeps s normal; the way back rounds once, into denormals or infinity
    let negative = x.lt(c(0.0));
    let s = scaled(negative.select(c(UP), c(DOWN)), shifted);
    let y = s.mul(t).add(s).mul(negative.select(c(DOWN), c(UP)));
    or_nan(x, y)
}

/// [`exp`] for x <= 0: the same bits in fewer steps. Above 0 it means nothing.
#[inline(always)]
pub fn exp_nonpositive<V: Vector>(x: V) -> V {
    let c = V::splat;
    let limited = x.max(c(LEAST));
    let (shifted, n) = nearest(limited, LOG2_E);
    let r = limited.sub(n.mul(c(LN_2_HIGH))).sub(n.mul(c(LN_2_LOW)));
    let t = power_less_one::<V, false>(r);
    let s = scaled(c(UP), shifted);
    or_nan(x, s.mul(t).add(s).mul(c(DOWN)))
}

/// e^(-x^2), the square taken exactly in two parts.
#[inline(always)]
pub fn gaussian<V: Vector>(x: V) -> V {
    let c = V::splat;
    // 10.2^2 > 104, and e^-104 is 0
    let a = x.abs().min(c(10.2));
    let square = a.mul(a);
    let (shifted, n) = nearest(square, -LOG2_E);
    let head = a.and(V::splat_bits(0xffff_f000));
    let rest = a.sub(head).mul(a.add(head));
    // -r, so that nothing has to change its sign
    let r = head.mul(head).add(n.mul(c(LN_2_HIGH))).add(n.mul(c(LN_2_LOW)).add(rest));
    let t = power_less_one::<V, true>(r);
    let s = scaled(c(UP), shifted);
    or_nan(x, s.mul(t).add(s).mul(c(DOWN)))
}

/// 1 / (1 + e^-x), as c / ((c + c s) + c s t): the only roundings that count are those of the sum and the quotient.
#[inline(always)]
pub fn logistic<V: Vector>(x: V) -> V {
    let c = V::splat;
    // c = 2^-32 keeps c s normal for all of -104..32, and lets the quotient become denormal
    let unit = c(f32::from_bits((127 - 32) << 23));
    let limited = x.min(c(32.0)).max(c(LEAST));
    let (shifted, n) = nearest(limited, -LOG2_E);
    let r = limited.add(n.mul(c(LN_2_HIGH))).add(n.mul(c(LN_2_LOW)));
    let t = power_less_one::<V, true>(r);
    let s = scaled(unit, shifted);
    // beyond 2^23 the sum c + c s drops c, which then goes with the smaller part
    let dropped = c(f32::from_bits((127 - 32 + 23) << 23)).lt(s).and(unit);
    let y = unit.div(unit.add(s).add(s.mul(t).add(dropped)));
    or_nan(x, y)
}

/// Hyperbolic tangent.
///
/// With e = e^(-2|x|) = s + s t it is A - ((1 + A) e - (1 - A)) / (1 + e) for any A. A = min(1, -5/16 n) keeps the
/// quotient small beside the result, and everything but t, the sums with it and the quotient is exact.
#[inline(always)]
pub fn tanh<V: Vector>(x: V) -> V {
    let c = V::splat;
    let one = c(1.0);
    let half = x.or(V::splat_bits(0x8000_0000));
    let twice = half.add(half).max(c(-20.0));
    let (shifted, n) = nearest(twice, LOG2_E);
    // ln 2 as f32 ends in three zeros, so that its products with n up to 7 are exact; beyond, e hardly counts
    let r = twice.sub(n.mul(c(LN_2)));
    let t = power_less_one::<V, false>(r);
    let s = scaled(one, shifted);
    let base = n.mul(c(-0.3125)).min(one);
    let share = base.add(one).mul(s);
    let above = share.sub(one.sub(base)).add(share.mul(t));
    let below = one.add(s).add(s.mul(t));
    or_nan(x, base.sub(above.div(below)).copysign(x))
}
