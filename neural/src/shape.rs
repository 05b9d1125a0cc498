//! Shapes and networks: weights in the order that users and files see.

use crate::root::sqrt;
use crate::{Activation, FloatState, Rng};
use alloc::vec;
use alloc::vec::Vec;

/// One layer of units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    /// How many units.
    pub units: usize,
    /// Their function.
    pub activation: Activation,
    /// Factor of the sum before the function; 1 is the plain function.
    pub steepness: f32,
}

/// The shape of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Numbers of an input row.
    pub inputs: usize,
    /// The layers; the last one gives the outputs.
    pub layers: Vec<Layer>,
    /// Whether each layer sees the inputs and all layers before it, not only the one before.
    pub shortcut: bool,
}

impl Shape {
    /// Numbers of an output row.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.units)
    }

    /// Units of the largest layer.
    pub(crate) fn widest(&self) -> usize {
        self.layers.iter().map(|layer| layer.units).max().unwrap_or(0)
    }

    /// Inputs of a unit of layer `layer`, without the bias.
    pub fn fan_in(&self, layer: usize) -> usize {
        let before = self.layers.get(..layer).unwrap_or(&[]);
        if self.shortcut {
            self.inputs + before.iter().map(|layer| layer.units).sum::<usize>()
        } else {
            before.last().map_or(self.inputs, |layer| layer.units)
        }
    }

    /// Where the weights of layer `layer` start.
    pub fn offset(&self, layer: usize) -> usize {
        let count = |index: usize, layer: &Layer| layer.units * (self.fan_in(index) + 1);
        self.layers.iter().take(layer).enumerate().map(|(index, layer)| count(index, layer)).sum()
    }

    /// How many weights, biases among them.
    pub fn weights(&self) -> usize {
        self.offset(self.layers.len())
    }

    /// Whether a network of this shape can exist: at least one input and layer, no empty layer, steepness finite
    /// and above 0, softmax in the last layer only.
    pub fn is_sound(&self) -> bool {
        let last = self.layers.len().wrapping_sub(1);
        let sound = |(index, layer): (usize, &Layer)| {
            layer.units > 0
                && layer.steepness > 0.0
                && layer.steepness.is_finite()
                && (index == last || layer.activation != Activation::Softmax)
        };
        self.inputs > 0 && !self.layers.is_empty() && self.layers.iter().enumerate().all(sound)
    }
}

/// How weights begin; biases begin at 0 but for `Uniform` and `NguyenWidrow`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// All weights and biases uniform in [-half, half).
    Uniform {
        /// Half the width.
        half: f32,
    },
    /// Uniform with variance gain^2 / inputs; the gain is the activation's.
    Scaled,
    /// Hidden layers spread over the inputs' range (Nguyen and Widrow, IJCNN 1990, equations 5 to 7), for inputs in
    /// [-1, 1]; the output layer uniform in [-0.5, 0.5).
    NguyenWidrow,
    /// Uniform in ±sqrt(6 / (inputs + units)) (Glorot and Bengio, AISTATS 2010, equation 16).
    Glorot,
    /// Uniform with variance 2 / inputs (He et al., ICCV 2015, equation 10).
    He,
}

/// A network.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Its shape.
    pub shape: Shape,
    /// Layer after layer; in a layer unit after unit; in a unit one weight per input in order, then the bias.
    pub weights: Vec<f32>,
    /// Which weights exist, if not all do; a missing one is 0 and stays 0.
    pub connected: Option<Vec<bool>>,
}

impl Network {
    /// A network of zero weights.
    pub fn new(shape: Shape) -> Network {
        let weights = vec![0.0; shape.weights()];
        Network { shape, weights, connected: None }
    }

    /// Draws new weights, in the order of the weights; missing connections stay 0.
    pub fn initialise(&mut self, init: Init, rng: &mut Rng) {
        let _settings = FloatState::hold();
        let last = self.shape.layers.len().saturating_sub(1);
        for (index, layer) in self.shape.layers.iter().enumerate() {
            let inputs = self.shape.fan_in(index);
            let start = self.shape.offset(index);
            let end = start + layer.units * (inputs + 1);
            let Some(weights) = self.weights.get_mut(start..end) else { return };
            let fan = inputs as f32;
            let half = match init {
                Init::Uniform { half } => half,
                Init::Scaled => layer.activation.gain() * sqrt(3.0 / fan),
                Init::NguyenWidrow => 0.5,
                Init::Glorot => sqrt(6.0 / (fan + layer.units as f32)),
                Init::He => sqrt(6.0 / fan),
            };
            let biased = matches!(init, Init::Uniform { .. } | Init::NguyenWidrow);
            for unit in weights.chunks_exact_mut(inputs + 1) {
                for (place, weight) in unit.iter_mut().enumerate() {
                    *weight = if place < inputs || biased { rng.uniform_f32(-half, half) } else { 0.0 };
                }
            }
            if init == Init::NguyenWidrow && index < last {
                spread(weights, inputs, layer.units, rng);
            }
        }
        self.clear_missing();
    }

    /// Keeps each connection with probability `rate`, biases always; every unit keeps at least one input.
    pub fn sparsify(&mut self, rate: f32, rng: &mut Rng) {
        let _settings = FloatState::hold();
        if rate >= 1.0 {
            self.connected = None;
            return;
        }
        let mut connected = Vec::with_capacity(self.weights.len());
        for (index, layer) in self.shape.layers.iter().enumerate() {
            let inputs = self.shape.fan_in(index);
            for _ in 0..layer.units {
                let first = connected.len();
                connected.extend((0..inputs).map(|_| rng.unit_f32() < rate));
                if connected.iter().skip(first).all(|is| !is) {
                    let chosen = first + rng.below(inputs as u64) as usize;
                    if let Some(slot) = connected.get_mut(chosen) {
                        *slot = true;
                    }
                }
                connected.push(true);
            }
        }
        self.connected = Some(connected);
        self.clear_missing();
    }

    /// How many connections there are, biases among them.
    pub fn connections(&self) -> usize {
        match &self.connected {
            None => self.weights.len(),
            Some(connected) => connected.iter().filter(|is| **is).count(),
        }
    }

    /// Whether shape, weights and connections fit each other.
    pub fn is_sound(&self) -> bool {
        let count = self.shape.weights();
        self.shape.is_sound()
            && self.weights.len() == count
            && self.connected.as_ref().is_none_or(|connected| connected.len() == count)
    }

    fn clear_missing(&mut self) {
        if let Some(connected) = &self.connected {
            for (weight, is) in self.weights.iter_mut().zip(connected) {
                if !is {
                    *weight = 0.0;
                }
            }
        }
    }
}

/// Scales each unit's weights to the length 0.7 * units^(1 / inputs) and draws its bias up to that length.
fn spread(weights: &mut [f32], inputs: usize, units: usize, rng: &mut Rng) {
    let power = crate::math::ln(units as f32) / inputs as f32;
    let length = 0.7 * crate::math::exp_of(power);
    for unit in weights.chunks_exact_mut(inputs + 1) {
        let Some((bias, values)) = unit.split_last_mut() else { return };
        let norm = sqrt(values.iter().fold(0.0, |sum, value| sum + *value * *value));
        let factor = if norm > 0.0 { length / norm } else { 0.0 };
        values.iter_mut().for_each(|value| *value *= factor);
        *bias = rng.uniform_f32(-length, length);
    }
}
