//! Views: what part of the standardised inputs a member sees, and in what form.
#![allow(clippy::indexing_slicing)] // indices are checked when a view is made or read

use super::plan;
use super::prepare::Prepared;
use crate::rng::Rng;
use alloc::vec;
use alloc::vec::Vec;
use ruv_swarm_neural::root::sqrt_f64;

/// Rows that the principal components are measured on, at most.
const COMPONENT_ROWS: usize = 512;
const COMPONENT_ROUNDS: usize = 12;

pub(crate) use ruv_swarm_neural::pipeline::View;

/// The word of a view in plans and descriptions.
pub(crate) fn kind(view: &View) -> &'static str {
    match view {
        View::All => "all",
        View::Subset(_) => "subset",
        View::Products(_) => "products",
        View::Components(_) => "components",
    }
}

/// Draws or measures the view that a recipe asks for.
pub(crate) fn make(recipe: &plan::View, data: &Prepared, rng: &mut Rng) -> View {
    let inputs = data.schema.inputs();
    let count = (recipe.count as usize).max(1);
    match recipe.kind.as_str() {
        "subset" => {
            let mut all: Vec<u32> = (0..inputs as u32).collect();
            rng.shuffle(&mut all);
            all.truncate(count);
            all.sort_unstable();
            View::Subset(all)
        }
        "products" if inputs > 1 => {
            let mut pair = || {
                let first = rng.below(inputs as u64) as u32;
                let second = rng.below(inputs as u64 - 1) as u32;
                [first, if second >= first { second + 1 } else { second }]
            };
            View::Products((0..count).map(|_| pair()).collect())
        }
        "components" => View::Components(components(data, count.min(inputs), rng)),
        _ => View::All,
    }
}

/// Principal components of training rows, scaled to unit variance, by orthogonal iteration
/// (Golub and Van Loan, "Matrix Computations", section 8.2).
fn components(data: &Prepared, count: usize, rng: &mut Rng) -> Vec<f32> {
    let inputs = data.schema.inputs();
    let stride = data.train.len().div_ceil(COMPONENT_ROWS).max(1);
    let rows: Vec<u32> = data.train.iter().copied().step_by(stride).collect();
    let mut axes: Vec<f64> = (0..count * inputs).map(|_| f64::from(rng.uniform_f32(-1.0, 1.0))).collect();
    orthonormalise(&mut axes, inputs);
    for _ in 0..COMPONENT_ROUNDS {
        let mut next = vec![0.0f64; axes.len()];
        for row in &rows {
            let row = data.row(*row);
            for (axis, sums) in axes.chunks_exact(inputs).zip(next.chunks_exact_mut(inputs)) {
                let dot = project(axis, row);
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += dot * f64::from(*value));
            }
        }
        axes = next;
        orthonormalise(&mut axes, inputs);
    }
    for axis in axes.chunks_exact_mut(inputs) {
        let squares = rows.iter().fold(0.0, |sum, row| {
            let dot = project(axis, data.row(*row));
            sum + dot * dot
        });
        let deviation = sqrt_f64(squares / rows.len() as f64);
        let factor = if deviation > 1e-6 { 1.0 / deviation } else { 0.0 };
        axis.iter_mut().for_each(|weight| *weight *= factor);
    }
    axes.iter().map(|weight| *weight as f32).collect()
}

fn project(axis: &[f64], row: &[f32]) -> f64 {
    axis.iter().zip(row).fold(0.0, |sum, (weight, value)| sum + weight * f64::from(*value))
}

/// Gram-Schmidt; an axis that vanishes stays zero.
fn orthonormalise(axes: &mut [f64], width: usize) {
    for index in 0..axes.len() / width {
        let (before, rest) = axes.split_at_mut(index * width);
        let axis = &mut rest[..width];
        for known in before.chunks_exact(width) {
            let dot = axis.iter().zip(known).fold(0.0, |sum, (a, b)| sum + a * b);
            axis.iter_mut().zip(known).for_each(|(a, b)| *a -= dot * b);
        }
        let length = sqrt_f64(axis.iter().fold(0.0, |sum, a| sum + a * a));
        let factor = if length > 1e-9 { 1.0 / length } else { 0.0 };
        axis.iter_mut().for_each(|a| *a *= factor);
    }
}
