//! Turning rows into panels and panels into rows, four by four.

use super::{Panel, STRIP};
use crate::vector::{transpose4, Vector};

// both are generic only so that they are compiled for the instruction set of their caller

/// Rows of `count` numbers, `stride` apart, into a panel; places beyond the rows keep what they hold.
#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)]
pub(crate) unsafe fn to_panel<V: Vector>(
    rows: *const f32,
    stride: usize,
    count: usize,
    total: usize,
    panel: Panel<*mut f32>,
) {
    // SAFETY: `total` rows and `count` units lie inside the buffers.
    unsafe {
        let whole = count / 4 * 4;
        let mut row = 0;
        while row + 4 <= total {
            let (from, to) = (rows.add(row * stride), panel.at(row));
            for unit in (0..whole).step_by(4) {
                transpose4(from.add(unit), stride, to.add(unit * STRIP), STRIP);
            }
            for unit in whole..count {
                for r in 0..4 {
                    *to.add(unit * STRIP + r) = *from.add(r * stride + unit);
                }
            }
            row += 4;
        }
        for row in row..total {
            let (from, to) = (rows.add(row * stride), panel.at(row));
            for unit in 0..count {
                *to.add(unit * STRIP) = *from.add(unit);
            }
        }
    }
}

/// `count` units of a panel into rows `stride` apart.
#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)]
pub(crate) unsafe fn to_rows<V: Vector>(
    panel: Panel<*const f32>,
    count: usize,
    total: usize,
    rows: *mut f32,
    stride: usize,
) {
    // SAFETY: `total` rows and `count` units lie inside the buffers.
    unsafe {
        let whole = count / 4 * 4;
        let mut row = 0;
        while row + 4 <= total {
            let (from, to) = (panel.at(row), rows.add(row * stride));
            for unit in (0..whole).step_by(4) {
                transpose4(from.add(unit * STRIP), STRIP, to.add(unit), stride);
            }
            for unit in whole..count {
                for r in 0..4 {
                    *to.add(r * stride + unit) = *from.add(unit * STRIP + r);
                }
            }
            row += 4;
        }
        for row in row..total {
            let (from, to) = (panel.at(row), rows.add(row * stride));
            for unit in 0..count {
                *to.add(unit) = *from.add(unit * STRIP);
            }
        }
    }
}
