//! Slopes against central differences of a reference in f64, for every activation and loss, dense, with shortcuts,
//! sparse, with row weights and steepness.

use ruv_swarm_neural::{Activation, Init, Layer, Level, Loss, Network, Rng, Rows, Settings, Shape, Trainer};

use Activation::*;

/// The plain function in f64.
fn value(activation: Activation, x: f64) -> f64 {
    match activation {
        Logistic => 1.0 / (1.0 + (-x).exp()),
        Tanh => x.tanh(),
        ElliottSymmetric => x / (1.0 + x.abs()),
        Elliott => 0.5 * x / (1.0 + x.abs()) + 0.5,
        Relu => x.max(0.0),
        LeakyRelu => {
            if x < 0.0 {
                0.01 * x
            } else {
                x
            }
        }
        Gaussian => (-x * x).exp(),
        GaussianSymmetric => 2.0 * (-x * x).exp() - 1.0,
        Sine => x.sin(),
        Cosine => x.cos(),
        PiecewiseLinear => (x + 0.5).clamp(0.0, 1.0),
        PiecewiseLinearSymmetric => x.clamp(-1.0, 1.0),
        Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        _ => x,
    }
}

fn forward(network: &Network, weights: &[f64], row: &[f32]) -> Vec<f64> {
    let shape = &network.shape;
    let mut all: Vec<f64> = row.iter().map(|value| f64::from(*value)).collect();
    let mut before = all.clone();
    for (index, layer) in shape.layers.iter().enumerate() {
        let inputs = if shape.shortcut { all.clone() } else { before.clone() };
        let start = shape.offset(index);
        let sums: Vec<f64> = (0..layer.units)
            .map(|unit| {
                let unit = &weights[start + unit * (inputs.len() + 1)..][..=inputs.len()];
                let dot: f64 = unit.iter().zip(&inputs).map(|(weight, value)| weight * value).sum();
                f64::from(layer.steepness) * (dot + unit[inputs.len()])
            })
            .collect();
        let total: f64 = sums.iter().map(|sum| sum.exp()).sum();
        before = match layer.activation {
            Softmax => sums.iter().map(|sum| sum.exp() / total).collect(),
            activation => sums.iter().map(|sum| value(activation, *sum)).collect(),
        };
        all.extend(&before);
    }
    before
}

fn loss_of(loss: Loss, output: &Layer, y: f64, target: f64) -> f64 {
    let e = y - target;
    match loss {
        Loss::Squared => 0.5 * e * e,
        Loss::Absolute => e.abs(),
        Loss::Huber { delta } => {
            let delta = f64::from(delta);
            if e.abs() <= delta {
                0.5 * e * e
            } else {
                delta * (e.abs() - 0.5 * delta)
            }
        }
        Loss::CrossEntropy if output.activation == Softmax => -target * y.ln(),
        Loss::CrossEntropy => -(target * y.ln() + (1.0 - target) * (1.0 - y).ln()),
        Loss::Product => -y * target,
        Loss::FannTanh => {
            let half = if output.activation == Tanh { 0.5 } else { 1.0 };
            let e = e * half;
            ((1.0 + e) * (1.0 + e).ln() + (1.0 - e) * (1.0 - e).ln()) / half
        }
    }
}

struct Case {
    hidden: Activation,
    output: Activation,
    loss: Loss,
    shortcut: bool,
    rate: f32,
    weighted: bool,
}

