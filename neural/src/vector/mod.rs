//! Lanes of f32 with one meaning on every instruction set: the kernels are written once over [`Vector`].
//!
//! Each operation is one that IEEE 754 fixes to the last bit, or works on bits. There is no fused multiply-add, no
//! approximate reciprocal and no operation across lanes, so that the width never shows in a result.

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(target_arch = "wasm32")]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "aarch64")]
pub use neon::V128;
pub use scalar::Scalar;
/// Where there are no vector instructions.
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
pub use scalar::Scalar as V128;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use wasm::V128;
#[cfg(all(target_arch = "x86_64", feature = "yardstick"))]
pub use x86::Vex128;
#[cfg(target_arch = "x86_64")]
pub use x86::{V128, V256, V512};

/// Some lanes of f32. A mask is a vector whose lanes are all ones or all zeros.
///
/// # Safety
/// The methods of a type may run only where its instruction set is there; [`crate::level::dispatch`] sees to it.
/// `load` and `store` touch `LANES` numbers from the pointer on, which need not be aligned.
pub trait Vector: Copy {
    /// Numbers side by side.
    const LANES: usize;
    /// Outputs of a register tile: as many as the registers hold beside the operands.
    const TILE: usize;
    /// Whether two steps of a product at a time are faster.
    const UNROLL: bool = false;
    /// The same number in each lane.
    fn splat(x: f32) -> Self;
    /// `LANES` numbers from `from` on.
    ///
    /// # Safety
    /// They must be readable.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes all lanes from `to` on.
    ///
    /// # Safety
    /// `LANES` numbers must be writable there.
    unsafe fn store(self, to: *mut f32);
    /// Lane by lane.
    fn add(self, other: Self) -> Self;
    /// Lane by lane.
    fn sub(self, other: Self) -> Self;
    /// Lane by lane.
    fn mul(self, other: Self) -> Self;
    /// Lane by lane, correctly rounded.
    fn div(self, other: Self) -> Self;
    /// Correctly rounded square root of what is not negative.
    fn sqrt(self) -> Self;
    /// `self` where `self < other`, else `other`: so `other` where one is NaN.
    fn min(self, other: Self) -> Self;
    /// `self` where `self > other`, else `other`: so `other` where one is NaN.
    fn max(self, other: Self) -> Self;
    /// Mask of `self < other`.
    fn lt(self, other: Self) -> Self;
    /// Mask of `self == other`: false for NaN, true for 0 and -0.
    fn eq(self, other: Self) -> Self;
    /// `yes` where `self`, a mask, is set, else `no`.
    fn select(self, yes: Self, no: Self) -> Self;
    /// Bits.
    fn and(self, other: Self) -> Self;
    /// Bits of `other` that are not in `self`: `!self & other`.
    fn and_not(self, other: Self) -> Self;
    /// Bits.
    fn or(self, other: Self) -> Self;
    /// Bits.
    fn xor(self, other: Self) -> Self;
    /// The lanes' bits as integers, wrapping.
    fn add_bits(self, other: Self) -> Self;
    /// The lanes' bits as integers, wrapping.
    fn sub_bits(self, other: Self) -> Self;
    /// The lanes' bits as unsigned integers, to the left.
    fn shift_left<const N: i32>(self) -> Self;
    /// The lanes' bits as unsigned integers, to the right.
    fn shift_right<const N: i32>(self) -> Self;
    /// The lanes' bits as signed integers, as numbers (rounded to nearest, ties to even).
    fn int_to_float(self) -> Self;

    /// The bits `bits` in each lane.
    #[inline(always)]
    fn splat_bits(bits: u32) -> Self {
        Self::splat(f32::from_bits(bits))
    }
    /// |x|.
    #[inline(always)]
    fn abs(self) -> Self {
        self.and(Self::splat_bits(0x7fff_ffff))
    }
    /// -x.
    #[inline(always)]
    fn neg(self) -> Self {
        self.xor(Self::splat_bits(0x8000_0000))
    }
    /// The size of `self` with the sign of `sign`.
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        let bit = Self::splat_bits(0x8000_0000);
        bit.and_not(self).or(bit.and(sign))
    }
    /// Mask of what is NaN.
    #[inline(always)]
    fn is_nan(self) -> Self {
        self.eq(self).xor(Self::splat_bits(0xffff_ffff))
    }
}

/// Turns four rows of four numbers, `stride` apart, into four rows of their columns, `to_stride` apart.
///
/// # Safety
/// All sixteen numbers must be readable, and their places writable.
#[inline(always)]
pub(crate) unsafe fn transpose4(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
    // SAFETY: the caller's promise; SSE is part of x86-64.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use core::arch::x86_64::{_mm_loadu_ps, _mm_storeu_ps, _MM_TRANSPOSE4_PS};
        let mut rows = [0, 1, 2, 3].map(|row| _mm_loadu_ps(from.add(row * stride)));
        let [a, b, c, d] = &mut rows;
        _MM_TRANSPOSE4_PS(a, b, c, d);
        for (row, values) in rows.into_iter().enumerate() {
            _mm_storeu_ps(to.add(row * to_stride), values);
        }
    }
    // SAFETY: the caller's promise.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    unsafe {
        use core::arch::wasm32::{i32x4_shuffle, v128_load, v128_store};
        let [a, b, c, d] = [0, 1, 2, 3].map(|row| v128_load(from.add(row * stride).cast()));
        let (low, high) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
        let (low2, high2) = (i32x4_shuffle::<0, 4, 1, 5>(c, d), i32x4_shuffle::<2, 6, 3, 7>(c, d));
        v128_store(to.cast(), i32x4_shuffle::<0, 1, 4, 5>(low, low2));
        v128_store(to.add(to_stride).cast(), i32x4_shuffle::<2, 3, 6, 7>(low, low2));
        v128_store(to.add(2 * to_stride).cast(), i32x4_shuffle::<0, 1, 4, 5>(high, high2));
        v128_store(to.add(3 * to_stride).cast(), i32x4_shuffle::<2, 3, 6, 7>(high, high2));
    }
    // SAFETY: the caller's promise.
    #[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
    unsafe {
        for row in 0..4 {
            for column in 0..4 {
                *to.add(column * to_stride + row) = *from.add(row * stride + column);
            }
        }
    }
}
