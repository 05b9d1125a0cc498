//! What one epoch does: gradients and updates, of all rows, of small batches, or row by row.
#![allow(clippy::indexing_slicing)] // buffers are made for the layout

use super::Trainer;
use crate::kernel::{Kernels, STRIP};
use crate::layout::Layout;
use crate::loss::{Criterion, Epoch, Sums};
use crate::optimiser::Algorithm;
use crate::passes::Passes;
use crate::rows::Rows;
use crate::Rng;

impl Trainer {
    #[inline(always)]
    pub(super) fn batches<V: Kernels>(&mut self) {
        let rows = self.train.rows();
        let noise = self.settings.noise;
        let small = self.settings.batch_rows as usize;
        let batched = matches!(self.settings.algorithm, Algorithm::Batch | Algorithm::Adam) && small > 0;
        let Some(mut scratch) = self.scratch.take() else {
            return self.one_update::<V>(None);
        };
        let mut order = core::mem::take(&mut self.order);
        if batched && self.settings.shuffle {
            self.rng.shuffle(&mut order);
        }
        for chosen in order.chunks(if batched { small } else { rows }) {
            scratch.gather(&self.train, chosen, noise, &mut self.rng);
            self.one_update::<V>(Some(&scratch));
        }
        self.order = order;
        self.scratch = Some(scratch);
    }

    /// Gradient of the chosen rows (all if none are given) and one update.
    #[inline(always)]
    fn one_update<V: Kernels>(&mut self, chosen: Option<&Rows>) {
        let Trainer { passes, layout, weights, gradient, criterion, rng, settings, sums, few, .. } = self;
        let rows = chosen.unwrap_or(&self.train);
        let (total, places) = (rows.total(), rows.rows());
        let plain = settings.l1 == 0.0 && settings.l2 == 0.0 && self.mask.is_empty();
        let error = if let (Some(few), true) = (few, plain) {
            let (block, scale) = (rows.block(0), (1.0 / total) as f32);
            few.gradient::<V>(layout, weights, &block, rows.stride(), criterion, scale, gradient, sums);
            sums.finish(criterion, total, rows.outputs(), places).squared
        } else if chosen.is_some() {
            let mut own = Sums::new();
            gradient_into::<V>(
                passes,
                layout,
                weights,
                rows,
                criterion,
                gradient,
                settings.dropout,
                rng,
                &mut own,
            );
            sums.add(&own);
            let error = own.finish(criterion, total, rows.outputs(), places).squared;
            self.finish_gradient::<V>(total, true);
            error
        } else {
            gradient_into::<V>(
                passes,
                layout,
                weights,
                rows,
                criterion,
                gradient,
                settings.dropout,
                rng,
                sums,
            );
            let error = sums.finish(criterion, total, rows.outputs(), places).squared;
            self.finish_gradient::<V>(total, true);
            error
        };
        let Trainer { optimiser, settings, layout, weights, gradient, rng, .. } = self;
        optimiser.update::<V>(settings, layout, weights, gradient, error, rng);
    }

    /// Means, decay, and nothing where no weight is.
    #[inline(always)]
    pub(super) fn finish_gradient<V: Kernels>(&mut self, total: f64, decay: bool) {
        let (l1, l2) = if decay { (self.settings.l1, self.settings.l2) } else { (0.0, 0.0) };
        let scale = (1.0 / total) as f32;
        let count = self.gradient.len();
        // SAFETY: all hold the layout's weights.
        unsafe {
            let gradient = self.gradient.as_mut_ptr();
            V::finish(gradient, self.weights.as_ptr(), self.free.as_ptr(), count, scale, l1, l2);
        }
        for (slope, mask) in self.gradient.iter_mut().zip(self.mask.iter()) {
            *slope = f32::from_bits(slope.to_bits() & mask.to_bits());
        }
    }

