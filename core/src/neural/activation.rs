//! Activation functions by their words.

use crate::error::{Code, Error};
use alloc::vec::Vec;
use ruv_swarm_neural::{Activation, Layer, Level, Network, Runner, Shape};

/// The activation that `word` names.
///
/// # Errors
/// `invalid_argument` for `field` if there is none.
pub(crate) fn parse(field: &str, word: &str) -> Result<Activation, Error> {
    Activation::parse(word).ok_or_else(|| {
        let allowed: Vec<&str> = Activation::ALL.iter().map(|known| known.word()).collect();
        Error::not_one_of(field, word, &allowed)
    })
}

/// Applies the activation `name` to each value, with the bits that training has: for comparing targets.
///
/// # Errors
/// `invalid_argument` for an unknown name and for `softmax`, which has no meaning for single values.
pub fn activate(name: &str, values: &mut [f32]) -> Result<(), Error> {
    let activation = parse("activation", name)?;
    if activation == Activation::Softmax {
        return Err(Error::invalid("activation", "activation: softmax needs all outputs of a row"));
    }
    let layer = Layer { units: 1, activation, steepness: 1.0 };
    let mut network = Network::new(Shape { inputs: 1, layers: alloc::vec![layer], shortcut: false });
    if let Some(weight) = network.weights.first_mut() {
        *weight = 1.0;
    }
    let inputs = values.to_vec();
    let mut runner = Runner::new(Level::detect(), &network)
        .ok_or_else(|| Error::new(Code::Internal, "activation", "activation: no network"))?;
    runner.rows(&inputs, values);
    Ok(())
}
