//! The error of a function, for the tests and for `examples/ulps.rs`, which takes this file in as its own.

use super::{Function, NAN};

/// Sine and cosine count arguments beyond as this.
const TURNS: f64 = 65_536.0;

/// The function in f64, of the standard library.
pub fn reference(function: Function, x: f64) -> f64 {
    match function {
        Function::Exp => x.exp(),
        Function::Log => x.ln(),
        Function::Logistic if x < 0.0 => x.exp() / (1.0 + x.exp()),
        Function::Logistic => 1.0 / (1.0 + (-x).exp()),
        Function::Tanh => x.tanh(),
        Function::Sine => x.clamp(-TURNS, TURNS).sin(),
        Function::Cosine => x.clamp(-TURNS, TURNS).cos(),
        Function::Gaussian => (-x * x).exp(),
        Function::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
    }
}

/// The worst that was found; places are the bits of inputs.
#[derive(Clone, Copy, Default)]
pub struct Worst {
    /// In units in the last place of the true value.
    pub error: f64,
    /// Where.
    pub at: u32,
    /// In quanta of 2^-149, where the true value is denormal.
    pub denormal: f64,
    /// Where.
    pub denormal_at: u32,
    /// How many were wrong in kind: NaN, infinity, or a NaN other than the one.
    pub kind: u64,
    /// One of them.
    pub kind_at: u32,
}

impl Worst {
    /// Takes in one result.
    pub fn take(&mut self, bits: u32, got: f32, want: f64) {
        let near = want as f32;
        if near.is_nan() || near.is_infinite() || !got.is_finite() {
            let right = if near.is_nan() { got.to_bits() == NAN.to_bits() } else { got == near };
            // the largest number and infinity are one unit apart
            let edge = near.abs().max(got.abs()).is_infinite() && near.abs().min(got.abs()) == f32::MAX;
            if !(right || edge) {
                self.kind += 1;
                self.kind_at = bits;
            }
            return;
        }
        let difference = (f64::from(got) - want).abs();
        let size = want.abs();
        if size < f64::from(f32::MIN_POSITIVE) {
            let quanta = difference * 2f64.powi(149);
            if quanta > self.denormal {
                (self.denormal, self.denormal_at) = (quanta, bits);
            }
            return;
        }
        // the unit of the binade that holds the true value
        let unit = f64::from_bits((size.to_bits() & 0x7ff0_0000_0000_0000) - (23 << 52));
        let error = difference / unit;
        if error > self.error {
            (self.error, self.at) = (error, bits);
        }
    }

    /// The worse of both.
    #[cfg_attr(test, allow(dead_code))] // the tests measure in one piece
    pub fn join(self, other: Worst) -> Worst {
        let mut all = self;
        if other.error > all.error {
            (all.error, all.at) = (other.error, other.at);
        }
        if other.denormal > all.denormal {
            (all.denormal, all.denormal_at) = (other.denormal, other.denormal_at);
        }
        if other.kind > 0 {
            all.kind_at = other.kind_at;
        }
        all.kind += other.kind;
        all
    }
}
