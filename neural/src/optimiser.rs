//! The rules with their memory.

use crate::buffer::Buffer;
use crate::kernel::{AdamStep, Kernels, Quick, Resilient, Steps};
use crate::layout::Layout;
use crate::math;
use crate::Rng;

/// How weights change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Gradient descent with momentum over all rows or small batches.
    Batch,
    /// An update after each row, with momentum.
    Incremental,
    /// RPROP with weight backtracking.
    RpropPlus,
    /// RPROP without.
    RpropMinus,
    /// Backtracking only where the error rose.
    IrpropPlus,
    /// The slope is forgotten after a change of sign.
    IrpropMinus,
    /// Simulated annealing in RPROP.
    Sarprop,
    /// Parabola steps.
    Quickprop,
    /// Adaptive moments.
    Adam,
}

/// Everything a training rule depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The rule.
    pub algorithm: Algorithm,
    /// What is lowered.
    pub loss: crate::Loss,
    /// Step size of batch, incremental, quickprop and adam.
    pub learning_rate: f32,
    /// Momentum of batch and incremental.
    pub momentum: f32,
    /// Rows of an update of batch and adam; 0 means all rows.
    pub batch_rows: u32,
    /// Factor of the sum of |weight| in the loss; biases are free.
    pub l1: f32,
    /// Factor of half the sum of weight^2 in the loss; biases are free.
    pub l2: f32,
    /// Share of hidden units that is dropped.
    pub dropout: f32,
    /// Half width of the uniform noise on the inputs.
    pub noise: f32,
    /// Whether incremental and small batches see the rows in a new order each epoch.
    pub shuffle: bool,
    /// RPROP family: factor of a step that keeps its direction.
    pub increase: f32,
    /// RPROP family: factor after a change of sign.
    pub decrease: f32,
    /// RPROP family: first step.
    pub step_start: f32,
    /// RPROP family: least step.
    pub step_min: f32,
    /// RPROP family: largest step.
    pub step_max: f32,
    /// Quickprop: most growth of a change.
    pub growth: f32,
    /// SARPROP: how fast it cools; the temperature is 2^(-cooling * epoch).
    pub cooling: f32,
    /// Adam: share of the first moment that is kept.
    pub beta1: f64,
    /// Adam: share of the second moment that is kept.
    pub beta2: f64,
    /// Adam: added to the root.
    pub epsilon: f32,
    /// An output further than this from its target counts as a failed bit.
    pub bit_fail_limit: f32,
}

impl Default for Settings {
    /// iRPROP- on squared errors, with the constants of the papers.
    fn default() -> Settings {
        Settings {
            algorithm: Algorithm::IrpropMinus,
            loss: crate::Loss::Squared,
            learning_rate: 0.1,
            momentum: 0.0,
            batch_rows: 0,
            l1: 0.0,
            l2: 0.0,
            dropout: 0.0,
            noise: 0.0,
            shuffle: true,
            increase: 1.2,
            decrease: 0.5,
            step_start: 0.1,
            step_min: 1e-6,
            step_max: 50.0,
            growth: 1.75,
            cooling: 0.03,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            bit_fail_limit: 0.35,
        }
    }
}

/// The error of a coin toss: more than this adds no more noise to SARPROP, whatever the scale of the targets.
const SARPROP_ERROR: f32 = 0.25;

/// A rule with its memory.
#[derive(Debug)]
pub(crate) struct Optimiser {
    /// Velocity, last slope or first moment.
    pub first: Buffer,
    /// Step, last change or second moment.
    pub second: Buffer,
    /// Last change, for the rules that take it back.
    pub third: Buffer,
    /// Powers of Adam's shares.
    pub powers: (f64, f64),
    /// Updates done.
    pub updates: u64,
    /// Mean squared error of the update before.
    pub last_error: f64,
}

impl Optimiser {
    pub fn new(settings: &Settings, weights: usize) -> Optimiser {
        let mut second = Buffer::new(weights);
        if settings.algorithm.has_steps() {
            second.fill(settings.step_start);
        }
        let takes_back = matches!(settings.algorithm, Algorithm::RpropPlus | Algorithm::IrpropPlus);
        Optimiser {
            first: Buffer::new(weights),
            second,
            third: Buffer::new(if takes_back { weights } else { 0 }),
            powers: (1.0, 1.0),
            updates: 0,
            last_error: f64::MAX,
        }
    }

