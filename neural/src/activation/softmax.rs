//! Softmax: e^x over the sum of e^x of all outputs of a row, summed in their order, with the largest x taken off
//! first.

use crate::kernel::STRIP;
use crate::math::{exp_nonpositive, or_nan};
use crate::vector::{Scalar, Vector};

/// Softmax of each row of a strip; `z` and `y` may be the same place.
///
/// # Safety
/// `units` times 16 numbers must be readable at `z` and writable at `y`; `lanes` is a multiple of the vector's.
#[inline(always)]
pub(crate) unsafe fn softmax_strip<V: Vector>(
    steepness: f32,
    z: *const f32,
    y: *mut f32,
    units: usize,
    lanes: usize,
) {
    let mut at = 0;
    while at < lanes {
        // SAFETY: the caller's promise.
        unsafe { column::<V>(steepness, z.add(at), y.add(at), units, STRIP) };
        at += V::LANES;
    }
}

/// Softmax of one row, with the bits that it has in a strip.
pub(crate) fn softmax_row(steepness: f32, z: &[f32], y: &mut [f32]) {
    // SAFETY: so many numbers are in both.
    unsafe { column::<Scalar>(steepness, z.as_ptr(), y.as_mut_ptr(), z.len().min(y.len()), 1) };
}

/// Softmax of `units` vectors that lie `stride` numbers apart. Where one is NaN, all are.
#[inline(always)]
unsafe fn column<V: Vector>(steepness: f32, z: *const f32, y: *mut f32, units: usize, stride: usize) {
    let steep = V::splat(steepness);
    let mut top = V::splat(f32::NEG_INFINITY);
    let mut sum = V::splat(0.0);
    // SAFETY: the caller's promise.
    unsafe {
        for unit in 0..units {
            top = V::load(z.add(unit * stride)).mul(steep).max(top);
        }
        for unit in 0..units {
            let value = exp_nonpositive(V::load(z.add(unit * stride)).mul(steep).sub(top));
            value.store(y.add(unit * stride));
            sum = sum.add(value);
        }
        for unit in 0..units {
            let place = y.add(unit * stride);
            or_nan(sum, V::load(place).div(sum)).store(place);
        }
    }
}
