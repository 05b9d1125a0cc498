//! The products of training, written once over lanes and compiled once per instruction set.
//!
//! Rows are handled in blocks of [`BLOCK`]. A *panel* holds one block in strips of [`STRIP`] rows, each unit by unit
//! (`[strip][unit][row]`), a *sheet* holds it row by row (`[row][1, unit…]`). Every product is a loop over the summed index in its order, with independent
//! results in the lanes: the tile, and so the instruction set, changes the speed and never a bit.

mod product;
mod row;
mod turn;
mod update;

pub(crate) use product::{pack_order, transposed_order, Start};
pub(crate) use row::{sum_of, take_off, RankOne};
pub(crate) use update::{AdamStep, Quick, Resilient, Steps};

use crate::activation::{self, Activation};
use crate::vector::{Scalar, Vector, V128};

/// Rows of a block: partial sums over rows are taken per block.
pub const BLOCK: usize = 64;
/// Rows of a strip: the values of one unit that lie side by side.
pub(crate) const STRIP: usize = 16;

/// Units of a block: where the first strip's are, and the numbers from one strip to the next.
#[derive(Clone, Copy, Debug)]
pub struct Panel<P> {
    /// The first unit's first row.
    pub first: P,
    /// Numbers of a strip.
    pub stride: usize,
}

impl Panel<*const f32> {
    /// The first unit at `row`.
    #[inline(always)]
    pub(crate) unsafe fn at(self, row: usize) -> *const f32 {
        // SAFETY: the caller's promise that the panel has the row.
        unsafe { self.first.add(row / STRIP * self.stride + row % STRIP) }
    }

    /// The panel from `unit` on.
    #[inline(always)]
    pub(crate) unsafe fn beyond(self, unit: usize) -> Self {
        // SAFETY: the caller's promise that the panel has the unit.
        Panel { first: unsafe { self.first.add(unit * STRIP) }, ..self }
    }
}

impl Panel<*mut f32> {
    /// The first unit at `row`.
    #[inline(always)]
    pub(crate) unsafe fn at(self, row: usize) -> *mut f32 {
        // SAFETY: the caller's promise that the panel has the row.
        unsafe { self.first.add(row / STRIP * self.stride + row % STRIP) }
    }

    /// The same, to read.
    #[inline(always)]
    pub(crate) fn read(self) -> Panel<*const f32> {
        Panel { first: self.first, stride: self.stride }
    }
}

