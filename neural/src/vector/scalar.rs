//! One lane: the meaning of every operation, and what runs where there are no vectors.

use super::Vector;

/// A single number.
#[derive(Clone, Copy, Debug)]
pub struct Scalar(pub f32);

impl Scalar {
    #[inline(always)]
    fn mask(is: bool) -> Self {
        Scalar(f32::from_bits(if is { 0xffff_ffff } else { 0 }))
    }
    #[inline(always)]
    fn bits(self, other: Self, f: impl Fn(u32, u32) -> u32) -> Self {
        Scalar(f32::from_bits(f(self.0.to_bits(), other.0.to_bits())))
    }
}

impl Vector for Scalar {
    const LANES: usize = 1;
    const TILE: usize = 4;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Scalar(x)
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for the place.
        Scalar(unsafe { from.read() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for the place.
        unsafe { to.write(self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Scalar(self.0 + other.0)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Scalar(self.0 - other.0)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Scalar(self.0 * other.0)
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Scalar(self.0 / other.0)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Scalar(super::super::root::sqrt(self.0))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self.0 < other.0 {
            self
        } else {
            other
        }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self.0 > other.0 {
            self
        } else {
            other
        }
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self {
        Self::mask(self.0 < other.0)
    }
    #[inline(always)]
    fn eq(self, other: Self) -> Self {
        Self::mask(self.0 == other.0)
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        if self.0.to_bits() != 0 {
            yes
        } else {
            no
        }
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.bits(other, |a, b| a & b)
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        self.bits(other, |a, b| !a & b)
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self.bits(other, |a, b| a | b)
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.bits(other, |a, b| a ^ b)
    }
    #[inline(always)]
    fn add_bits(self, other: Self) -> Self {
        self.bits(other, u32::wrapping_add)
    }
    #[inline(always)]
    fn sub_bits(self, other: Self) -> Self {
        self.bits(other, u32::wrapping_sub)
    }
    #[inline(always)]
    fn shift_left<const N: i32>(self) -> Self {
        Scalar(f32::from_bits(self.0.to_bits() << N))
    }
    #[inline(always)]
    fn shift_right<const N: i32>(self) -> Self {
        Scalar(f32::from_bits(self.0.to_bits() >> N))
    }
    #[inline(always)]
    fn int_to_float(self) -> Self {
        Scalar(self.0.to_bits() as i32 as f32)
    }
}
