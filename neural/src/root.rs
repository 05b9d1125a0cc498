//! The correctly rounded square root, which `core` does not have.

/// Correctly rounded square root; 0 for 0 and below.
#[inline(always)]
pub fn sqrt(x: f32) -> f32 {
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
#[cfg(any(test, not(target_arch = "x86_64")))]
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
pub fn sqrt_f64(x: f64) -> f64 {
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