    /// One update; `gradient` is of the mean loss, decay included, and `error` the mean squared error of its rows.
    #[inline(always)]
    pub fn update<V: Kernels>(
        &mut self,
        settings: &Settings,
        layout: &Layout,
        weights: &mut Buffer,
        gradient: &Buffer,
        error: f64,
        rng: &mut Rng,
    ) {
        self.updates += 1;
        let count = weights.len();
        let (w, g) = (weights.as_mut_ptr(), gradient.as_ptr());
        let (first, second) = (self.first.as_mut_ptr(), self.second.as_mut_ptr());
        // SAFETY: all buffers hold the layout's weights, a multiple of the lanes.
        unsafe {
            match settings.algorithm {
                Algorithm::Batch | Algorithm::Incremental => {
                    V::momentum(w, g, first, count, settings.learning_rate, settings.momentum);
                }
                Algorithm::Quickprop => {
                    let rule = Quick { rate: settings.learning_rate, growth: settings.growth };
                    V::quickprop(w, g, first, second, count, rule);
                }
                Algorithm::Adam => {
                    self.powers = (self.powers.0 * settings.beta1, self.powers.1 * settings.beta2);
                    let step = AdamStep {
                        rate: (f64::from(settings.learning_rate) / (1.0 - self.powers.0)) as f32,
                        spread: (1.0 / (1.0 - self.powers.1)) as f32,
                        beta1: settings.beta1 as f32,
                        beta2: settings.beta2 as f32,
                        epsilon: settings.epsilon,
                    };
                    V::adam(w, g, first, second, count, step);
                }
                Algorithm::Sarprop => self.sarprop(settings, layout, weights, gradient, error as f32, rng),
                _ => V::rprop(w, g, first, second, count, self.steps(settings, error)),
            }
        }
        self.last_error = error;
    }

    #[inline(always)]
    fn steps(&mut self, settings: &Settings, error: f64) -> Steps {
        Steps {
            rule: match settings.algorithm {
                Algorithm::RpropPlus => Resilient::Plus,
                Algorithm::RpropMinus => Resilient::Minus,
                Algorithm::IrpropPlus => Resilient::ImprovedPlus,
                _ => Resilient::ImprovedMinus,
            },
            worse: error > self.last_error,
            increase: settings.increase,
            decrease: settings.decrease,
            least: settings.step_min,
            most: settings.step_max,
            changes: self.third.as_mut_ptr(),
        }
    }

    /// RPROP with decay that cools down, and noise where a step is small beside the error (Treadgold and Gedeon,
    /// IEEE Transactions on Neural Networks 9, 1998).
    fn sarprop(
        &mut self,
        settings: &Settings,
        layout: &Layout,
        weights: &mut [f32],
        gradient: &[f32],
        error: f32,
        rng: &mut Rng,
    ) {
        let epoch = self.updates as f32;
        let heat = |shift: f32| math::exp_of((shift - settings.cooling * epoch) * core::f32::consts::LN_2);
        let error = if error < SARPROP_ERROR { error } else { SARPROP_ERROR };
        let (decay, noise) = (heat(-6.644), error * heat(0.0));
        let threshold = 0.4 * noise;
        let clamp = |step: f32| step.clamp(settings.step_min, settings.step_max);
        let (last, steps) = (&mut self.first, &mut self.second);
        layout.each_weight(|_, place| {
            let Some(weight) = weights.get_mut(place) else { return };
            let Some(((step, last), g)) =
                steps.get_mut(place).zip(last.get_mut(place)).zip(gradient.get(place))
            else {
                return;
            };
            let mut slope = g + decay * *weight;
            if slope * *last > 0.0 {
                *step = clamp(*step * settings.increase);
            } else if slope * *last < 0.0 {
                let jitter = if *step < threshold { rng.unit_f32() * noise } else { 0.0 };
                *step = clamp(*step * settings.decrease + jitter);
                slope = 0.0;
            }
            if slope > 0.0 {
                *weight -= *step;
            } else if slope < 0.0 {
                *weight += *step;
            }
            *last = slope;
        });
    }
}

impl Algorithm {
    /// Whether it keeps a step per weight.
    pub(crate) fn has_steps(self) -> bool {
        use Algorithm::{IrpropMinus, IrpropPlus, RpropMinus, RpropPlus, Sarprop};
        matches!(self, RpropPlus | RpropMinus | IrpropPlus | IrpropMinus | Sarprop)
    }
}
