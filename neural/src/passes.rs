//! Forward and backward passes over a block of rows.
#![allow(clippy::indexing_slicing)] // buffers are made for the layout

use crate::buffer::Buffer;
use crate::kernel::{lanes, Kernels, Panel, Start, BLOCK, STRIP};
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
    /// `[strip][unit][row]`.
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
        let inputs = layout.shape.inputs * STRIP;
        if layout.shape.shortcut {
            let strips = self.values.chunks_exact_mut(layout.values * STRIP);
            strips.zip(panel.chunks_exact(inputs)).for_each(|(to, from)| to[..inputs].copy_from_slice(from));
        }
        let last = layout.places.len() - 1;
        for (index, place) in layout.places.iter().enumerate() {
            // SAFETY: the layout's places lie inside the buffers.
            unsafe {
                let source = match place.source {
                    Some(unit) => self.values(layout, unit).read(),
                    None => Panel { first: panel.as_ptr(), stride: inputs },
                };
                let out = self.values(layout, place.value);
                let sums = self.sums(layout, place.value);
                let packed = self.packed.as_ptr().add(place.packed);
                V::multiply(packed, place.fan_in, place.units, source, sums, lanes, Start::Bias);
                V::activate(place.activation, place.steepness, sums.read(), out, place.units, lanes);
            }
            if let (true, Some((share, rng))) = (index < last, &mut dropout) {
                self.drop_units::<V>(layout, place, *share, rng);
            }
        }
    }

    /// The values from `unit` on.
    #[inline(always)]
    fn values(&mut self, layout: &Layout, unit: usize) -> Panel<*mut f32> {
        Panel { first: self.values.as_mut_ptr().wrapping_add(unit * STRIP), stride: layout.values * STRIP }
    }

    /// The sums from `unit` on: the values' own place if no slope needs them.
    #[inline(always)]
    fn sums(&mut self, layout: &Layout, unit: usize) -> Panel<*mut f32> {
        if layout.needs_sums {
            let first = self.sums.as_mut_ptr().wrapping_add(unit * STRIP);
            Panel { first, stride: layout.values * STRIP }
        } else {
            self.values(layout, unit)
        }
    }

    /// The deltas of a layer's units.
    #[inline(always)]
    fn deltas(&mut self, layout: &Layout, unit: usize) -> Panel<*mut f32> {
        Panel { first: self.deltas.as_mut_ptr().wrapping_add(unit * STRIP), stride: layout.units() * STRIP }
    }

    /// Masks a hidden layer, and keeps its slope times the mask.
    #[inline(always)]
    fn drop_units<V: Kernels>(&mut self, layout: &Layout, place: &Place, share: f32, rng: &mut Rng) {
        let unit = place.value - layout.base();
        let (size, stride) = (place.units * STRIP, layout.units() * STRIP);
        for slopes in self.slopes.chunks_exact_mut(stride) {
            slopes[unit * STRIP..unit * STRIP + size].fill(1.0);
        }
        let slopes = Panel { first: self.slopes.as_mut_ptr().wrapping_add(unit * STRIP), stride };
        // SAFETY: whole panels of the layer. The slope is taken before the mask, since most come from the value.
        unsafe {
            let (z, y) = (self.sums(layout, place.value).read(), self.values(layout, place.value).read());
            V::slope(place.activation, place.steepness, z, y, slopes, place.units, BLOCK);
        }
        let keep = 1.0 / (1.0 - share);
        let limit = (share * 65536.0) as u64;
        let values = self.values.chunks_exact_mut(layout.values * STRIP);
        for (values, slopes) in values.zip(self.slopes.chunks_exact_mut(stride)) {
            let values = &mut values[place.value * STRIP..][..size];
            let slopes = &mut slopes[unit * STRIP..][..size];
            for (values, slopes) in values.chunks_mut(4).zip(slopes.chunks_mut(4)) {
                let mut bits = rng.next_u64();
                for (value, slope) in values.iter_mut().zip(slopes) {
                    let factor = if (bits & 0xffff) < limit { 0.0 } else { keep };
                    *value *= factor;
                    *slope *= factor;
                    bits >>= 16;
                }
            }
        }
    }

    /// Writes the outputs of the first `rows` rows, row by row.
    #[inline(always)]
    pub fn output<V: Kernels>(&mut self, layout: &Layout, rows: usize, to: &mut [f32]) {
        let outputs = layout.shape.outputs();
        let panel = self.values(layout, layout.values - outputs).read();
        let rows = rows.min(to.len() / outputs);
        // SAFETY: `to` has the rows, as just made sure of.
        unsafe { V::to_rows(panel, outputs, rows, to.as_mut_ptr(), outputs) };
    }

    /// Takes the loss of the outputs in, without a way back; `delta` is scratch for a panel of outputs.
    #[inline(always)]
    pub fn measure(
        &self,
        layout: &Layout,
        criterion: &Criterion,
        block: &Block<'_>,
        delta: &mut [f32],
        sums: &mut Sums,
    ) {
        let outputs = layout.shape.outputs();
        let values = &self.values[(layout.values - outputs) * STRIP..];
        sums.block(criterion, (values, layout.values * STRIP), block, (delta, outputs * STRIP));
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
        let unit = place.value - layout.base();
        let (values, deltas) = (&self.values[place.value * STRIP..], &mut self.deltas[unit * STRIP..]);
        let (stride, delta_stride) = (layout.values * STRIP, layout.units() * STRIP);
        sums.block(criterion, (values, stride), block, (deltas, delta_stride));
        if criterion.is_plain() {
            return;
        }
        if place.activation == Activation::Softmax {
            for (values, deltas) in values.chunks(stride).zip(deltas.chunks_mut(delta_stride)) {
                let size = place.units * STRIP;
                softmax_delta(place.steepness, &values[..size], &mut deltas[..size]);
            }
            return;
        }
        self.apply_slope::<V>(layout, place, lanes::<V>(block.rows), false);
    }

    /// Adds the block's gradient to `gradient`; the outputs' delta is set.
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
        if layout.shape.shortcut {
            self.put_inputs(layout, block, stride);
        }
        for place in &layout.places {
            if let Some((at, stride)) = place.put {
                let values = self.values(layout, place.value).read();
                // SAFETY: the layer's columns of the sheet.
                unsafe { V::to_rows(values, place.units, rows, self.sheets.as_mut_ptr().add(at), stride) };
            }
        }
        for (index, place) in layout.places.iter().enumerate().rev() {
            let delta = self.deltas(layout, place.value - layout.base()).read();
            // SAFETY: the layout's places lie inside the buffers.
            unsafe {
                let (sheet, stride) = match place.sheet {
                    Some((at, stride)) => (self.sheets.as_ptr().add(at), stride),
                    None => (block.sheet.as_ptr(), stride),
                };
                let part = gradient.as_mut_ptr().add(place.offset);
                V::accumulate(part, place.width, delta, place.units, sheet, stride, rows);
                if index == 0 {
                    return;
                }
                let first = !layout.shape.shortcut || index + 1 == layout.places.len();
                let start = if first { Start::Zero } else { Start::Previous };
                let (packed, to) = (self.back.as_ptr().add(place.back), self.deltas(layout, place.back_to));
                V::multiply(packed, place.units, place.back_count, delta, to, lanes, start);
            }
            self.apply_slope::<V>(layout, &layout.places[index - 1], lanes, self.dropping);
        }
    }

    /// Multiplies a layer's delta by its slope.
    #[inline(always)]
    fn apply_slope<V: Kernels>(&mut self, layout: &Layout, place: &Place, lanes: usize, dropping: bool) {
        let unit = place.value - layout.base();
        if dropping {
            let stride = layout.units() * STRIP;
            let (from, to) = (unit * STRIP, (unit + place.units) * STRIP);
            for (deltas, slopes) in self.deltas.chunks_exact_mut(stride).zip(self.slopes.chunks_exact(stride))
            {
                deltas[from..to].iter_mut().zip(&slopes[from..to]).for_each(|(delta, slope)| *delta *= slope);
            }
            return;
        }
        // SAFETY: the layer's places.
        unsafe {
            let (z, y) = (self.sums(layout, place.value).read(), self.values(layout, place.value).read());
            V::slope(place.activation, place.steepness, z, y, self.deltas(layout, unit), place.units, lanes);
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

/// A slope through softmax, for a strip: delta_o = steepness * y_o * (d_o - sum over k of d_k * y_k).
fn softmax_delta(steepness: f32, y: &[f32], delta: &mut [f32]) {
    let mut dot = [0.0f32; STRIP];
    for (errors, values) in delta.chunks_exact(STRIP).zip(y.chunks_exact(STRIP)) {
        for ((slot, error), value) in dot.iter_mut().zip(errors).zip(values) {
            *slot += error * value;
        }
    }
    for (errors, values) in delta.chunks_exact_mut(STRIP).zip(y.chunks_exact(STRIP)) {
        for ((error, value), dot) in errors.iter_mut().zip(values).zip(&dot) {
            *error = steepness * (value * (*error - dot));
        }
    }
}
