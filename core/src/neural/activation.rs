//! The words and codes of activation functions.

use crate::error::{Code, Error};
use alloc::vec::Vec;
use ruv_swarm_neural::{Activation, Layer, Level, Network, Runner, Shape};

/// Word and code (in model files) of each function.
const NAMES: &[(&str, u8, Activation)] = &[
    ("linear", 0, Activation::Linear),
    ("logistic", 1, Activation::Logistic),
    ("tanh", 2, Activation::Tanh),
    ("softmax", 7, Activation::Softmax),
];

/// The activation that `word` names.
///
/// # Errors
/// `invalid_argument` for `field` if there is none.
pub(crate) fn parse(field: &str, word: &str) -> Result<Activation, Error> {
    NAMES.iter().find(|(name, _, _)| *name == word).map(|(_, _, known)| *known).ok_or_else(|| {
        let allowed: Vec<&str> = NAMES.iter().map(|(name, _, _)| *name).collect();
        Error::not_one_of(field, word, &allowed)
    })
}

/// The word of an activation.
pub(crate) fn word(activation: Activation) -> &'static str {
    NAMES.iter().find(|(_, _, known)| *known == activation).map_or("", |(name, _, _)| name)
}

/// The code in the model file.
pub(crate) fn code(activation: Activation) -> u8 {
    NAMES.iter().find(|(_, _, known)| *known == activation).map_or(0, |(_, code, _)| *code)
}

/// The activation of a code.
pub(crate) fn from_code(code: u8) -> Option<Activation> {
    NAMES.iter().find(|(_, known, _)| *known == code).map(|(_, _, activation)| *activation)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_read_back() {
        for (place, (name, number, activation)) in NAMES.iter().enumerate() {
            assert_eq!(parse("x", name).unwrap(), *activation);
            assert_eq!(word(*activation), *name);
            assert_eq!(from_code(code(*activation)), Some(*activation));
            assert!(NAMES[..place].iter().all(|(other, code, _)| other != name && code != number));
        }
        assert_eq!(from_code(200), None);
        assert!(parse("x", "sigmoid").unwrap_err().message.contains("logistic"));
    }
}
