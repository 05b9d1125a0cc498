//! Forward and backward passes over a block of rows.
#![allow(clippy::indexing_slicing)] // buffers are made for the layout

use crate::buffer::Buffer;
use crate::kernel::{lanes, Kernels, Start, BLOCK};
use crate::layout::{Layout, Place};
use crate::loss::{Criterion, Sums};
use crate::rows::Block;
use crate::{Activation, Rng};

/// Scratch memory of the passes; made once, so that no epoch allocates.
#[derive(Debug)]
pub(crate) struct Passes {
    packed: Buffer,
    back: Buffer,
    /// Sums, if some slope needs them.
    sums: Buffer,
    /// `[unit][row]`.
    values: Buffer,
    deltas: Buffer,
    /// With dropout: slope times mask.
    slopes: Buffer,
    sheets: Buffer,
    dropping: bool,
}

impl Passes {
    pub fn new(layout: &Layout, training: bool, dropout: bool) -> Passes {
        let units: usize = layout.places.iter().map(|place| place.units).sum();
        let when = |is: bool, count: usize| Buffer::new(if is { count } else { 0 });
        let mut sheets = when(training, layout.sheets);
        for place in layout.places.iter().filter(|_| training) {
            if let Some((at, stride)) = place.sheet {
                (0..BLOCK).for_each(|row| sheets[at + row * stride] = 1.0);
            }
        }
        Passes {
            packed: Buffer::new(layout.order.len()),
            back: when(training, layout.back_order.len()),
            sums: when(layout.needs_sums, layout.values * BLOCK),
            values: Buffer::new(layout.values * BLOCK),
            deltas: when(training, units * BLOCK),
            slopes: when(dropout, units * BLOCK),
            sheets,
            dropping: false,
        }
    }

    /// Takes over the weights; to be called after each change of them.
    #[inline(always)]
    pub fn load(&mut self, layout: &Layout, weights: &[f32], backward: bool) {
        let copy = |to: &mut Buffer, order: &[u32]| {
            for (slot, from) in to.iter_mut().zip(order) {
                *slot = weights[*from as usize];
            }
        };
        copy(&mut self.packed, &layout.order);
        if backward {
            copy(&mut self.back, &layout.back_order);
        }
    }

    /// Runs a block through the layers.
    ///
    /// `dropout` drops each hidden unit of each row with that probability and enlarges the others to match.
    #[inline(always)]
    pub fn forward<V: Kernels>(
        &mut self,
        layout: &Layout,
        panel: &[f32],
        rows: usize,
        mut dropout: Option<(f32, &mut Rng)>,
    ) {
        let lanes = lanes::<V>(rows);
        self.dropping = dropout.is_some();
        if layout.shape.shortcut {
            let count = panel.len();
            self.values[..count].copy_from_slice(panel);
        }
        let last = layout.places.len() - 1;
        for (index, place) in layout.places.iter().enumerate() {
            let values = self.values.as_mut_ptr();
            let at = place.value * BLOCK;
            // SAFETY: the layout's places lie inside the buffers, whose panels have BLOCK rows a unit.
            unsafe {
                let source =
                    place.source.map_or(panel.as_ptr(), |unit| values.add(unit * BLOCK).cast_const());
                let out = values.add(at);
                let sums = if layout.needs_sums { self.sums.as_mut_ptr().add(at) } else { out };
                let packed = self.packed.as_ptr().add(place.packed);
                V::multiply(packed, place.fan_in, place.units, source, sums, lanes, Start::Bias);
                V::activate(place.activation, place.steepness, sums, out, place.units, lanes);
            }
            if let (true, Some((share, rng))) = (index < last, &mut dropout) {
                self.drop_units::<V>(layout, place, *share, rng);
            }
        }
    }

    /// Masks a hidden layer, and keeps its slope times the mask.
    #[inline(always)]
    fn drop_units<V: Kernels>(&mut self, layout: &Layout, place: &Place, share: f32, rng: &mut Rng) {
        let at = place.value * BLOCK..(place.value + place.units) * BLOCK;
        let base = layout.values - self.deltas.len() / BLOCK;
        let slot = (place.value - base) * BLOCK;
        let slopes = &mut self.slopes[slot..slot + place.units * BLOCK];
        slopes.fill(1.0);
        let sums = if layout.needs_sums { &self.sums[at.clone()] } else { &self.values[at.clone()] };
        let values = &self.values[at.clone()];
        // SAFETY: whole panels of the layer. The slope is taken before the mask, since most slopes come from the value.
        unsafe {
            V::slope(
                place.activation,
                place.steepness,
                sums.as_ptr(),
                values.as_ptr(),
                slopes.as_mut_ptr(),
                place.units,
                BLOCK,
            );
        }
        let keep = 1.0 / (1.0 - share);
        let limit = (share * 65536.0) as u64;
        for (values, slopes) in self.values[at].chunks_mut(4).zip(slopes.chunks_mut(4)) {
            let mut bits = rng.next_u64();
            for (value, slope) in values.iter_mut().zip(slopes) {
                let factor = if (bits & 0xffff) < limit { 0.0 } else { keep };
                *value *= factor;
                *slope *= factor;
                bits >>= 16;
            }
        }
    }

    /// The output panel.
    #[inline(always)]
    pub fn output(&self, layout: &Layout) -> &[f32] {
        &self.values[(layout.values - layout.shape.outputs()) * BLOCK..]
    }

