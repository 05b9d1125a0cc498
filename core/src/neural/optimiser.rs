//! Weight updates from a gradient: each algorithm's rule, weight by weight.
//!
//! Batch with momentum (Rumelhart, Hinton and Williams 1986), iRPROP- (Igel and Hüsken 2000), quickprop
//! (Fahlman 1988), SARPROP (Treadgold and Gedeon 1998), Adam (Kingma and Ba 2015). `docs/neural.md` has the equations.

use super::kernel::{by_level, Level};
use super::math;
use super::plan::Recipe;
use crate::rng::Rng;
use alloc::vec;
use alloc::vec::Vec;

const STEP_MAX: f32 = 50.0;
const STEP_MIN: f32 = 1e-6;
const QUICK_GROWTH: f32 = 1.75;
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f32 = 1e-8;
const SARPROP_COOLING: f32 = 0.03;
/// The error of a coin toss: more than this adds no more noise, whatever the scale of the targets.
const SARPROP_ERROR: f32 = 0.25;

/// The rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Batch,
    Rprop,
    Quickprop,
    Sarprop,
    Adam,
}

/// The rule with its memory.
pub(crate) struct Optimiser {
    level: Level,
    rule: Rule,
    rate: f32,
    momentum: f32,
    /// Momentum, last slope or first moment.
    first: Vec<f32>,
    /// Step, last change or second moment.
    second: Vec<f32>,
    /// Powers of the decay rates of adam.
    powers: (f64, f64),
    updates: u32,
}

impl Optimiser {
    pub fn new(level: Level, rule: Rule, recipe: &Recipe, weights: usize) -> Optimiser {
        let rate = recipe.learning_rate as f32;
        let start = if matches!(rule, Rule::Rprop | Rule::Sarprop) { rate } else { 0.0 };
        Optimiser {
            level,
            rule,
            rate,
            momentum: recipe.momentum as f32,
            first: vec![0.0; weights],
            second: vec![start; weights],
            powers: (1.0, 1.0),
            updates: 0,
        }
    }

    /// Forgets all that was learnt of the slopes, for a new phase.
    pub fn restart(&mut self) {
        let start = if matches!(self.rule, Rule::Rprop | Rule::Sarprop) { self.rate } else { 0.0 };
        self.first.fill(0.0);
        self.second.fill(start);
        self.powers = (1.0, 1.0);
        self.updates = 0;
    }

    /// One update; `gradient` is of the mean error, decay included, and `error` is the epoch's mean squared error.
    pub fn update(&mut self, weights: &mut [f32], gradient: &[f32], error: f64, rng: &mut Rng) {
        let (level, rate, first, second) = (self.level, self.rate, &mut self.first[..], &mut self.second[..]);
        self.updates += 1;
        match self.rule {
            Rule::Batch => batch(level, weights, gradient, first, rate, self.momentum),
            Rule::Rprop => rprop(level, weights, gradient, first, second),
            Rule::Quickprop => quickprop(level, weights, gradient, first, second, rate),
            Rule::Sarprop => sarprop(weights, gradient, first, second, self.updates, error as f32, rng),
            Rule::Adam => {
                self.powers = (self.powers.0 * BETA1, self.powers.1 * BETA2);
                let rate = (f64::from(rate) / (1.0 - self.powers.0)) as f32;
                let spread = (1.0 / (1.0 - self.powers.1)) as f32;
                adam(level, weights, gradient, first, second, rate, spread);
            }
        }
    }
}

by_level! {
    /// gradient = gradient * scale + decay * weight.
    pub(crate) fn finish_gradient(gradient: &mut [f32], weights: &[f32], decay: &[f32], scale: f32)
        = finish_body, finish_body
}

#[inline(always)]
fn finish_body(gradient: &mut [f32], weights: &[f32], decay: &[f32], scale: f32) {
    for ((g, w), d) in gradient.iter_mut().zip(weights).zip(decay) {
        *g = *g * scale + d * w;
    }
}

by_level! {
    fn batch(weights: &mut [f32], gradient: &[f32], velocity: &mut [f32], rate: f32, momentum: f32)
        = batch_body, batch_body
}

#[inline(always)]
fn batch_body(weights: &mut [f32], gradient: &[f32], velocity: &mut [f32], rate: f32, momentum: f32) {
    for ((w, g), v) in weights.iter_mut().zip(gradient).zip(velocity) {
        let next = momentum * *v - rate * g;
        // no denormals: they are slow on many processors
        *v = if math::abs(next) < 1e-30 { 0.0 } else { next };
        *w += *v;
    }
}

