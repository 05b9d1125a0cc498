//! The functions that libm would give, as fixed sequences of f32 operations: the same bits on every target.
//!
//! `exp`, `tanh` and `sin` follow the Cephes polynomials (Moshier, "Methods and Programs for Mathematical
//! Functions", 1989); arguments are reduced by rounding with the constant 1.5 * 2^23. All branches are selects,
//! so that a loop over a slice vectorises; `sqrt` is correctly rounded.

/// Adding and subtracting it rounds to the nearest integer (ties to even) for |x| < 2^22.
const ROUND: f32 = 12_582_912.0;

/// `a` if `a < b`, else `b`: a select, so that NaN and -0 behave alike everywhere.
#[inline(always)]
pub(crate) fn min(a: f32, b: f32) -> f32 {
    if a < b {
        a
    } else {
        b
    }
}

/// `a` if `a > b`, else `b`.
#[inline(always)]
pub(crate) fn max(a: f32, b: f32) -> f32 {
    if a > b {
        a
    } else {
        b
    }
}

#[inline(always)]
pub(crate) fn abs(x: f32) -> f32 {
    f32::from_bits(x.to_bits() & 0x7fff_ffff)
}

/// `x` with the sign of `sign`.
#[inline(always)]
pub(crate) fn copysign(x: f32, sign: f32) -> f32 {
    f32::from_bits((x.to_bits() & 0x7fff_ffff) | (sign.to_bits() & 0x8000_0000))
}

/// e^x; 0 below -87.33 (no denormals), the largest finite power above 88.37; NaN stays NaN.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let clamped = if x > 88.37 { 88.37 } else { x };
    let clamped = if clamped < -87.33 { -87.33 } else { clamped };
    let shifted = clamped * core::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = clamped - n * 0.693_359_4;
    let r = r - n * -2.121_944_4e-4;
    let z = r * r;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let p = p * z + r + 1.0;
    // the low bits of `shifted` are n as an integer; adding them to the exponent scales by 2^n
    let bits = p.to_bits().wrapping_add(shifted.to_bits() << 23);
    let y = f32::from_bits(bits);
    let y = if x < -87.33 { 0.0 } else { y };
    if x.is_nan() {
        f32::NAN
    } else {
        y
    }
}

/// 1 / (1 + e^-x), through the power of -|x| so that neither end loses digits.
#[inline(always)]
pub(crate) fn logistic(x: f32) -> f32 {
    let e = exp(-abs(x));
    let top = if x < 0.0 { e } else { 1.0 };
    top / (1.0 + e)
}

/// Hyperbolic tangent: a polynomial near 0, else through `exp`.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let z = x * x;
    let mut p = -5.704_988_7e-3;
    p = p * z + 2.063_909e-2;
    p = p * z + -5.373_971_6e-2;
    p = p * z + 1.333_144_2e-1;
    p = p * z + -3.333_328e-1;
    let small = p * z * x + x;
    let a = abs(x);
    let a = if a > 20.0 { 20.0 } else { a };
    let large = copysign(1.0 - 2.0 / (exp(a + a) + 1.0), x);
    if x.is_nan() {
        f32::NAN
    } else if abs(x) < 0.625 {
        small
    } else {
        large
    }
}

/// The quarter turns to take off `x`, and the rest in [-pi/4, pi/4]. Exact enough for |x| < 8192.
#[inline(always)]
fn quarter_turns(x: f32) -> (u32, f32) {
    let limited = min(max(x, -8192.0), 8192.0);
    let shifted = limited * core::f32::consts::FRAC_2_PI + ROUND;
    let n = shifted - ROUND;
    let r = limited - n * 1.570_312_5;
    let r = r - n * 4.837_513e-4;
    let r = r - n * 7.549_79e-8;
    (shifted.to_bits(), r)
}

#[inline(always)]
fn sine_of_turns(turns: u32, r: f32) -> f32 {
    let z = r * r;
    let mut s = -1.951_529_6e-4;
    s = s * z + 8.332_161e-3;
    s = s * z + -1.666_665_5e-1;
    let s = s * z * r + r;
    let mut c = 2.443_315_7e-5;
    c = c * z + -1.388_731_6e-3;
    c = c * z + 4.166_664_6e-2;
    let c = c * z * z - 0.5 * z + 1.0;
    let chosen = if turns & 1 == 0 { s } else { c };
    f32::from_bits(chosen.to_bits() ^ ((turns & 2) << 30))
}

/// Sine; arguments beyond +-8192 count as +-8192.
#[inline(always)]
pub(crate) fn sin(x: f32) -> f32 {
    let (turns, r) = quarter_turns(x);
    sine_of_turns(turns, r)
}

/// Cosine, with the limits of [`sin`].
#[inline(always)]
pub(crate) fn cos(x: f32) -> f32 {
    let (turns, r) = quarter_turns(x);
    sine_of_turns(turns.wrapping_add(1), r)
}