    /// Takes the block's loss in and sets the outputs' delta.
    #[inline(always)]
    pub fn output_delta<V: Kernels>(
        &mut self,
        layout: &Layout,
        criterion: &Criterion,
        block: &Block<'_>,
        sums: &mut Sums,
    ) {
        let Some(place) = layout.places.last() else { return };
        let count = place.units * BLOCK;
        let at = place.value * BLOCK;
        let from = self.deltas.len() - count;
        let (values, deltas) = (&self.values[at..at + count], &mut self.deltas[from..]);
        sums.block(criterion, values, block, deltas);
        if criterion.is_plain() {
            return;
        }
        if place.activation == Activation::Softmax {
            softmax_delta(place.steepness, values, deltas);
            return;
        }
        let z = if layout.needs_sums { &self.sums[at..] } else { values };
        // SAFETY: whole panels of the layer.
        unsafe {
            let (z, y, delta) = (z.as_ptr(), values.as_ptr(), deltas.as_mut_ptr());
            V::slope(place.activation, place.steepness, z, y, delta, place.units, lanes::<V>(block.rows));
        }
    }

    /// Adds the block's gradient to `gradient`; the outputs' delta is set, `sheet` holds the inputs row by row.
    #[inline(always)]
    pub fn backward<V: Kernels>(
        &mut self,
        layout: &Layout,
        block: &Block<'_>,
        stride: usize,
        gradient: &mut [f32],
    ) {
        let rows = block.rows;
        let lanes = lanes::<V>(rows);
        let base = layout.values - self.deltas.len() / BLOCK;
        if layout.shape.shortcut {
            self.put_inputs(layout, block, stride);
        }
        for place in &layout.places {
            if let Some((at, stride)) = place.put {
                let values = &self.values[place.value * BLOCK..(place.value + place.units) * BLOCK];
                put(values, rows, &mut self.sheets[at..], stride);
            }
        }
        for (index, place) in layout.places.iter().enumerate().rev() {
            let delta = (place.value - base) * BLOCK;
            // SAFETY: the layout's places lie inside the buffers.
            unsafe {
                let deltas = self.deltas.as_mut_ptr();
                let (sheet, stride) = match place.sheet {
                    Some((at, stride)) => (self.sheets.as_ptr().add(at), stride),
                    None => (block.sheet.as_ptr(), stride),
                };
                let part = gradient.as_mut_ptr().add(place.offset);
                V::accumulate(part, place.width, deltas.add(delta), place.units, sheet, stride, rows);
                if index == 0 {
                    return;
                }
                let first = !layout.shape.shortcut || index + 1 == layout.places.len();
                let start = if first { Start::Zero } else { Start::Previous };
                let (packed, to) = (self.back.as_ptr().add(place.back), deltas.add(place.back_to * BLOCK));
                V::multiply(packed, place.units, place.back_count, deltas.add(delta), to, lanes, start);
            }
            self.apply_slope::<V>(layout, &layout.places[index - 1], base, lanes);
        }
    }

    /// Multiplies a hidden layer's delta by its slope.
    #[inline(always)]
    fn apply_slope<V: Kernels>(&mut self, layout: &Layout, place: &Place, base: usize, lanes: usize) {
        let at = place.value * BLOCK;
        let from = (place.value - base) * BLOCK;
        let deltas = &mut self.deltas[from..from + place.units * BLOCK];
        if self.dropping {
            deltas.iter_mut().zip(&self.slopes[from..]).for_each(|(delta, slope)| *delta *= slope);
            return;
        }
        let z = if layout.needs_sums { &self.sums[at..] } else { &self.values[at..] };
        // SAFETY: whole panels of the layer.
        unsafe {
            let (y, delta) = (self.values.as_ptr().add(at), deltas.as_mut_ptr());
            V::slope(place.activation, place.steepness, z.as_ptr(), y, delta, place.units, lanes);
        }
    }

    fn put_inputs(&mut self, layout: &Layout, block: &Block<'_>, stride: usize) {
        let Some((at, to)) = layout.places.first().and_then(|place| place.sheet) else { return };
        let count = layout.shape.inputs;
        for row in 0..block.rows {
            let from = &block.sheet[row * stride + 1..row * stride + 1 + count];
            let start = at + row * to + 1;
            self.sheets[start..start + count].copy_from_slice(from);
        }
    }
}

/// Turns a panel into columns of a sheet.
#[inline(always)]
fn put(panel: &[f32], rows: usize, sheet: &mut [f32], stride: usize) {
    for (unit, values) in panel.chunks_exact(BLOCK).enumerate() {
        for (row, value) in values[..rows].iter().enumerate() {
            sheet[row * stride + unit] = *value;
        }
    }
}

/// A slope through softmax: delta_o = steepness * y_o * (d_o - sum over k of d_k * y_k).
fn softmax_delta(steepness: f32, y: &[f32], delta: &mut [f32]) {
    let mut dot = [0.0f32; BLOCK];
    for (errors, values) in delta.chunks_exact(BLOCK).zip(y.chunks_exact(BLOCK)) {
        for ((slot, error), value) in dot.iter_mut().zip(errors).zip(values) {
            *slot += error * value;
        }
    }
    for (errors, values) in delta.chunks_exact_mut(BLOCK).zip(y.chunks_exact(BLOCK)) {
        for ((error, value), dot) in errors.iter_mut().zip(values).zip(&dot) {
            *error = steepness * (value * (*error - dot));
        }
    }
}
