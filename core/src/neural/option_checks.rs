//! What options allow, field by field.

use super::number::shown;
use super::options::{Options, PerLayer, MAX_EPOCHS, MAX_LAYERS, MAX_UNITS, MAX_WEIGHTS};
use super::prepare::Prepared;
use super::schema::Task;
use crate::error::Error;
use crate::limits::MAX_INTEGER;
use alloc::format;
use alloc::string::String;
use ruv_swarm_neural::Activation;

const ALGORITHMS: &[&str] = &[
    "rprop",
    "rprop+",
    "rprop-",
    "irprop+",
    "irprop-",
    "sarprop",
    "quickprop",
    "batch",
    "incremental",
    "adam",
];
const LOSSES: &[&str] = &["squared", "absolute", "huber", "cross-entropy", "fann-tanh"];
const INITS: &[&str] = &["scaled", "uniform", "nguyen-widrow", "glorot", "he"];
/// Checks what needs no data.
pub(crate) fn check(options: &Options) -> Result<(), Error> {
    one_of("format", &options.format, &["", "csv", "fann", "proben1", "array"])?;
    options.preparation()?;
    one_of("algorithm", &options.algorithm, ALGORITHMS)?;
    one_of("init", &options.init, INITS)?;
    if let Some(loss) = &options.loss {
        one_of("loss", loss, LOSSES)?;
    }
    if options.seed > MAX_INTEGER {
        return Err(out_of("seed", options.seed, "0 to 9007199254740991"));
    }
    check_network(options)?;
    check_training(options)?;
    check_stopping(options)
}

fn check_network(options: &Options) -> Result<(), Error> {
    let layers = options.hidden.len();
    if layers > MAX_LAYERS {
        return Err(out_of("hidden", format!("{layers} layers"), format!("at most {MAX_LAYERS} layers")));
    }
    for (place, units) in options.hidden.iter().enumerate() {
        if !(1..=MAX_UNITS).contains(units) {
            let layer = place + 1;
            return Err(out_of(
                "hidden",
                format!("layer {layer} has {units} units"),
                format!("1 to {MAX_UNITS}"),
            ));
        }
    }
    each(&options.activation, "activation", layers, |word| activation("activation", word, true))?;
    each(&options.steepness, "steepness", layers + 1, |value| range("steepness", *value, 1e-6, 1e3))?;
    if let Some(word) = &options.output_activation {
        activation("outputActivation", word, false)?;
    }
    if !(options.connection_rate > 0.0 && options.connection_rate <= 1.0) {
        return Err(out_of("connectionRate", shown(options.connection_rate), "above 0 to 1"));
    }
    range("initRange", options.init_range, 1e-9, 1e3)
}

fn check_training(options: &Options) -> Result<(), Error> {
    whole("epochs", u64::from(options.epochs), 1, u64::from(MAX_EPOCHS))?;
    let limits: [(&str, f64, f64, f64); 18] = [
        ("huberDelta", options.huber_delta, 1e-6, 1e6),
        ("learningRate", options.learning_rate.unwrap_or(0.1), 1e-9, 1e3),
        ("momentum", options.momentum.unwrap_or(0.0), 0.0, 0.999_999),
        ("l1", options.l1, 0.0, 1e3),
        ("l2", options.l2, 0.0, 1e3),
        ("dropout", options.dropout, 0.0, 0.95),
        ("noise", options.noise, 0.0, 1e3),
        ("increase", options.increase, 1.0, 100.0),
        ("decrease", options.decrease, 1e-3, 1.0),
        ("stepMin", options.step_min, 1e-12, 1e3),
        ("stepMax", options.step_max, options.step_min, 1e6),
        ("stepStart", options.step_start, options.step_min, options.step_max),
        ("growth", options.growth, 1.0, 100.0),
        ("decay", options.decay, -1.0, 0.0),
        ("cooling", options.cooling, 0.0, 10.0),
        ("beta1", options.beta1, 0.0, 0.999_999),
        ("beta2", options.beta2, 0.0, 0.999_999),
        ("epsilon", options.epsilon, 1e-30, 1.0),
    ];
    for (field, value, low, high) in limits {
        range(field, value, low, high)?;
    }
    Ok(())
}

