//! Values against f64, slopes against central differences in f64, and the same bits at every level.
extern crate std;

use super::*;
use crate::kernel::{Panel, BLOCK, STRIP};
use crate::level::{dispatch, Kernels, Work};
use crate::math::sweep::digest;
use crate::math::NAN;
use crate::Level;
use alloc::vec;
use alloc::vec::Vec;

/// The activation in f64, of the standard library.
fn reference(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Linear | Activation::Softmax => x,
        Activation::Logistic => 1.0 / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
        Activation::ElliottSymmetric => x / (1.0 + x.abs()),
        Activation::Relu => x.max(0.0),
        Activation::Gaussian => (-x * x).exp(),
        Activation::Sine => x.sin(),
        Activation::Elliott => 0.5 * x / (1.0 + x.abs()) + 0.5,
        Activation::GaussianSymmetric => 2.0 * (-x * x).exp() - 1.0,
        Activation::Cosine => x.cos(),
        Activation::PiecewiseLinear => (x + 0.5).clamp(0.0, 1.0),
        Activation::PiecewiseLinearSymmetric => x.clamp(-1.0, 1.0),
        Activation::LeakyRelu if x < 0.0 => 0.01f32 as f64 * x,
        Activation::LeakyRelu => x,
        Activation::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Activation::Threshold => f64::from(u8::from(x >= 0.0)),
        Activation::ThresholdSymmetric => 2.0 * f64::from(u8::from(x >= 0.0)) - 1.0,
    }
}

struct Both<'a> {
    activation: Activation,
    steepness: f32,
    z: &'a [f32],
}

impl Work for Both<'_> {
    type Output = (Vec<f32>, Vec<f32>);
    #[inline(always)]
    fn run<V: Kernels>(self) -> Self::Output {
        let mut values = self.z.to_vec();
        let mut slopes = vec![1.0; self.z.len()];
        let (z, count) = (self.z.as_ptr(), self.z.len());
        let (y, delta) = (values.as_mut_ptr(), slopes.as_mut_ptr());
        // SAFETY: all have `count` numbers, a multiple of 16.
        unsafe {
            // in place
            V::activate_row(self.activation, self.steepness, y, y, count);
            let z = if self.activation.needs_sum() { z } else { y };
            V::slope_row(self.activation, self.steepness, z, y, delta, count);
        }
        (values, slopes)
    }
}

/// Values and slopes.
fn both(level: Level, activation: Activation, steepness: f32, z: &[f32]) -> (Vec<f32>, Vec<f32>) {
    dispatch(level, Both { activation, steepness, z })
}

/// Sums from -8 to 8 that meet no kink.
fn sums() -> Vec<f32> {
    (0..4096).map(|k| (k as f32 - 2047.3) / 256.0).collect()
}

#[test]
fn values_are_close_to_f64() {
    let z = sums();
    for activation in Activation::ALL {
        for steepness in [1.0, 0.5, 3.0] {
            let (values, _) = both(Level::detect(), activation, steepness, &z);
            for (z, y) in z.iter().zip(&values) {
                let want = reference(activation, f64::from(*z * steepness));
                let most = 2.5e-7 * want.abs().max(1.0);
                assert!((f64::from(*y) - want).abs() <= most, "{activation:?} of {z} * {steepness}: {y}");
            }
        }
    }
}

#[test]
fn slopes_are_those_of_central_differences() {
    let z = sums();
    for activation in Activation::ALL.into_iter().filter(|activation| activation.has_slope()) {
        for steepness in [1.0f32, 0.5, 3.0] {
            let (_, slopes) = both(Level::detect(), activation, steepness, &z);
            for (z, slope) in z.iter().zip(&slopes) {
                let (x, step) = (f64::from(*z) * f64::from(steepness), 1e-6);
                // a difference across a kink says nothing
                let kinks = [-1.0, -0.5, 0.0, 0.5, 1.0];
                if kinks.iter().any(|kink| (x - kink).abs() < 1e-3) {
                    continue;
                }
                let (above, below) = (reference(activation, x + step), reference(activation, x - step));
                let want = f64::from(steepness) * (above - below) / (2.0 * step);
                let most = 1e-6 * f64::from(steepness);
                assert!(
                    (f64::from(*slope) - want).abs() <= most,
                    "{activation:?} at {x}: {slope}, not {want}"
                );
            }
        }
    }
}

#[test]
fn slopes_of_saturated_units_keep_their_digits() {
    // from the value alone, the slope can be no better than the value's last place
    for (activation, x) in
        [(Activation::Tanh, 5.0f32), (Activation::Logistic, -30.0), (Activation::Softplus, -30.0)]
    {
        let z = vec![x; 16];
        let (_, slopes) = both(Level::Scalar, activation, 1.0, &z);
        let wide = f64::from(x);
        let want = match activation {
            Activation::Tanh => 1.0 - wide.tanh() * wide.tanh(),
            Activation::Logistic => wide.exp(),
            _ => 1.0 / (1.0 + (-wide).exp()),
        };
        assert!((f64::from(slopes[0]) / want - 1.0).abs() < 1e-3, "{activation:?}: {} not {want}", slopes[0]);
    }
}

