//! Products of a block: weights by values, and slopes by values.

use super::{Panel, STRIP};
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

/// How many units each register tile takes: full tiles, then one or two that share what is left evenly.
pub(crate) fn tiles(tile: usize, units: usize) -> (usize, [usize; 2]) {
    let (full, rest) = (units / tile, units % tile);
    if rest == 0 {
        (full, [0, 0])
    } else if rest <= 2 && full > 0 {
        let both = tile + rest;
        (full - 1, [both - both / 2, both / 2])
    } else {
        (full, [rest, 0])
    }
}

/// Calls `$f` with the constant `T` that equals `$count`, 1 to 12.
macro_rules! with_tile {
    ($count:expr, $f:ident, $v:ty, ($($args:tt)*)) => {
        match $count {
            1 => $f::<$v, 1>($($args)*),
            2 => $f::<$v, 2>($($args)*),
            3 => $f::<$v, 3>($($args)*),
            4 => $f::<$v, 4>($($args)*),
            5 if <$v>::TILE > 4 => $f::<$v, 5>($($args)*),
            6 if <$v>::TILE > 4 => $f::<$v, 6>($($args)*),
            7 if <$v>::TILE > 6 => $f::<$v, 7>($($args)*),
            8 if <$v>::TILE > 6 => $f::<$v, 8>($($args)*),
            9 if <$v>::TILE > 6 => $f::<$v, 9>($($args)*),
            10 if <$v>::TILE > 6 => $f::<$v, 10>($($args)*),
            11 if <$v>::TILE > 6 => $f::<$v, 11>($($args)*),
            12 if <$v>::TILE > 6 => $f::<$v, 12>($($args)*),
            _ => {}
        }
    };
}

/// out[m][row] = start + sum over k of packed[m][k] * panel[k][row], for `lanes` rows.
///
/// `packed` is as [`pack_order`] says; `lanes` is a multiple of the vector's.
#[inline(always)]
pub(crate) unsafe fn multiply<V: Vector>(
    packed: *const f32,
    depth: usize,
    outputs: usize,
    panel: Panel<*const f32>,
    out: Panel<*mut f32>,
    lanes: usize,
    start: Start,
) {
    let (full, rest) = tiles(V::TILE, outputs);
    let size = depth + usize::from(start == Start::Bias);
    // SAFETY: the tiles' outputs, weights and rows lie inside the buffers.
    unsafe {
        if full > 0 {
            // a strip of values stays close while all weights pass by
            let mut row = 0;
            while row < lanes {
                let (strip, mut to, mut weights) = (panel.at(row), out.at(row), packed);
                let width = STRIP.min(lanes - row);
                for _ in 0..full {
                    with_tile!(V::TILE, multiply_strip, V, (weights, depth, strip, to, width, start));
                    weights = weights.add(V::TILE * size);
                    to = to.add(V::TILE * STRIP);
                }
                row += STRIP;
            }
        }
        let mut first = full * V::TILE;
        for count in rest {
            let (weights, out) =
                (packed.add(first * size), Panel { first: out.first.add(first * STRIP), ..out });
            with_tile!(count, multiply_strips, V, (weights, depth, panel, out, lanes, start));
            first += count;
        }
    }
}

/// Strips that a tile of `tile` outputs takes at once: as many as the registers hold sums for.
const fn strips_at_once(lanes: usize, tile: usize, largest: usize) -> usize {
    let sums = if lanes == 16 {
        16
    } else if largest > 4 {
        12
    } else {
        8
    };
    let fit = sums / (tile * (STRIP / lanes));
    if fit >= 4 {
        4
    } else if fit >= 2 {
        2
    } else {
        1
    }
}

/// A tile of few outputs for all strips: several strips at once, so that the adders never wait.
#[inline(always)]
unsafe fn multiply_strips<V: Vector, const T: usize>(
    weights: *const f32,
    depth: usize,
    panel: Panel<*const f32>,
    out: Panel<*mut f32>,
    lanes: usize,
    start: Start,
) {
    let at_once = strips_at_once(V::LANES, T, V::TILE);
    // SAFETY: as the caller's.
    unsafe {
        let mut row = 0;
        while at_once == 4 && row + 4 * STRIP <= lanes {
            multiply_wide::<V, T, 4>(weights, depth, panel, out, row, start);
            row += 4 * STRIP;
        }
        while at_once == 2 && row + 2 * STRIP <= lanes {
            multiply_wide::<V, T, 2>(weights, depth, panel, out, row, start);
            row += 2 * STRIP;
        }
        while row < lanes {
            let width = STRIP.min(lanes - row);
            multiply_strip::<V, T>(weights, depth, panel.at(row), out.at(row), width, start);
            row += STRIP;
        }
    }
}

