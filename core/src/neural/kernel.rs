//! The products of training, written once over lanes and compiled per instruction set.
//!
//! Rows are handled in blocks of [`BLOCK`]. A *panel* holds one block column by column (`[unit][row]`), a
//! *sheet* holds it row by row (`[row][unit]`, padded to [`PAD`] units). Every product is a loop over the summed
//! index in its order, with independent results in the lanes, and multiply and add apart: the tile (and so the
//! instruction set) changes the speed and never a bit.
#![allow(clippy::indexing_slicing)] // hot loops over slices whose lengths the callers fix by construction

use alloc::vec::Vec;

/// Rows of a block: partial sums over rows are taken per block.
pub(crate) const BLOCK: usize = 64;
/// Rows of weights and sheets are padded to a multiple of this many numbers.
pub(crate) const PAD: usize = 16;

/// `n` rounded up to a multiple of [`PAD`].
pub(crate) fn padded(n: usize) -> usize {
    n.div_ceil(PAD) * PAD
}

/// Which instantiation of the kernels runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What the target always has: SSE2 on x86-64, SIMD128 on WASM if built in, NEON on AArch64.
    Baseline,
    /// 256-bit vectors on x86-64.
    Avx2,
}

#[cfg(target_arch = "x86_64")]
cpufeatures::new!(has_avx2, "avx2");

/// Whether the processor has AVX2.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn avx2_is_there() -> bool {
    has_avx2::get()
}

impl Level {
    /// The best level of this processor.
    pub fn detect() -> Level {
        #[cfg(target_arch = "x86_64")]
        if avx2_is_there() {
            return Level::Avx2;
        }
        Level::Baseline
    }

    /// Rows of the register tile: how many weights are packed side by side.
    pub(crate) fn tile(self) -> usize {
        match self {
            Level::Baseline => 4,
            Level::Avx2 => 6,
        }
    }
}

/// Defines `name(level, ...)` that runs `body` compiled for the level.
macro_rules! by_level {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) = $base:expr, $wide:expr) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(level: Level, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                #[allow(clippy::too_many_arguments)]
                unsafe fn wide($($arg: $ty),*) {
                    $wide($($arg),*)
                }
                if level == Level::Avx2 && $crate::neural::kernel::avx2_is_there() {
                    // SAFETY: the processor has AVX2, as just checked.
                    return unsafe { wide($($arg),*) };
                }
            }
            let _ = level;
            $base($($arg),*)
        }
    };
}
pub(crate) use by_level;

by_level! {
    /// out[m][row] = sum over k of packed[m][k] * panel[k][row], for `lanes` rows; see [`pack`] for `packed`.
    pub(crate) fn multiply(packed: &[f32], depth: usize, outputs: usize, panel: &[f32], out: &mut [f32], lanes: usize)
        = multiply_body::<4, 8>, multiply_body::<6, 16>
}

/// As [`multiply`]; the tile must be that of the level that packed the weights, so a level that the processor
/// lacks must never be asked for: [`Level::detect`] and `Baseline` are the only sources.
#[inline(always)]
fn multiply_body<const T: usize, const L: usize>(
    packed: &[f32],
    depth: usize,
    outputs: usize,
    panel: &[f32],
    out: &mut [f32],
    lanes: usize,
) {
    for (tile, weights) in packed.chunks_exact(T * depth).enumerate() {
        let first = tile * T;
        let count = T.min(outputs - first);
        let mut row = 0;
        while row < lanes && row + L <= BLOCK {
            let mut sums = [[0.0f32; L]; T];
            // chunks of known length: no bound is checked inside the loop, where WebAssembly would pay for it
            for (weight, column) in weights.chunks_exact(T).zip(panel.chunks_exact(BLOCK)) {
                let values: &[f32; L] = lane(column, row);
                for t in 0..T {
                    let w = weight[t];
                    for l in 0..L {
                        sums[t][l] += w * values[l];
                    }
                }
            }
            for (t, sum) in sums.iter().enumerate().take(count) {
                let at = (first + t) * BLOCK + row;
                out[at..at + L].copy_from_slice(sum);
            }
            row += L;
        }
    }
}

