//! Between a stepper's two copies of the weights and the orders of networks and layouts.
#![allow(clippy::indexing_slicing)] // buffers are made for the layout

use super::{Step, Stepper};
use crate::layout::Layout;
use alloc::vec::Vec;

impl Stepper {
    /// Takes over weights in a network's order.
    pub fn load(&mut self, weights: &[f32]) {
        copy(&self.steps, weights, &mut self.forward, &mut self.back);
    }

    /// Copies the weights, in a network's order.
    pub fn copy_weights(&self, to: &mut [f32]) {
        collect(&self.steps, &self.forward, to);
    }

    /// The weights as they are used going forward, padding among them.
    #[inline(always)]
    pub fn forward_weights(&self) -> &[f32] {
        &self.forward
    }

    /// Writes the weights into a layout's buffer.
    pub fn write_weights(&self, layout: &Layout, to: &mut [f32]) {
        for (step, place) in self.steps.iter().zip(&layout.places) {
            for unit in 0..step.units {
                for k in 0..=step.fan_in {
                    to[place.offset + unit * place.width + k] =
                        self.forward[step.offset + k * step.width + unit];
                }
            }
        }
    }

    /// Takes over weights from a layout's buffer.
    pub fn read_weights(&mut self, layout: &Layout, from: &[f32]) {
        for (step, place) in self.steps.iter().zip(&layout.places) {
            for unit in 0..step.units {
                let own = &from[place.offset + unit * place.width..][..=step.fan_in];
                for (k, weight) in own.iter().enumerate() {
                    self.forward[step.offset + k * step.width + unit] = *weight;
                }
                if !self.back.is_empty() {
                    let to = step.back + unit * step.back_width;
                    self.back[to..to + step.back_count].copy_from_slice(&own[1 + step.back_from..]);
                }
            }
        }
    }

    /// The velocities in a network's order; none without momentum.
    pub fn velocities(&self, count: usize) -> Vec<f32> {
        if self.forward_velocity.is_empty() {
            return Vec::new();
        }
        let mut velocities = alloc::vec![0.0; count];
        collect(&self.steps, &self.forward_velocity, &mut velocities);
        velocities
    }

    /// Takes over velocities in a network's order.
    pub fn load_velocities(&mut self, velocities: &[f32]) {
        if !self.forward_velocity.is_empty() {
            copy(&self.steps, velocities, &mut self.forward_velocity, &mut self.back_velocity);
        }
    }
}

/// Both copies of weights in a network's order.
pub(super) fn copy(steps: &[Step], weights: &[f32], forward: &mut [f32], back: &mut [f32]) {
    let mut first = 0;
    for step in steps {
        for unit in 0..step.units {
            let from = &weights[first..=first + step.fan_in];
            forward[step.offset + unit] = from[step.fan_in];
            for (input, weight) in from[..step.fan_in].iter().enumerate() {
                forward[step.offset + (input + 1) * step.width + unit] = *weight;
            }
            if !back.is_empty() {
                let to = step.back + unit * step.back_width;
                back[to..to + step.back_count].copy_from_slice(&from[step.back_from..step.fan_in]);
            }
            first += step.fan_in + 1;
        }
    }
}

/// The forward copy in a network's order.
fn collect(steps: &[Step], forward: &[f32], to: &mut [f32]) {
    let mut slots = to.iter_mut();
    for step in steps {
        for unit in 0..step.units {
            // the bias comes last
            for k in (1..=step.fan_in).chain([0]) {
                if let Some(slot) = slots.next() {
                    *slot = forward[step.offset + k * step.width + unit];
                }
            }
        }
    }
}
