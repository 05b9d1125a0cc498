//! Sine and cosine.
//!
//! x = n pi/2 + r with |r| <= pi/4. pi/2 is taken off in six parts, five of 8 bits (their products with n < 2^16 are
//! exact) and one of 24, in all to 2^-73: where a part cancels what is left, the difference is exact, so r keeps its
//! digits next to every zero of either function.

use super::{or_nan, ROUND};
use crate::vector::Vector;
use core::f32::consts::FRAC_2_PI;

/// Arguments beyond count as this.
const MOST: f32 = 65_536.0;

const PARTS: [u32; 6] = [0x3fc9_0000, 0x39fd_0000, 0x35aa_0000, 0x3088_0000, 0x2c34_0000, 0x27c2_34c5];

/// The sine of `x` and `quarter` more quarter turns.
#[inline(always)]
fn turned<V: Vector>(x: V, quarter: u32) -> V {
    let c = V::splat;
    let limited = x.min(c(MOST)).max(c(-MOST));
    let shifted = limited.mul(c(FRAC_2_PI)).add(c(ROUND));
    let n = shifted.sub(c(ROUND));
    let [first, second, third, fourth, fifth, sixth] = PARTS;
    let mut r = limited.sub(n.mul(V::splat_bits(first))).sub(n.mul(V::splat_bits(second)));
    let mut next = n.mul(V::splat_bits(third));
    for part in [fourth, fifth] {
        // what the difference rounds away goes with the next part; next to a zero that is nothing
        let rest = r.sub(next);
        next = n.mul(V::splat_bits(part)).sub(r.sub(rest).sub(next));
        r = rest;
    }
    let r = r.sub(next).sub(n.mul(V::splat_bits(sixth)));
    let turns = shifted.add_bits(V::splat_bits(quarter));
    let z = r.mul(r);
    let s = c(-1.951_809_2e-4).mul(z).add(c(8.332_188e-3)).mul(z).add(c(-1.666_665_5e-1));
    let s = s.mul(z.mul(r)).add(r);
    let k = c(2.443_067e-5).mul(z).add(c(-1.388_730_1e-3)).mul(z).add(c(4.166_664_6e-2));
    let k = k.mul(z).sub(c(0.5)).mul(z).add(c(1.0));
    let odd = turns.shift_left::<31>().shift_right::<31>();
    let even = odd.sub_bits(V::splat_bits(1));
    let sign = turns.shift_right::<1>().shift_left::<31>();
    or_nan(x, even.select(s, k).xor(sign))
}

/// Sine; arguments beyond +-65536 count as +-65536.
#[inline(always)]
pub fn sine<V: Vector>(x: V) -> V {
    turned(x, 0)
}

/// Cosine, with the limits of [`sine`].
#[inline(always)]
pub fn cosine<V: Vector>(x: V) -> V {
    turned(x, 1)
}