by_level! {
    fn rprop(weights: &mut [f32], gradient: &[f32], last: &mut [f32], steps: &mut [f32]) = rprop_body, rprop_body
}

/// iRPROP-: after a change of sign the step halves, the weight stays, and the slope is forgotten.
#[inline(always)]
fn rprop_body(weights: &mut [f32], gradient: &[f32], last: &mut [f32], steps: &mut [f32]) {
    for (((w, g), last), step) in weights.iter_mut().zip(gradient).zip(last).zip(steps) {
        let sign = *g * *last;
        let grown = math::min(*step * 1.2, STEP_MAX);
        let shrunk = math::max(*step * 0.5, STEP_MIN);
        let size = if sign > 0.0 { grown } else { *step };
        let size = if sign < 0.0 { shrunk } else { size };
        let slope = if sign < 0.0 { 0.0 } else { *g };
        let change = if slope > 0.0 { size } else { 0.0 };
        let change = if slope < 0.0 { -size } else { change };
        *w -= change;
        *step = size;
        *last = slope;
    }
}

by_level! {
    fn quickprop(weights: &mut [f32], gradient: &[f32], last: &mut [f32], changes: &mut [f32], rate: f32)
        = quickprop_body, quickprop_body
}

/// A jump to the vertex of the parabola through the last two slopes, at most 1.75 times the last change.
#[inline(always)]
fn quickprop_body(weights: &mut [f32], gradient: &[f32], last: &mut [f32], changes: &mut [f32], rate: f32) {
    const SHRINK: f32 = QUICK_GROWTH / (1.0 + QUICK_GROWTH);
    for (((w, g), last), change) in weights.iter_mut().zip(gradient).zip(last).zip(changes) {
        // along the last change: `s` and `p` are this and the last downhill slope in its direction
        let sign = math::copysign(1.0, *change);
        let (s, p) = (-*g * sign, *last * sign);
        let size = math::abs(*change);
        let difference = p - s;
        let safe = if math::abs(difference) > 1e-20 { difference } else { 1.0 };
        let jump = if s > SHRINK * p { QUICK_GROWTH * size } else { size * s / safe };
        let jump = math::min(math::max(jump, -QUICK_GROWTH * size), QUICK_GROWTH * size);
        let descent = if s > 0.0 { rate * s } else { 0.0 };
        let moving = size > 1e-6;
        let next = if moving { sign * (jump + descent) } else { rate * -*g };
        *change = next;
        *last = -*g;
        *w = math::min(math::max(*w + next, -1500.0), 1500.0);
    }
}

by_level! {
    fn adam(weights: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], rate: f32, spread: f32)
        = adam_body, adam_body
}

#[inline(always)]
fn adam_body(
    weights: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    rate: f32,
    spread: f32,
) {
    const KEEP1: f32 = BETA1 as f32;
    const KEEP2: f32 = BETA2 as f32;
    for (((w, g), m), v) in weights.iter_mut().zip(gradient).zip(first).zip(second) {
        let mean = KEEP1 * *m + (1.0 - KEEP1) * g;
        let square = KEEP2 * *v + (1.0 - KEEP2) * g * g;
        *m = if math::abs(mean) < 1e-30 { 0.0 } else { mean };
        *v = if square < 1e-30 { 0.0 } else { square };
        *w -= rate * *m / (math::sqrt(*v * spread) + EPSILON);
    }
}

/// RPROP with decay that cools down, and noise where a step is small beside the error.
fn sarprop(
    weights: &mut [f32],
    gradient: &[f32],
    last: &mut [f32],
    steps: &mut [f32],
    epoch: u32,
    error: f32,
    rng: &mut Rng,
) {
    let heat = |shift: f32| math::exp((shift - SARPROP_COOLING * epoch as f32) * core::f32::consts::LN_2);
    let error = math::min(error, SARPROP_ERROR);
    let decay = heat(-6.644);
    let noise = error * heat(0.0);
    let threshold = 0.4 * noise;
    for (((w, g), last), step) in weights.iter_mut().zip(gradient).zip(last).zip(steps) {
        let mut slope = g + decay * *w;
        let sign = slope * *last;
        if sign > 0.0 {
            *step = math::min(*step * 1.2, STEP_MAX);
        } else if sign < 0.0 {
            let jitter = if *step < threshold { rng.unit_f32() * noise } else { 0.0 };
            *step = math::min(math::max(*step * 0.5 + jitter, STEP_MIN), STEP_MAX);
            slope = 0.0;
        }
        if slope > 0.0 {
            *w -= *step;
        } else if slope < 0.0 {
            *w += *step;
        }
        *last = slope;
    }
}
