//! x86-64: SSE2, which every processor has, AVX2 and AVX-512 (F and DQ), which are asked for at run time.
//!
//! SAFETY of every method: the intrinsics need their instruction set and nothing else; SSE2 is part of x86-64, and
//! the wider types are reached only through `level::dispatch`, which asks the processor first. `min` and `max` of
//! x86 answer their second operand where one is NaN or both are 0, which is the rule of [`Vector`].

use super::Vector;
use core::arch::x86_64::*;

/// 4 lanes.
#[derive(Clone, Copy)]
pub struct V128(__m128);

impl Vector for V128 {
    const LANES: usize = 4;
    const UNROLL: bool = true;
    const TILE: usize = 4;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_set1_ps(x)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_loadu_ps(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: see the head of this file.
        unsafe { _mm_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_add_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_sub_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_mul_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_div_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_min_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_max_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_sqrt_ps(self.0)) }
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_cmplt_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn eq(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_cmpeq_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_or_ps(_mm_and_ps(self.0, yes.0), _mm_andnot_ps(self.0, no.0))) }
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_and_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_andnot_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_or_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_xor_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn add_bits(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_castsi128_ps(_mm_add_epi32(_mm_castps_si128(self.0), _mm_castps_si128(other.0)))) }
    }
    #[inline(always)]
    fn sub_bits(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_castsi128_ps(_mm_sub_epi32(_mm_castps_si128(self.0), _mm_castps_si128(other.0)))) }
    }
    #[inline(always)]
    fn shift_left<const N: i32>(self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_castsi128_ps(_mm_slli_epi32::<N>(_mm_castps_si128(self.0)))) }
    }
    #[inline(always)]
    fn shift_right<const N: i32>(self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_castsi128_ps(_mm_srli_epi32::<N>(_mm_castps_si128(self.0)))) }
    }
    #[inline(always)]
    fn int_to_float(self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V128(_mm_cvtepi32_ps(_mm_castps_si128(self.0))) }
    }
}

/// 8 lanes.
#[derive(Clone, Copy)]
pub struct V256(__m256);

impl Vector for V256 {
    const LANES: usize = 8;
    const UNROLL: bool = true;
    const TILE: usize = 6;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_set1_ps(x)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_loadu_ps(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: see the head of this file.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_add_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_sub_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_mul_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_div_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_min_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_max_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_sqrt_ps(self.0)) }
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0)) }
    }
    #[inline(always)]
    fn eq(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, other.0)) }
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_blendv_ps(no.0, yes.0, self.0)) }
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_and_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_andnot_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_or_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_xor_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn add_bits(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe {
            V256(_mm256_castsi256_ps(_mm256_add_epi32(
                _mm256_castps_si256(self.0),
                _mm256_castps_si256(other.0),
            )))
        }
    }
    #[inline(always)]
    fn sub_bits(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe {
            V256(_mm256_castsi256_ps(_mm256_sub_epi32(
                _mm256_castps_si256(self.0),
                _mm256_castps_si256(other.0),
            )))
        }
    }
    #[inline(always)]
    fn shift_left<const N: i32>(self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_castsi256_ps(_mm256_slli_epi32::<N>(_mm256_castps_si256(self.0)))) }
    }
    #[inline(always)]
    fn shift_right<const N: i32>(self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_castsi256_ps(_mm256_srli_epi32::<N>(_mm256_castps_si256(self.0)))) }
    }
    #[inline(always)]
    fn int_to_float(self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V256(_mm256_cvtepi32_ps(_mm256_castps_si256(self.0))) }
    }
}

/// 16 lanes.
#[derive(Clone, Copy)]
pub struct V512(__m512);