fn check_stopping(options: &Options) -> Result<(), Error> {
    for (field, value) in [("gl", options.gl), ("pq", options.pq), ("progress", options.progress)] {
        if let Some(value) = value {
            if !(value > 0.0 && value <= 1e9) {
                return Err(out_of(field, shown(value), "above 0 to 1e9"));
            }
        }
    }
    if let Some(strips) = options.up {
        whole("up", u64::from(strips), 1, 1_000_000)?;
    }
    whole("strip", u64::from(options.strip), 1, 100_000)?;
    whole("validateEvery", u64::from(options.validate_every), 1, 100_000)?;
    range("targetError", options.target_error.unwrap_or(0.0), 0.0, 1e9)?;
    range("bitFailLimit", options.bit_fail_limit, 1e-9, 1e6)
}

/// Checks resolved options against the shape of the data.
pub(crate) fn check_with_data(options: &Options, data: &Prepared) -> Result<(), Error> {
    let (inputs, outputs, validated) =
        (data.schema.inputs(), data.schema.outputs(), !data.validation.is_empty());
    let output = options.output_activation.as_deref().unwrap_or_default();
    let loss = options.loss.as_deref().unwrap_or_default();
    if output == "softmax" && data.schema.task == Task::Regression {
        return Err(Error::invalid(
            "outputActivation",
            "outputActivation: softmax with numbers to predict; allowed: softmax for classes only",
        ));
    }
    if loss == "cross-entropy" && !["softmax", "logistic"].contains(&output) {
        return Err(Error::invalid(
            "loss",
            format!(
                "loss: cross-entropy with the output activation {output}; allowed: with softmax or logistic"
            ),
        ));
    }
    if !validated {
        let needing = [
            ("gl", options.gl.is_some()),
            ("pq", options.pq.is_some()),
            ("up", options.up.is_some()),
            ("patience", options.patience.unwrap_or(0) > 0),
        ];
        if let Some((field, _)) = needing.iter().find(|(_, given)| *given) {
            return Err(Error::invalid(
                field,
                format!("{field}: there are no validation rows to stop by; allowed: with a split that has a validation part"),
            ));
        }
    }
    match weights(options, inputs, outputs) {
        Some(count) if count <= MAX_WEIGHTS => Ok(()),
        _ => Err(Error::invalid(
            "hidden",
            format!(
                "hidden: the network would have more than {MAX_WEIGHTS} weights; use fewer or smaller layers"
            ),
        )),
    }
}

fn weights(options: &Options, inputs: usize, outputs: usize) -> Option<usize> {
    let (mut before, mut sum) = (inputs, 0usize);
    for units in options.hidden.iter().map(|units| *units as usize).chain([outputs]) {
        sum = sum.checked_add(before.checked_add(1)?.checked_mul(units)?)?;
        before = if options.shortcut { before.checked_add(units)? } else { units };
    }
    Some(sum)
}

fn activation(field: &str, word: &str, hidden: bool) -> Result<(), Error> {
    let known = super::activation::parse(field, word)?;
    if hidden && known == Activation::Softmax {
        return Err(Error::invalid(field, format!("{field}: softmax; allowed: as outputActivation only")));
    }
    if !known.has_slope() {
        return Err(Error::invalid(
            field,
            format!("{field}: {word} has no slope and cannot be trained; allowed: any other activation"),
        ));
    }
    Ok(())
}

fn each<T: Clone>(
    values: &PerLayer<T>,
    field: &str,
    layers: usize,
    check: impl Fn(&T) -> Result<(), Error>,
) -> Result<(), Error> {
    match values {
        PerLayer::One(value) => check(value),
        PerLayer::Each(values) if values.len() != layers => Err(out_of(
            field,
            format!("{} values", values.len()),
            format!("one value, or one for each of {layers} layers"),
        )),
        PerLayer::Each(values) => values.iter().try_for_each(check),
    }
}

fn one_of(field: &str, word: &str, allowed: &[&str]) -> Result<(), Error> {
    if allowed.contains(&word) {
        Ok(())
    } else {
        let named: alloc::vec::Vec<&str> = allowed.iter().copied().filter(|word| !word.is_empty()).collect();
        Err(Error::not_one_of(field, word, &named))
    }
}

fn range(field: &str, value: f64, low: f64, high: f64) -> Result<(), Error> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(out_of(field, shown(value), format!("{} to {}", shown(low), shown(high))))
    }
}

fn whole(field: &str, value: u64, low: u64, high: u64) -> Result<(), Error> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(out_of(field, value, format!("{low} to {high}")))
    }
}

fn out_of(field: &str, value: impl core::fmt::Display, allowed: impl Into<String>) -> Error {
    Error::invalid(field, format!("{field}: {value}; allowed: {}", allowed.into()))
}
