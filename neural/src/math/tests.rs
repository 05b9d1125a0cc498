//! Errors on a sample (all 2^32 inputs: `examples/ulps.rs`), edges, and the same bits at every level.
extern crate std;

use super::measure::{reference, Worst};
use super::sweep::{digest, inputs, DIGESTS};
use super::*;
use crate::Level;
use alloc::vec::Vec;

/// What docs/neural.md says, as measured on all inputs.
fn bound(function: Function) -> f64 {
    match function {
        Function::Exp => 1.01,
        Function::Log => 0.92,
        Function::Logistic => 1.76,
        Function::Tanh => 1.96,
        Function::Sine | Function::Cosine => 1.56,
        Function::Gaussian => 1.05,
        Function::Softplus => 1.70,
    }
}

#[test]
fn errors_are_within_what_the_documentation_says() {
    let inputs = inputs();
    for function in Function::ALL {
        let mut values = inputs.clone();
        apply(Level::detect(), function, &mut values);
        let mut worst = Worst::default();
        for (x, y) in inputs.iter().zip(&values) {
            worst.take(x.to_bits(), *y, reference(function, f64::from(*x)));
        }
        let place = f32::from_bits(worst.at);
        assert!(worst.error <= bound(function), "{}: {} ulp at {place:e}", function.word(), worst.error);
        let place = f32::from_bits(worst.denormal_at);
        assert!(worst.denormal <= 1.0, "{}: {} quanta at {place:e}", function.word(), worst.denormal);
        assert_eq!(worst.kind, 0, "{}: {:e}", function.word(), f32::from_bits(worst.kind_at));
    }
}

#[test]
fn every_level_of_every_target_gives_the_same_bits() {
    let inputs = inputs();
    let mut found = Vec::new();
    for level in Level::available() {
        let digests = Function::ALL.map(|function| {
            let mut values = inputs.clone();
            apply(level, function, &mut values);
            digest(&values)
        });
        found.push((level.word(), digests));
    }
    assert!(found.iter().all(|(_, digests)| *digests == DIGESTS), "{found:#x?}");
}

#[test]
fn edges_are_defined() {
    let one = |function: Function, x: f32| {
        let mut values = [x];
        apply(Level::Scalar, function, &mut values);
        values[0].to_bits()
    };
    let infinity = f32::INFINITY;
    for (function, x, y) in [
        (Function::Exp, 0.0, 1.0),
        (Function::Exp, -infinity, 0.0),
        (Function::Exp, infinity, infinity),
        (Function::Exp, 88.8, infinity),
        (Function::Exp, -103.9, f32::from_bits(1)),
        (Function::Log, 1.0, 0.0),
        (Function::Log, 0.0, -infinity),
        (Function::Log, -0.0, -infinity),
        (Function::Log, -f32::from_bits(1), NAN),
        (Function::Log, -infinity, NAN),
        (Function::Log, infinity, infinity),
        (Function::Log, f32::from_bits(1), -103.278_93),
        (Function::Logistic, 0.0, 0.5),
        (Function::Logistic, infinity, 1.0),
        (Function::Logistic, -infinity, 0.0),
        (Function::Tanh, 0.0, 0.0),
        (Function::Tanh, -0.0, -0.0),
        (Function::Tanh, f32::from_bits(3), f32::from_bits(3)),
        (Function::Tanh, infinity, 1.0),
        (Function::Tanh, -infinity, -1.0),
        (Function::Sine, 0.0, 0.0),
        (Function::Sine, f32::from_bits(3), f32::from_bits(3)),
        (Function::Cosine, 0.0, 1.0),
        (Function::Gaussian, 0.0, 1.0),
        (Function::Gaussian, infinity, 0.0),
        (Function::Softplus, -infinity, 0.0),
        (Function::Softplus, infinity, infinity),
        (Function::Softplus, 50.0, 50.0),
    ] {
        assert_eq!(one(function, x), y.to_bits(), "{} of {x}", function.word());
    }
    // beyond 2^16 the argument counts as 2^16
    for function in [Function::Sine, Function::Cosine] {
        assert_eq!(one(function, 1e9), one(function, 65_536.0));
        assert_eq!(one(function, -infinity), one(function, -65_536.0));
    }
    // any NaN gives the one
    for function in Function::ALL {
        for bits in [0x7f80_0001, 0xffc0_0000, 0x7fff_ffff, 0xff80_1234] {
            assert_eq!(one(function, f32::from_bits(bits)), NAN.to_bits(), "{}", function.word());
        }
    }
}

#[test]
fn steps_of_softplus_gaussian_and_softmax_are_those_of_exp() {
    for k in 0..200_000 {
        let x = k as f32 * -6e-4;
        assert_eq!(exp_nonpositive(Scalar(x)).0.to_bits(), exp_of(x).to_bits(), "{x}");
    }
}

#[test]
fn functions_never_turn_where_they_are_monotonous() {
    for (function, from, to) in [
        (Function::Exp, -104.0, 88.7),
        (Function::Log, 0.0, 1000.0),
        (Function::Logistic, -104.0, 20.0),
        (Function::Tanh, -10.0, 10.0),
        (Function::Softplus, -104.0, 20.0),
    ] {
        // steps that are far wider than the error
        let inputs = (0..=2_000).map(|k| from + (to - from) * (k as f32 / 2_000.0));
        let mut values: Vec<f32> = inputs.collect();
        apply(Level::Baseline, function, &mut values);
        assert!(values.windows(2).all(|pair| pair[0] <= pair[1]), "{}", function.word());
    }
}
