//! AArch64: NEON, which every processor has. Multiply and add stay apart; minimum and maximum are selects.

use super::Vector;
use core::arch::aarch64::*;

/// Four lanes.
///
/// SAFETY of every method: NEON is part of AArch64.
#[derive(Clone, Copy)]
pub struct V128(float32x4_t);

#[inline(always)]
fn bits(x: V128) -> uint32x4_t {
    // SAFETY: see above.
    unsafe { vreinterpretq_u32_f32(x.0) }
}

#[inline(always)]
fn floats(x: uint32x4_t) -> V128 {
    // SAFETY: see above.
    V128(unsafe { vreinterpretq_f32_u32(x) })
}

impl Vector for V128 {
    const LANES: usize = 4;
    const TILE: usize = 6;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see above.
        V128(unsafe { vdupq_n_f32(x) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for the place.
        V128(unsafe { vld1q_f32(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for the place.
        unsafe { vst1q_f32(to, self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see above.
        V128(unsafe { vaddq_f32(self.0, other.0) })
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see above.
        V128(unsafe { vsubq_f32(self.0, other.0) })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: see above.
        V128(unsafe { vmulq_f32(self.0, other.0) })
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: see above.
        V128(unsafe { vdivq_f32(self.0, other.0) })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see above.
        V128(unsafe { vsqrtq_f32(self.0) })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.lt(other).select(self, other)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        other.lt(self).select(self, other)
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self {
        // SAFETY: see above.
        floats(unsafe { vcltq_f32(self.0, other.0) })
    }
    #[inline(always)]
    fn eq(self, other: Self) -> Self {
        // SAFETY: see above.
        floats(unsafe { vceqq_f32(self.0, other.0) })
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        // SAFETY: see above.
        V128(unsafe { vbslq_f32(bits(self), yes.0, no.0) })
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: see above.
        floats(unsafe { vandq_u32(bits(self), bits(other)) })
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: see above.
        floats(unsafe { vbicq_u32(bits(other), bits(self)) })
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: see above.
        floats(unsafe { vorrq_u32(bits(self), bits(other)) })
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: see above.
        floats(unsafe { veorq_u32(bits(self), bits(other)) })
    }
    #[inline(always)]
    fn add_bits(self, other: Self) -> Self {
        // SAFETY: see above.
        floats(unsafe { vaddq_u32(bits(self), bits(other)) })
    }
    #[inline(always)]
    fn sub_bits(self, other: Self) -> Self {
        // SAFETY: see above.
        floats(unsafe { vsubq_u32(bits(self), bits(other)) })
    }
    #[inline(always)]
    fn shift_left<const N: i32>(self) -> Self {
        // SAFETY: see above.
        floats(unsafe { vshlq_u32(bits(self), vdupq_n_s32(N)) })
    }
    #[inline(always)]
    fn shift_right<const N: i32>(self) -> Self {
        // SAFETY: see above.
        floats(unsafe { vshlq_u32(bits(self), vdupq_n_s32(-N)) })
    }
    #[inline(always)]
    fn int_to_float(self) -> Self {
        // SAFETY: see above.
        V128(unsafe { vcvtq_f32_s32(vreinterpretq_s32_f32(self.0)) })
    }
}
