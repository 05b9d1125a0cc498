//! Products of a block: weights by values, and slopes by values.

use super::BLOCK;
use crate::vector::Vector;
use alloc::vec::Vec;

/// Where the sums of [`multiply`] begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the unit's bias, packed before its weights.
    Bias,
    /// At 0.
    Zero,
    /// At what `out` holds.
    Previous,
}

/// Calls `$body` with the constant `T` that equals `$count`, 1 to 6.
macro_rules! with_tile {
    ($count:expr, $f:ident, $v:ty, $n:literal, ($($arg:expr),*)) => {
        match $count {
            1 => $f::<$v, 1, $n>($($arg),*),
            2 => $f::<$v, 2, $n>($($arg),*),
            3 => $f::<$v, 3, $n>($($arg),*),
            4 => $f::<$v, 4, $n>($($arg),*),
            5 if <$v>::TILE > 4 => $f::<$v, 5, $n>($($arg),*),
            _ if <$v>::TILE > 4 => $f::<$v, 6, $n>($($arg),*),
            _ => {}
        }
    };
}

/// out[m][row] = start + sum over k of packed[m][k] * panel[k][row], for `lanes` rows.
///
/// `packed` is as [`pack_order`] says; panel and out have [`BLOCK`] rows a unit; `lanes` is a multiple of the
/// vector's and at most `BLOCK`.
#[inline(always)]
pub(crate) unsafe fn multiply<V: Vector>(
    packed: *const f32,
    depth: usize,
    outputs: usize,
    panel: *const f32,
    out: *mut f32,
    lanes: usize,
    start: Start,
) {
    let mut first = 0;
    let mut weights = packed;
    let head = usize::from(start == Start::Bias);
    while first < outputs {
        let count = V::TILE.min(outputs - first);
        // SAFETY: the tile's outputs, weights and rows lie inside the buffers.
        unsafe {
            let out = out.add(first * BLOCK);
            let mut row = 0;
            // few outputs leave registers free for more rows
            if count <= 2 {
                while row + 4 * V::LANES <= lanes {
                    if count == 1 {
                        multiply_tile::<V, 1, 4>(weights, depth, panel.add(row), out.add(row), start);
                    } else {
                        multiply_tile::<V, 2, 4>(weights, depth, panel.add(row), out.add(row), start);
                    }
                    row += 4 * V::LANES;
                }
            }
            while row + 2 * V::LANES <= lanes {
                with_tile!(count, multiply_tile, V, 2, (weights, depth, panel.add(row), out.add(row), start));
                row += 2 * V::LANES;
            }
            if row < lanes {
                with_tile!(count, multiply_tile, V, 1, (weights, depth, panel.add(row), out.add(row), start));
            }
            weights = weights.add(count * (depth + head));
        }
        first += count;
    }
}

#[inline(always)]
unsafe fn multiply_tile<V: Vector, const T: usize, const N: usize>(
    mut weights: *const f32,
    depth: usize,
    mut panel: *const f32,
    out: *mut f32,
    start: Start,
) {
    let mut sums = [[V::splat(0.0); N]; T];
    // SAFETY: `T` weights per k (and before them `T` biases), `BLOCK` rows per k, `T` outputs.
    unsafe {
        match start {
            Start::Bias => {
                for (t, sums) in sums.iter_mut().enumerate() {
                    *sums = [V::splat(*weights.add(t)); N];
                }
                weights = weights.add(T);
            }
            Start::Zero => {}
            Start::Previous => {
                for (t, sums) in sums.iter_mut().enumerate() {
                    for (n, sum) in sums.iter_mut().enumerate() {
                        *sum = V::load(out.add(t * BLOCK + n * V::LANES));
                    }
                }
            }
        }
        for _ in 0..depth {
            let mut values = [V::splat(0.0); N];
            for (n, value) in values.iter_mut().enumerate() {
                *value = V::load(panel.add(n * V::LANES));
            }
            for (t, sums) in sums.iter_mut().enumerate() {
                let weight = V::splat(*weights.add(t));
                for (sum, value) in sums.iter_mut().zip(&values) {
                    *sum = sum.add(weight.mul(*value));
                }
            }
            weights = weights.add(T);
            panel = panel.add(BLOCK);
        }
        for (t, sums) in sums.iter().enumerate() {
            for (n, sum) in sums.iter().enumerate() {
                sum.store(out.add(t * BLOCK + n * V::LANES));
            }
        }
    }
}

