//! Networks in model files: the general one, and the two kinds of version 1, which are read into it.

use super::bytes::{Reader, Writer};
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ruv_swarm_neural::{Activation, Layer, Network, Shape};

/// Most layers of a network.
const MAX_LAYERS: usize = 10_000;

/// Writes a general network: kind 2.
pub(crate) fn write(out: &mut Writer, network: &Network) {
    out.u8(2);
    out.count(network.shape.inputs);
    out.u8(u8::from(network.shape.shortcut));
    out.list(&network.shape.layers, |out, layer| {
        out.count(layer.units);
        out.u8(layer.activation.code());
        out.floats(&[layer.steepness]);
    });
    out.u8(u8::from(network.connected.is_some()));
    if let Some(connected) = &network.connected {
        for eight in connected.chunks(8) {
            let bit = |(place, is): (usize, &bool)| u8::from(*is) << place;
            out.u8(eight.iter().enumerate().map(bit).fold(0, |byte, bit| byte | bit));
        }
    }
    out.floats(&network.weights);
}

/// Reads a network of any kind that has these inputs and outputs.
pub(crate) fn read(reader: &mut Reader<'_>, inputs: usize, outputs: usize) -> Result<Network, Error> {
    let network = match reader.u8()? {
        0 => layers(reader, inputs)?,
        1 => cascade(reader, inputs)?,
        2 => general(reader, inputs)?,
        _ => return Err(reader.damaged("a network")),
    };
    if network.is_sound() && network.shape.outputs() == outputs {
        Ok(network)
    } else {
        Err(reader.damaged("a network's shape"))
    }
}

fn general(reader: &mut Reader<'_>, inputs: usize) -> Result<Network, Error> {
    if reader.u32()? as usize != inputs {
        return Err(reader.damaged("a network's inputs"));
    }
    let shortcut = reader.flag()?;
    let count = reader.count(MAX_LAYERS)?;
    let mut layers = Vec::new();
    for _ in 0..count {
        let units = reader.u32()? as usize;
        let activation = activation(reader)?;
        let steepness = reader.floats(1)?.first().copied().unwrap_or(1.0);
        layers.push(Layer { units, activation, steepness });
    }
    let shape = Shape { inputs, layers, shortcut };
    let count = weights(&shape).ok_or_else(|| reader.damaged("a network's shape"))?;
    let mut connected = None;
    if reader.flag()? {
        let bytes = reader.slice(count.div_ceil(8))?;
        let bit = |place: usize| bytes.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1);
        connected = Some((0..count).map(bit).collect::<Vec<bool>>());
    }
    let weights = reader.floats(count)?;
    let missing = |(weight, is): (&f32, &bool)| !is && *weight != 0.0;
    if connected.as_ref().is_some_and(|connected| weights.iter().zip(connected).any(missing)) {
        return Err(reader.damaged("a missing connection"));
    }
    Ok(Network { shape, weights, connected })
}

/// How many weights a shape has; `None` if that is beyond what any file holds.
fn weights(shape: &Shape) -> Option<usize> {
    let (mut before, mut sum) = (shape.inputs, 0usize);
    for layer in &shape.layers {
        sum = sum.checked_add(before.checked_add(1)?.checked_mul(layer.units)?)?;
        before = if shape.shortcut { before.checked_add(layer.units)? } else { layer.units };
    }
    (sum <= isize::MAX as usize / 4).then_some(sum)
}

fn activation(reader: &mut Reader<'_>) -> Result<Activation, Error> {
    let code = reader.u8()?;
    Activation::from_code(code).ok_or_else(|| reader.damaged("an activation"))
}

/// Kind 0: layers, each with its own weights behind it.
fn layers(reader: &mut Reader<'_>, inputs: usize) -> Result<Network, Error> {
    let count = reader.count(64)?;
    let (mut layers, mut weights) = (Vec::new(), Vec::new());
    let mut last = inputs;
    for _ in 0..count {
        let before = reader.u32()? as usize;
        let units = reader.u32()? as usize;
        let activation = activation(reader)?;
        let numbers = before.checked_add(1).and_then(|row| row.checked_mul(units));
        let numbers = numbers.filter(|_| before == last).ok_or_else(|| reader.damaged("a layer"))?;
        weights.extend(reader.floats(numbers)?);
        layers.push(Layer { units, activation, steepness: 1.0 });
        last = units;
    }
    Ok(Network { shape: Shape { inputs, layers, shortcut: false }, weights, connected: None })
}

/// Kind 1: a cascade. Its units become layers of one unit; its features are inputs, a 1 and the units before.
fn cascade(reader: &mut Reader<'_>, inputs: usize) -> Result<Network, Error> {
    if reader.u32()? as usize != inputs {
        return Err(reader.damaged("a cascade"));
    }
    let outputs = reader.u32()? as usize;
    let count = reader.count(4096)?;
    let (hidden, output) = (activation(reader)?, activation(reader)?);
    let mut layers = vec![Layer { units: 1, activation: hidden, steepness: 1.0 }; count];
    layers.push(Layer { units: outputs, activation: output, steepness: 1.0 });
    let mut weights = Vec::new();
    for unit in 0..count {
        push_features(&reader.floats(inputs + 1 + unit)?, inputs, &mut weights);
    }
    let features = inputs + 1 + count;
    let numbers = features.checked_mul(outputs).ok_or_else(|| reader.damaged("a cascade"))?;
    for row in reader.floats(numbers)?.chunks_exact(features) {
        push_features(row, inputs, &mut weights);
    }
    Ok(Network { shape: Shape { inputs, layers, shortcut: true }, weights, connected: None })
}

/// Moves the weight of the 1, which stands behind those of the inputs, to the end.
fn push_features(row: &[f32], inputs: usize, weights: &mut Vec<f32>) {
    let (before, after) = row.split_at_checked(inputs).unwrap_or((row, &[]));
    let Some((bias, units)) = after.split_first() else { return };
    weights.extend_from_slice(before);
    weights.extend_from_slice(units);
    weights.push(*bias);
}