fn check(case: &Case) {
    let mut rng = Rng::from_seed(11);
    let layer = |units, activation, steepness| Layer { units, activation, steepness };
    let layers = vec![layer(7, case.hidden, 0.75), layer(5, case.hidden, 1.0), layer(3, case.output, 1.25)];
    let mut network = Network::new(Shape { inputs: 5, layers, shortcut: case.shortcut });
    network.initialise(Init::Uniform { half: 0.6 }, &mut rng);
    network.sparsify(case.rate, &mut rng);
    let rows = 70; // more than one block, and a last one that is not full
    let inputs: Vec<f32> = (0..rows * 5).map(|_| rng.uniform_f32(-1.0, 1.0)).collect();
    let weight = |row: usize| if case.weighted { 0.5 + (row % 3) as f32 } else { 1.0 };
    let target = |row: usize, output: usize| if row % 3 == output { 0.75f32 } else { 0.125 };
    let data = Rows::build(rows, 5, 3, |row, input, targets| {
        input.copy_from_slice(&inputs[row * 5..(row + 1) * 5]);
        (0..3).for_each(|output| targets[output] = target(row, output));
        weight(row)
    });
    let settings = Settings { loss: case.loss, ..Settings::default() };
    let mut wide: Vec<f64> = network.weights.iter().map(|weight| f64::from(*weight)).collect();
    let total: f64 = (0..rows).map(|row| f64::from(weight(row))).sum();
    let loss = |weights: &[f64]| -> f64 {
        let one = |row: usize| -> f64 {
            let y = forward(&network, weights, &inputs[row * 5..(row + 1) * 5]);
            let output = network.shape.layers[2];
            let of = |output_index: usize| {
                loss_of(case.loss, &output, y[output_index], f64::from(target(row, output_index)))
            };
            f64::from(weight(row)) * (0..3).map(of).sum::<f64>()
        };
        (0..rows).map(one).sum::<f64>() / total
    };
    let want: Vec<f64> = (0..wide.len())
        .map(|at| {
            if network.connected.as_ref().is_some_and(|all| !all[at]) {
                return 0.0;
            }
            let (kept, step) = (wide[at], 1e-5);
            wide[at] = kept + step;
            let above = loss(&wide);
            wide[at] = kept - step;
            let slope = (above - loss(&wide)) / (2.0 * step);
            wide[at] = kept;
            slope
        })
        .collect();
    let mut first: Option<Vec<u32>> = None;
    for level in Level::available() {
        let mut trainer =
            Trainer::new(level, network.clone(), settings, data.clone(), Rng::from_seed(1)).expect("sound");
        let gradient = trainer.gradient();
        for (at, (got, want)) in gradient.iter().zip(&want).enumerate() {
            let error = (f64::from(*got) - want).abs();
            assert!(
                error <= 2e-5 * want.abs().max(0.1),
                "{:?} {:?} {:?} shortcut {} rate {}: weight {at}: {got} not {want}",
                case.hidden,
                case.output,
                case.loss,
                case.shortcut,
                case.rate
            );
        }
        let measured = trainer.measure(&data);
        let error = (measured.loss - loss(&wide)).abs();
        assert!(
            error <= 2e-6 * measured.loss.abs().max(1.0),
            "{:?}: {} not {}",
            case.loss,
            measured.loss,
            loss(&wide)
        );
        let bits: Vec<u32> = gradient.iter().map(|slope| slope.to_bits()).collect();
        assert_eq!(first.get_or_insert_with(|| bits.clone()), &bits, "{level:?} differs");
    }
}

const HIDDEN: [Activation; 14] = [
    Linear,
    Logistic,
    Tanh,
    ElliottSymmetric,
    Elliott,
    Relu,
    LeakyRelu,
    Gaussian,
    GaussianSymmetric,
    Sine,
    Cosine,
    PiecewiseLinear,
    PiecewiseLinearSymmetric,
    Softplus,
];

const LOSSES: [Loss; 4] = [Loss::Squared, Loss::Absolute, Loss::Huber { delta: 0.25 }, Loss::FannTanh];

#[test]
fn every_hidden_activation_with_every_loss() {
    for hidden in HIDDEN {
        for loss in LOSSES {
            // FANN's loss follows errors below 1 only
            let output = if loss == Loss::FannTanh { Logistic } else { Linear };
            check(&Case { hidden, output, loss, shortcut: false, rate: 1.0, weighted: false });
        }
        for output in [Logistic, Softmax] {
            check(&Case {
                hidden,
                output,
                loss: Loss::CrossEntropy,
                shortcut: true,
                rate: 1.0,
                weighted: true,
            });
        }
    }
}

#[test]
fn every_output_activation_with_every_loss() {
    for output in HIDDEN.into_iter().chain([Softmax]) {
        for loss in LOSSES {
            let small = matches!(output, Logistic | Tanh | Softmax | Elliott);
            if loss == Loss::FannTanh && !small {
                continue;
            }
            check(&Case { hidden: Tanh, output, loss, shortcut: false, rate: 1.0, weighted: true });
        }
    }
}

#[test]
fn shortcuts_and_missing_connections() {
    for (shortcut, rate) in [(true, 1.0), (false, 0.5), (true, 0.5)] {
        for hidden in [Tanh, Gaussian, Sine] {
            check(&Case { hidden, output: Logistic, loss: Loss::Squared, shortcut, rate, weighted: false });
        }
    }
}