impl Vector for V512 {
    const LANES: usize = 16;
    const UNROLL: bool = true;
    // one vector to an output: each of its factors is read with the product, and the values once for all twelve
    const TILE: usize = 12;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_set1_ps(x)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_loadu_ps(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: see the head of this file.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_add_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_sub_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_mul_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_div_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_min_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_max_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_sqrt_ps(self.0)) }
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe {
            V512(_mm512_castsi512_ps(_mm512_movm_epi32(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0))))
        }
    }
    #[inline(always)]
    fn eq(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe {
            V512(_mm512_castsi512_ps(_mm512_movm_epi32(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self.0, other.0))))
        }
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_mask_blend_ps(_mm512_movepi32_mask(_mm512_castps_si512(self.0)), no.0, yes.0)) }
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_and_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_andnot_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_or_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_xor_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn add_bits(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe {
            V512(_mm512_castsi512_ps(_mm512_add_epi32(
                _mm512_castps_si512(self.0),
                _mm512_castps_si512(other.0),
            )))
        }
    }
    #[inline(always)]
    fn sub_bits(self, other: Self) -> Self {
        // SAFETY: see the head of this file.
        unsafe {
            V512(_mm512_castsi512_ps(_mm512_sub_epi32(
                _mm512_castps_si512(self.0),
                _mm512_castps_si512(other.0),
            )))
        }
    }
    #[inline(always)]
    fn shift_left<const N: i32>(self) -> Self {
        // SAFETY: see the head of this file.
        unsafe {
            V512(_mm512_castsi512_ps(_mm512_sllv_epi32(_mm512_castps_si512(self.0), _mm512_set1_epi32(N))))
        }
    }
    #[inline(always)]
    fn shift_right<const N: i32>(self) -> Self {
        // SAFETY: see the head of this file.
        unsafe {
            V512(_mm512_castsi512_ps(_mm512_srlv_epi32(_mm512_castps_si512(self.0), _mm512_set1_epi32(N))))
        }
    }
    #[inline(always)]
    fn int_to_float(self) -> Self {
        // SAFETY: see the head of this file.
        unsafe { V512(_mm512_cvtepi32_ps(_mm512_castps_si512(self.0))) }
    }
}

/// The lanes of [`V128`] in AVX encoding: the same instructions, which `level::dispatch` compiles with AVX2 on.
#[cfg(feature = "yardstick")]
#[derive(Clone, Copy)]
pub struct Vex128(V128);

#[cfg(feature = "yardstick")]
impl Vector for Vex128 {
    const LANES: usize = V128::LANES;
    const TILE: usize = V128::TILE;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Vex128(V128::splat(x))
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Vex128(V128::load(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { self.0.store(to) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Vex128(self.0.add(other.0))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Vex128(self.0.sub(other.0))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Vex128(self.0.mul(other.0))
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Vex128(self.0.div(other.0))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Vex128(self.0.min(other.0))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Vex128(self.0.max(other.0))
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self {
        Vex128(self.0.lt(other.0))
    }
    #[inline(always)]
    fn eq(self, other: Self) -> Self {
        Vex128(self.0.eq(other.0))
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Vex128(self.0.and(other.0))
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        Vex128(self.0.and_not(other.0))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Vex128(self.0.or(other.0))
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Vex128(self.0.xor(other.0))
    }
    #[inline(always)]
    fn add_bits(self, other: Self) -> Self {
        Vex128(self.0.add_bits(other.0))
    }
    #[inline(always)]
    fn sub_bits(self, other: Self) -> Self {
        Vex128(self.0.sub_bits(other.0))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Vex128(self.0.sqrt())
    }
    #[inline(always)]
    fn int_to_float(self) -> Self {
        Vex128(self.0.int_to_float())
    }
    #[inline(always)]
    fn shift_left<const N: i32>(self) -> Self {
        Vex128(self.0.shift_left::<N>())
    }
    #[inline(always)]
    fn shift_right<const N: i32>(self) -> Self {
        Vex128(self.0.shift_right::<N>())
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        Vex128(self.0.select(yes.0, no.0))
    }
}