/// One tile, one strip.
#[inline(always)]
unsafe fn multiply_strip<V: Vector, const T: usize>(
    weights: *const f32,
    depth: usize,
    panel: *const f32,
    out: *mut f32,
    width: usize,
    start: Start,
) {
    // SAFETY: as the caller's.
    unsafe {
        let mut at = 0;
        if T * 4 <= 8 {
            while at + 4 * V::LANES <= width {
                multiply_tile::<V, T, 4>(weights, depth, panel.add(at), out.add(at), start);
                at += 4 * V::LANES;
            }
        }
        while at + 2 * V::LANES <= width {
            multiply_tile::<V, T, 2>(weights, depth, panel.add(at), out.add(at), start);
            at += 2 * V::LANES;
        }
        if at < width {
            multiply_tile::<V, T, 1>(weights, depth, panel.add(at), out.add(at), start);
        }
    }
}

/// sums[t][n] += factors[t] * values[n]: one step of both products.
#[inline(always)]
unsafe fn add_products<V: Vector, const T: usize, const N: usize>(
    sums: &mut [[V; N]; T],
    factors: *const f32,
    apart: usize,
    values: *const f32,
) {
    // SAFETY: `T` factors `apart` numbers apart, and `N` vectors of values.
    unsafe {
        let mut held = [V::splat(0.0); N];
        for (n, value) in held.iter_mut().enumerate() {
            *value = V::load(values.add(n * V::LANES));
        }
        for (t, sums) in sums.iter_mut().enumerate() {
            let factor = V::splat(*factors.add(t * apart));
            for (sum, value) in sums.iter_mut().zip(&held) {
                *sum = sum.add(factor.mul(*value));
            }
        }
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
    // SAFETY: `T` weights per k (and before them `T` biases), `STRIP` rows per k, `T` outputs.
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
                        *sum = V::load(out.add(t * STRIP + n * V::LANES));
                    }
                }
            }
        }
        let mut left = depth;
        while V::UNROLL && left >= 2 {
            for _ in 0..2 {
                add_products(&mut sums, weights, 1, panel);
                weights = weights.add(T);
                panel = panel.add(STRIP);
            }
            left -= 2;
        }
        for _ in 0..left {
            add_products(&mut sums, weights, 1, panel);
            weights = weights.add(T);
            panel = panel.add(STRIP);
        }
        for (t, sums) in sums.iter().enumerate() {
            for (n, sum) in sums.iter().enumerate() {
                sum.store(out.add(t * STRIP + n * V::LANES));
            }
        }
    }
}