    #[inline(always)]
    pub(super) fn row_by_row<V: Kernels>(&mut self) {
        let Trainer { stepper: Some(stepper), settings, order, rng, train, criterion, sums, noisy, .. } =
            self
        else {
            return;
        };
        if settings.shuffle {
            rng.shuffle(order);
        }
        for row in order.iter() {
            let row = *row as usize;
            let mut input = train.row(row);
            if settings.noise > 0.0 {
                for (slot, value) in noisy.iter_mut().zip(input) {
                    *slot = value + rng.uniform_f32(-settings.noise, settings.noise);
                }
                input = noisy;
            }
            stepper.forward::<V>(input, settings.dropout, Some(&mut *rng));
            let targets = train.targets_of(row);
            stepper.learn::<V>(
                criterion,
                input,
                |output| targets[output * STRIP],
                train.weight(row),
                settings.learning_rate,
                settings.momentum,
                settings.dropout > 0.0,
                sums,
            );
        }
        self.stale = true;
        if self.settings.l1 > 0.0 || self.settings.l2 > 0.0 {
            self.decay_epoch();
        }
    }

    /// The decay of all of an epoch's rows at once; at most half a weight.
    fn decay_epoch(&mut self) {
        self.refresh();
        let share = self.settings.learning_rate * self.train.rows() as f32;
        let share = if share < 0.5 { share } else { 0.5 };
        let (l1, l2) = (self.settings.l1, if self.settings.l2 < 1.0 { self.settings.l2 } else { 1.0 });
        for (weight, free) in self.weights.iter_mut().zip(self.free.iter()) {
            let shrunk = *weight - share * l2 * *weight * free;
            let step = share * l1 * free;
            let size = if shrunk < 0.0 { -shrunk } else { shrunk };
            let less = if size > step { size - step } else { 0.0 };
            *weight = if shrunk < 0.0 { -less } else { less };
        }
        if let Some(stepper) = &mut self.stepper {
            stepper.read_weights(&self.layout, &self.weights);
        }
    }

    /// Takes over the stepper's weights, if they are newer.
    pub(super) fn refresh(&mut self) {
        if let (Some(stepper), true) = (&self.stepper, self.stale) {
            stepper.write_weights(&self.layout, &mut self.weights);
            self.stale = false;
        }
    }

    /// The first layer whose weights are not finite; the last layer if only the loss is not.
    #[inline(always)]
    pub(super) fn broken<V: Kernels>(&mut self, epoch: &Epoch) -> Option<usize> {
        let weights = match &self.stepper {
            Some(stepper) => stepper.forward_weights(),
            None => &self.weights,
        };
        let mut found = V::splat(0.0);
        for chunk in weights.chunks_exact(V::LANES) {
            // SAFETY: the chunk has the vector's lanes. x - x is NaN where x is not finite, else 0.
            unsafe {
                let x = V::load(chunk.as_ptr());
                found = found.or(x.sub(x));
            }
        }
        let mut lanes = [0.0f32; 16];
        // SAFETY: no vector has more than 16 lanes.
        unsafe { found.store(lanes.as_mut_ptr()) };
        if epoch.squared.is_finite() && epoch.loss.is_finite() && lanes.iter().all(|lane| *lane == 0.0) {
            return None;
        }
        self.refresh();
        let last = self.layout.places.len() - 1;
        let bad = |place: &crate::layout::Place| {
            let weights = &self.weights[place.offset..place.offset + place.units * place.width];
            weights.iter().any(|weight| !weight.is_finite())
        };
        Some(self.layout.places.iter().position(bad).unwrap_or(last))
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub(super) fn gradient_into<V: Kernels>(
    passes: &mut Passes,
    layout: &Layout,
    weights: &[f32],
    rows: &Rows,
    criterion: &Criterion,
    gradient: &mut [f32],
    dropout: f32,
    rng: &mut Rng,
    sums: &mut Sums,
) {
    gradient.fill(0.0);
    passes.load(layout, weights, true);
    for index in 0..rows.blocks() {
        let block = rows.block(index);
        let drop = (dropout > 0.0).then_some((dropout, &mut *rng));
        passes.forward::<V>(layout, block.panel, block.rows, drop);
        passes.output_delta::<V>(layout, criterion, &block, sums);
        passes.backward::<V>(layout, &block, rows.stride(), gradient);
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub(super) fn gradient_of<V: Kernels>(
    passes: &mut Passes,
    layout: &Layout,
    weights: &[f32],
    rows: &Rows,
    criterion: &Criterion,
    gradient: &mut [f32],
    dropout: f32,
    rng: &mut Rng,
) {
    gradient_into::<V>(passes, layout, weights, rows, criterion, gradient, dropout, rng, &mut Sums::new());
}
