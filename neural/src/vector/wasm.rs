//! WebAssembly: SIMD128, chosen when the module is built. Nothing of "relaxed SIMD", whose results may vary.
#![cfg(target_feature = "simd128")]

use super::Vector;
use core::arch::wasm32::*;

/// Four lanes.
#[derive(Clone, Copy)]
pub struct V128(v128);

impl Vector for V128 {
    const LANES: usize = 4;
    // V8 keeps 15 vector registers: more than 8 sums spill
    const TILE: usize = 4;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        V128(f32x4_splat(x))
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for the place; alignment does not matter.
        V128(unsafe { v128_load(from.cast()) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for the place; alignment does not matter.
        unsafe { v128_store(to.cast(), self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        V128(f32x4_add(self.0, other.0))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        V128(f32x4_sub(self.0, other.0))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        V128(f32x4_mul(self.0, other.0))
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        V128(f32x4_div(self.0, other.0))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        V128(f32x4_sqrt(self.0))
    }
    // pmin(a, b) is b < a ? b : a
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        V128(f32x4_pmin(other.0, self.0))
    }
    // pmax(a, b) is a < b ? b : a
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        V128(f32x4_pmax(other.0, self.0))
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self {
        V128(f32x4_lt(self.0, other.0))
    }
    #[inline(always)]
    fn eq(self, other: Self) -> Self {
        V128(f32x4_eq(self.0, other.0))
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        V128(v128_bitselect(yes.0, no.0, self.0))
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        V128(v128_and(self.0, other.0))
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        V128(v128_andnot(other.0, self.0))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        V128(v128_or(self.0, other.0))
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        V128(v128_xor(self.0, other.0))
    }
    #[inline(always)]
    fn add_bits(self, other: Self) -> Self {
        V128(i32x4_add(self.0, other.0))
    }
    #[inline(always)]
    fn sub_bits(self, other: Self) -> Self {
        V128(i32x4_sub(self.0, other.0))
    }
    #[inline(always)]
    fn shift_left<const N: i32>(self) -> Self {
        V128(i32x4_shl(self.0, N as u32))
    }
    #[inline(always)]
    fn shift_right<const N: i32>(self) -> Self {
        V128(u32x4_shr(self.0, N as u32))
    }
    #[inline(always)]
    fn int_to_float(self) -> Self {
        V128(f32x4_convert_i32x4(self.0))
    }
}
