//! The gradient of few rows through a small network: no packing and no calls, with the bits of the passes.
//!
//! Where all rows fit one vector, the passes' preparations cost more than the work: `xor` has four rows.

use crate::activation::{self, Activation};
use crate::buffer::Buffer;
use crate::kernel::{Kernels, STRIP};
use crate::layout::{Layout, Place};
use crate::loss::{Criterion, Sums};
use crate::rows::{Block, Rows};
use crate::vector::Vector;

/// Above so many weights the passes are faster.
const MOST_WEIGHTS: usize = 512;

/// Scratch memory: values and deltas unit by unit, and each layer's inputs row by row.
#[derive(Debug)]
pub(crate) struct Few {
    values: Buffer,
    deltas: Buffer,
    sheets: Buffer,
}

impl Few {
    /// The scratch memory, if rows and network are small enough for vectors of `lanes` numbers.
    pub fn new(lanes: usize, layout: &Layout, rows: &Rows) -> Option<Few> {
        let common = |place: &Place| matches!(place.activation, Activation::Logistic | Activation::Tanh);
        let fits = rows.rows() <= lanes
            && layout.weights <= MOST_WEIGHTS
            && !layout.shape.shortcut
            && layout.places.iter().all(common);
        if !fits {
            return None;
        }
        let mut sheets = Buffer::new(layout.sheets);
        for (at, stride) in layout.places.iter().filter_map(|place| place.sheet) {
            for row in 0..rows.rows() {
                if let Some(slot) = sheets.get_mut(at + row * stride) {
                    *slot = 1.0;
                }
            }
        }
        let room = layout.units() * STRIP;
        Some(Few { values: Buffer::new(room), deltas: Buffer::new(room), sheets })
    }

    /// Writes `scale` times the gradient of the summed loss of a block that is all there is.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    pub fn gradient<V: Kernels>(
        &mut self,
        layout: &Layout,
        weights: &[f32],
        block: &Block<'_>,
        stride: usize,
        criterion: &Criterion,
        scale: f32,
        gradient: &mut [f32],
        sums: &mut Sums,
    ) {
        // SAFETY: all places are those of the layout that the buffers were made for; one vector holds all rows.
        unsafe {
            self.forward::<V>(layout, weights, block);
            self.output_delta::<V>(layout, criterion, block, sums);
            self.backward::<V>(layout, weights, block, stride, scale, gradient);
        }
    }

    #[inline(always)]
    unsafe fn forward<V: Kernels>(&mut self, layout: &Layout, weights: &[f32], block: &Block<'_>) {
        let mut x = block.panel.as_ptr();
        // SAFETY: as the caller's.
        unsafe {
            for place in &layout.places {
                let y = self.values.as_mut_ptr().add(place.value * STRIP);
                let steepness = V::splat(place.steepness);
                for unit in 0..place.units {
                    let own = weights.as_ptr().add(place.offset + unit * place.width);
                    let mut sum = V::splat(*own);
                    for k in 0..place.fan_in {
                        sum = sum.add(V::splat(*own.add(1 + k)).mul(V::load(x.add(k * STRIP))));
                    }
                    let value = activation::common_value(place.activation, sum.mul(steepness)).unwrap_or(sum);
                    value.store(y.add(unit * STRIP));
                }
                if let Some((at, stride)) = place.put {
                    let sheet = self.sheets.as_mut_ptr().add(at);
                    for unit in 0..place.units {
                        for row in 0..block.rows {
                            *sheet.add(row * stride + unit) = *y.add(unit * STRIP + row);
                        }
                    }
                }
                x = y;
            }
        }
    }

    #[inline(always)]
    unsafe fn output_delta<V: Kernels>(
        &mut self,
        layout: &Layout,
        criterion: &Criterion,
        block: &Block<'_>,
        sums: &mut Sums,
    ) {
        let Some(place) = layout.places.last() else { return };
        let at = place.value * STRIP;
        let (Some(y), Some(delta)) = (self.values.get(at..), self.deltas.get_mut(at..)) else { return };
        sums.block(criterion, (y, 0), block, (delta, 0));
        if criterion.is_plain() {
            return;
        }
        // SAFETY: as the caller's.
        unsafe { slope::<V>(place, y.as_ptr(), delta.as_mut_ptr()) };
    }

    #[inline(always)]
    unsafe fn backward<V: Kernels>(
        &mut self,
        layout: &Layout,
        weights: &[f32],
        block: &Block<'_>,
        stride: usize,
        scale: f32,
        gradient: &mut [f32],
    ) {
        let scale = V::splat(scale);
        let zero = V::splat(0.0);
        // SAFETY: as the caller's.
        unsafe {
            for (index, place) in layout.places.iter().enumerate().rev() {
                let deltas = self.deltas.as_mut_ptr();
                let delta = deltas.add(place.value * STRIP);
                let (sheet, stride) = match place.sheet {
                    Some((at, stride)) => (self.sheets.as_ptr().add(at), stride),
                    None => (block.sheet.as_ptr(), stride),
                };
                for unit in 0..place.units {
                    let own = gradient.as_mut_ptr().add(place.offset + unit * place.width);
                    for at in (0..place.width).step_by(V::LANES) {
                        let mut sum = zero;
                        for row in 0..block.rows {
                            let factor = V::splat(*delta.add(unit * STRIP + row));
                            sum = sum.add(factor.mul(V::load(sheet.add(row * stride + at))));
                        }
                        zero.add(sum).mul(scale).store(own.add(at));
                    }
                }
                let Some(below) = index.checked_sub(1).and_then(|below| layout.places.get(below)) else {
                    return;
                };
                let to = deltas.add(below.value * STRIP);
                for input in 0..below.units {
                    let mut sum = zero;
                    for unit in 0..place.units {
                        let weight = weights.as_ptr().add(place.offset + unit * place.width + 1 + input);
                        sum = sum.add(V::splat(*weight).mul(V::load(delta.add(unit * STRIP))));
                    }
                    sum.store(to.add(input * STRIP));
                }
                slope::<V>(below, self.values.as_ptr().add(below.value * STRIP), to);
            }
        }
    }
}

/// delta *= slope, a vector a unit.
#[inline(always)]
unsafe fn slope<V: Vector>(place: &Place, y: *const f32, delta: *mut f32) {
    let steepness = V::splat(place.steepness);
    // SAFETY: the caller's promise of a vector for each unit.
    unsafe {
        for unit in 0..place.units {
            let y = V::load(y.add(unit * STRIP));
            let slope = activation::common_slope(place.activation, y).unwrap_or(y).mul(steepness);
            let place = delta.add(unit * STRIP);
            V::load(place).mul(slope).store(place);
        }
    }
}