/// Makes one function per instruction set of each generic body, so that it is compiled once and called, not copied
/// into every caller.
macro_rules! kernels {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) = $($body:ident)::+;)*) => {
        /// The kernels of an instruction set.
        ///
        /// # Safety
        /// Each method's pointers must be good for what its body says it reads and writes.
        #[allow(missing_docs, clippy::missing_safety_doc, clippy::too_many_arguments)]
        pub trait Kernels: Vector {
            $($(#[$doc])* unsafe fn $name($($arg: $ty),*);)*
        }
        kernels!(@plain Scalar; $($name($($arg: $ty),*) = $($body)::+;)*);
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64", all(target_arch = "wasm32", target_feature = "simd128")))]
        kernels!(@plain V128; $($name($($arg: $ty),*) = $($body)::+;)*);
        #[cfg(target_arch = "x86_64")]
        kernels!(@wide crate::vector::V256, "avx2"; $($name($($arg: $ty),*) = $($body)::+;)*);
        #[cfg(target_arch = "x86_64")]
        kernels!(@wide crate::vector::V512, "avx512f,avx512dq"; $($name($($arg: $ty),*) = $($body)::+;)*);
        #[cfg(all(target_arch = "x86_64", feature = "yardstick"))]
        kernels!(@wide crate::vector::Vex128, "avx2"; $($name($($arg: $ty),*) = $($body)::+;)*);
    };
    (@plain $vector:ty; $($name:ident($($arg:ident: $ty:ty),*) = $($body:ident)::+;)*) => {
        impl Kernels for $vector {
            $(unsafe fn $name($($arg: $ty),*) {
                // SAFETY: the caller's promises.
                unsafe { $($body)::+::<$vector>($($arg),*) }
            })*
        }
    };
    (@wide $vector:ty, $features:literal; $($name:ident($($arg:ident: $ty:ty),*) = $($body:ident)::+;)*) => {
        impl Kernels for $vector {
            $(#[inline(always)]
            unsafe fn $name($($arg: $ty),*) {
                #[target_feature(enable = $features)]
                #[allow(clippy::too_many_arguments)]
                unsafe fn wide($($arg: $ty),*) {
                    // SAFETY: the caller's promises.
                    unsafe { $($body)::+::<$vector>($($arg),*) }
                }
                // SAFETY: the type is reached only where the processor has the instructions, and the caller's promises.
                unsafe { wide($($arg),*) }
            })*
        }
    };
}

kernels! {
    /// See [`product::multiply`].
    fn multiply(packed: *const f32, depth: usize, outputs: usize, panel: Panel<*const f32>, out: Panel<*mut f32>, lanes: usize, start: Start)
        = product::multiply;
    /// See [`product::accumulate`].
    fn accumulate(gradient: *mut f32, width: usize, delta: Panel<*const f32>, outputs: usize, sheet: *const f32, stride: usize, rows: usize)
        = product::accumulate;
    /// y = f(steepness * z) over a panel of `units`, `lanes` rows of each.
    fn activate(activation: Activation, steepness: f32, z: Panel<*const f32>, y: Panel<*mut f32>, units: usize, lanes: usize)
        = activate;
    /// delta *= slope over a panel.
    fn slope(activation: Activation, steepness: f32, z: Panel<*const f32>, y: Panel<*const f32>, delta: Panel<*mut f32>, units: usize, lanes: usize)
        = slope;
    /// See [`turn::to_panel`].
    fn to_panel(rows: *const f32, stride: usize, count: usize, total: usize, panel: Panel<*mut f32>)
        = turn::to_panel;
    /// See [`turn::to_rows`].
    fn to_rows(panel: Panel<*const f32>, count: usize, total: usize, rows: *mut f32, stride: usize)
        = turn::to_rows;
    /// See [`row::multiply`].
    fn row_multiply(weights: *const f32, width: usize, x: *const f32, depth: usize, out: *mut f32, biased: bool)
        = row::multiply;
    /// See [`row::rank_one`].
    fn rank_one(weights: *mut f32, width: usize, x: *const f32, depth: usize, y: *const f32, biased: bool)
        = row::rank_one;
    /// See [`row::rank_one_with`].
    fn rank_one_with(weights: *mut f32, width: usize, x: *const f32, depth: usize, y: *const f32, biased: bool, rule: RankOne)
        = row::rank_one_with;
    /// y = f(steepness * z) over `count` numbers, whole vectors.
    fn activate_row(activation: Activation, steepness: f32, z: *const f32, y: *mut f32, count: usize)
        = activation::forward;
    /// delta *= slope over `count` numbers, whole vectors.
    fn slope_row(activation: Activation, steepness: f32, z: *const f32, y: *const f32, delta: *mut f32, count: usize)
        = activation::backward;
    /// See [`update::finish`].
    fn finish(gradient: *mut f32, weights: *const f32, free: *const f32, count: usize, scale: f32, l1: f32, l2: f32)
        = update::finish;
    /// See [`update::momentum`].
    fn momentum(weights: *mut f32, gradient: *const f32, velocity: *mut f32, count: usize, rate: f32, momentum: f32)
        = update::momentum;
    /// See [`update::rprop`].
    fn rprop(weights: *mut f32, gradient: *const f32, last: *mut f32, steps: *mut f32, count: usize, rule: Steps)
        = update::rprop;
    /// See [`update::quickprop`].
    fn quickprop(weights: *mut f32, gradient: *const f32, last: *mut f32, changes: *mut f32, count: usize, rule: Quick)
        = update::quickprop;
    /// See [`update::adam`].
    fn adam(weights: *mut f32, gradient: *const f32, first: *mut f32, second: *mut f32, count: usize, step: AdamStep)
        = update::adam;
}

/// Numbers from one row of a sheet to the next for `columns` columns: whole cache lines, and an odd number of them
/// where there are several, since rows a power of two apart would fall on the same few places of a cache.
pub(crate) fn sheet_stride(columns: usize) -> usize {
    let lines = columns.div_ceil(16);
    (if lines > 2 { lines | 1 } else { lines }) * 16
}

/// The lanes of a block of `rows` rows for vectors of `V`.
#[inline(always)]
pub(crate) fn lanes<V: Vector>(rows: usize) -> usize {
    rows.div_ceil(V::LANES) * V::LANES
}

#[inline(always)]
unsafe fn activate<V: Vector>(
    activation: Activation,
    steepness: f32,
    z: Panel<*const f32>,
    y: Panel<*mut f32>,
    units: usize,
    lanes: usize,
) {
    let mut row = 0;
    while row < lanes {
        let width = STRIP.min(lanes - row);
        // SAFETY: each strip has STRIP rows a unit.
        unsafe {
            let (z, y) = (z.at(row), y.at(row));
            if activation == Activation::Softmax {
                activation::softmax_strip::<V>(steepness, z, y, units, width);
            } else if width == STRIP {
                activation::forward::<V>(activation, steepness, z, y, units * STRIP);
            } else {
                for unit in 0..units {
                    let at = unit * STRIP;
                    activation::forward::<V>(activation, steepness, z.add(at), y.add(at), width);
                }
            }
        }
        row += STRIP;
    }
}

#[inline(always)]
unsafe fn slope<V: Vector>(
    activation: Activation,
    steepness: f32,
    z: Panel<*const f32>,
    y: Panel<*const f32>,
    delta: Panel<*mut f32>,
    units: usize,
    lanes: usize,
) {
    let mut row = 0;
    while row < lanes {
        let width = STRIP.min(lanes - row);
        // SAFETY: each strip has STRIP rows a unit.
        unsafe {
            let (z, y, delta) = (z.at(row), y.at(row), delta.at(row));
            if width == STRIP {
                activation::backward::<V>(activation, steepness, z, y, delta, units * STRIP);
            } else {
                for unit in 0..units {
                    let at = unit * STRIP;
                    activation::backward::<V>(
                        activation,
                        steepness,
                        z.add(at),
                        y.add(at),
                        delta.add(at),
                        width,
                    );
                }
            }
        }
        row += STRIP;
    }
}