/// gradient[o][i] += sum over the block's rows of delta[o][row] * sheet[row][i], for `width` columns.
///
/// `width`, the stride of the gradient, is a multiple of the lanes; a sheet's row has `stride` numbers.
#[inline(always)]
pub(crate) unsafe fn accumulate<V: Vector>(
    gradient: *mut f32,
    width: usize,
    delta: *const f32,
    outputs: usize,
    sheet: *const f32,
    stride: usize,
    rows: usize,
) {
    let mut first = 0;
    while first < outputs {
        let count = V::TILE.min(outputs - first);
        // SAFETY: the tile's outputs, rows and columns lie inside the buffers.
        unsafe {
            let gradient = gradient.add(first * width);
            let delta = delta.add(first * BLOCK);
            let mut at = 0;
            if count <= 2 {
                while at + 4 * V::LANES <= width {
                    let (gradient, sheet) = (gradient.add(at), sheet.add(at));
                    if count == 1 {
                        accumulate_tile::<V, 1, 4>(gradient, width, delta, sheet, stride, rows);
                    } else {
                        accumulate_tile::<V, 2, 4>(gradient, width, delta, sheet, stride, rows);
                    }
                    at += 4 * V::LANES;
                }
            }
            while at + 2 * V::LANES <= width {
                let (gradient, sheet) = (gradient.add(at), sheet.add(at));
                with_tile!(count, accumulate_tile, V, 2, (gradient, width, delta, sheet, stride, rows));
                at += 2 * V::LANES;
            }
            if at < width {
                let (gradient, sheet) = (gradient.add(at), sheet.add(at));
                with_tile!(count, accumulate_tile, V, 1, (gradient, width, delta, sheet, stride, rows));
            }
        }
        first += count;
    }
}

#[inline(always)]
unsafe fn accumulate_tile<V: Vector, const T: usize, const N: usize>(
    gradient: *mut f32,
    width: usize,
    mut delta: *const f32,
    mut sheet: *const f32,
    stride: usize,
    rows: usize,
) {
    let mut sums = [[V::splat(0.0); N]; T];
    // SAFETY: `rows` is at most `BLOCK`; `T` outputs and `N` vectors of columns are inside.
    unsafe {
        for _ in 0..rows {
            let mut values = [V::splat(0.0); N];
            for (n, value) in values.iter_mut().enumerate() {
                *value = V::load(sheet.add(n * V::LANES));
            }
            for (t, sums) in sums.iter_mut().enumerate() {
                let slope = V::splat(*delta.add(t * BLOCK));
                for (sum, value) in sums.iter_mut().zip(&values) {
                    *sum = sum.add(slope.mul(*value));
                }
            }
            delta = delta.add(1);
            sheet = sheet.add(stride);
        }
        for (t, sums) in sums.iter().enumerate() {
            for (n, sum) in sums.iter().enumerate() {
                let place = gradient.add(t * width + n * V::LANES);
                V::load(place).add(*sum).store(place);
            }
        }
    }
}

/// The order in which [`multiply`] reads weights `[unit][bias, weight…]` of `width` numbers a unit: tile by tile,
/// first the tile's biases, then its weights k by k. Appends indices into the weights, shifted by `offset`.
pub(crate) fn pack_order(
    tile: usize,
    offset: usize,
    width: usize,
    depth: usize,
    outputs: usize,
    order: &mut Vec<u32>,
) {
    for first in (0..outputs).step_by(tile) {
        let count = tile.min(outputs - first);
        for k in 0..=depth {
            order.extend((first..first + count).map(|unit| (offset + unit * width + k) as u32));
        }
    }
}

/// The same for the way back: result i (of `count`, from input `from` on) sums over the units.
pub(crate) fn transposed_order(
    tile: usize,
    offset: usize,
    width: usize,
    (from, count): (usize, usize),
    outputs: usize,
    order: &mut Vec<u32>,
) {
    for first in (0..count).step_by(tile) {
        let share = tile.min(count - first);
        for unit in 0..outputs {
            let start = offset + unit * width + 1 + from + first;
            order.extend((start..start + share).map(|place| place as u32));
        }
    }
}
