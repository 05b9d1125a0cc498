//! Logarithms.
//!
//! x = 2^k (1 + f) with 1 + f from sqrt(1/2) to sqrt(2); ln(1 + f) = f - (f^2/2 - s (f^2/2 + s^2 R(s^2))) with
//! s = f / (2 + f), where 2 s + s^3 R(s^2) is the series of ln((1 + s) / (1 - s)).

use super::exp::exp_nonpositive;
use super::{or_nan, LN_2_HIGH, LN_2_LOW, NAN};
use crate::vector::Vector;

/// f^2/2 - s (f^2/2 + s^2 R): what ln(1 + f) lacks of f.
#[inline(always)]
fn lack<V: Vector>(f: V) -> V {
    let c = V::splat;
    let s = f.div(f.add(c(2.0)));
    let z = s.mul(s);
    let curve = c(0.298_717_35).mul(z).add(c(0.399_775_62)).mul(z).add(c(0.666_667_76)).mul(z);
    let half = f.mul(f).mul(c(0.5));
    half.sub(s.mul(half.add(curve)))
}

/// Natural logarithm: -infinity at 0 and -0, NaN below.
#[inline(always)]
pub fn log<V: Vector>(x: V) -> V {
    let c = V::splat;
    let tiny = x.lt(c(f32::MIN_POSITIVE));
    let up = c(f32::from_bits((127 + 23) << 23));
    let normal = tiny.select(x.mul(up), x);
    // the exponent, so counted that 1 + f starts at sqrt(1/2)
    let offset = V::splat_bits(0x3f35_04f3);
    let above = normal.sub_bits(offset);
    let exponent = above.and(V::splat_bits(0xff80_0000));
    let f = normal.sub_bits(exponent).sub(c(1.0));
    let k = exponent.int_to_float().mul(c(1.0 / 8_388_608.0));
    let k = k.sub(tiny.and(c(23.0)));
    let y = f.sub(lack(f).sub(k.mul(c(LN_2_LOW)))).add(k.mul(c(LN_2_HIGH)));
    let y = x.lt(c(f32::INFINITY)).select(y, x);
    let y = x.eq(c(0.0)).select(c(f32::NEG_INFINITY), y);
    let y = x.lt(c(0.0)).select(c(NAN), y);
    or_nan(x, y)
}

/// ln(1 + e^x), as max(x, 0) + ln(1 + e^-|x|).
#[inline(always)]
pub fn softplus<V: Vector>(x: V) -> V {
    let c = V::splat;
    let e = exp_nonpositive(x.or(V::splat_bits(0x8000_0000)));
    // 1 + e = 2 (1 + f) with f = (e - 1) / 2 where e is above sqrt(2) - 1
    let upper = c(0.414_213_57).lt(e);
    let f = upper.select(e.sub(c(1.0)).mul(c(0.5)), e);
    let small = f.sub(lack(f).sub(upper.and(c(LN_2_LOW))));
    let small = small.add(upper.and(c(LN_2_HIGH)));
    or_nan(x, small.add(x.max(c(0.0))))
}