/// Correctly rounded square root; 0 for 0 and below.
#[inline(always)]
pub(crate) fn sqrt(x: f32) -> f32 {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_mm_cvtss_f32, _mm_set_ss, _mm_sqrt_ss};
        if x > 0.0 {
            // SAFETY: SSE is part of the x86-64 baseline; the instruction is correctly rounded.
            return unsafe { _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))) };
        }
        0.0
    }
    #[cfg(not(target_arch = "x86_64"))]
    soft_sqrt(x)
}

/// [`sqrt`] without the instruction: the f64 root rounded, then corrected by an exact comparison.
#[cfg_attr(target_arch = "x86_64", allow(dead_code))] // the tests compare it with the instruction
pub(crate) fn soft_sqrt(x: f32) -> f32 {
    if x <= 0.0 || x.is_nan() {
        return 0.0;
    }
    if x.is_infinite() {
        return x;
    }
    let wide = f64::from(x);
    let root = sqrt_f64(wide) as f32;
    // 25-bit midpoints square exactly in f64, so both comparisons are exact
    let next = f32::from_bits(root.to_bits() + 1);
    let before = f32::from_bits(root.to_bits().saturating_sub(1));
    let upper = (f64::from(root) + f64::from(next)) * 0.5;
    let lower = (f64::from(root) + f64::from(before)) * 0.5;
    if upper * upper < wide {
        next
    } else if lower * lower > wide {
        before
    } else {
        root
    }
}

/// Square root within two units in the last place, by Newton's iteration; 0 for 0 and below.
pub(crate) fn sqrt_f64(x: f64) -> f64 {
    if x <= 0.0 || x.is_nan() {
        return 0.0;
    }
    if x.is_infinite() {
        return x;
    }
    let mut y = f64::from_bits((x.to_bits() >> 1) + 0x1ff8_0000_0000_0000);
    for _ in 0..5 {
        y = 0.5 * (y + x / y);
    }
    y
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    /// Distance in units in the last place of the f32 nearest to `want`.
    fn ulps(got: f32, want: f64) -> f64 {
        let near = want as f32;
        let unit = f64::from(f32::from_bits(abs(near).to_bits() + 1)) - f64::from(abs(near));
        (f64::from(got) - want).abs() / unit
    }

    fn worst(range: (f32, f32), f: impl Fn(f32) -> f32, reference: impl Fn(f64) -> f64) -> (f64, f32) {
        let mut worst = (0.0, 0.0);
        for step in 0..=400_000 {
            let x = range.0 + (range.1 - range.0) * (step as f32 / 400_000.0);
            let distance = ulps(f(x), reference(f64::from(x)));
            if distance > worst.0 {
                worst = (distance, x);
            }
        }
        worst
    }

    #[test]
    fn functions_are_within_their_bounds_of_f64() {
        let bound = |name: &str, most: f64, found: (f64, f32)| {
            assert!(found.0 <= most, "{name}: {} ulp at {}", found.0, found.1);
        };
        bound("exp", 1.0, worst((-87.0, 88.3), exp, f64::exp));
        bound("tanh", 2.0, worst((-12.0, 12.0), tanh, f64::tanh));
        bound("logistic", 2.5, worst((-80.0, 80.0), logistic, |x| 1.0 / (1.0 + (-x).exp())));
    }

    #[test]
    fn sine_and_cosine_are_close_in_absolute_terms() {
        for step in -200_000..200_000 {
            let x = step as f32 * 5e-4;
            assert!((f64::from(sin(x)) - f64::from(x).sin()).abs() < 1.5e-7, "sin {x}");
            assert!((f64::from(cos(x)) - f64::from(x).cos()).abs() < 1.5e-7, "cos {x}");
        }
    }

    #[test]
    fn edges_are_defined() {
        assert_eq!(exp(-1000.0), 0.0);
        assert!(exp(1000.0).is_finite());
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan() && logistic(f32::NAN).is_nan());
        assert_eq!((exp(0.0), tanh(0.0), logistic(0.0), sin(0.0)), (1.0, 0.0, 0.5, 0.0));
        assert_eq!((tanh(50.0), tanh(-50.0)), (1.0, -1.0));
        assert_eq!((logistic(-200.0), logistic(200.0)), (0.0, 1.0));
    }

    #[test]
    fn square_roots_are_correctly_rounded() {
        let mut rng = crate::rng::Rng::from_seed(1);
        for _ in 0..300_000 {
            let x = f32::from_bits(rng.next_u64() as u32 & 0x7f7f_ffff);
            assert_eq!(soft_sqrt(x).to_bits(), x.sqrt().to_bits(), "{x}");
            assert_eq!(sqrt(x).to_bits(), x.sqrt().to_bits(), "{x}");
        }
        for x in [0.0, 1.0, 2.0, f32::MAX, f32::MIN_POSITIVE] {
            assert_eq!(soft_sqrt(x), x.sqrt());
        }
    }
}
