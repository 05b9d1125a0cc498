//! Activation functions: their names, codes and ranges; values and slopes are in the files beside.

mod forms;
mod softmax;
#[cfg(test)]
mod tests;

pub(crate) use forms::{backward, common_slope, common_value, forward, slope_of};
pub(crate) use softmax::{softmax_row, softmax_strip};

/// The function of a layer's units, of x = steepness * sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Activation {
    /// y = x.
    Linear,
    /// y = 1 / (1 + e^-x).
    Logistic,
    /// y = tanh x.
    Tanh,
    /// y = x / (1 + |x|) (Elliott, TR 93-8, University of Maryland 1993).
    ElliottSymmetric,
    /// y = max(0, x).
    Relu,
    /// y = e^(-x^2).
    Gaussian,
    /// y = sin x.
    Sine,
    /// Output layers only: e^x over the sum of all outputs' e^x.
    Softmax,
    /// y = x / (2 (1 + |x|)) + 1/2.
    Elliott,
    /// y = 2 e^(-x^2) - 1.
    GaussianSymmetric,
    /// y = cos x.
    Cosine,
    /// y = x + 1/2, held in 0..1.
    PiecewiseLinear,
    /// y = x, held in -1..1.
    PiecewiseLinearSymmetric,
    /// y = x above 0, x / 100 below.
    LeakyRelu,
    /// y = ln(1 + e^x).
    Softplus,
    /// y = 0 below 0, else 1. It has no slope to train by.
    Threshold,
    /// y = -1 below 0, else 1. It has no slope to train by.
    ThresholdSymmetric,
}

impl Activation {
    /// All of them, in the order of their codes.
    pub const ALL: [Activation; 17] = [
        Activation::Linear,
        Activation::Logistic,
        Activation::Tanh,
        Activation::ElliottSymmetric,
        Activation::Relu,
        Activation::Gaussian,
        Activation::Sine,
        Activation::Softmax,
        Activation::Elliott,
        Activation::GaussianSymmetric,
        Activation::Cosine,
        Activation::PiecewiseLinear,
        Activation::PiecewiseLinearSymmetric,
        Activation::LeakyRelu,
        Activation::Softplus,
        Activation::Threshold,
        Activation::ThresholdSymmetric,
    ];

    /// The activation that `word` names.
    pub fn parse(word: &str) -> Option<Activation> {
        Activation::ALL.into_iter().find(|known| known.word() == word)
    }

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Activation::Linear => "linear",
            Activation::Logistic => "logistic",
            Activation::Tanh => "tanh",
            Activation::ElliottSymmetric => "elliott-symmetric",
            Activation::Relu => "relu",
            Activation::Gaussian => "gaussian",
            Activation::Sine => "sine",
            Activation::Softmax => "softmax",
            Activation::Elliott => "elliott",
            Activation::GaussianSymmetric => "gaussian-symmetric",
            Activation::Cosine => "cosine",
            Activation::PiecewiseLinear => "piecewise-linear",
            Activation::PiecewiseLinearSymmetric => "piecewise-linear-symmetric",
            Activation::LeakyRelu => "leaky-relu",
            Activation::Softplus => "softplus",
            Activation::Threshold => "threshold",
            Activation::ThresholdSymmetric => "threshold-symmetric",
        }
    }

    /// The code in the model file.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The activation of a code.
    pub fn from_code(code: u8) -> Option<Activation> {
        Activation::ALL.get(usize::from(code)).copied()
    }

    /// Standard deviation of initial weights is this over the root of the number of inputs ([`crate::Init::Scaled`]).
    pub fn gain(self) -> f32 {
        match self {
            Activation::Relu | Activation::LeakyRelu | Activation::Softplus => core::f32::consts::SQRT_2,
            Activation::Logistic | Activation::Elliott => 2.0,
            _ => 1.0,
        }
    }

    /// The least and the largest value, or what they tend to: a target beyond can never be reached.
    pub fn range(self) -> (f32, f32) {
        match self {
            Activation::Linear | Activation::LeakyRelu => (f32::NEG_INFINITY, f32::INFINITY),
            Activation::Relu | Activation::Softplus => (0.0, f32::INFINITY),
            Activation::Logistic
            | Activation::Gaussian
            | Activation::Softmax
            | Activation::Elliott
            | Activation::PiecewiseLinear
            | Activation::Threshold => (0.0, 1.0),
            Activation::Tanh
            | Activation::ElliottSymmetric
            | Activation::Sine
            | Activation::GaussianSymmetric
            | Activation::Cosine
            | Activation::PiecewiseLinearSymmetric
            | Activation::ThresholdSymmetric => (-1.0, 1.0),
        }
    }

    /// Whether the slope needs the sum beside the value.
    pub fn needs_sum(self) -> bool {
        matches!(
            self,
            Activation::Gaussian
                | Activation::GaussianSymmetric
                | Activation::Sine
                | Activation::Cosine
                | Activation::Softplus
        )
    }

    /// Whether it can be trained by gradients: the two thresholds cannot.
    pub fn has_slope(self) -> bool {
        !matches!(self, Activation::Threshold | Activation::ThresholdSymmetric)
    }
}
