//! Training gives the same bits on every level, in any slices, and after a pause; rows alone give what blocks give.

use ruv_swarm_neural::{
    Activation, Algorithm, Init, Layer, Level, Loss, Network, Rng, Rows, Runner, Settings, Shape, Trainer,
};

const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::Batch,
    Algorithm::Incremental,
    Algorithm::RpropPlus,
    Algorithm::RpropMinus,
    Algorithm::IrpropPlus,
    Algorithm::IrpropMinus,
    Algorithm::Sarprop,
    Algorithm::Quickprop,
    Algorithm::Adam,
];

fn network(sizes: &[usize], shortcut: bool, hidden: Activation, output: Activation, rate: f32) -> Network {
    let mut rng = Rng::from_seed(5);
    let last = sizes.len() - 1;
    let layer = |(index, units): (usize, &usize)| Layer {
        units: *units,
        activation: if index == last { output } else { hidden },
        steepness: 1.0,
    };
    let layers = sizes.iter().enumerate().skip(1).map(layer).collect();
    let mut network = Network::new(Shape { inputs: sizes[0], layers, shortcut });
    network.initialise(Init::Scaled, &mut rng);
    network.sparsify(rate, &mut rng);
    network
}

fn rows(count: usize, inputs: usize, outputs: usize, weighted: bool) -> Rows {
    let mut rng = Rng::from_seed(9);
    Rows::build(count, inputs, outputs, |row, input, target| {
        input.iter_mut().for_each(|value| *value = rng.uniform_f32(-1.0, 1.0));
        let class = usize::from(input[0] * input[1 % inputs] > 0.0) % outputs;
        target.iter_mut().enumerate().for_each(|(o, value)| *value = if o == class { 1.0 } else { 0.0 });
        if weighted {
            1.0 + (row % 2) as f32
        } else {
            1.0
        }
    })
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn settings(algorithm: Algorithm) -> Settings {
    let learning_rate = match algorithm {
        Algorithm::Batch => 0.7,
        Algorithm::Quickprop => 0.3,
        Algorithm::Adam => 0.01,
        _ => 0.05,
    };
    Settings { algorithm, learning_rate, ..Settings::default() }
}

/// Trains on every level, and once with a pause; all must end in the same weights, which are answered.
fn same_everywhere(network: &Network, data: &Rows, settings: Settings, epochs: usize) -> Vec<u32> {
    let make = |level| {
        Trainer::new(level, network.clone(), settings, data.clone(), Rng::from_seed(3)).expect("sound")
    };
    let mut first: Option<(Vec<u32>, u64)> = None;
    for level in Level::available() {
        let mut trainer = make(level);
        let start = trainer.epoch();
        let mut end = start;
        (1..epochs).for_each(|_| end = trainer.epoch());
        assert!(end.broken.is_none() && end.loss < start.loss, "{settings:?}: {start:?} to {end:?}");
        let found = (bits(&trainer.weights()), end.loss.to_bits());
        assert_eq!(first.get_or_insert_with(|| found.clone()), &found, "{level:?} differs: {settings:?}");
        let mut before = make(Level::detect());
        (0..epochs / 2).for_each(|_| assert!(before.epoch().broken.is_none()));
        let mut after = make(level);
        assert!(after.restore(&before.state()));
        (epochs / 2..epochs).for_each(|_| assert!(after.epoch().broken.is_none()));
        assert_eq!(bits(&after.weights()), found.0, "{level:?} differs after a pause: {settings:?}");
        for (weight, is) in after.weights().iter().zip(network.connected.iter().flatten()) {
            assert!(*is || *weight == 0.0, "a missing connection came to life");
        }
    }
    first.map(|found| found.0).unwrap_or_default()
}

#[test]
fn every_algorithm_on_every_level_and_after_a_pause() {
    for algorithm in ALGORITHMS {
        for (sizes, count) in [(vec![2, 3, 1], 4), (vec![5, 7, 4, 3], 70), (vec![20, 33, 18, 2], 130)] {
            let net = network(&sizes, false, Activation::Logistic, Activation::Logistic, 1.0);
            let data = rows(count, sizes[0], sizes[sizes.len() - 1], false);
            same_everywhere(&net, &data, settings(algorithm), 24);
        }
    }
}

#[test]
fn shortcuts_missing_connections_and_weights_of_rows() {
    for algorithm in [Algorithm::Incremental, Algorithm::IrpropMinus, Algorithm::Adam] {
        for (shortcut, rate) in [(true, 1.0), (false, 0.6), (true, 0.6)] {
            let net = network(&[6, 9, 5, 3], shortcut, Activation::Tanh, Activation::Softmax, rate);
            let data = rows(90, 6, 3, true);
            let settings = Settings { loss: Loss::CrossEntropy, ..settings(algorithm) };
            same_everywhere(&net, &data, settings, 16);
        }
    }
}

#[test]
fn momentum_small_batches_dropout_noise_and_decay() {
    let net = network(&[4, 10, 2], false, Activation::Gaussian, Activation::Logistic, 1.0);
    let data = rows(100, 4, 2, false);
    for algorithm in [Algorithm::Batch, Algorithm::Incremental, Algorithm::Adam] {
        let base = settings(algorithm);
        for changed in [
            Settings { momentum: 0.5, batch_rows: 16, ..base },
            Settings { dropout: 0.2, batch_rows: 32, ..base },
            Settings { noise: 0.05, l1: 1e-4, l2: 1e-3, ..base },
        ] {
            same_everywhere(&net, &data, changed, 40);
        }
    }
}

#[test]
fn one_row_alone_learns_the_same_as_a_batch_of_one() {
    for shortcut in [false, true] {
        let net = network(&[5, 6, 4, 2], shortcut, Activation::Sine, Activation::Tanh, 1.0);
        let data = rows(1, 5, 2, false);
        let train = |algorithm| {
            let settings = Settings { algorithm, learning_rate: 0.1, ..Settings::default() };
            let mut trainer =
                Trainer::new(Level::detect(), net.clone(), settings, data.clone(), Rng::from_seed(3))
                    .expect("sound");
            (0..10).for_each(|_| assert!(trainer.epoch().broken.is_none()));
            trainer.weights()
        };
        for (one, batch) in train(Algorithm::Incremental).iter().zip(train(Algorithm::Batch)) {
            assert!((one - batch).abs() < 1e-5, "{one} and {batch}");
        }
    }
}

#[test]
fn rows_run_alone_have_the_bits_of_many() {
    for (sizes, shortcut, output) in [
        (vec![2, 3, 1], false, Activation::Logistic),
        (vec![7, 40, 5], false, Activation::Softmax),
        (vec![7, 20, 9, 5], true, Activation::Sine),
    ] {
        let net = network(&sizes, shortcut, Activation::Tanh, output, 1.0);
        let (inputs, outputs) = (sizes[0], sizes[sizes.len() - 1]);
        let mut rng = Rng::from_seed(2);
        let values: Vec<f32> = (0..150 * inputs).map(|_| rng.uniform_f32(-3.0, 3.0)).collect();
        let mut first: Option<Vec<u32>> = None;
        for level in Level::available() {
            let mut runner = Runner::new(level, &net).expect("sound");
            let mut many = vec![0.0; 150 * outputs];
            assert!(runner.rows(&values, &mut many));
            let mut single = vec![0.0; outputs];
            for (input, answer) in values.chunks(inputs).zip(many.chunks(outputs)) {
                assert!(runner.row(input, &mut single));
                assert_eq!(bits(answer), bits(&single), "{level:?}");
            }
            assert_eq!(first.get_or_insert_with(|| bits(&many)), &bits(&many), "{level:?}");
            assert!(!runner.row(&values[..inputs - 1], &mut single) && !runner.rows(&values, &mut single));
        }
    }
}

#[test]
fn what_is_not_finite_is_found_with_its_layer() {
    let mut net = network(&[3, 4, 2], false, Activation::Tanh, Activation::Linear, 1.0);
    let end = net.weights.len() - 1;
    net.weights[end] = f32::INFINITY;
    let data = rows(8, 3, 2, false);
    let mut trainer =
        Trainer::new(Level::detect(), net, Settings::default(), data, Rng::from_seed(3)).expect("sound");
    assert_eq!(trainer.epoch().broken, Some(1));
}

#[test]
fn flushing_denormals_outside_changes_nothing() {
    let net = network(&[5, 7, 4, 3], false, Activation::Logistic, Activation::Logistic, 1.0);
    let data = rows(70, 5, 3, false);
    let first = same_everywhere(&net, &data, settings(Algorithm::Batch), 8);
    #[cfg(target_arch = "x86_64")]
    {
        let mut kept = 0u32;
        // SAFETY: reads and writes the control register of this thread, and puts it back.
        unsafe {
            std::arch::asm!("stmxcsr [{}]", in(reg) &mut kept);
            let flushing = kept | 0x8040;
            std::arch::asm!("ldmxcsr [{}]", in(reg) &flushing);
        }
        let second = same_everywhere(&net, &data, settings(Algorithm::Batch), 8);
        // SAFETY: as above.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &kept) };
        assert_eq!(first, second);
    }
    #[cfg(not(target_arch = "x86_64"))]
    assert!(!first.is_empty());
}