/// The bits of values and slopes on every target.
const DIGEST: u64 = 0x552f_fb65_72e7_7db1;

#[test]
fn all_levels_give_the_same_bits() {
    let mut z: Vec<f32> = (0..=u32::MAX).step_by(65_521).map(f32::from_bits).collect();
    z.extend(sums());
    z.resize(z.len().next_multiple_of(16), 0.0);
    let bits = |(values, slopes): (Vec<f32>, Vec<f32>)| -> Vec<u32> {
        // a slope that is NaN may be any NaN: nothing is defined from there on
        let slopes = slopes.into_iter().map(|slope| if slope.is_nan() { NAN } else { slope });
        values.into_iter().chain(slopes).map(f32::to_bits).collect()
    };
    let mut all = Vec::new();
    for activation in Activation::ALL {
        let plain = bits(both(Level::Scalar, activation, 0.7, &z));
        all.extend(plain.iter().copied().map(f32::from_bits));
        for level in Level::available() {
            assert!(bits(both(level, activation, 0.7, &z)) == plain, "{activation:?} at {}", level.word());
        }
    }
    assert_eq!(digest(&all), DIGEST, "{:#x}", digest(&all));
}

#[test]
fn every_input_has_a_value_in_range_and_nan_stays() {
    let mut z: Vec<f32> = (0..=u32::MAX).step_by(1_048_573).map(f32::from_bits).collect();
    z.extend([f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -f32::NAN, 0.0, -0.0, f32::MAX, f32::MIN]);
    z.resize(z.len().next_multiple_of(16), 0.0);
    for activation in Activation::ALL {
        let (low, high) = activation.range();
        let (values, _) = both(Level::Baseline, activation, 1.0, &z);
        for (z, y) in z.iter().zip(&values) {
            if z.is_nan() {
                assert_eq!(y.to_bits(), NAN.to_bits(), "{activation:?}");
            } else if activation != Activation::Softmax {
                assert!(low <= *y && *y <= high, "{activation:?} of {z}: {y}");
            }
        }
    }
}

struct Softmaxes<'a> {
    steepness: f32,
    units: usize,
    panel: &'a mut [f32],
}

impl Work for Softmaxes<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Kernels>(self) {
        let panel = Panel { first: self.panel.as_mut_ptr(), stride: self.units * STRIP };
        // SAFETY: the panel has `units` times 64 numbers.
        unsafe { V::activate(Activation::Softmax, self.steepness, panel.read(), panel, self.units, BLOCK) };
    }
}

#[test]
fn softmax_is_the_same_in_rows_and_panels_and_close_to_f64() {
    let (units, steepness) = (5, 1.5f32);
    let place = |unit: usize, row: usize| (row / STRIP * units + unit) * STRIP + row % STRIP;
    let mut rng = crate::Rng::from_seed(3);
    let mut sums: Vec<f32> = (0..units * BLOCK).map(|_| rng.uniform_f32(-9.0, 9.0)).collect();
    sums[place(0, 7)] = 1e30; // far above the others
    sums[place(1, 8)] = f32::NAN;
    for level in Level::available() {
        let mut panel = sums.clone();
        dispatch(level, Softmaxes { steepness, units, panel: &mut panel });
        for row in 0..BLOCK {
            let z: Vec<f32> = (0..units).map(|unit| sums[place(unit, row)]).collect();
            let mut y = vec![0.0; units];
            softmax_row(steepness, &z, &mut y);
            let inside: Vec<u32> = (0..units).map(|unit| panel[place(unit, row)].to_bits()).collect();
            assert_eq!(y.iter().map(|y| y.to_bits()).collect::<Vec<_>>(), inside, "row {row}");
            if row == 8 {
                assert!(y.iter().all(|y| y.to_bits() == NAN.to_bits()), "{y:?}");
                continue;
            }
            let scaled: Vec<f64> = z.iter().map(|z| f64::from(z * steepness)).collect();
            let top = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = scaled.iter().map(|x| (x - top).exp()).sum();
            for (y, x) in y.iter().zip(&scaled) {
                assert!((f64::from(*y) - (x - top).exp() / sum).abs() < 1e-6, "row {row}: {y}");
            }
        }
    }
}

#[test]
fn words_and_codes_are_fixed() {
    let words = Activation::ALL.map(Activation::word);
    assert_eq!(
        words,
        [
            "linear",
            "logistic",
            "tanh",
            "elliott-symmetric",
            "relu",
            "gaussian",
            "sine",
            "softmax",
            "elliott",
            "gaussian-symmetric",
            "cosine",
            "piecewise-linear",
            "piecewise-linear-symmetric",
            "leaky-relu",
            "softplus",
            "threshold",
            "threshold-symmetric",
        ]
    );
    for (code, activation) in Activation::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(activation.code()), code);
        assert_eq!(Activation::from_code(code as u8), Some(activation));
        assert_eq!(Activation::parse(activation.word()), Some(activation));
    }
    assert_eq!((Activation::from_code(17), Activation::parse("Linear")), (None, None));
}