#[inline(always)]
fn lane<const L: usize>(values: &[f32], at: usize) -> &[f32; L] {
    match values[at..at + L].try_into() {
        Ok(found) => found,
        Err(_) => &[0.0; L],
    }
}

by_level! {
    /// gradient[o][i] += sum over the block's rows of delta[o][row] * sheet[row][i].
    pub(crate) fn accumulate(gradient: &mut [f32], width: usize, delta: &[f32], outputs: usize, sheet: &[f32], rows: usize)
        = accumulate_body::<4, 8>, accumulate_body::<6, 16>
}

#[inline(always)]
fn accumulate_body<const T: usize, const L: usize>(
    gradient: &mut [f32],
    width: usize,
    delta: &[f32],
    outputs: usize,
    sheet: &[f32],
    rows: usize,
) {
    let mut first = 0;
    while first < outputs {
        let count = T.min(outputs - first);
        // a tile that hangs over repeats its last row; the extra sums are dropped
        let deltas: [&[f32; BLOCK]; T] =
            core::array::from_fn(|t| lane(delta, (first + t.min(count - 1)) * BLOCK));
        let mut column = 0;
        while column < width && column + L <= width {
            let mut sums = [[0.0f32; L]; T];
            for (row, values) in (0..rows.min(BLOCK)).zip(sheet.chunks_exact(width)) {
                let values: &[f32; L] = lane(values, column);
                for t in 0..T {
                    let d = deltas[t][row];
                    for l in 0..L {
                        sums[t][l] += d * values[l];
                    }
                }
            }
            for (t, sum) in sums.iter().enumerate().take(count) {
                let at = (first + t) * width + column;
                for (slot, value) in gradient[at..at + L].iter_mut().zip(sum) {
                    *slot += value;
                }
            }
            column += L;
        }
        first += T;
    }
}

/// Packs weights `[m][width]` (the first `depth` of each row) as `[m / tile][k][tile]` for [`multiply`].
pub(crate) fn pack(
    level: Level,
    weights: &[f32],
    width: usize,
    depth: usize,
    rows: usize,
    packed: &mut Vec<f32>,
) {
    let tile = level.tile();
    packed.clear();
    packed.resize(rows.div_ceil(tile) * tile * depth, 0.0);
    for row in 0..rows {
        let base = row / tile * tile * depth + row % tile;
        for (k, value) in weights[row * width..row * width + depth].iter().enumerate() {
            packed[base + k * tile] = *value;
        }
    }
}

/// Packs the transpose: result `i` (of `count`) sums over the `rows` of `[m][width]`.
pub(crate) fn pack_transposed(
    level: Level,
    weights: &[f32],
    width: usize,
    count: usize,
    rows: usize,
    packed: &mut Vec<f32>,
) {
    let tile = level.tile();
    packed.clear();
    packed.resize(count.div_ceil(tile) * tile * rows, 0.0);
    for row in 0..rows {
        for (i, value) in weights[row * width..row * width + count].iter().enumerate() {
            packed[i / tile * tile * rows + row * tile + i % tile] = *value;
        }
    }
}

/// Turns the first `units` rows of a panel into a sheet of `width` columns; the padding stays as it is.
pub(crate) fn to_sheet(panel: &[f32], units: usize, rows: usize, sheet: &mut [f32], width: usize) {
    for (unit, values) in panel.chunks_exact(BLOCK).take(units).enumerate() {
        for (row, value) in values[..rows].iter().enumerate() {
            sheet[row * width + unit] = *value;
        }
    }
}

/// Turns a sheet into a panel; rows beyond `rows` become 0.
pub(crate) fn to_panel(sheet: &[f32], width: usize, units: usize, rows: usize, panel: &mut [f32]) {
    for (unit, values) in panel.chunks_exact_mut(BLOCK).take(units).enumerate() {
        for (row, value) in values.iter_mut().enumerate() {
            *value = if row < rows { sheet[row * width + unit] } else { 0.0 };
        }
    }
}

/// `lanes` for a block of `rows`: whole vectors of the widest level.
pub(crate) fn lanes(rows: usize) -> usize {
    rows.div_ceil(PAD) * PAD
}