/// One tile of few outputs, `S` strips whose sums are independent.
#[inline(always)]
unsafe fn multiply_wide<V: Vector, const T: usize, const S: usize>(
    mut weights: *const f32,
    depth: usize,
    panel: Panel<*const f32>,
    out: Panel<*mut f32>,
    row: usize,
    start: Start,
) {
    // no strip has more vectors where this is called
    const MOST: usize = 4;
    let vectors = STRIP / V::LANES;
    let mut sums = [[[V::splat(0.0); MOST]; T]; S];
    // SAFETY: as for `multiply_tile`, in each strip.
    unsafe {
        let (mut panel, stride) = (panel.at(row), panel.stride);
        let place = |s: usize, t: usize, n: usize| out.at(row).add(s * out.stride + t * STRIP + n * V::LANES);
        for (s, sums) in sums.iter_mut().enumerate() {
            for (t, sums) in sums.iter_mut().enumerate() {
                for (n, sum) in sums.iter_mut().enumerate().take(vectors) {
                    match start {
                        Start::Bias => *sum = V::splat(*weights.add(t)),
                        Start::Zero => {}
                        Start::Previous => *sum = V::load(place(s, t, n)),
                    }
                }
            }
        }
        if start == Start::Bias {
            weights = weights.add(T);
        }
        for _ in 0..depth {
            let factors: [V; T] = core::array::from_fn(|t| V::splat(*weights.add(t)));
            for (s, sums) in sums.iter_mut().enumerate() {
                for n in 0..vectors {
                    let value = V::load(panel.add(s * stride + n * V::LANES));
                    for (sums, factor) in sums.iter_mut().zip(&factors) {
                        sums[n] = sums[n].add(factor.mul(value));
                    }
                }
            }
            weights = weights.add(T);
            panel = panel.add(STRIP);
        }
        for (s, sums) in sums.iter().enumerate() {
            for (t, sums) in sums.iter().enumerate() {
                for (n, sum) in sums.iter().enumerate().take(vectors) {
                    sum.store(place(s, t, n));
                }
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
    delta: Panel<*const f32>,
    outputs: usize,
    sheet: *const f32,
    stride: usize,
    rows: usize,
) {
    let (full, rest) = tiles(V::TILE, outputs);
    let mut at = 0;
    // SAFETY: the tiles' outputs, rows and columns lie inside the buffers.
    unsafe {
        // a few columns of all rows stay close while all slopes pass by
        while at < width {
            let (sheet, gradient) = (sheet.add(at), gradient.add(at));
            // of 512 bits only one: its factors come from memory with the product, and need no register
            let two = V::LANES < 16 && at + 2 * V::LANES <= width;
            let mut first = 0;
            for _ in 0..full {
                let (gradient, delta) = (gradient.add(first * width), delta.beyond(first));
                with_tile!(V::TILE, accumulate_pair, V, (gradient, width, delta, sheet, stride, rows, two));
                first += V::TILE;
            }
            for count in rest {
                let (gradient, delta) = (gradient.add(first * width), delta.beyond(first));
                with_tile!(count, accumulate_pair, V, (gradient, width, delta, sheet, stride, rows, two));
                first += count;
            }
            at += if two { 2 * V::LANES } else { V::LANES };
        }
    }
}

#[inline(always)]
unsafe fn accumulate_pair<V: Vector, const T: usize>(
    gradient: *mut f32,
    width: usize,
    delta: Panel<*const f32>,
    sheet: *const f32,
    stride: usize,
    rows: usize,
    two: bool,
) {
    // SAFETY: as the caller's.
    unsafe {
        if two {
            accumulate_tile::<V, T, 2>(gradient, width, delta, sheet, stride, rows);
        } else {
            accumulate_tile::<V, T, 1>(gradient, width, delta, sheet, stride, rows);
        }
    }
}

#[inline(always)]
unsafe fn accumulate_tile<V: Vector, const T: usize, const N: usize>(
    gradient: *mut f32,
    width: usize,
    delta: Panel<*const f32>,
    mut sheet: *const f32,
    stride: usize,
    rows: usize,
) {
    let mut sums = [[V::splat(0.0); N]; T];
    let mut row = 0;
    // SAFETY: `rows` is at most `BLOCK`; `T` outputs and `N` vectors of columns are inside.
    unsafe {
        while row < rows {
            let mut slopes = delta.at(row);
            let mut left = STRIP.min(rows - row);
            while V::UNROLL && left >= 2 {
                for _ in 0..2 {
                    add_products(&mut sums, slopes, STRIP, sheet);
                    slopes = slopes.add(1);
                    sheet = sheet.add(stride);
                }
                left -= 2;
            }
            for _ in 0..left {
                add_products(&mut sums, slopes, STRIP, sheet);
                slopes = slopes.add(1);
                sheet = sheet.add(stride);
            }
            row += STRIP;
        }
        for (t, sums) in sums.iter().enumerate() {
            for (n, sum) in sums.iter().enumerate() {
                let place = gradient.add(t * width + n * V::LANES);
                V::load(place).add(*sum).store(place);
            }
        }
    }
}

/// The sizes of all tiles, in order.
fn sizes(tile: usize, units: usize) -> impl Iterator<Item = usize> {
    let (full, rest) = tiles(tile, units);
    core::iter::repeat_n(tile, full).chain(rest).filter(|count| *count > 0)
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
    let mut first = 0;
    for count in sizes(tile, outputs) {
        for k in 0..=depth {
            order.extend((first..first + count).map(|unit| (offset + unit * width + k) as u32));
        }
        first += count;
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
    let mut first = 0;
    for share in sizes(tile, count) {
        for unit in 0..outputs {
            let start = offset + unit * width + 1 + from + first;
            order.extend((start..start + share).map(|place| place as u32));
        }
        first += share;
    }
}
